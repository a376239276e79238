#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/dialect.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// IMAP values to bytes. All append to `out`; none allocates beside it. Pure.
namespace posthorn::imap {

// string of RFC 3501 §9: quoted where that can hold the text, else a literal. NUL, which may stand nowhere
// (§9 note 3), goes out as 0x80 in a literal, so that the octets still count right; Dovecot does the same.
void append_string(std::string& out, std::string_view text);

// nstring: NIL for nullopt.
void append_nstring(std::string& out, const std::optional<std::string>& text);

// astring: an atom where that can hold the text, else as append_string.
void append_astring(std::string& out, std::string_view text);

// mailbox: an astring of the name, in modified UTF-7; in a dialect with UTF-8 as that, quoted (RFC 6855 §3).
// `name` is UTF-8; what is not valid in it becomes U+FFFD.
void append_mailbox(std::string& out, std::string_view name, Dialect dialect = {});

// "{octets}" CRLF, after which exactly so many octets have to follow.
void append_literal_header(std::string& out, std::uint64_t octets);

// "\Seen" and its like.
std::string_view name_of(SystemFlag flag);

// "MESSAGES" and its like.
std::string_view name_of(StatusItem item);

// flag-list with its parentheses.
void append_flags(std::string& out, const FlagList& flags);

// date-time with its quotes. A year beyond 0..9999 becomes the nearest that fits.
void append_internal_date(std::string& out, InternalDate date);

// sequence-set as written; `$` where it is that.
void append_sequence_set(std::string& out, const SequenceSet& set);

// sequence-set of numbers that ascend strictly, runs as ranges: "2,4:7,9". Nothing for none.
void append_sequence_set(std::string& out, std::span<const std::uint32_t> ascending);

// The name under which a FETCH response gives the item: "BODY[1.HEADER.FIELDS (From)]<0>", never BODY.PEEK,
// and the origin octet alone of a partial (RFC 3501 §7.4.2).
void append_response_name(std::string& out, const FetchItem& item);

// A command as a client would send it, without the last line end; literals synchronising, messages of
// APPEND as their announcements. parse_command() in the same dialect makes the same Command of it.
std::string to_string(const Command& command, Dialect dialect = {});

// Names for the log and for replies: "FETCH", "UID FETCH". Never arguments.
std::string_view name_of(const Command::Body& body);

}  // namespace posthorn::imap
