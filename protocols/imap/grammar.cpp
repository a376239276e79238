#include "protocols/imap/grammar.h"

#include "protocols/imap/cursor.h"
#include "protocols/imap/grammar_parts.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace posthorn::imap {

namespace {

// A tag goes back in the reply, so it has a bound of its own.
constexpr std::size_t max_tag = 256;

// tag of RFC 3501 §9: ASTRING-CHARs but `+`.
bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= max_tag &&
         std::ranges::all_of(text, [](char c) { return is_astring_char(c) && c != '+'; });
}

template <class Plain>
Result<Body> parse_plain(Cursor&) {
  return Plain{};
}

template <class OfMailbox>
Result<Body> parse_of_mailbox(Cursor& in) {
  TRY(in.space("mailbox name"));
  return OfMailbox{TRY(in.mailbox())};
}

// RFC 3501 §6.2.2; initial-resp of RFC 4959 §7. Whether the base64 decodes is found where it is decoded.
Result<Body> parse_authenticate(Cursor& in) {
  TRY(in.space("mechanism"));
  Authenticate authenticate{to_upper(TRY(in.atom("mechanism"))), std::nullopt};
  if (!in.take_spaces() || in.at_end()) return authenticate;

  const std::string_view response = in.take_atom();
  const auto is_base64_char = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  };
  if (response.empty() || !std::ranges::all_of(response, is_base64_char)) {
    return malformed("initial response is not base64");
  }
  authenticate.initial_response = response == "=" ? "" : response;
  return authenticate;
}

// RFC 3501 §6.2.3.
Result<Body> parse_login(Cursor& in) {
  Login login;
  TRY(in.space("user name"));
  login.user = TRY(in.astring("user name"));
  TRY(in.space("password"));
  login.password = TRY(in.astring("password"));
  return login;
}

// RFC 2971 §3.1, with the bounds of §3.3, which clients must not pass.
Result<Body> parse_id(Cursor& in) {
  TRY(in.space("parameters"));
  Id id;
  if (in.peek() != '(') {
    if (!equal_ignoring_case(in.take_atom(), "NIL")) return malformed("list of parameters or NIL expected");
    return id;
  }
  TRY(parenthesised(in, "parameter", [&]() -> Result<> {
    if (id.fields.size() == max_id_fields) return malformed("too many ID parameters");
    std::string field = TRY(in.string("parameter name"));
    TRY(in.space("parameter value"));
    auto value = TRY(in.nstring("parameter value"));
    if (field.size() > 30 || (value && value->size() > 1024)) return malformed("ID parameter too long");
    id.fields.emplace_back(std::move(field), std::move(value));
    return {};
  }));
  return id;
}

// RFC 5161 §3.1.
Result<Body> parse_enable(Cursor& in) {
  Enable enable;
  TRY(in.space("capability"));
  do {
    enable.capabilities.push_back(to_upper(TRY(in.atom("capability"))));
  } while (in.take_spaces() && !in.at_end());
  return enable;
}

// RFC 4978 §5.
Result<Body> parse_compress(Cursor& in) {
  TRY(in.space("compression algorithm"));
  if (!equal_ignoring_case(in.take_atom(), "DEFLATE")) return malformed("unknown compression algorithm");
  return Compress{};
}

// "(UNCHANGEDSINCE 12)", store-modifiers of RFC 4466 §2.5, RFC 7162 §3.1.3.
Result<std::uint64_t> parse_store_modifiers(Cursor& in) {
  std::optional<std::uint64_t> unchanged_since;
  TRY(parenthesised(in, "STORE modifier", [&]() -> Result<> {
    if (!equal_ignoring_case(in.take_atom(), "UNCHANGEDSINCE")) return malformed("unknown STORE modifier");
    if (unchanged_since) return malformed("UNCHANGEDSINCE stands there twice");
    TRY(in.space("mod-sequence"));
    unchanged_since = TRY(in.number());
    return {};
  }));
  if (!unchanged_since) return malformed("no STORE modifier");
  return *unchanged_since;
}

// store-att-flags of RFC 3501 §9.
Result<Body> parse_store(Cursor& in, Numbering numbering) {
  Store store{.numbering = numbering};
  TRY(in.space("message numbers"));
  store.messages = TRY(in.sequence_set());
  TRY(in.space("what to store"));
  if (in.peek() == '(') {
    store.unchanged_since = TRY(parse_store_modifiers(in));
    TRY(in.space("what to store"));
  }
  if (in.take('+')) {
    store.mode = Store::Mode::add;
  } else if (in.take('-')) {
    store.mode = Store::Mode::remove;
  }
  const std::string item = to_upper(in.take_word());
  if (item == "FLAGS.SILENT") {
    store.answer = Store::Answer::silent;
  } else if (item != "FLAGS") {
    return malformed("FLAGS or FLAGS.SILENT expected");
  }
  TRY(in.space("flags"));
  store.flags = TRY(in.flag_list_or_flags());
  return store;
}

// COPY and MOVE: RFC 3501 §6.4.7, RFC 6851 §3.
template <class Transfer>
Result<Body> parse_transfer(Cursor& in, Numbering numbering) {
  Transfer transfer{.numbering = numbering};
  TRY(in.space("message numbers"));
  transfer.messages = TRY(in.sequence_set());
  TRY(in.space("mailbox name"));
  transfer.mailbox = TRY(in.mailbox());
  return transfer;
}

// RFC 4315 §2.1.
Result<Body> parse_uid_expunge(Cursor& in) {
  TRY(in.space("UIDs"));
  return Expunge{TRY(in.sequence_set())};
}

