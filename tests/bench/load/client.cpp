#include "client.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace load {

void give_up(std::string_view what, std::string_view got) {
  std::fprintf(stderr, "load: %.*s; got: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(std::min<std::size_t>(got.size(), 500)), got.data());
  std::_Exit(1);
}

Server::Server(std::string_view text) {
  constexpr std::string_view mark = "tls:";
  if (text.starts_with(mark)) {
    text.remove_prefix(mark.size());
    // Who the server is doesn't matter here; that it encrypts does.
    tls_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!tls_) give_up("no TLS", "");
    SSL_CTX_set_mode(tls_.get(), SSL_MODE_RELEASE_BUFFERS);
  }
  std::from_chars(text.data(), text.data() + text.size(), port_);
}

Client::Client(const Server& server, std::size_t buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), buffer_(buffer) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect", std::strerror(errno));
  }
  if (server.tls() == nullptr) return;
  tls_ = SSL_new(server.tls());
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_) != 1 || SSL_connect(tls_) != 1) {
    give_up("no TLS handshake", std::strerror(errno));
  }
}

Client::~Client() {
  SSL_free(tls_);
  ::close(socket_);
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (tls_ != nullptr) {
      if (SSL_write_ex(tls_, bytes.data(), bytes.size(), &sent) != 1) give_up("cannot send", "");
    } else {
      const ssize_t done = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (done <= 0) give_up("cannot send", std::strerror(errno));
      sent = static_cast<std::size_t>(done);
    }
    bytes.remove_prefix(sent);
  }
}

std::string_view Client::line() {
  std::size_t looked = 0;
  for (;;) {
    const char* start = buffer_.data() + at_;
    if (const auto* end = static_cast<const char*>(std::memchr(start + looked, '\n', used_ - at_ - looked))) {
      const std::string_view found(start, static_cast<std::size_t>(end - start));
      at_ += found.size() + 1;
      return found.ends_with('\r') ? found.substr(0, found.size() - 1) : found;
    }
    looked = used_ - at_;
    fill();
  }
}

void Client::skip(std::uint64_t octets) {
  for (;;) {
    const std::size_t here = std::min<std::uint64_t>(octets, used_ - at_);
    at_ += here;
    octets -= here;
    if (octets == 0) return;
    if (tls_ != nullptr) {
      fill();
    } else {
      octets -= discard(octets);
    }
  }
}

// MSG_TRUNC has TCP drop what it has instead of copying it.
std::size_t Client::discard(std::uint64_t octets) {
  const ssize_t gone = ::recv(socket_, nullptr, octets, MSG_TRUNC);
  if (gone <= 0) give_up("the server closed the connection in a literal", "");
  octets_ += static_cast<std::uint64_t>(gone);
  // Where one large literal was, more are to come: little is copied of the next.
  wanted_ = after_literal;
  return static_cast<std::size_t>(gone);
}

void Client::reply(std::string_view code) {
  for (;;) {
    const std::string_view got = line();
    if (!got.starts_with(code)) give_up("wanted " + std::string(code), got);
    if (got.size() < 4 || got[3] != '-') return;
  }
}

void Client::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, used_ - at_);
    used_ -= at_;
    at_ = 0;
  }
  if (used_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  const std::size_t got = receive(buffer_.data() + used_, std::min(buffer_.size() - used_, wanted_));
  wanted_ = std::min(wanted_ * 2, large_buffer);
  used_ += got;
  octets_ += got;
}

std::size_t Client::receive(char* to, std::size_t room) {
  if (tls_ != nullptr) {
    std::size_t got = 0;
    if (SSL_read_ex(tls_, to, room, &got) != 1)
      give_up("the server closed the connection", {buffer_.data(), used_});
    return got;
  }
  const ssize_t got = ::recv(socket_, to, room, 0);
  if (got <= 0) give_up("the server closed the connection", {buffer_.data(), used_});
  return static_cast<std::size_t>(got);
}

}  // namespace load
