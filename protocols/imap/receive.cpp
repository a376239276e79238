#include "protocols/imap/cursor.h"
#include "protocols/imap/session.h"

#include <algorithm>

// How a command comes in: lines, literals (RFC 3501 §4.3, RFC 7888), and what is done with those too large.
namespace posthorn::imap {
namespace {

constexpr std::string_view continuation = "+ OK\r\n";

}  // namespace

std::size_t Session::command_budget() const {
  return account_ ? settings_.command_octets : settings_.command_octets_before_login;
}

Task<Session::Incoming> Session::receive() {
  Incoming command;
  Framer framer(settings_.literals);
  const std::size_t budget = command_budget();
  while (!command.refusal) {
    const Frame frame = framer.look(command.text);
    switch (frame.kind) {
      case Frame::Kind::complete: command.text.resize(frame.end); co_return command;
      case Frame::Kind::line: co_await receive_line(command, budget); break;
      case Frame::Kind::literal:
        if (framer.error()) {
          co_await refuse(command, frame, reply_to_unparsed(*framer.error()));
        } else if (frame.is_beyond_literal_minus) {
          co_await refuse(command, frame, bad("Literals that are not waited for have at most 4096 octets"));
        } else if (frame.octets > budget - std::min(budget, command.text.size())) {
          co_await refuse(command, frame, no("[TOOBIG] The command is too long"));
        } else if (frame.announced == Frame::Announced::synchronising) {
          send(continuation);
        }
        break;
      case Frame::Kind::more_octets: co_await receive_octets(frame.octets, &command.text); break;
      case Frame::Kind::message:
      case Frame::Kind::text: co_await receive_message(command, frame); break;
    }
  }
  co_return command;
}

Task<void> Session::receive_line(Incoming& command, std::size_t budget) {
  const bool has_begun = !command.text.empty();
  // The rest of a command is not waited for as long as the next one.
  if (has_begun)
    connection_.set_timeouts({settings_.line, settings_.line, settings_.literal, settings_.write});
  const Connection::Line line =
      co_await connection_.read_line(budget - std::min(budget, command.text.size()));
  if (has_begun) apply_timeouts();
  command.text += line.text;
  command.text += line.bare_lf ? "\n" : "\r\n";
  if (line.too_long) {
    // Whether it ended in the announcement of a literal is not known any more: octets of the literal must
    // not be taken for commands.
    command.refusal = bad("The command is too long");
    end_with_bye("The command is too long");
  }
}

// They are dropped where there is nothing to put them into.
Task<void> Session::receive_octets(std::uint64_t octets, std::string* into) {
  while (octets > 0) {
    const std::string_view there = co_await connection_.peek();
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(octets, there.size()));
    if (into != nullptr) into->append(there.substr(0, taken));
    connection_.consume(taken);
    octets -= taken;
  }
}

// A client waits before it sends a synchronising literal and sends nothing once it is refused; what it sends
// unasked has to be read past.
Task<void> Session::refuse(Incoming& command, const Frame& frame, Reply reply) {
  command.refusal = std::move(reply);
  if (frame.announced == Frame::Announced::non_synchronising) co_await read_past(frame.octets);
}

// Reads to the end of a refused command, from a literal of `octets` on (RFC 7888 §4).
Task<void> Session::read_past(std::uint64_t octets) {
  std::uint64_t bound = account_ ? settings_.discarded_octets : settings_.command_octets_before_login;
  while (true) {
    if (octets > bound) {
      end_with_bye("[TOOBIG] The literal is too large");
      co_return;
    }
    bound -= octets;
    co_await receive_octets(octets, nullptr);
    const Connection::Line line = co_await connection_.read_line(command_budget());
    if (line.too_long) {
      end_with_bye("The command is too long");
      co_return;
    }
    const auto announced = announcement_at_end(line.text);
    if (!announced || announced->synchronising) co_return;
    octets = announced->octets;
  }
}

// Of a line that was no answer to what the server asked: octets that it announces come anyhow, and are no
// commands (RFC 7888 §3).
Task<void> Session::read_past_literals(const Connection::Line& line) {
  if (line.too_long) {
    end_with_bye("The line is too long");
    co_return;
  }
  const auto announced = announcement_at_end(line.text);
  if (announced && !announced->synchronising) co_await read_past(announced->octets);
}

}  // namespace posthorn::imap
