#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/grammar_append.h"
#include "protocols/imap/literals.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// Where an IMAP command ends, and which octets a client sends in literals (RFC 3501 §2.2.1, §4.3).
namespace posthorn::imap {

// What the bytes of a command so far call for.
struct Frame {
  enum class Kind {
    complete,    // the command stands in bytes.substr(0, end), its line end left out
    line,        // more bytes, up to the next line end
    literal,     // a literal of `octets` octets was announced; said once
    message,     // the same for a message of APPEND or REPLACE, whose octets are kept out of the bytes
    text,        // the same for a part of one, TEXT or UTF8 of CATENATE
    more_octets  // `octets` octets of a literal are still missing
  };
  enum class Announced {
    synchronising,     // the client waits for "+": send it, or refuse with a tagged NO or BAD
    non_synchronising  // "{n+}" (RFC 7888): the octets come anyhow
  };
  Kind kind = Kind::line;
  std::uint64_t octets = 0;  // of all but complete and line; the largest value where the number is beyond it
  Announced announced = Announced::synchronising;  // literal, message, text
  std::size_t end = 0;                             // complete: length of the command without its line end
  std::size_t next = 0;  // complete, literal, message, text: where the octets after the line end begin
  AppendLiteral::Form form = AppendLiteral::Form::text;  // message and text
  // A "{n+}" with more octets than LITERAL- allows: to be refused, as the octets come anyhow, by BAD; that of
  // APPEND with [TOOBIG] (RFC 7888 §5).
  bool is_beyond_literal_minus = false;
  bool operator==(const Frame&) const = default;
};

// Finds the end of one command. Use one Framer for each command:
//
//   look(bytes)  after each piece that came; the bytes of before with more behind them.
//     line, more_octets:  read more;
//     literal:  check the limit, answer "+" if synchronising, go on;
//     message, text:  the same, but the octets that stand or come behind `next` go to the message's own
//               place and are taken out of the bytes; go on with what comes behind them;
//     complete: parse bytes.substr(0, end); what stands behind `next` is the next command's.
//
// A literal that is refused ends the command: after a synchronising one the client sends none of its
// octets (RFC 3501 §7.5); those of a non-synchronising one have to be read past (RFC 7888 §4).
//
// The parsers of grammar.h take the same bytes. They give the nth message or text as the nth AppendLiteral.
//
// A line ends in CRLF, or in LF alone, since people type commands. A line that ends in `{n}`, `{n+}`,
// or the same with `~` before it, announces a literal; inside a quoted string, where there can be none, only
// `{n+}` does, whose octets may come anyhow. Which of the literals of APPEND and REPLACE are messages or
// parts of them is told by parsing what stands before them; where that is malformed they count as ordinary
// literals, and error() says why.
//
// Linear in the bytes of the command, however many pieces they come in. Pure: no I/O.
class Framer {
 public:
  using Literals = imap::Literals;
  static constexpr std::uint64_t literal_minus_octets = 4096;  // RFC 7888 §5

  explicit Framer(Literals literals = Literals::plus) : literals_(literals) {}

  Frame look(std::string_view bytes);

  // Why the literal that was just announced in an APPEND or REPLACE belongs to no message: what stands before
  // it is malformed.
  const std::optional<Error>& error() const { return error_; }

 private:
  enum class Kind { unknown, append, other };

  Frame end_of_line(std::string_view bytes, std::size_t line_end, std::size_t next);
  Frame::Kind kind_of_literal(std::string_view command);
  void find_kind(std::string_view command);

  Literals literals_;

  // Where the piece of a line that is being read begins; beyond the bytes while a literal is missing.
  std::size_t line_ = 0;
  std::size_t scanned_ = 0;  // up to here no line end was found
  Kind kind_ = Kind::unknown;
  bool mailbox_awaited_ = false;           // the mailbox of an APPEND was announced as a literal
  std::size_t arguments_ = 0;              // APPEND and REPLACE: where the parser of messages goes on
  std::optional<MessageParser> messages_;  // the same
  std::optional<Error> error_;
};

}  // namespace posthorn::imap
