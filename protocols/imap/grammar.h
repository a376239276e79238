#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"
#include "protocols/imap/dialect.h"

#include <cstddef>
#include <string_view>

// IMAP commands from bytes: RFC 3501 §9, with the extensions that command.h names. Pure: no state, no I/O.
namespace posthorn::imap {

// Bounds on what one command can make the server do, beside the session's limit on its octets.
inline constexpr std::size_t max_sequence_ranges = 10'000;
inline constexpr std::size_t max_search_depth = 50;
inline constexpr std::size_t max_search_keys = 1'000;
inline constexpr std::size_t max_sort_criteria = 50;
inline constexpr std::size_t max_fetch_items = 100;
inline constexpr std::size_t max_header_fields = 200;  // in one HEADER.FIELDS
inline constexpr std::size_t max_section_depth = 100;
inline constexpr std::size_t max_flags = 200;
inline constexpr std::size_t max_keyword_octets = 255;
inline constexpr std::size_t max_special_uses = 20;
inline constexpr std::size_t max_append_messages = 1'000;
inline constexpr std::size_t max_append_parts = 1'000;  // literals and URLs in one command
inline constexpr std::size_t max_list_patterns = 100;
inline constexpr std::size_t max_id_fields = 30;  // RFC 2971 §3.3

// Parses one command: what Framer found complete, without its last line end, literals in place, but for the
// messages, and parts of messages, of APPEND and REPLACE, of which only the announcements `{n}` CRLF stand
// there.
//
// Keywords match in any case (RFC 3501 §9 note 1). Where §9 asks for exactly one space, more are accepted,
// as are spaces before the line end and inside parentheses: clients send them, and nothing else can be meant.
//
// Errors: the text is fit for a BAD or NO reply: fixed words of ours, none of the client's octets.
//   Errc::malformed    unknown command or bad arguments (BAD);
//   Errc::too_large    one of the bounds above is passed (NO [LIMIT], or a response code of its own where the
//                      text begins with one);
//   Errc::not_allowed  a mailbox name that is neither modified UTF-7 nor UTF-8, or not what `dialect` asks
//                      for; a keyword that is too long (NO [CANNOT]).
Result<Command> parse_command(std::string_view command, Dialect dialect = {});

// The same for an APPEND or REPLACE that ends behind the announcement of a message or of a part of one: what
// came so far, so that it can be refused before the octets are sent (no such mailbox, over quota).
Result<Command> parse_cut_off(std::string_view command, Dialect dialect = {});

// The tag that a command begins with, "" where there is none that could stand in a reply: for answering
// what parse_command refused. Takes a command cut off anywhere, too.
std::string_view tag_of(std::string_view command);

// Whether a line, given without its line end, is the DONE that ends IDLE (RFC 2177 §4).
bool is_done(std::string_view line);

// date-time of RFC 3501 §9 between its quotes ("17-Jul-1996 02:44:25 -0700"); the day may be one digit with
// or without a space. A second of 60 is taken as the next minute's first.
Result<InternalDate> parse_internal_date(std::string_view text);

// The range with the lesser number first, `*` replaced by `largest_number` (which is 0 for an empty mailbox).
SequenceRange resolved(SequenceRange range, std::uint32_t largest_number);

}  // namespace posthorn::imap