using Parse = Result<Body> (*)(Cursor&);
struct Entry {
  std::string_view name;
  Parse parse;
};

template <Result<Body> (*parse)(Cursor&, Numbering), Numbering numbering>
Result<Body> with_numbers(Cursor& in) {
  return parse(in, numbering);
}

constexpr Entry commands[] = {
    {"APPEND", parse_append},
    {"AUTHENTICATE", parse_authenticate},
    {"CAPABILITY", parse_plain<Capability>},
    {"CHECK", parse_plain<Check>},
    {"CLOSE", parse_plain<Close>},
    {"COMPRESS", parse_compress},
    {"COPY", with_numbers<parse_transfer<Copy>, Numbering::sequence>},
    {"CREATE", parse_create},
    {"DELETE", parse_of_mailbox<Delete>},
    {"DELETEACL", parse_delete_acl},
    {"ENABLE", parse_enable},
    {"EXAMINE", [](Cursor& in) { return parse_select(in, Select::Access::read_only); }},
    {"EXPUNGE", parse_plain<Expunge>},
    {"FETCH", with_numbers<parse_fetch, Numbering::sequence>},
    {"GETACL", parse_of_mailbox<GetAcl>},
    {"ID", parse_id},
    {"IDLE", parse_plain<Idle>},
    {"LIST", parse_list},
    {"LISTRIGHTS", parse_list_rights},
    {"LOGIN", parse_login},
    {"LOGOUT", parse_plain<Logout>},
    {"LSUB", parse_lsub},
    {"MOVE", with_numbers<parse_transfer<Move>, Numbering::sequence>},
    {"MYRIGHTS", parse_of_mailbox<MyRights>},
    {"NAMESPACE", parse_plain<Namespace>},
    {"NOOP", parse_plain<Noop>},
    {"RENAME", parse_rename},
    {"REPLACE", with_numbers<parse_replace, Numbering::sequence>},
    {"SEARCH", with_numbers<parse_search, Numbering::sequence>},
    {"SELECT", [](Cursor& in) { return parse_select(in, Select::Access::read_write); }},
    {"SETACL", parse_set_acl},
    {"SORT", with_numbers<parse_sort, Numbering::sequence>},
    {"STARTTLS", parse_plain<Starttls>},
    {"STATUS", parse_status},
    {"STORE", with_numbers<parse_store, Numbering::sequence>},
    {"SUBSCRIBE", parse_of_mailbox<Subscribe>},
    {"THREAD", with_numbers<parse_thread, Numbering::sequence>},
    {"UNAUTHENTICATE", parse_plain<Unauthenticate>},
    {"UNSELECT", parse_plain<Unselect>},
    {"UNSUBSCRIBE", parse_of_mailbox<Unsubscribe>},
    {"XLIST", parse_xlist},
};

// RFC 3501 §6.4.8, RFC 4315 §2.1, RFC 6851 §3.2, RFC 8508 §3.3.
constexpr Entry uid_commands[] = {
    {"COPY", with_numbers<parse_transfer<Copy>, Numbering::uid>},
    {"EXPUNGE", parse_uid_expunge},
    {"FETCH", with_numbers<parse_fetch, Numbering::uid>},
    {"MOVE", with_numbers<parse_transfer<Move>, Numbering::uid>},
    {"REPLACE", with_numbers<parse_replace, Numbering::uid>},
    {"SEARCH", with_numbers<parse_search, Numbering::uid>},
    {"SORT", with_numbers<parse_sort, Numbering::uid>},
    {"STORE", with_numbers<parse_store, Numbering::uid>},
    {"THREAD", with_numbers<parse_thread, Numbering::uid>},
};

Result<Body> parse_body(Cursor& in) {
  std::string_view name = in.take_atom();
  if (name.empty()) return malformed("command expected");
  const bool is_uid = equal_ignoring_case(name, "UID");
  if (is_uid) {
    TRY(in.space("command after UID"));
    name = in.take_atom();
  }
  const std::span<const Entry> table = is_uid ? std::span<const Entry>(uid_commands) : commands;
  const auto entry = std::ranges::find_if(table, [&](auto& e) { return equal_ignoring_case(e.name, name); });
  if (entry == table.end()) return malformed("unknown command");
  return entry->parse(in);
}

Result<Command> parse(Cursor in) {
  const std::string_view tag = in.take_tag();
  if (!is_tag(tag)) return malformed("tag expected");
  TRY(in.space("command"));
  Body body = TRY(parse_body(in));
  TRY(in.end());
  return Command{std::string(tag), std::move(body)};
}

}  // namespace

Result<Command> parse_command(std::string_view command, Dialect dialect) {
  return parse(Cursor(command, dialect));
}

Result<Command> parse_cut_off(std::string_view command, Dialect dialect) {
  return parse(Cursor(command, dialect, Cursor::Extent::cut_off));
}

std::string_view tag_of(std::string_view command) {
  const std::string_view tag = Cursor(command).take_tag();
  return is_tag(tag) ? tag : "";
}

bool is_done(std::string_view line) {
  Cursor in(line);
  return equal_ignoring_case(in.take_atom(), "DONE") && in.end().has_value();
}

SequenceRange resolved(SequenceRange range, std::uint32_t largest_number) {
  if (range.first == SequenceRange::largest) range.first = largest_number;
  if (range.last == SequenceRange::largest) range.last = largest_number;
  if (range.last < range.first) std::swap(range.first, range.last);
  return range;
}

}  // namespace posthorn::imap
