#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What an IMAP client can say, as values (RFC 3501 §6, §9, and the extensions named at each struct).
//
// grammar.h makes these from bytes, printer.h makes bytes of them. Whether a command is allowed in the
// state of the session, and whether its numbers and names exist, is the session's to judge. A command
// more is a struct here, an alternative of Command, a parse function and a print function.
//
// Throughout: mailbox names are UTF-8 with INBOX in capitals (mailbox_name.h); keywords of the protocol
// are in capitals; strings that belong to users are the octets as sent.
namespace posthorn::imap {

// Whether the numbers of a command are message sequence numbers or UIDs (RFC 3501 §2.3.1, §6.4.8).
enum class Numbering { sequence, uid };

// One number, or two and all between them in either order. `largest` stands for `*`.
struct SequenceRange {
  static constexpr std::uint32_t largest = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool operator==(const SequenceRange&) const = default;
};

// sequence-set of RFC 3501 §9: as written, neither sorted nor merged; never empty, and at most
// max_sequence_ranges (grammar.h) long.
struct SequenceSet {
  std::vector<SequenceRange> ranges;
  bool operator==(const SequenceSet&) const = default;
};

// A flag that the protocol defines (RFC 3501 §2.3.2); \Recent can be searched for, never set.
enum class SystemFlag : std::uint8_t { answered, flagged, deleted, seen, draft, recent };

// flag-list of RFC 3501 §9. Keywords are as sent, each once (they compare without case).
struct FlagList {
  std::vector<SystemFlag> system;  // each once; never `recent`
  std::vector<std::string> keywords;
  bool operator==(const FlagList&) const = default;
};

// date-time of RFC 3501 §9: an instant, and the zone in which the client wrote it.
struct InternalDate {
  std::int64_t unix_seconds = 0;
  std::int16_t zone_minutes = 0;  // east of Greenwich, -5999..5999 as "-9959".."+9959" allow
  bool operator==(const InternalDate&) const = default;
};

// date of RFC 3501 §9: a day without zone; a real one (no 31st of February).
struct Day {
  std::uint16_t year = 0;  // 0..9999
  std::uint8_t month = 1;  // 1..12
  std::uint8_t day = 1;    // 1..31
  auto operator<=>(const Day&) const = default;
};

// --- any state (RFC 3501 §6.1) ---

struct Capability {
  bool operator==(const Capability&) const = default;
};
struct Noop {
  bool operator==(const Noop&) const = default;
};
struct Logout {
  bool operator==(const Logout&) const = default;
};

// ID, RFC 2971 §3.1. Empty for `NIL` and `()`; a value of NIL is nullopt.
struct Id {
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;
  bool operator==(const Id&) const = default;
};

// --- not authenticated (RFC 3501 §6.2) ---

struct Starttls {
  bool operator==(const Starttls&) const = default;
};

// AUTHENTICATE, RFC 3501 §6.2.2, with the initial response of RFC 4959.
struct Authenticate {
  std::string mechanism;                        // in capitals
  std::optional<std::string> initial_response;  // base64 as sent; "" where "=" was sent
  bool operator==(const Authenticate&) const = default;
};

struct Login {
  std::string user;
  std::string password;
  bool operator==(const Login&) const = default;
};

// --- authenticated (RFC 3501 §6.3) ---

// SELECT and EXAMINE. Parameters (RFC 4466 §2.1) come with the extensions that define some.
struct Select {
  enum class Access { read_write, read_only };
  std::string mailbox;
  Access access = Access::read_write;  // read_only: it was EXAMINE
  bool operator==(const Select&) const = default;
};

// CREATE. `special_use` are the attributes of USE (RFC 6154 §3), each with its backslash, those that
// RFC 6154 §2 defines in its spelling.
struct Create {
  std::string mailbox;  // without the one hierarchy separator that §6.3.3 lets it end in
  std::vector<std::string> special_use;
  bool operator==(const Create&) const = default;
};

struct Delete {
  std::string mailbox;
  bool operator==(const Delete&) const = default;
};

struct Rename {
  std::string from;
  std::string to;
  bool operator==(const Rename&) const = default;
};

struct Subscribe {
  std::string mailbox;
  bool operator==(const Subscribe&) const = default;
};

struct Unsubscribe {
  std::string mailbox;
  bool operator==(const Unsubscribe&) const = default;
};

// LIST, RFC 3501 §6.3.8. Reference and pattern are UTF-8; the pattern has `*` and `%` (list_pattern.h).
//
// Special uses are always answered, so that RETURN (SPECIAL-USE) of RFC 6154 §2 leaves no trace.
struct List {
  std::string reference;
  std::string pattern;
  bool special_use_only = false;  // the selection option SPECIAL-USE of RFC 6154 §2
  bool operator==(const List&) const = default;
};

// LSUB, RFC 3501 §6.3.9.
struct Lsub {
  std::string reference;
  std::string pattern;
  bool operator==(const Lsub&) const = default;
};

// NAMESPACE, RFC 2342 §5.
struct Namespace {
  bool operator==(const Namespace&) const = default;
};

enum class StatusItem : std::uint8_t { messages, recent, uid_next, uid_validity, unseen };

// STATUS, RFC 3501 §6.3.10. Items in the order asked for, each once, at least one.
struct Status {
  std::string mailbox;
  std::vector<StatusItem> items;
  bool operator==(const Status&) const = default;
};

// One message of an APPEND: all but its octets, which go past the grammar (framing.h).
struct AppendMessage {
  FlagList flags;
  std::optional<InternalDate> date;
  std::uint64_t octets = 0;  // as the literal announced
  bool operator==(const AppendMessage&) const = default;
};

// APPEND, RFC 3501 §6.3.11; several messages are RFC 3502. At least one; the nth is the nth message
// literal that the framing reported.
struct Append {
  std::string mailbox;
  std::vector<AppendMessage> messages;
  bool operator==(const Append&) const = default;
};

// IDLE, RFC 2177. The DONE that ends it is no command: is_done() of grammar.h.
struct Idle {
  bool operator==(const Idle&) const = default;
};

// ENABLE, RFC 5161 §3.1. In capitals, at least one.
struct Enable {
  std::vector<std::string> capabilities;
  bool operator==(const Enable&) const = default;
};

// --- selected (RFC 3501 §6.4) ---

struct Check {
  bool operator==(const Check&) const = default;
};
struct Close {
  bool operator==(const Close&) const = default;
};

// UNSELECT, RFC 3691 §2.
struct Unselect {
  bool operator==(const Unselect&) const = default;
};

// EXPUNGE; with a set it was UID EXPUNGE (RFC 4315 §2.1).
struct Expunge {
  std::optional<SequenceSet> uids;
  bool operator==(const Expunge&) const = default;
};

// The search keys of RFC 3501 §6.4.4 as a tree. UNSEEN and its like are a SearchFlag that is to be off,
// NEW is RECENT and UNSEEN, OLD is RECENT off.
struct SearchKey;

struct SearchAll {
  bool operator==(const SearchAll&) const = default;
};
struct SearchFlag {
  SystemFlag flag = SystemFlag::seen;
  bool set = true;
  bool operator==(const SearchFlag&) const = default;
};
struct SearchKeyword {
  std::string keyword;
  bool set = true;
  bool operator==(const SearchKeyword&) const = default;
};
// Messages by number; the numbers of `UID set` are uid, those of a bare set are sequence numbers, in
// UID SEARCH too (§6.4.8).
struct SearchNumbers {
  Numbering numbering = Numbering::sequence;
  SequenceSet set;
  bool operator==(const SearchNumbers&) const = default;
};
// By day, zone and time left aside: BEFORE ON SINCE by INTERNALDATE, the SENT kind by the Date field.
struct SearchDate {
  enum class Of { internal, sent };
  enum class Relation { before, on, since };  // since: on that day or later
  Of of = Of::internal;
  Relation relation = Relation::on;
  Day day;
  bool operator==(const SearchDate&) const = default;
};
// Strictly more, or strictly fewer, octets.
struct SearchSize {
  enum class Relation { larger, smaller };
  Relation relation = Relation::larger;
  std::uint64_t octets = 0;
  bool operator==(const SearchSize&) const = default;
};
// A substring, without case, in the charset of the Search; an empty one matches where the place exists.
struct SearchText {
  enum class In { bcc, body, cc, from, subject, text, to };
  In in = In::text;
  std::string text;
  bool operator==(const SearchText&) const = default;
};
struct SearchHeader {
  std::string field;
  std::string text;
  bool operator==(const SearchHeader&) const = default;
};
// All of them: the keys of a list in parentheses, or of the command itself. Two or more.
struct SearchAnd {
  std::vector<SearchKey> keys;
  bool operator==(const SearchAnd&) const;
};
// Two or more: `OR a OR b c` is one of the three. The last is no SearchOr.
struct SearchOr {
  std::vector<SearchKey> keys;
  bool operator==(const SearchOr&) const;
};
// Exactly one.
struct SearchNot {
  std::vector<SearchKey> keys;
  bool operator==(const SearchNot&) const;
};

struct SearchKey {
  std::variant<SearchAll, SearchFlag, SearchKeyword, SearchNumbers, SearchDate, SearchSize, SearchText,
               SearchHeader, SearchAnd, SearchOr, SearchNot>
      key;
  bool operator==(const SearchKey&) const;
};

// SEARCH and UID SEARCH. The texts in the tree are octets in `charset`, which is as sent but in capitals,
// and empty where none was named (then US-ASCII, §6.4.4).
struct Search {
  Numbering numbering = Numbering::sequence;  // of the answer
  std::string charset;
  SearchKey key;
  bool operator==(const Search&) const = default;
};

// The data items of FETCH without arguments. The RFC822 ones are names of their own since they are
// answered under them; `rfc822` and `rfc822_text` set \Seen (RFC 3501 §6.4.5).
enum class FetchAttribute : std::uint8_t {
  body,  // BODY alone: BODYSTRUCTURE without extension data
  body_structure,
  envelope,
  flags,
  internal_date,
  rfc822,
  rfc822_header,
  rfc822_size,
  rfc822_text,
  uid,
};

// section of RFC 3501 §9: what stands between the brackets of BODY[...].
struct Section {
  enum class Text { all, header, header_fields, header_fields_not, text, mime };
  std::vector<std::uint32_t> part;  // "1.2" is {1, 2}; empty for the message itself; never with 0 in it
  Text text = Text::all;            // mime only with a part
  std::vector<std::string> fields;  // as sent; for header_fields and header_fields_not, else empty
  bool operator==(const Section&) const = default;
};

// "<first.count>": octets from `first` (0 is the first one) on, at most `count`, which is not 0.
struct Partial {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const Partial&) const = default;
};

