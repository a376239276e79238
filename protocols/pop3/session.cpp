#include "protocols/pop3/session.h"

#include "auth/sasl.h"
#include "message/header.h"
#include "protocols/pop3/dot_stuffing.h"
#include "protocols/pop3/reply.h"
#include "protocols/pop3/top.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace posthorn::pop3 {
namespace {

// Octets of a message that are read, and in memory, at once.
constexpr std::size_t block = Maildrop::block;

bool needs_maildrop(const Command& command) {
  return std::holds_alternative<Stat>(command) || std::holds_alternative<List>(command) ||
         std::holds_alternative<Retr>(command) || std::holds_alternative<Dele>(command) ||
         std::holds_alternative<Noop>(command) || std::holds_alternative<Rset>(command) ||
         std::holds_alternative<Top>(command) || std::holds_alternative<Uidl>(command);
}

// Passwords may be longer than any other command.
bool carries_password(std::string_view line) {
  const std::string_view keyword = line.substr(0, 5);
  return message::equal_ignoring_case(keyword, "PASS ") || message::equal_ignoring_case(keyword, "AUTH ");
}

bool needs_login(const Command& command) {
  return std::holds_alternative<User>(command) || std::holds_alternative<Pass>(command) ||
         std::holds_alternative<Auth>(command) || std::holds_alternative<Stls>(command);
}

}  // namespace

// RFC 1939 §3: a session that ends by a timeout is told nothing, so there are no last words.
Session::Session(Connection& connection, const Services& services)
    : connection_(connection),
      services_(services),
      login_deadline_(connection.loop(), [this] { connection_.close(CloseReason::timeout); }) {
  connection_.set_timeouts(services_.settings->timeouts);
}

Task<void> Session::run() {
  std::optional<CloseReason> lost;
  try {
    co_await serve();
  } catch (const ConnectionClosed& closed) {
    lost = closed.reason();
  }
  // Before the farewell, which takes a while: the client may come back meanwhile.
  maildrop_.reset();
  login_.reset();
  if (lost) {
    connection_.log(LogLevel::debug, "pop3.lost", {{"reason", name_of(*lost)}});
    connection_.close(*lost);
  } else {
    co_await connection_.finish();
  }
}

void Session::stop() {
  stopping_ = true;
  connection_.wake();
}

Task<void> Session::serve() {
  ok("POP3 server ready");
  co_await connection_.flush();
  login_deadline_.start(services_.settings->login_time);
  while (!ending_) {
    if (stopping_ && (!maildrop_ || !maildrop_->has_marks())) {
      refuse(shutting_down);
      co_return;
    }
    if (!co_await connection_.wait_for_input()) continue;
    const Connection::Line line = co_await connection_.read_line(services_.settings->auth_line);
    co_await take_line(line);
    co_await connection_.flush_if_large();
  }
}

Task<void> Session::take_line(const Connection::Line& line) {
  const Settings& limits = *services_.settings;
  if (!maildrop_) ++commands_before_login_;
  const auto command = parse_command(line.text);
  if (line.too_long || (line.text.size() > limits.command_line && !carries_password(line.text))) {
    refuse("Line too long");
  } else if (line.bare_lf) {
    refuse("Lines end with CR LF");
  } else if (!command) {
    refuse(command.error().code == Errc::not_found ? "Unknown command" : reply_to(command.error()));
  } else if (needs_maildrop(*command) && !maildrop_) {
    refuse("Log in first");
  } else if (needs_login(*command) && maildrop_) {
    refuse("Already logged in");
  } else {
    co_await std::visit([this](const auto& its) { return on(its); }, *command);
  }
  if (ending_) co_return;
  if (errors_ >= limits.errors || failed_logins_ >= limits.failed_logins) end_at_limit("Too many errors");
  if (!maildrop_ && commands_before_login_ >= limits.commands_before_login) {
    end_at_limit("Too many commands without a login");
  }
}

void Session::end_at_limit(std::string_view limit) {
  if (std::exchange(ending_, true)) return;
  connection_.log(LogLevel::info, "pop3.limit", {{"address", connection_.peer().address}, {"limit", limit}});
  refuse(limit);
}

void Session::ok(std::string_view text) { print_ok(text, connection_.output()); }

void Session::refuse(std::string_view text) {
  ++errors_;
  print_error(text, connection_.output());
}

std::string Session::totals() const {
  return std::to_string(maildrop_->messages()) + " messages (" + std::to_string(maildrop_->octets()) +
         " octets)";
}

const storage::Message* Session::find(Number number) {
  const storage::Message* message = maildrop_->find(number);
  if (message == nullptr) {
    refuse("No such message, there are " + std::to_string(maildrop_->highest()) + " in the maildrop");
  }
  return message;
}

Task<void> Session::on(const Stat&) {
  ok(std::to_string(maildrop_->messages()) + " " + std::to_string(maildrop_->octets()));
  co_return;
}

