#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

namespace posthorn::server {

// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 one.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> octets{};  // IPv4: the first four

  static Result<IpAddress> parse(std::string_view text);  // Errors: malformed
  bool loopback() const;
  std::string text() const;
  bool operator==(const IpAddress&) const = default;
  auto operator<=>(const IpAddress&) const = default;
};

// A network in CIDR notation: "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one.
class Network {
 public:
  // Errors: malformed; also for bits that are set behind the prefix, which are a slip of the pen.
  static Result<Network> parse(std::string_view text);
  // The network of `address` that has `prefix` bits.
  static Network around(const IpAddress& address, unsigned prefix);
  bool contains(const IpAddress& address) const;
  std::string text() const;
  bool operator==(const Network&) const = default;
  auto operator<=>(const Network&) const = default;

 private:
  IpAddress address_;
  unsigned prefix_ = 0;
};

// Where to listen: "192.0.2.1:25", "[::]:25", or "unix:/run/posthorn/imap" (an absolute path).
struct ListenAddress {
  IpAddress address;
  std::uint16_t port = 0;  // 0: the system chooses one, and the log names it
  std::string path;        // not empty: a Unix socket

  static Result<ListenAddress> parse(std::string_view text);  // Errors: malformed
  std::string text() const;
  bool operator==(const ListenAddress&) const = default;
};

// A socket address as the kernel takes and gives it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);

  static SocketAddress of(const ListenAddress& address);
  // The reverse. A Unix socket without a name gives an empty path and "127.0.0.1", port 0.
  ListenAddress listen_address() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

}  // namespace posthorn::server
