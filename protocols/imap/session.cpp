#include "protocols/imap/session.h"

#include "auth/sasl.h"
#include "protocols/imap/condstore.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/saved_search.h"
#include "protocols/imap/uid_only.h"
#include "tls/start.h"

#include <algorithm>
#include <array>
#include <utility>

namespace posthorn::imap {
namespace {

// In which states a command is allowed (RFC 3501 §3).
enum class Allowed { always, before_login, after_login, with_mailbox };

template <class Body>
constexpr Allowed allowed = Allowed::after_login;
template <>
constexpr Allowed allowed<Capability> = Allowed::always;
template <>
constexpr Allowed allowed<Noop> = Allowed::always;
template <>
constexpr Allowed allowed<Logout> = Allowed::always;
template <>
constexpr Allowed allowed<Id> = Allowed::always;
template <>
constexpr Allowed allowed<Starttls> = Allowed::before_login;
template <>
constexpr Allowed allowed<Login> = Allowed::before_login;
template <>
constexpr Allowed allowed<Authenticate> = Allowed::before_login;
template <>
constexpr Allowed allowed<Check> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Close> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Unselect> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Expunge> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Search> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Sort> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Thread> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Fetch> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Store> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Copy> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Move> = Allowed::with_mailbox;
template <>
constexpr Allowed allowed<Replace> = Allowed::with_mailbox;

// Which numbers a command works with; none where it takes none.
std::optional<Numbering> numbering_of(const Command::Body& body) {
  const auto* expunge = std::get_if<Expunge>(&body);
  if (expunge != nullptr && expunge->uids) return Numbering::uid;
  return std::visit(
      [](const auto& command) -> std::optional<Numbering> {
        if constexpr (requires { command.numbering; }) return command.numbering;
        if constexpr (requires { command.search.numbering; }) return command.search.numbering;
        return std::nullopt;
      },
      body);
}

// Whether it takes QRESYNC to be enabled (RFC 7162 §3.2.5, §3.2.6).
bool needs_quick_resync(const Command::Body& body) {
  if (const auto* select = std::get_if<Select>(&body)) return select->resync.has_value();
  const auto* fetch = std::get_if<Fetch>(&body);
  return fetch != nullptr && fetch->vanished;
}

// The name of a command that may be no whole one; `in` is behind it.
std::string_view take_name(Cursor& in) {
  in.take_tag();
  in.take_spaces();
  std::string_view name = in.take_atom();
  if (equal_ignoring_case(name, "UID") && in.take_spaces()) name = in.take_atom();
  return name;
}

bool is_select(std::string_view command) {
  Cursor in(command);
  const std::string_view name = take_name(in);
  return equal_ignoring_case(name, "SELECT") || equal_ignoring_case(name, "EXAMINE");
}

// Whether it is a SEARCH or SORT whose RETURN has SAVE.
bool is_search_to_save(std::string_view command) {
  Cursor in(command);
  const std::string_view name = take_name(in);
  const bool is_search = equal_ignoring_case(name, "SEARCH") || equal_ignoring_case(name, "SORT");
  if (!is_search || !in.take_spaces()) return false;
  if (!equal_ignoring_case(in.take_atom(), "RETURN") || !in.take_spaces() || !in.take('(')) return false;
  bool saves = false;
  do {
    saves = saves || equal_ignoring_case(in.take_atom(), "SAVE");
    // What has an argument (PARTIAL 1:10) is passed like an option.
  } while (in.take_spaces());
  return saves;
}

// RFC 3501 §7.4.1, RFC 5256 §3; UID FETCH and its like are other commands (§5.5), but for a UID SEARCH that
// has sequence numbers among its keys (RFC 7162 §3.2.10.2).
Expunges expunges_after(const Command::Body& body) {
  const bool numbers_must_hold = std::holds_alternative<Fetch>(body) || std::holds_alternative<Store>(body) ||
                                 std::holds_alternative<Search>(body) || std::holds_alternative<Sort>(body) ||
                                 std::holds_alternative<Thread>(body);
  return numbers_must_hold && uses_sequence_numbers(body) ? Expunges::hold : Expunges::tell;
}

bool leaves_mailbox(const Command::Body& body) {
  return std::holds_alternative<Select>(body) || std::holds_alternative<Close>(body) ||
         std::holds_alternative<Unselect>(body) || std::holds_alternative<Logout>(body) ||
         std::holds_alternative<Unauthenticate>(body);
}

// What is sent after login; before it, the same with the mechanisms and STARTTLS.
constexpr std::string_view base_capabilities =
    "IMAP4rev1 IMAP4rev2 ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN SPECIAL-USE CREATE-SPECIAL-USE "
    "MULTIAPPEND MOVE CATENATE REPLACE CONDSTORE QRESYNC OBJECTID SAVEDATE PREVIEW LIST-EXTENDED "
    "LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES PARTIAL UIDONLY XLIST BINARY UTF8=ACCEPT "
    "WITHIN SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS "
    "ACL RIGHTS=texk LIST-MYRIGHTS";

// A capability that can be enabled, and what does it: true if it was not enabled before.
struct Switch {
  std::string_view name;  // as CAPABILITY has it
  bool (*turn_on)(Enabled& enabled);
};

bool turn_on(bool& what) { return !std::exchange(what, true); }

constexpr std::array<Switch, 5> switches{{
    {"CONDSTORE", [](Enabled& enabled) { return turn_on(enabled.condstore); }},
    {"IMAP4rev2", [](Enabled& enabled) { return turn_on(enabled.dialect.rev2); }},
    {"QRESYNC",
     [](Enabled& enabled) {
       enabled.condstore = true;  // RFC 7162 §3.2.3
       return turn_on(enabled.qresync);
     }},
    {"UIDONLY", [](Enabled& enabled) { return turn_on(enabled.uid_only); }},
    {"UTF8=ACCEPT", [](Enabled& enabled) { return turn_on(enabled.dialect.utf8_accept); }},
}};

}  // namespace

Session::Session(Connection& connection, Environment environment, Settings settings)
    : connection_(connection),
      environment_(environment),
      settings_(std::move(settings)),
      login_deadline_(connection.loop(), [this] { connection_.close(CloseReason::timeout); }) {
  // Both are announced (RFC 9738 §3), and both speak of COPY and APPEND.
  settings_.save_limit = std::min(settings_.save_limit, settings_.message_limit);
}

Session::~Session() = default;

void Session::stop() {
  stopping_ = true;
  if (idle_) connection_.close(CloseReason::shutdown);
}

Task<void> Session::run() {
  apply_timeouts();
  connection_.set_last_words([this](CloseReason reason) { return last_words(reason); });
  std::string_view reason = "logout";
  try {
    co_await converse();
    if (!bye_.empty()) reason = bye_;
  } catch (const ConnectionClosed& closed) {
    reason = name_of(closed.reason());
  }
  login_deadline_.stop();
  // The mailbox is let go before the farewell, which may take its time.
  view_.reset();
  account_.reset();
  connection_.set_last_words({});
  co_await connection_.finish();
  log_end(reason);
}

void Session::log_end(std::string_view reason) {
  connection_.log(LogLevel::info, "imap.closed",
                  {{"reason", reason},
                   {"user", login_.address},
                   {"commands", commands_},
                   {"octets_in", connection_.octets_in()},
                   {"octets_out", connection_.octets_out()}});
}

std::string Session::last_words(CloseReason reason) const {
  switch (reason) {
    case CloseReason::timeout: return "* BYE Autologout: idle for too long\r\n";
    case CloseReason::shutdown: return "* BYE Server shutting down\r\n";
    case CloseReason::limit: return "* BYE A limit of this server was reached\r\n";
    case CloseReason::peer:
    case CloseReason::local: break;
  }
  return {};
}

void Session::apply_timeouts() {
  connection_.set_timeouts({.idle = account_ ? settings_.idle : settings_.idle_before_login,
                            .line = settings_.line,
                            .body = settings_.literal,
                            .write = settings_.write});
}

Task<void> Session::converse() {
  send("* OK [CAPABILITY " + capabilities() + "] " + settings_.hostname + " Posthorn ready\r\n");
  login_deadline_.start(settings_.login);
  while (!ending_) {
    if (stopping_) {
      end_with_bye("Server shutting down");
      break;
    }
    idle_ = true;
    bool has_input = false;
    while (!has_input) has_input = co_await connection_.wait_for_input();
    idle_ = false;
    co_await serve_one();
    // Of what is pipelined, the next command is read once most of this one's answer has been taken.
    co_await connection_.flush_if_large();
  }
  if (!bye_.empty()) send("* BYE " + bye_ + "\r\n");
}

void Session::end_with_bye(std::string reason) {
  ending_ = true;
  bye_ = std::move(reason);
}

Task<void> Session::serve_one() {
  Incoming incoming = co_await receive();
  ++commands_;
  if (incoming.refusal) {
    fail_unexecuted(incoming.text, *incoming.refusal);
    co_return;
  }
  auto command = parse_command(incoming.text, enabled_.dialect);
  if (!command) {
    fail_unexecuted(incoming.text, reply_to_unparsed(command.error()));
    co_return;
  }
  connection_.log(LogLevel::trace, "imap.command", {{"name", name_of(command->body)}});
  arriving_ = std::move(incoming.arriving);
  tag_ = command->tag;
  if (view_ && names_saved(command->body)) {
    put_in_saved(command->body, *co_await saved_places(connection_, *view_));
  }
  co_await normalise_names(command->body, incoming.text);
  const Reply reply = co_await execute(*command);
  arriving_ = {};
  finish_command(command->tag, reply);
  if (std::exchange(start_tls_, false)) {
    co_await tls::start(connection_, *environment_.tls, tls::Protocol::imap);
  }
  if (std::exchange(start_compression_, false)) co_await start_compression();
  if (std::exchange(end_compression_, false)) co_await end_compression();
}

// Answers a command that does not come to be executed. After NO it has failed as it would have then: no
// mailbox is selected after SELECT (RFC 3501 §6.3.1), nothing is saved after SEARCH with SAVE (RFC 5182
// §2.1).
void Session::fail_unexecuted(std::string_view command, const Reply& reply) {
  if (view_ && reply.status == Reply::Status::no) {
    if (is_select(command)) {
      leave_mailbox();
    } else if (is_search_to_save(command)) {
      view_->save_search({});
    }
  }
  finish_command(tag_of(command), reply);
}

// Executes a command and tells what it, and others meanwhile, changed in the selected mailbox.
Task<Reply> Session::execute(const Command& command) {
  if (auto refusal = refusal_in_this_state(command.body)) co_return *std::move(refusal);
  if (view_ && view_->mailbox().deleted() && !leaves_mailbox(command.body)) {
    // RFC 2180 §3.3.
    end_with_bye("The selected mailbox was deleted");
    co_return no("[NONEXISTENT] The selected mailbox was deleted");
  }
  const bool is_new_to_condstore = account_ && !enabled_.condstore && enables_condstore(command.body);
  if (is_new_to_condstore) {
    enabled_.condstore = true;
    if (!leaves_mailbox(command.body)) announce_condstore();
  }
  limited_to_.reset();
  Reply reply = co_await std::visit([this](const auto& body) { return on(body); }, command.body);
  if (limited_to_) reply = with_message_limit(std::move(reply));
  if (view_ && !ending_) {
    co_await view_->tell(connection_, expunges_after(command.body),
                         numbering_of(command.body).value_or(Numbering::sequence));
  }
  co_return reply;
}

// RFC 9738 §3.1: in the reply, or in a line of its own where that has another response code.
Reply Session::with_message_limit(Reply reply) {
  const std::string code = message_limit_code(settings_.message_limit, limited_to_);
  const std::string_view but = "for the newest messages only";
  if (reply.status == Reply::Status::ok && !reply.text.starts_with('[')) {
    reply.text = code + " " + reply.text + " " + std::string(but);
  } else {
    send("* NO " + code + " Done " + std::string(but) + "\r\n");
  }
  return reply;
}

std::optional<Reply> Session::refusal_in_this_state(const Command::Body& body) const {
  const Allowed where = std::visit([]<class Body>(const Body&) { return allowed<Body>; }, body);
  switch (where) {
    case Allowed::always: break;
    case Allowed::before_login:
      if (account_) return bad("Already logged in");
      break;
    case Allowed::after_login:
      if (!account_) return bad("Log in first");
      break;
    case Allowed::with_mailbox:
      if (!account_) return bad("Log in first");
      if (!view_) return bad("No mailbox is selected");
      break;
  }
  if (enabled_.uid_only && uses_sequence_numbers(body)) {
    return bad("[UIDREQUIRED] Sequence numbers are not used once UIDONLY is enabled");
  }
  if (needs_quick_resync(body) && !enabled_.qresync) return bad("ENABLE QRESYNC first");
  return std::nullopt;
}

void Session::finish_command(std::string_view tag, const Reply& reply) {
  append_tagged(connection_.output(), tag.empty() ? "*" : tag, reply);
  const bool bad_one = reply.status == Reply::Status::bad || (reply.status == Reply::Status::no && !account_);
  bad_in_a_row_ = bad_one ? bad_in_a_row_ + 1 : 0;
  if (bad_in_a_row_ >= settings_.bad_commands && !ending_) end_with_bye("Too many bad commands");
}

std::string Session::capabilities() const {
  std::string list(base_capabilities);
  list += settings_.literals == Literals::minus ? " LITERAL-" : " LITERAL+";
  list += " APPENDLIMIT=" + std::to_string(settings_.message_octets);
  list += " MESSAGELIMIT=" + std::to_string(settings_.message_limit);
  list += " SAVELIMIT=" + std::to_string(settings_.save_limit);
  if (account_) {
    list += " UNAUTHENTICATE";
    if (deflate_ == nullptr) list += " COMPRESS=DEFLATE";
    return list;
  }
  list += " SASL-IR";
  if (environment_.tls != nullptr && !connection_.tls().active()) list += " STARTTLS";
  for (const std::string_view mechanism : auth::offered_mechanisms(environment_.authenticator, connection_)) {
    list += " AUTH=";
    list += mechanism;
  }
  if (!environment_.authenticator.plaintext_allowed(connection_)) list += " LOGINDISABLED";
  return list;
}

// RFC 3501 §6.1.1.
Task<Reply> Session::on(const Capability&) {
  send("* CAPABILITY " + capabilities() + "\r\n");
  co_return ok("CAPABILITY completed");
}

// RFC 3501 §6.1.2: what is new is told behind every command.
Task<Reply> Session::on(const Noop&) {
  if (view_) static_cast<void>(co_await view_->mailbox().poll());
  co_return ok("NOOP completed");
}

// RFC 3501 §6.1.3.
Task<Reply> Session::on(const Logout&) {
  send("* BYE Logging out\r\n");
  ending_ = true;
  co_return ok("LOGOUT completed");
}

// RFC 2971 §3.1. What the client says of itself goes to the log, its name and version alone.
Task<Reply> Session::on(const Id& id) {
  std::string client;
  for (const auto& [key, value] : id.fields) {
    const bool of_interest = equal_ignoring_case(key, "name") || equal_ignoring_case(key, "version");
    if (of_interest && value) client += (client.empty() ? "" : " ") + *value;
  }
  if (!client.empty()) connection_.log(LogLevel::debug, "imap.id", {{"client", client}});
  send("* ID (\"name\" \"Posthorn\")\r\n");
  co_return ok("ID completed");
}

// RFC 5161 §3.1, §3.2: what is not known is passed over, and the answer names what is new.
Task<Reply> Session::on(const Enable& enable) {
  const Enabled before = enabled_;
  std::string names;
  for (const Switch& known : switches) {
    const bool is_asked = std::ranges::any_of(
        enable.capabilities, [&](const std::string& name) { return equal_ignoring_case(name, known.name); });
    if (!is_asked) continue;
    Enabled was = before;
    if (!known.turn_on(was)) continue;
    known.turn_on(enabled_);
    names += ' ';
    names += known.name;
  }
  send("* ENABLED" + names + "\r\n");
  if (enabled_.condstore && !before.condstore) announce_condstore();
  co_return ok("ENABLE completed");
}

// RFC 7162 §3.1: the client has not heard of the mailbox's MODSEQ, should one be selected.
void Session::announce_condstore() {
  if (view_) view_->append_highest_modseq(connection_.output());
}

// RFC 3501 §6.2.1. What the client sent behind the command in plaintext is thrown away.
Task<Reply> Session::on(const Starttls&) {
  if (connection_.tls().active()) co_return bad("TLS is active already");
  if (environment_.tls == nullptr) co_return no("[UNAVAILABLE] TLS is not available");
  start_tls_ = true;  // behind the reply
  co_return ok("Begin TLS negotiation now");
}

}  // namespace posthorn::imap
