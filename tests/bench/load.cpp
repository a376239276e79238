// The clients of the benchmark: as many as asked for, each a thread with a blocking socket, so that little of
// the machine's time goes to them. One line of JSON on standard output tells what was done and how long it
// took.
//
//   load smtp PORT RECIPIENT CONNECTIONS MESSAGES PER_CONNECTION OCTETS    messages handed in (lmtp: the same
//   by LMTP) load logins PORT USER PASSWORD CONNECTIONS LOGINS                      IMAP: connect, LOGIN,
//   LOGOUT load imap PORT USER PASSWORD COMMAND                                   IMAP: SELECT INBOX, then
//   COMMAND alone timed load pop3 PORT USER PASSWORD                                           every message,
//   one RETR after the other

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Seconds = std::chrono::duration<double>;

[[noreturn]] void give_up(std::string_view what, std::string_view got) {
  std::fprintf(stderr, "load: %.*s; got: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(got.size()), got.data());
  std::exit(1);
}

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      give_up("cannot connect", std::strerror(errno));
    }
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(socket_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("cannot send", std::strerror(errno));
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // The next line without its end; valid until the next read.
  std::string_view line() {
    for (;;) {
      const auto* start = buffer_.data() + at_;
      if (const auto* end = static_cast<const char*>(std::memchr(start, '\n', used_ - at_))) {
        const std::string_view found(start, static_cast<std::size_t>(end - start));
        at_ += found.size() + 1;
        return found.ends_with('\r') ? found.substr(0, found.size() - 1) : found;
      }
      fill();
    }
  }

  // An SMTP reply that begins with `code`.
  void reply(std::string_view code) {
    for (;;) {
      const std::string_view got = line();
      if (!got.starts_with(code)) give_up("wanted " + std::string(code), got);
      if (got.size() < 4 || got[3] != '-') return;
    }
  }

  std::uint64_t octets() const { return octets_; }

 private:
  void fill() {
    if (at_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + at_, used_ - at_);
      used_ -= at_;
      at_ = 0;
    }
    if (used_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const ssize_t got = ::recv(socket_, buffer_.data() + used_, buffer_.size() - used_, 0);
    if (got <= 0) give_up("the server closed the connection", {buffer_.data(), used_});
    used_ += static_cast<std::size_t>(got);
    octets_ += static_cast<std::uint64_t>(got);
  }

  int socket_;
  std::vector<char> buffer_ = std::vector<char>(1U << 18U);
  std::size_t at_ = 0;
  std::size_t used_ = 0;
  std::uint64_t octets_ = 0;
};

void tell(std::uint64_t count, Seconds took, std::uint64_t octets) {
  std::printf("{\"count\": %llu, \"seconds\": %.6f, \"octets\": %llu}\n",
              static_cast<unsigned long long>(count), took.count(), static_cast<unsigned long long>(octets));
}

// Runs `client` in so many threads; how long all of them took.
Seconds together(unsigned count, const std::function<void()>& client) {
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < count; ++number) threads.emplace_back(client);
  for (std::thread& thread : threads) thread.join();
  return std::chrono::steady_clock::now() - began;
}

std::string message(std::size_t octets, std::uint64_t number) {
  std::string text =
      "From: Ann Example <ann@elsewhere.test>\r\nTo: Bob Example <bob@example.test>, \"C. D.\" "
      "<cd@example.test>\r\n"
      "Subject: A letter of the benchmark, number " +
      std::to_string(number) + "\r\nDate: Sat, 07 Mar 2026 10:20:30 +0100\r\nMessage-ID: <" +
      std::to_string(number) +
      ".bench@elsewhere.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  while (text.size() < octets)
    text += "The quick brown fox jumps over the lazy dog, time and again and again.\r\n";
  return text;
}

struct Delivery {
  bool lmtp;
  std::uint16_t port;
  std::string recipient;
  unsigned connections;
  std::uint64_t messages;
  std::uint64_t per_connection;
  std::size_t octets;
};