// LIST and UIDL, RFC 1939 §5 and §7. `value` gives what stands after the message-number.
template <class Value>
Task<void> Session::send_listing(std::optional<Number> number, std::string heading, Value value) {
  if (number) {
    if (const storage::Message* message = find(*number)) ok(std::to_string(*number) + " " + value(*message));
    co_return;
  }
  ok(heading);
  for (Number each = 1; each <= maildrop_->highest(); ++each) {
    const storage::Message* message = maildrop_->find(each);
    if (message == nullptr) continue;
    connection_.output() += std::to_string(each) + " " + value(*message) + "\r\n";
    co_await connection_.flush_if_large();
  }
  connection_.queue(".\r\n");
}

Task<void> Session::on(const List& list) {
  return send_listing(list.message, totals(), [this](const storage::Message& message) {
    return std::to_string(maildrop_->octets(message));
  });
}

Task<void> Session::on(const Uidl& uidl) {
  return send_listing(uidl.message, "Unique ids follow",
                      [this](const storage::Message& message) { return maildrop_->unique_id(message); });
}

Task<void> Session::on(const Retr& retr) {
  if (const storage::Message* message = find(retr.message)) {
    ++retrieved_;
    co_await send_message(retr.message, *message, std::nullopt);
  }
}

Task<void> Session::on(const Top& top) {
  if (const storage::Message* message = find(top.message))
    co_await send_message(top.message, *message, top.lines);
}

// RETR and TOP. The first block tells whether the message is still there; once the +OK is out, an error can
// only be told by ending the connection, as a shortened message would pass for a whole one.
Task<void> Session::send_message(Number number, storage::Message message, std::optional<Number> top_lines) {
  Result<std::string> part = co_await maildrop_->head(number);
  if (!part) {
    // No fault of the client's, so it does not count: it may go on to its QUIT.
    const bool expunged = part.error().code == Errc::not_found;
    print_error(expunged ? "Another session has expunged this message" : reply_to(part.error()),
                connection_.output());
    co_return;
  }
  ok(std::to_string(maildrop_->octets(message)) + " octets");
  std::unique_ptr<storage::MessageBytes> rest;
  std::uint64_t offset = 0;
  std::optional<TopCutter> cutter;
  if (top_lines) cutter.emplace(*top_lines);
  DotEncoder encoder;
  while (true) {
    if (!part || (part->empty() && offset < message.size)) {
      connection_.log(
          LogLevel::error, "pop3.unreadable",
          {{"uid", message.uid}, {"detail", part ? "shorter than its index says" : part.error().detail}});
      connection_.close(CloseReason::local);
      throw ConnectionClosed(CloseReason::local);
    }
    offset += part->size();
    const std::size_t wanted = cutter ? cutter->feed(*part) : part->size();
    encoder.feed(std::string_view(*part).substr(0, wanted), connection_.output());
    co_await connection_.flush_if_large();
    if (offset >= message.size || (cutter && cutter->complete())) break;
    if (!rest) {
      auto bytes = co_await maildrop_->mailbox().bytes(message.uid);
      if (bytes) {
        rest = *std::move(bytes);
      } else {
        part = std::unexpected(std::move(bytes).error());
        continue;
      }
    }
    part = co_await rest->read(offset, block);
  }
  encoder.finish(connection_.output());
}

Task<void> Session::on(const Dele& dele) {
  if (find(dele.message) != nullptr) {
    maildrop_->mark_deleted(dele.message);
    ok("Message " + std::to_string(dele.message) + " deleted");
  }
  co_return;
}

Task<void> Session::on(const Noop&) {
  ok("");
  co_return;
}

Task<void> Session::on(const Rset&) {
  maildrop_->unmark_all();
  ok(totals());
  co_return;
}

// RFC 1939 §6. The reply says what happened, so it waits until the disk has it; and the lock is gone before
// the client can act on the reply.
Task<void> Session::on(const Quit&) {
  ending_ = true;
  Result<> updated;
  if (maildrop_) {
    const Number deleted = maildrop_->highest() - maildrop_->messages();
    updated = co_await maildrop_->update();
    connection_.log(LogLevel::info, "pop3.quit",
                    {{"login", login_->address},
                     {"retrieved", retrieved_},
                     {"deleted", updated ? deleted : 0},
                     {"error", updated ? "" : updated.error().detail}});
    maildrop_.reset();
  }
  if (updated) {
    ok("Goodbye");
  } else {
    refuse("[SYS/TEMP] The messages marked as deleted were not removed");
  }
}

// RFC 2449 §5. What is available before login is announced in both states (but for STLS, RFC 2595 §4).
Task<void> Session::on(const Capa&) {
  ok("Capability list follows");
  std::string& out = connection_.output();
  out += "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n";
  const auto mechanisms = auth::offered_mechanisms(services_.authenticator, connection_);
  if (services_.authenticator.plaintext_allowed(connection_)) out += "USER\r\n";
  if (!mechanisms.empty()) {
    out += "SASL";
    for (const auto name : mechanisms) out.append(" ").append(name);
    out += "\r\n";
  }
  if (offers_stls() && !maildrop_) out += "STLS\r\n";
  out += "IMPLEMENTATION Posthorn\r\n.\r\n";
  co_return;
}

}  // namespace posthorn::pop3