// BODY[section]<partial>, and BODY.PEEK that does not set \Seen.
struct FetchBody {
  enum class Seen { set, peek };
  Section section;
  std::optional<Partial> partial;
  Seen seen = Seen::set;
  bool operator==(const FetchBody&) const = default;
};

using FetchItem = std::variant<FetchAttribute, FetchBody>;

// FETCH and UID FETCH. ALL, FAST and FULL are written out; no item twice; at least one. For UID FETCH the
// session answers UID too, asked for or not (RFC 3501 §6.4.8).
struct Fetch {
  Numbering numbering = Numbering::sequence;
  SequenceSet messages;
  std::vector<FetchItem> items;
  bool operator==(const Fetch&) const = default;
};

// STORE and UID STORE.
struct Store {
  enum class Mode { replace, add, remove };
  enum class Answer { flags, silent };
  Numbering numbering = Numbering::sequence;
  SequenceSet messages;
  Mode mode = Mode::replace;
  Answer answer = Answer::flags;
  FlagList flags;
  bool operator==(const Store&) const = default;
};

struct Copy {
  Numbering numbering = Numbering::sequence;
  SequenceSet messages;
  std::string mailbox;
  bool operator==(const Copy&) const = default;
};

// MOVE and UID MOVE, RFC 6851 §3.
struct Move {
  Numbering numbering = Numbering::sequence;
  SequenceSet messages;
  std::string mailbox;
  bool operator==(const Move&) const = default;
};

struct Command {
  using Body = std::variant<Capability, Noop, Logout, Id, Starttls, Authenticate, Login, Select, Create,
                            Delete, Rename, Subscribe, Unsubscribe, List, Lsub, Namespace, Status, Append,
                            Idle, Enable, Check, Close, Unselect, Expunge, Search, Fetch, Store, Copy, Move>;
  std::string tag;
  Body body;
  bool operator==(const Command&) const = default;
};

inline bool SearchKey::operator==(const SearchKey&) const = default;
inline bool SearchAnd::operator==(const SearchAnd& other) const { return keys == other.keys; }
inline bool SearchOr::operator==(const SearchOr& other) const { return keys == other.keys; }
inline bool SearchNot::operator==(const SearchNot& other) const { return keys == other.keys; }

}  // namespace posthorn::imap