int deliver(const Delivery& job) {
  std::atomic<std::uint64_t> next{0};
  const std::string envelope =
      "MAIL FROM:<ann@elsewhere.test>\r\nRCPT TO:<" + job.recipient + ">\r\nDATA\r\n";
  const auto client = [&] {
    std::uint64_t number = next++;
    while (number < job.messages) {
      Client connection(job.port);
      connection.reply("220");
      connection.send(job.lmtp ? "LHLO client.test\r\n" : "EHLO client.test\r\n");
      connection.reply("250");
      for (std::uint64_t sent = 0; sent < job.per_connection && number < job.messages;
           ++sent, number = next++) {
        connection.send(envelope);
        connection.reply("250");
        connection.reply("250");
        connection.reply("354");
        connection.send(message(job.octets, number) + ".\r\n");
        connection.reply("250");
      }
      connection.send("QUIT\r\n");
      connection.reply("221");
    }
  };
  tell(job.messages, together(job.connections, client), job.messages * job.octets);
  return 0;
}

void finish(Client& client, std::string_view tag) {
  for (;;) {
    const std::string_view line = client.line();
    if (!line.starts_with(tag)) continue;
    if (!line.substr(tag.size()).starts_with(" OK")) give_up("wanted OK", line);
    return;
  }
}

std::string login_command(const char* user, const char* password) {
  return std::string("a LOGIN \"") + user + "\" \"" + password + "\"\r\n";
}

int log_in(std::uint16_t port, const char* user, const char* password, unsigned connections,
           std::uint64_t logins) {
  std::atomic<std::uint64_t> next{0};
  const auto client = [&] {
    while (next++ < logins) {
      Client connection(port);
      connection.line();
      connection.send(login_command(user, password));
      finish(connection, "a");
      connection.send("b LOGOUT\r\n");
      finish(connection, "b");
    }
  };
  tell(logins, together(connections, client), 0);
  return 0;
}

int imap(std::uint16_t port, const char* user, const char* password, const char* command) {
  Client connection(port);
  connection.line();
  connection.send(login_command(user, password));
  finish(connection, "a");
  connection.send("s SELECT INBOX\r\n");
  finish(connection, "s");
  const std::uint64_t before = connection.octets();
  const auto began = std::chrono::steady_clock::now();
  connection.send(std::string("c ") + command + "\r\n");
  std::uint64_t count = 0;
  for (;;) {
    const std::string_view line = connection.line();
    if (line.starts_with("* ")) ++count;
    if (!line.starts_with("c ")) continue;
    if (!line.starts_with("c OK")) give_up("wanted OK", line);
    break;
  }
  tell(count, std::chrono::steady_clock::now() - began, connection.octets() - before);
  return 0;
}

int pop3(std::uint16_t port, const char* user, const char* password) {
  Client connection(port);
  const auto ask = [&](const std::string& command) {
    connection.send(command + "\r\n");
    const std::string answer(connection.line());
    if (!answer.starts_with("+OK")) give_up("wanted +OK to " + command, answer);
    return answer;
  };
  connection.line();
  ask(std::string("USER ") + user);
  ask(std::string("PASS ") + password);
  const std::uint64_t count = std::strtoull(ask("STAT").c_str() + 4, nullptr, 10);
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t number = 1; number <= count; ++number) {
    ask("RETR " + std::to_string(number));
    while (connection.line() != ".") {
    }
  }
  tell(count, std::chrono::steady_clock::now() - began, connection.octets());
  return 0;
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

int run(std::span<char*> given) {
  const std::string_view what = given.size() > 2 ? given[1] : "";
  const auto port = static_cast<std::uint16_t>(given.size() > 2 ? number(given[2]) : 0);
  if ((what == "smtp" || what == "lmtp") && given.size() == 8) {
    return deliver({what == "lmtp", port, given[3], static_cast<unsigned>(number(given[4])), number(given[5]),
                    number(given[6]), number(given[7])});
  }
  if (what == "logins" && given.size() == 7) {
    return log_in(port, given[3], given[4], static_cast<unsigned>(number(given[5])), number(given[6]));
  }
  if (what == "imap" && given.size() == 6) return imap(port, given[3], given[4], given[5]);
  if (what == "pop3" && given.size() == 5) return pop3(port, given[3], given[4]);
  std::fputs("load: wrong arguments; see the top of load.cpp\n", stderr);
  return 2;
}

}  // namespace

int main(int count, char** arguments) { return run({arguments, static_cast<std::size_t>(count)}); }
