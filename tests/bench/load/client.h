#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace load {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// Ends the program: what was wanted, and what came instead. A benchmark has no way on after an error.
[[noreturn]] void give_up(std::string_view what, std::string_view got);

// A port on loopback, "143", or "tls:993" for TLS from the first octet.
class Server {
 public:
  explicit Server(std::string_view text);

  std::uint16_t port() const { return port_; }
  // Null without TLS.
  SSL_CTX* tls() const { return tls_.get(); }

 private:
  std::uint16_t port_ = 0;
  std::shared_ptr<SSL_CTX> tls_;
};

// One connection with a blocking socket. What comes in is looked at in place: a line is found by memchr, and
// a large literal isn't even copied from the kernel; with TLS it has to be, and decrypted, which another
// processor than the server's does where there are two.
class Client {
 public:
  static constexpr std::size_t large_buffer = 256 << 10U;

  // Connects, with the handshake if the server has TLS. `buffer`: octets asked of the kernel at once.
  explicit Client(const Server& server, std::size_t buffer = large_buffer);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  void send(std::string_view bytes);
  // The next line without its end; valid until the next read.
  std::string_view line();
  // Steps over so many octets.
  void skip(std::uint64_t octets);
  // Reads an SMTP reply that begins with `code`.
  void reply(std::string_view code);
  // What has come in so far.
  std::uint64_t octets() const { return octets_; }

 private:
  static constexpr std::size_t after_literal = 2048;

  void fill();
  std::size_t discard(std::uint64_t octets);
  std::size_t receive(char* to, std::size_t room);

  int socket_;
  SSL* tls_ = nullptr;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
  // How much the next read asks for at most.
  std::size_t wanted_ = large_buffer;
  std::uint64_t octets_ = 0;
};

}  // namespace load
