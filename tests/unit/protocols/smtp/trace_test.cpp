#include "protocols/smtp/trace.h"

#include <doctest/doctest.h>

namespace posthorn::smtp {
namespace {

struct Origin {
  Peer peer{.address = "192.0.2.1"};
  TlsState tls;
  Arrival arrival;

  Origin() {
    arrival.helo = "bar.com";
    arrival.peer = &peer;
    arrival.tls = &tls;
    arrival.esmtp = true;
    arrival.hostname = "foo.com";
    arrival.id = "x.1";
    arrival.time = 1'700'000'000;
  }
};

TEST_CASE("smtp trace: the Received field (RFC 5321 §4.4)") {
  Origin origin;
  CHECK(received_field(origin.arrival) ==
        "Received: from bar.com ([192.0.2.1])\r\n\tby foo.com with ESMTP\r\n\tid x.1;\r\n"
        "\tTue, 14 Nov 2023 22:13:20 +0000\r\n");
  origin.peer.address = "2001:db8::1";
  origin.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", ""};
  origin.arrival.authenticated = true;
  origin.arrival.recipient = "Jones@foo.com";
  CHECK(received_field(origin.arrival) ==
        "Received: from bar.com ([IPv6:2001:db8::1])\r\n"
        "\tby foo.com with ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid x.1\r\n\tfor <Jones@foo.com>;\r\n"
        "\tTue, 14 Nov 2023 22:13:20 +0000\r\n");
}

TEST_CASE("smtp trace: a client's name can't break out of its place (RFC 5321 §4.4)") {
  for (const char* helo : {"a(b", "a;b", "a\"b", "[1.2.3", "x\xc3\xbc", "<a>"}) {
    Origin origin;
    origin.arrival.helo = helo;
    CAPTURE(helo);
    CHECK(received_field(origin.arrival).starts_with("Received: from [192.0.2.1] ([192.0.2.1])\r\n"));
  }
  for (const char* helo : {"[192.0.2.7]", "MY_HOST", "[IPv6:::1]"}) {
    Origin origin;
    origin.arrival.helo = helo;
    CHECK(received_field(origin.arrival).starts_with("Received: from " + std::string(helo) + " ("));
  }
}

TEST_CASE("smtp trace: the protocol's name (RFC 3848, RFC 6531 §4.3)") {
  struct Case {
    bool esmtp, tls, authenticated, utf8;
    const char* name;
  };
  for (const auto& [esmtp, tls, authenticated, utf8, name] :
       {Case{false, false, false, false, "SMTP"}, Case{true, false, false, false, "ESMTP"},
        Case{true, true, false, false, "ESMTPS"}, Case{true, false, true, false, "ESMTPA"},
        Case{true, true, true, false, "ESMTPSA"}, Case{true, false, false, true, "UTF8SMTP"},
        Case{true, true, false, true, "UTF8SMTPS"}, Case{true, false, true, true, "UTF8SMTPA"},
        Case{true, true, true, true, "UTF8SMTPSA"}}) {
    Origin origin;
    if (tls) origin.tls.version = "TLSv1.2";
    origin.arrival.esmtp = esmtp;
    origin.arrival.authenticated = authenticated;
    origin.arrival.smtp_utf8 = utf8;
    CHECK(protocol_name(origin.arrival) == name);
  }
}

TEST_CASE("smtp trace: Return-Path (RFC 5321 §4.4)") {
  CHECK(return_path_field("a@b") == "Return-Path: <a@b>\r\n");
  CHECK(return_path_field("") == "Return-Path: <>\r\n");
}

TEST_CASE("smtp trace: Received fields of the header are counted, whatever the chunks (RFC 5321 §6.3)") {
  const std::string message =
      "Received: one\r\nRECEIVED: two\r\n by x\r\nX-Received: no\r\nReceived-SPF: no\r\nSubject: "
      "Received:\r\n"
      "received: three\r\nReceived \t : four, as of old (RFC 5322 §4.5.7)\r\nReceived x: no\r\n\r\n"
      "Received: body\r\n";
  for (const std::size_t chunk : {1U, 2U, 3U, 8U, 9U, 10U, 1000U}) {
    HopCounter counter;
    for (std::size_t at = 0; at < message.size(); at += chunk)
      counter.feed(std::string_view(message).substr(at, chunk));
    CAPTURE(chunk);
    CHECK(counter.hops() == 4);
  }
  HopCounter none;
  none.feed("\r\nReceived: body\r\n");
  CHECK(none.hops() == 0);
}

}  // namespace
}  // namespace posthorn::smtp
