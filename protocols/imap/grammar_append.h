#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"

#include <cstddef>
#include <vector>

namespace posthorn::imap {

class Cursor;

// The messages of APPEND and REPLACE: append-message of RFC 4466 §6, with the data of RFC 3516, RFC 4469 and
// RFC 6855. One piece after the other, so that Framer can follow as the octets come; literals of messages are
// only announced, their octets stand elsewhere.
class MessageParser {
 public:
  // What a step took: up to and with the announcement of a message, or of a part of one; a URL; a parenthesis
  // with what stands before it. `awaited`: nothing, as a URL is announced as a literal and its octets are
  // still to come.
  enum class Taken { message, text, url, parenthesis, awaited };

  // `most`: how many messages there may be; one more is too_large, or malformed where it is 1.
  explicit MessageParser(std::size_t most) : most_(most) {}

  // Takes the next piece, spaces before it included. Behind an error the parser is of no more use.
  Result<Taken> step(Cursor& in);

  // Whether no list is open.
  bool at_end_of_message() const { return place_ == Place::message; }

  // What was taken so far; the last message may lack parts.
  std::vector<AppendMessage>& messages() { return messages_; }

 private:
  enum class Place { message, part, end_of_utf8 };

  Result<Taken> message(Cursor& in);
  Result<Taken> part(Cursor& in);
  Result<Taken> url(Cursor& in);
  Result<> utf8(Cursor& in);
  Result<> text(Cursor& in);
  Result<> add(AppendPart part);

  std::size_t most_;
  std::size_t parts_ = 0;
  Place place_ = Place::message;
  std::vector<AppendMessage> messages_;
};

}  // namespace posthorn::imap
