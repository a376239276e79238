#include "imap_client.h"

#include <charconv>

namespace load {
namespace {

// The octets of the literal that a line ends by, RFC 3501 §4.3; 0 if by none.
std::uint64_t literal_of(std::string_view line) {
  if (!line.ends_with('}')) return 0;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return 0;
  std::uint64_t octets = 0;
  const char* end = line.data() + line.size() - 1;
  const auto [stop, error] = std::from_chars(line.data() + open + 1, end, octets);
  return error == std::errc() && stop == end ? octets : 0;
}

}  // namespace

ImapClient::ImapClient(const Server& server, std::size_t buffer) : client_(server, buffer) {
  const std::string_view greeting = client_.line();
  if (!greeting.starts_with("* OK")) give_up("wanted a greeting", greeting);
}

void ImapClient::log_in(const Account& account) {
  command("LOGIN \"" + account.user + "\" \"" + account.password + "\"");
}

Answer ImapClient::ask(std::string_view command, const EachLine& each) {
  const std::string tag = next_tag();
  std::string line = tag;
  line.append(command).append("\r\n");
  const std::uint64_t before = client_.octets();
  const auto began = Clock::now();
  client_.send(line);
  Answer answer = read_answer(tag, each);
  answer.took = Clock::now() - began;
  answer.octets = client_.octets() - before;
  return answer;
}

Answer ImapClient::command(std::string_view command, const EachLine& each) {
  Answer answer = ask(command, each);
  if (!answer.ok()) give_up("wanted OK to " + std::string(command.substr(0, 100)), answer.tagged);
  return answer;
}

void ImapClient::idle() {
  idle_tag_ = next_tag();
  client_.send(idle_tag_ + "IDLE\r\n");
  while (!client_.line().starts_with('+')) {
  }
}

void ImapClient::done() {
  client_.send("DONE\r\n");
  const Answer answer = read_answer(idle_tag_, {});
  if (!answer.ok()) give_up("wanted OK to IDLE", answer.tagged);
}

std::string ImapClient::next_tag() { return "c" + std::to_string(++commands_) + " "; }

Answer ImapClient::read_answer(std::string_view tag, const EachLine& each) {
  Answer answer;
  bool continued = false;
  for (;;) {
    const std::string_view line = client_.line();
    if (!continued) {
      if (line.starts_with(tag)) {
        answer.tagged = line.substr(tag.size());
        return answer;
      }
      ++answer.untagged;
      if (each) each(line);
    }
    const std::uint64_t literal = literal_of(line);
    continued = literal > 0;
    client_.skip(literal);
  }
}

std::string letter(std::size_t octets, std::uint64_t number) {
  std::string text =
      "From: Ann Example <ann@elsewhere.test>\r\nTo: Bob Example <bob@example.test>, \"C. D.\" "
      "<cd@example.test>\r\n"
      "Subject: A letter of the benchmark, number " +
      std::to_string(number) + "\r\nDate: Sat, 07 Mar 2026 10:20:30 +0100\r\nMessage-ID: <" +
      std::to_string(number) +
      ".bench@elsewhere.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  text.reserve(octets + 100);
  while (text.size() < octets)
    text += "The quick brown fox jumps over the lazy dog, time and again and again.\r\n";
  return text;
}

std::string append_command(std::string_view mailbox, std::string_view flags, std::string_view letter) {
  std::string command = "APPEND ";
  command.append(mailbox).append(" (").append(flags).append(") {");
  command.append(std::to_string(letter.size())).append("+}\r\n").append(letter);
  return command;
}

}  // namespace load
