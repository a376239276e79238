#pragma once

#include "storage/rights.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// sequence-set of RFC 3501 §9: as written, neither sorted nor merged; at most max_sequence_ranges
// (grammar.h) long.
struct SequenceSet {
  std::vector<SequenceRange> ranges;  // empty only where `saved`
  bool saved = false;  // `$`: what the last SEARCH saved (RFC 5182 §2.1), put in by saved_search.h
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

// partial-range of RFC 9394 §4: places among the results, 1 for the first, from the oldest message on or,
// written with `-`, from the newest. Both are part of the range, in either order, as written; never 0.
struct PartialRange {
  enum class From : std::uint8_t { oldest, newest };
  From from = From::oldest;
  std::uint32_t first = 1;
  std::uint32_t last = 1;
  bool operator==(const PartialRange&) const = default;
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

// The parameter QRESYNC of SELECT, RFC 7162 §3.2.5: what the client knows of the mailbox. No `*` and no `$`
// in its sets.
struct QuickResync {
  // Messages that the client had, as equally many sequence numbers and UIDs (§3.2.5.2). In both the ranges
  // ascend and do not overlap; none is turned round.
  struct Match {
    SequenceSet numbers;
    SequenceSet uids;
    bool operator==(const Match&) const = default;
  };
  std::uint32_t uid_validity = 0;           // not 0
  std::uint64_t mod_sequence = 0;           // 1 to 2^63-1
  std::optional<SequenceSet> known_uids{};  // in any order
  std::optional<Match> match{};
  bool operator==(const QuickResync&) const = default;
};

// SELECT and EXAMINE, with the parameters of RFC 7162 in the syntax of RFC 4466 §2.1.
struct Select {
  enum class Access { read_write, read_only };
  std::string mailbox;
  Access access = Access::read_write;  // read_only: it was EXAMINE
  bool condstore = false;              // RFC 7162 §3.1.8
  std::optional<QuickResync> resync{};
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

enum class StatusItem : std::uint8_t {
  messages,
  recent,
  uid_next,
  uid_validity,
  unseen,
  deleted,               // RFC 9051 §6.3.11
  size,                  // RFC 8438, RFC 9051
  highest_mod_sequence,  // RFC 7162 §3.1.7
  mailbox_id,            // RFC 8474 §4.3
  append_limit,          // RFC 7889 §3.1
};

// Stands for a reference or pattern of LIST and its kin that no mailbox name can match, as it is neither
// modified UTF-7 nor UTF-8: DEL is in no name. RFC 5258 §3: what is not accepted is passed over silently.
inline constexpr std::string_view unmatchable = "\x7f";

// LIST, RFC 3501 §6.3.8, with the options of RFC 5258 §3, RFC 5819, RFC 6154 §2. Reference and patterns are
// UTF-8; the patterns have `*` and `%` (list_pattern.h).
struct List {
  // RFC 5258 §3: with any of its three additions an empty pattern does not ask for the separator.
  enum class Syntax { basic, extended };
  // Which mailboxes: those that are all of this.
  struct Selection {
    bool subscribed = false;
    bool remote = false;
    bool recursive_match = false;  // only with `subscribed`
    bool special_use = false;
    bool operator==(const Selection&) const = default;
  };
  // What is told of each.
  struct Return {
    bool subscribed = false;
    bool children = false;
    bool special_use = false;
    bool my_rights = false;            // RFC 8440 §3
    std::vector<StatusItem> status{};  // each once; empty where no STATUS was asked for
    bool operator==(const Return&) const = default;
  };
  std::string reference;
  std::vector<std::string> patterns;  // at least one, at most max_list_patterns (grammar.h)
  Syntax syntax = Syntax::basic;
  Selection selection{};
  Return returned{};
  bool operator==(const List&) const = default;
};

// LSUB, RFC 3501 §6.3.9.
struct Lsub {
  std::string reference;
  std::string pattern;
  bool operator==(const Lsub&) const = default;
};

// XLIST, which Gmail offered before there was RFC 6154: LIST with special uses as attributes.
struct Xlist {
  std::string reference;
  std::string pattern;
  bool operator==(const Xlist&) const = default;
};

// NAMESPACE, RFC 2342 §5.
struct Namespace {
  bool operator==(const Namespace&) const = default;
};

// SETACL, RFC 4314 §3.1. Identifiers are as sent.
struct SetAcl {
  std::string mailbox;
  std::string identifier;
  storage::RightsChange change;
  bool operator==(const SetAcl&) const = default;
};

// DELETEACL, RFC 4314 §3.2.
struct DeleteAcl {
  std::string mailbox;
  std::string identifier;
  bool operator==(const DeleteAcl&) const = default;
};

// GETACL, RFC 4314 §3.3.
struct GetAcl {
  std::string mailbox;
  bool operator==(const GetAcl&) const = default;
};

// LISTRIGHTS, RFC 4314 §3.4.
struct ListRights {
  std::string mailbox;
  std::string identifier;
  bool operator==(const ListRights&) const = default;
};

// MYRIGHTS, RFC 4314 §3.5.
struct MyRights {
  std::string mailbox;
  bool operator==(const MyRights&) const = default;
};

// STATUS, RFC 3501 §6.3.10. Items in the order asked for, each once, at least one.
struct Status {
  std::string mailbox;
  std::vector<StatusItem> items;
  bool operator==(const Status&) const = default;
};

// A literal of APPEND or REPLACE, but for its octets, which go past the grammar: the nth in a command is the
// nth whose Frame was `message` or `text` (framing.h).
struct AppendLiteral {
  enum class Form : std::uint8_t {
    text,    // {n}: without NUL
    binary,  // ~{n}, literal8 of RFC 3516 §4.4
    utf8     // UTF8 (~{n}), RFC 6855 §4
  };
  std::uint64_t octets = 0;  // as it announced
  Form form = Form::text;
  bool operator==(const AppendLiteral&) const = default;
};

// URL of CATENATE, as sent: catenate_url.h reads it.
struct AppendUrl {
  std::string url;
  bool operator==(const AppendUrl&) const = default;
};

using AppendPart = std::variant<AppendLiteral, AppendUrl>;

// One message of an APPEND.
struct AppendMessage {
  FlagList flags;
  std::optional<InternalDate> date;
  std::vector<AppendPart> parts{};  // one literal; or what CATENATE (RFC 4469) joins, at least one
  bool catenated = false;

