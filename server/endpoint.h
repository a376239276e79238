#pragma once

#include "server/config.h"
#include "tls/context.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace posthorn::server {

enum class Service : std::uint8_t { smtp, submission, submissions, pop3, pop3s, imap, imaps };

// One key of [listen]: what is spoken there.
struct Endpoint {
  Service service;
  std::string_view name;  // the key, and the name of a socket from systemd
  tls::Protocol protocol;
  bool implicit_tls;
  Settings::Addresses Settings::Listen::* key;
};

inline constexpr std::array<Endpoint, 7> endpoints{{
    {Service::smtp, "smtp", tls::Protocol::smtp, false, &Settings::Listen::smtp},
    {Service::submission, "submission", tls::Protocol::smtp, false, &Settings::Listen::submission},
    {Service::submissions, "submissions", tls::Protocol::smtp, true, &Settings::Listen::submissions},
    {Service::pop3, "pop3", tls::Protocol::pop3, false, &Settings::Listen::pop3},
    {Service::pop3s, "pop3s", tls::Protocol::pop3, true, &Settings::Listen::pop3s},
    {Service::imap, "imap", tls::Protocol::imap, false, &Settings::Listen::imap},
    {Service::imaps, "imaps", tls::Protocol::imap, true, &Settings::Listen::imaps},
}};

const Endpoint& endpoint_of(Service service);

}  // namespace posthorn::server
