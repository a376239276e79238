#include "protocols/imap/mailbox_name.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;
using namespace std::string_view_literals;

TEST_CASE("imap: modified UTF-7 and back (RFC 3501 §5.1.3)") {
  struct {
    std::string_view wire;
    std::string_view name;
  } const cases[] = {
      {""sv, ""sv},
      {"INBOX"sv, "INBOX"sv},
      {"~peter/mail/&U,BTFw-/&ZeVnLIqe-"sv, "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e"sv},
      {"&Jjo-!"sv, "\u263a!"sv},
      {"&U,BTF2XlZyyKng-"sv, "\u53f0\u5317\u65e5\u672c\u8a9e"sv},
      {"Tom&-Jerry"sv, "Tom&Jerry"sv},
      {"&-&-"sv, "&&"sv},
      {"&AOQ-&-&APY-"sv, "\u00e4&\u00f6"sv},
      {"Entw&APw-rfe"sv, "Entw\u00fcrfe"sv},
      {"&2D3eAA-"sv, "\U0001f600"sv},
      {"&2D3eANg93gE-"sv, "\U0001f600\U0001f601"sv},
      {"&AAA-"sv, "\0"sv},
      {"&AAoADQB,-"sv, "\n\r\x7f"sv},
      {"&,,8-"sv, "\uffff"sv},
      {" -~"sv, " -~"sv},
  };
  for (const auto& [wire, name] : cases) {
    CAPTURE(wire);
    const auto decoded = decode_mailbox_name(wire);
    CHECK(decoded.has_value());
    if (decoded) CHECK(*decoded == name);
    CHECK(encode_mailbox_name(name) == wire);
  }
}

TEST_CASE("imap: one name has one encoding, all others are refused (RFC 3501 §5.1.3)") {
  struct {
    std::string_view wire;
    const char* why;
  } const cases[] = {
      {"&"sv, "a shift without an end"},
      {"&Jjo"sv, "a shift without an end"},
      {"&Jjo!"sv, "a shift ended by something else"},
      {"R&D"sv, "a bare ampersand"},
      {"&U,BTFw-&ZeVnLIqe-"sv, "a shift that ends only to begin again, the RFC's own example"},
      {"&AGE-"sv, "printable US-ASCII in a shift"},
      {"&ACY-"sv, "the ampersand in a shift"},
      {"&AH4-"sv, "the last printable octet in a shift"},
      {"&J-"sv, "6 bits"},
      {"&Jj-"sv, "12 bits"},
      {"&Jjp-"sv, "a stray bit that is not 0"},
      {"&JjoA-"sv, "a stray digit"},
      {"&Jj/o-"sv, "the slash of plain base64"},
      {"&Jjo=-"sv, "padding"},
      {"&2D0-"sv, "a high surrogate alone"},
      {"&3gA-"sv, "a low surrogate alone"},
      {"&2D0Jjg-"sv, "a high surrogate with something else behind it"},
      {"&2D3YPQ-"sv, "two high surrogates"},
      {"a\nb"sv, "a control as itself"},
      {"a\x7f"sv, "DEL as itself"},
      {"a\0"sv, "NUL as itself"},
      {"\xff"sv, "no UTF-8"},
      {"\xc3"sv, "UTF-8 cut off"},
      {"\xc0\x80"sv, "an overlong form"},
      {"\xe0\x80\xaf"sv, "an overlong form"},
      {"\xed\xa0\x80"sv, "a surrogate in UTF-8"},
      {"\xf4\x90\x80\x80"sv, "beyond U+10FFFF"},
  };
  for (const auto& [wire, why] : cases) {
    CAPTURE(why);
    const auto decoded = decode_mailbox_name(wire);
    CHECK_FALSE(decoded.has_value());
    if (!decoded) CHECK(decoded.error().code == Errc::not_allowed);
  }
}

TEST_CASE("imap: names sent as raw UTF-8 are taken, beside shifts too") {
  CHECK(decode_mailbox_name("Entw\u00fcrfe") == "Entw\u00fcrfe");
  CHECK(decode_mailbox_name("\u53f0/&ZeVnLIqe-\U0001f600") == "\u53f0/\u65e5\u672c\u8a9e\U0001f600");
}

TEST_CASE("imap: what is no UTF-8 is shown as U+FFFD") {
  CHECK(encode_mailbox_name("a\xff") == "a&,,0-");
  CHECK(encode_mailbox_name("\xed\xa0\x80") == "&,,3,,f,9-");
}

TEST_CASE("imap: names sent as plain UTF-8 hold no controls and no separators (RFC 6855 §3)") {
  for (const std::string_view good :
       {"", "R&D", "&AAA", "Entw\u00fcrfe/\U0001f600", "\u00a0", "\u2027\u202a"}) {
    CAPTURE(good);
    CHECK(check_utf8_mailbox_name(good).has_value());
  }
  for (const std::string_view bad : {"\x1f"sv, "a\0b"sv, "\x7f"sv, "\u0080"sv, "\u009f"sv, "\u2028"sv,
                                     "\u2029"sv, "\xff"sv, "\xc0\x80"sv, "\xed\xa0\x80"sv, "\xe4\xb8"sv}) {
    CAPTURE(bad);
    const auto checked = check_utf8_mailbox_name(bad);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == Errc::not_allowed);
  }
  CHECK(is_utf8("\u53f0"));
  CHECK_FALSE(is_utf8("\xc3"));
  CHECK(to_valid_utf8("a\xff\u53f0\xe4") == "a\ufffd\u53f0\ufffd");
}

TEST_CASE("imap: INBOX is one name in any case, also as the first level (RFC 3501 §5.1)") {
  CHECK(canonical_mailbox_name("inBox") == "INBOX");
  CHECK(canonical_mailbox_name("inbox/Work") == "INBOX/Work");
  CHECK(canonical_mailbox_name("inboxes") == "inboxes");
  CHECK(canonical_mailbox_name("Work/inbox") == "Work/inbox");
  CHECK(canonical_mailbox_name("") == "");
}
