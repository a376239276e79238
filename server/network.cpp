#include "server/network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <optional>

namespace posthorn::server {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress from_v6(const std::uint8_t* octets) {
  IpAddress address;
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), octets)) {
    std::copy(octets + 12, octets + 16, address.octets.begin());
  } else {
    address.v6 = true;
    std::copy(octets, octets + 16, address.octets.begin());
  }
  return address;
}

std::optional<unsigned> number_of(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value > max) return {};
  return value;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (text.contains('\0')) return malformed("address " + terminated);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.octets.data()) == 1) return address;
  std::array<std::uint8_t, 16> octets{};
  if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) != 1) return malformed("address " + terminated);
  return from_v6(octets.data());
}

bool IpAddress::loopback() const {
  if (!v6) return octets[0] == 127;
  IpAddress one;
  one.v6 = true;
  one.octets[15] = 1;
  return *this == one;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, octets.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Network Network::around(const IpAddress& address, unsigned prefix) {
  Network network;
  network.address_ = address;
  network.prefix_ = prefix;
  for (unsigned bit = prefix; bit < 128; ++bit) {
    auto& octet = network.address_.octets[bit / 8];
    octet = static_cast<std::uint8_t>(octet & ~(0x80U >> (bit % 8)));
  }
  return network;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const IpAddress address = TRY(IpAddress::parse(text.substr(0, slash)));
  const unsigned width = address.v6 ? 128 : 32;
  const auto prefix = slash == std::string_view::npos ? width : number_of(text.substr(slash + 1), width);
  if (!prefix) return malformed("prefix length of " + std::string(text));
  const Network network = around(address, *prefix);
  if (network.address_ != address) return malformed("bits behind the prefix of " + std::string(text));
  return network;
}

bool Network::contains(const IpAddress& address) const {
  return address.v6 == address_.v6 && around(address, prefix_) == *this;
}

std::string Network::text() const { return address_.text() + "/" + std::to_string(prefix_); }

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  ListenAddress listen;
  if (text.starts_with("unix:")) {
    listen.path = text.substr(5);
    if (!listen.path.starts_with('/') || listen.path.size() >= sizeof(sockaddr_un::sun_path) ||
        listen.path.contains('\0')) {
      return malformed("path of " + std::string(text));
    }
    return listen;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed("no port in " + std::string(text));
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  listen.address = TRY(IpAddress::parse(host));
  const auto port = number_of(text.substr(colon + 1), 65535);
  if (brackets != listen.address.v6 || !port) return malformed("address " + std::string(text));
  listen.port = static_cast<std::uint16_t>(*port);
  return listen;
}

std::string ListenAddress::text() const {
  if (!path.empty()) return "unix:" + path;
  const std::string host = address.v6 ? "[" + address.text() + "]" : address.text();
  return host + ":" + std::to_string(port);
}

SocketAddress SocketAddress::of(const ListenAddress& address) {
  SocketAddress result;
  if (!address.path.empty()) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    address.path.copy(local.sun_path, sizeof(local.sun_path) - 1);
    std::memcpy(&result.storage, &local, sizeof(local));
    result.size = sizeof(local);
  } else if (address.address.v6) {
    sockaddr_in6 inet{};
    inet.sin6_family = AF_INET6;
    inet.sin6_port = htons(address.port);
    std::memcpy(&inet.sin6_addr, address.address.octets.data(), 16);
    std::memcpy(&result.storage, &inet, sizeof(inet));
    result.size = sizeof(inet);
  } else {
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(address.port);
    std::memcpy(&inet.sin_addr, address.address.octets.data(), 4);
    std::memcpy(&result.storage, &inet, sizeof(inet));
    result.size = sizeof(inet);
  }
  return result;
}

ListenAddress SocketAddress::listen_address() const {
  ListenAddress result;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 inet{};
    std::memcpy(&inet, &storage, sizeof(inet));
    result.address = from_v6(inet.sin6_addr.s6_addr);
    result.port = ntohs(inet.sin6_port);
  } else if (storage.ss_family == AF_INET) {
    sockaddr_in inet{};
    std::memcpy(&inet, &storage, sizeof(inet));
    std::memcpy(result.address.octets.data(), &inet.sin_addr, 4);
    result.port = ntohs(inet.sin_port);
  } else {
    sockaddr_un local{};
    std::memcpy(&local, &storage, sizeof(local));
    const std::size_t room =
        size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    result.path.assign(local.sun_path, strnlen(local.sun_path, std::min(room, sizeof(local.sun_path))));
    result.address.octets = {127, 0, 0, 1};
  }
  return result;
}

}  // namespace posthorn::server
