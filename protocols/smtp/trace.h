#pragma once

#include "base/connection.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::smtp {

// What the server knows of how a message came in.
struct Arrival {
  std::string_view helo;  // the client's own name; may be anything printable
  const Peer* peer = nullptr;
  const TlsState* tls = nullptr;
  bool esmtp = false;      // it said EHLO
  bool smtp_utf8 = false;  // RFC 6531
  bool authenticated = false;
  std::string_view hostname;   // this server
  std::string_view id;         // of the message; an atom
  std::string_view recipient;  // the only one, or empty
  std::int64_t time = 0;       // seconds since 1970
};

// The name after WITH: "ESMTPSA", ... (RFC 3848), "UTF8SMTPS", ... (RFC 6531 §4.3).
std::string_view protocol_name(const Arrival& arrival);

// The Received field of RFC 5321 §4.4, folded, with its CRLF. The name that the client gave stands in it only
// if it can't be taken for anything but a name; else the address literal takes its place.
std::string received_field(const Arrival& arrival);

// The Return-Path field of RFC 5321 §4.4; empty for the null reverse-path.
std::string return_path_field(std::string_view reverse_path);

// Counts the Received fields of a message while it streams by, for finding loops (RFC 5321 §6.3).
class HopCounter {
 public:
  // Takes the next part of the message, of any length.
  void feed(std::string_view part);
  std::size_t hops() const { return hops_; }

 private:
  void take_name(std::string_view part);

  std::string begin_;  // of the present line, as much as tells its name
  bool in_header_ = true;
  std::size_t hops_ = 0;
};

}  // namespace posthorn::smtp
