#pragma once

#include "client.h"

#include <functional>

namespace load {

struct Account {
  std::string user;
  std::string password;
};

struct Answer {
  std::string tagged;  // the last line, without its tag
  std::uint64_t untagged = 0;
  std::uint64_t octets = 0;
  Seconds took{};

  bool ok() const { return tagged.starts_with("OK"); }
};

// Sees each untagged line; what follows a literal in it is not shown again.
using EachLine = std::function<void(std::string_view)>;

// An IMAP connection that has said its greeting.
class ImapClient {
 public:
  explicit ImapClient(const Server& server, std::size_t buffer = Client::large_buffer);

  void log_in(const Account& account);
  // Sends a command (no tag, no CRLF at its end; literals must be of the kind that doesn't wait) and reads up
  // to its tagged line; the time is that between the two.
  Answer ask(std::string_view command, const EachLine& each = {});
  // The same; ends the program unless the answer is OK.
  Answer command(std::string_view command, const EachLine& each = {});
  // Enters IDLE, up to the continuation.
  void idle();
  // One untagged line, in IDLE.
  std::string_view line() { return client_.line(); }
  // Leaves IDLE.
  void done();

 private:
  std::string next_tag();
  Answer read_answer(std::string_view tag, const EachLine& each);

  Client client_;
  std::uint64_t commands_ = 0;
  std::string idle_tag_;
};

// A letter of so many octets with CRLF line ends; the same number gives the same letter.
std::string letter(std::size_t octets, std::uint64_t number);

// "APPEND MAILBOX (flags) {n+} letter".
std::string append_command(std::string_view mailbox, std::string_view flags, std::string_view letter);

}  // namespace load