  // Of all its literals; the largest value where they are more.
  std::uint64_t octets() const {
    std::uint64_t sum = 0;
    for (const AppendPart& part : parts) {
      const auto* literal = std::get_if<AppendLiteral>(&part);
      if (literal != nullptr) sum += literal->octets < ~sum ? literal->octets : ~sum;
    }
    return sum;
  }
  bool operator==(const AppendMessage&) const = default;
};

// APPEND, RFC 3501 §6.3.11; several messages are RFC 3502. At least one.
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

// COMPRESS DEFLATE, RFC 4978 §3; there is no other algorithm.
struct Compress {
  bool operator==(const Compress&) const = default;
};

// UNAUTHENTICATE, RFC 8437 §3.
struct Unauthenticate {
  bool operator==(const Unauthenticate&) const = default;
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
// UIDBEFORE and UIDAFTER, RFC 9738 §3.2: on this side of a UID, whether it is there or not.
struct SearchUidBound {
  enum class Side { before, after };
  Side side = Side::before;
  std::uint32_t uid = 1;
  bool operator==(const SearchUidBound&) const = default;
};
// By day, zone and time left aside: BEFORE ON SINCE by INTERNALDATE, the SENT kind by the Date field, the
// SAVED kind by the save date (RFC 8514 §4.3).
struct SearchDate {
  enum class Of { internal, sent, saved };
  enum class Relation { before, on, since };  // since: on that day or later
  Of of = Of::internal;
  Relation relation = Relation::on;
  Day day;
  bool operator==(const SearchDate&) const = default;
};
// OLDER and YOUNGER, RFC 5032: by INTERNALDATE, so many seconds before now.
struct SearchWithin {
  enum class Side { older, younger };
  Side side = Side::younger;
  std::uint32_t seconds = 1;
  bool operator==(const SearchWithin&) const = default;
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
// MODSEQ, RFC 7162 §3.1.5: changed at `least` or later.
struct SearchModSequence {
  struct Entry {
    enum class Of : std::uint8_t { own, shared, all };  // "priv", "shared", "all"
    std::string name;                                   // "/flags/\\Seen", unescaped
    Of of = Of::all;
    bool operator==(const Entry&) const = default;
  };
  std::uint64_t least = 0;  // 0 to 2^63-1
  std::optional<Entry> entry{};
  bool operator==(const SearchModSequence&) const = default;
};
// EMAILID and THREADID, RFC 8474 §5.4.
struct SearchObjectId {
  enum class Of { email, thread };
  Of of = Of::email;
  std::string id;  // 1 to 255 letters, digits, `_` and `-`
  bool operator==(const SearchObjectId&) const = default;
};
// SAVEDATESUPPORTED, RFC 8514 §4.3.
struct SearchSaveDateSupported {
  bool operator==(const SearchSaveDateSupported&) const = default;
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
  std::variant<SearchAll, SearchFlag, SearchKeyword, SearchNumbers, SearchUidBound, SearchDate, SearchWithin,
               SearchSize, SearchText, SearchHeader, SearchModSequence, SearchObjectId,
               SearchSaveDateSupported, SearchAnd, SearchOr, SearchNot>
      key;
  bool operator==(const SearchKey&) const;
};

// RETURN of SEARCH and SORT: RFC 4731 §3.1, RFC 5182 §2.1 (`save`), RFC 9394 §3.1. `RETURN ()` is `all`.
// Never both `all` and `partial`.
struct SearchReturn {
  bool min = false;
  bool max = false;
  bool all = false;
  bool count = false;
  bool save = false;
  std::optional<PartialRange> partial{};
  bool operator==(const SearchReturn&) const = default;
};

// SEARCH and UID SEARCH. The texts in the tree are octets in `charset`, which is as sent but in capitals,
// and empty where none was named: then US-ASCII (RFC 3501 §6.4.4), or UTF-8 where that or IMAP4rev2 is
// enabled (RFC 6855 §3, RFC 9051 §6.4.4.1).
struct Search {
  Numbering numbering = Numbering::sequence;  // of the answer
  std::string charset;
  SearchKey key;
  std::optional<SearchReturn> returned{};  // none: it had no RETURN
  bool operator==(const Search&) const = default;
};

// What SORT compares messages by (RFC 5256 §3, BASE.6.4.SORT; RFC 5957 §4). REVERSE is of this one alone.
struct SortCriterion {
  enum class Key : std::uint8_t { arrival, cc, date, display_from, display_to, from, size, subject, to };
  Key key = Key::arrival;
  bool reverse = false;
  bool operator==(const SortCriterion&) const = default;
};

// SORT and UID SORT, RFC 5256 §3, with RETURN of RFC 5267 §3. At least one criterion and at most
// max_sort_criteria (grammar.h); the search always names a charset.
struct Sort {
  std::vector<SortCriterion> criteria;
  Search search;
  bool operator==(const Sort&) const = default;
};

// THREAD and UID THREAD, RFC 5256 §3. `refs` is that of draft-ietf-morg-inthread: as `references`, but
// without its step (5), and ordered by the newest message of each thread. The search has no RETURN.
struct Thread {
  enum class Algorithm : std::uint8_t { ordered_subject, references, refs };
  Algorithm algorithm = Algorithm::references;
  Search search;
  bool operator==(const Thread&) const = default;
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
  mod_sequence,  // MODSEQ, RFC 7162 §3.1.4
  email_id,      // EMAILID, RFC 8474 §5.1
  thread_id,     // THREADID, RFC 8474 §5.2
  save_date,     // SAVEDATE, RFC 8514 §4.1
  preview,       // RFC 8970 §3.1
  preview_lazy,  // PREVIEW (LAZY), RFC 8970 §3.2; it is answered as PREVIEW
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

// BINARY[part]<partial> and BINARY.PEEK, RFC 3516 §4.2: the content of the part without its transfer
// encoding.
struct FetchBinary {
  std::vector<std::uint32_t> part;  // as of Section; empty for the whole message
  std::optional<Partial> partial;
  FetchBody::Seen seen = FetchBody::Seen::set;
  bool operator==(const FetchBinary&) const = default;
};

// BINARY.SIZE[part], RFC 3516 §4.2. It sets no \Seen.
struct FetchBinarySize {
  std::vector<std::uint32_t> part;
  bool operator==(const FetchBinarySize&) const = default;
};

using FetchItem = std::variant<FetchAttribute, FetchBody, FetchBinary, FetchBinarySize>;

// FETCH and UID FETCH. ALL, FAST and FULL are written out; no item twice; at least one. For UID FETCH the
// session answers UID too, asked for or not (RFC 3501 §6.4.8), and with `changed_since` MODSEQ (RFC 7162
// §3.1.4.1).
struct Fetch {
  Numbering numbering = Numbering::sequence;
  SequenceSet messages;
  std::vector<FetchItem> items;
  std::optional<std::uint64_t> changed_since{};  // 0 to 2^63-1, RFC 7162 §3.1.4.1
  bool vanished = false;                         // RFC 7162 §3.2.6; only by UID and with `changed_since`
  std::optional<PartialRange> partial{};         // RFC 9394 §3.3; only by UID
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
  std::optional<std::uint64_t> unchanged_since{};  // 0 to 2^63-1, RFC 7162 §3.1.3
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

// REPLACE and UID REPLACE, RFC 8508 §3.
struct Replace {
  Numbering numbering = Numbering::sequence;
  std::uint32_t number = 0;  // SequenceRange::largest for `*`
  std::string mailbox;
  AppendMessage message;
  bool operator==(const Replace&) const = default;
};

struct Command {
  using Body =
      std::variant<Capability, Noop, Logout, Id, Starttls, Authenticate, Login, Select, Create, Delete,
                   Rename, Subscribe, Unsubscribe, List, Lsub, Xlist, Namespace, SetAcl, DeleteAcl, GetAcl,
                   ListRights, MyRights, Status, Append, Idle, Enable, Compress, Unauthenticate, Check, Close,
                   Unselect, Expunge, Search, Sort, Thread, Fetch, Store, Copy, Move, Replace>;
  std::string tag;
  Body body;
  bool operator==(const Command&) const = default;
};

inline bool SearchKey::operator==(const SearchKey&) const = default;
inline bool SearchAnd::operator==(const SearchAnd& other) const { return keys == other.keys; }
inline bool SearchOr::operator==(const SearchOr& other) const { return keys == other.keys; }
inline bool SearchNot::operator==(const SearchNot& other) const { return keys == other.keys; }

}  // namespace posthorn::imap
