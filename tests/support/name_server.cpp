#include "tests/support/name_server.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>

namespace posthorn::testing {
namespace {

constexpr std::size_t header_size = 12;

void append_number(std::string& out, std::uint32_t value, int octets) {
  for (int i = octets - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i & 0xffU);
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The question's name in text, and where it ends.
std::pair<std::string, std::size_t> name_of(std::string_view question) {
  std::string name;
  std::size_t at = header_size;
  while (at < question.size() && question[at] != 0) {
    const auto size = static_cast<unsigned char>(question[at]);
    if (!name.empty()) name += '.';
    name += question.substr(at + 1, size);
    at += 1 + size;
  }
  return {lower(name), at + 1};
}

}  // namespace

std::string wire_name(std::string_view name) {
  std::string wire;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    wire += static_cast<char>(dot);
    wire += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return wire + '\0';
}

NameServer::NameServer(Loop& loop) : socket_(new uv_udp_t), received_(65'536, '\0') {
  sockaddr_in any_port{};
  uv_ip4_addr("127.0.0.1", 0, &any_port);
  if (uv_udp_init(loop.raw(), socket_.get()) != 0) std::abort();
  if (uv_udp_bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any_port), 0) != 0) std::abort();
  socket_->data = this;
  uv_udp_recv_start(
      socket_.get(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
        std::string& received = static_cast<NameServer*>(handle->data)->received_;
        *into = uv_buf_init(received.data(), static_cast<unsigned>(received.size()));
      },
      [](uv_udp_t* handle, ssize_t size, const uv_buf_t* octets, const sockaddr* from, unsigned) {
        if (size <= 0 || from == nullptr) return;
        auto& server = *static_cast<NameServer*>(handle->data);
        server.answer({octets->base, static_cast<std::size_t>(size)}, from);
      });
  uv_unref(reinterpret_cast<uv_handle_t*>(socket_.get()));
}

std::string NameServer::address() const {
  sockaddr_in own{};
  int size = sizeof(own);
  uv_udp_getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &size);
  return "127.0.0.1@" + std::to_string(ntohs(own.sin_port));
}

void NameServer::add(const std::string& name, std::uint16_t type, std::string rdata) {
  records_[name].emplace_back(type, std::move(rdata));
}

void NameServer::answer(std::string_view question, const sockaddr* from) {
  if (question.size() < header_size) return;
  ++questions_;
  const auto [name, end] = name_of(question);
  if (end + 4 > question.size()) return;
  const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(question[end]) << 8 |
                                               static_cast<unsigned char>(question[end + 1]));
  const auto failing = failing_.find(name);
  if (failing != failing_.end() && failing->second == silence) return;
  const auto known = records_.find(name);
  int code = known == records_.end() ? 3 : 0;
  if (failing != failing_.end()) code = failing->second;
  std::string records;
  std::uint32_t count = 0;
  for (const auto& [of, rdata] : known == records_.end() ? decltype(known->second)() : known->second) {
    if (of != type || code != 0) continue;
    ++count;
    append_number(records, 0xc00c, 2);  // the question's name (RFC 1035 §4.1.4)
    append_number(records, of, 2);
    append_number(records, 1, 2);
    append_number(records, 60, 4);
    append_number(records, static_cast<std::uint32_t>(rdata.size()), 2);
    records += rdata;
  }
  std::string reply(question.substr(0, 2));
  append_number(reply, 0x8580U | static_cast<unsigned>(code), 2);  // QR, AA, RD, RA
  append_number(reply, 1, 2);
  append_number(reply, count, 2);
  append_number(reply, 0, 4);
  reply += question.substr(header_size, end + 4 - header_size);
  reply += records;
  const uv_buf_t octets = uv_buf_init(reply.data(), static_cast<unsigned>(reply.size()));
  uv_udp_try_send(socket_.get(), &octets, 1, from);
}

}  // namespace posthorn::testing
