#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// UTF8=ACCEPT: RFC 6855 with the changes of RFC 9755.
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);
const std::string enable = "e ENABLE UTF8=ACCEPT\r\n";
const std::string enabled = "* ENABLED UTF8=ACCEPT\r\ne OK ENABLE completed\r\n";

// An internationalized message (RFC 6532), and in it another.
const std::string message =
    "From: J\u00fcrgen <j\u00fcrgen@b\u00fccher.example>\r\nSubject: \"Gr\u00fc\u00dfe\"\r\n"
    "Message-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain; name=\"\u00e4.txt\"\r\nContent-Description: \u00f6\r\n\r\nx\r\n"
    "--x\r\nContent-Type: message/global\r\n\r\nSubject: \u00fc\r\n\r\ny\r\n"
    "--x--\r\n";

std::function<void(Server&)> with(const std::string& octets) {
  return [octets](Server& server) { server.inbox().put(octets, seen); };
}

std::string literal(std::string_view octets) {
  return "{" + std::to_string(octets.size()) + "}\r\n" + std::string(octets);
}

}  // namespace

TEST_CASE(
    "imap: UTF8=ACCEPT is offered and enabled once, until UNAUTHENTICATE (RFC 6855 §3, RFC 5161 §3.1)") {
  CHECK(has(dialogue_after_login("a CAPABILITY\r\n"), " UTF8=ACCEPT"));
  CHECK(dialogue_after_login(enable + "f ENABLE UTF8=ACCEPT\r\ng ENABLE UTF8=ONLY\r\n") ==
        enabled + "* ENABLED\r\nf OK ENABLE completed\r\n* ENABLED\r\ng OK ENABLE completed\r\n");
  CHECK(
      has(dialogue_after_login(enable + "u UNAUTHENTICATE\r\nl LOGIN alice@example.test secret\r\n" + enable),
          enabled));
}

TEST_CASE("imap: mailbox names in UTF-8 both ways once that is enabled (RFC 6855 §3)") {
  const std::string commands =
      "a CREATE \"B\u00fccher/Gr\u00fc\u00dfe\"\r\nb LIST \"\" \"B*\u00fc*\"\r\nc SUBSCRIBE "
      "\"B\u00fccher\"\r\n"
      "d LSUB \"\" \"B*\"\r\ng STATUS \"B\u00fccher\" (MESSAGES)\r\nh XLIST \"\" \"B%\"\r\n"
      "i SELECT \"B\u00fccher\"\r\n";
  const std::string said = dialogue_after_login(enable + commands + "j LIST \"\" \"B&APw-*\"\r\n");
  CHECK(has(said, "a OK "));
  CHECK(has(said, "* LIST (\\HasChildren) \"/\" \"B\u00fccher\"\r\n"));
  CHECK(has(said, "* LIST (\\HasNoChildren) \"/\" \"B\u00fccher/Gr\u00fc\u00dfe\"\r\n"));
  CHECK(has(said, "* LSUB () \"/\" \"B\u00fccher\"\r\n"));
  CHECK(has(said, "* STATUS \"B\u00fccher\" (MESSAGES 0)\r\n"));
  CHECK(has(said, "\"/\" \"B\u00fccher\"\r\nh OK"));
  CHECK(has(said, "i OK [READ-WRITE]"));
  // What is modified UTF-7 to others is a name like any other.
  CHECK(said.ends_with(" SELECT completed\r\nj OK LIST completed\r\n"));
  // A client that has not enabled it gets modified UTF-7.
  const std::string before = dialogue_after_login("a CREATE \"B&APw-cher\"\r\nb LIST \"\" \"B%\"\r\n" +
                                                  enable + "c LIST \"\" \"B%\"\r\n");
  CHECK(has(before, "\"/\" B&APw-cher\r\nb OK"));
  CHECK(has(before, "\"/\" \"B\u00fccher\"\r\nc OK"));
}

TEST_CASE("imap: octets that are no UTF-8 are BAD in quoted strings (RFC 6855 §3)") {
  const std::string said = dialogue_after_login(enable +
                                                "a SELECT \"\xfc\"\r\nb LIST \"\" \"\xfc%\"\r\n"
                                                "c STATUS \"x\xc3\" (MESSAGES)\r\n");
  CHECK(has(said, "\r\na BAD "));
  CHECK(has(said, "\r\nb BAD "));
  CHECK(has(said, "\r\nc BAD "));
}

TEST_CASE("imap: SEARCH in UTF-8, and BAD with a CHARSET, once that is enabled (RFC 6855 §3)") {
  const std::string said =
      dialogue_in_inbox(enable +
                            "a SEARCH SUBJECT \"gr\u00fc\u00dfe\"\r\nb SEARCH FROM {7}\r\nJ\u00fcrgen\r\n"
                            "c SEARCH CHARSET UTF-8 ALL\r\nd UID SEARCH CHARSET US-ASCII ALL\r\n",
                        with(message));
  CHECK(said == enabled +
                    "* SEARCH 1\r\na OK SEARCH completed\r\n+ OK\r\n* SEARCH 1\r\nb OK SEARCH completed\r\n"
                    "c BAD no CHARSET where UTF8=ACCEPT is enabled\r\n"
                    "d BAD no CHARSET where UTF8=ACCEPT is enabled\r\n");
}

TEST_CASE("imap: ENVELOPE in UTF-8, quoted once that is enabled, in literals before (RFC 6855 §3)") {
  const std::string from = "((\"J\u00fcrgen\" NIL \"j\u00fcrgen\" \"b\u00fccher.example\"))";
  const std::string quoted = "ENVELOPE (NIL \"\\\"Gr\u00fc\u00dfe\\\"\" " + from + " " + from + " " + from +
                             " NIL NIL NIL NIL \"<1@x>\")";
  CHECK(has(dialogue_in_inbox(enable + "a FETCH 1 ENVELOPE\r\n", with(message)), "(" + quoted + ")\r\na OK"));
  CHECK(has(dialogue_in_inbox("a FETCH 1 ENVELOPE\r\n", with(message)),
            "(ENVELOPE (NIL " + literal("\"Gr\u00fc\u00dfe\"") + " ((" + literal("J\u00fcrgen") + " NIL " +
                literal("j\u00fcrgen") + " " + literal("b\u00fccher.example") + "))"));
  // What is not UTF-8 is no text that could be quoted.
  CHECK(has(dialogue_in_inbox(enable + "a FETCH 1 ENVELOPE\r\n", with("Subject: Gr\xfc\xdf\x65\r\n\r\n")),
            "ENVELOPE (NIL {5}\r\nGr\xfc\xdf\x65 NIL"));
}

TEST_CASE("imap: BODYSTRUCTURE in UTF-8, with message/global as a message (RFC 9755 §6)") {
  CHECK(
      has(dialogue_in_inbox(enable + "a FETCH 1 BODY\r\n", with(message)),
          "BODY ((\"text\" \"plain\" (\"name\" \"\u00e4.txt\") NIL \"\u00f6\" \"7BIT\" 1 1)"
          "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 16 (NIL \"\u00fc\" NIL NIL NIL NIL NIL NIL NIL NIL) "
          "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 1 1) 3) \"mixed\"))"));
  CHECK(has(dialogue_in_inbox("a FETCH 1 BODY\r\n", with(message)),
            "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 16)"));
}

TEST_CASE("imap: BINARY answers in UTF8=ACCEPT as it does without (RFC 3516 §4.2, RFC 6855 §4)") {
  const std::string encoded =
      "Subject: Gr\u00fc\u00dfe\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
      "--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "Gr=C3=BC=C3=9Fe\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE=\r\n"
      "--x\r\nContent-Transfer-Encoding: x-none\r\n\r\nx\r\n--x--\r\n";
  using namespace std::string_literals;
  const std::string commands =
      "a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.SIZE[2] BINARY.PEEK[2])\r\n"
      "b FETCH 1 BINARY.PEEK[2]<1.5>\r\nc FETCH 1 BINARY[3]\r\n";
  const std::string answers = "* 1 FETCH (BINARY.SIZE[1] 7 BINARY[1] " + literal("Gr\u00fc\u00dfe") +
                              " BINARY.SIZE[2] 2 BINARY[2] ~" + literal("\0\1"s) +
                              ")\r\na OK FETCH completed\r\n* 1 FETCH (BINARY[2]<1> " + literal("\1") +
                              ")\r\nb OK FETCH completed\r\n"
                              "c NO [UNKNOWN-CTE] The encoding of some of the sections is not known\r\n";
  CHECK(dialogue_in_inbox(commands, with(encoded)) == answers);
  CHECK(dialogue_in_inbox(enable + commands, with(encoded)) == enabled + answers);
}

TEST_CASE("imap: a PREVIEW in UTF-8 is quoted once that is enabled (RFC 8970 §3.2)") {
  const auto umlaut = with("Content-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe\r\n");
  CHECK(has(dialogue_in_inbox(enable + "a FETCH 1 PREVIEW\r\n", umlaut), "PREVIEW \"Gr\u00fc\u00dfe\")"));
  CHECK(has(dialogue_in_inbox("a FETCH 1 PREVIEW\r\n", umlaut), "PREVIEW {7}\r\nGr\u00fc\u00dfe)"));
}

TEST_CASE(
    "imap: APPEND of messages with UTF-8 headers, as UTF8 (~{n}) or as they are (RFC 6855 §4, RFC 9755 "
    "B.1)") {
  const std::string size = std::to_string(message.size());
  const std::string fetch = "\r\nb FETCH 1 BODY.PEEK[]\r\n";
  const std::string stored = "BODY[] " + literal(message) + ")\r\nb OK";
  for (const std::string& before : {std::string(), enable}) {
    for (const std::string& append :
         {"UTF8 (~{" + size + "+}\r\n" + message + ")", "UTF8 (~{" + size + "}\r\n" + message + ")",
          "~{" + size + "}\r\n" + message, literal(message),
          "CATENATE (UTF8 (~{" + size + "}\r\n" + message + "))"}) {
      CAPTURE(append);
      CHECK(has(dialogue_in_inbox(before + "a APPEND INBOX " + append + fetch), stored));
    }
  }
  const std::string two = dialogue_in_inbox(enable + "a APPEND INBOX UTF8 (~{" + size + "}\r\n" + message +
                                            ") (\\Seen) UTF8 (~{" + size + "}\r\n" + message + ")\r\n");
  CHECK(has(two, "a OK [APPENDUID 1001 1:2] APPEND completed\r\n"));
  CHECK(has(dialogue_in_inbox(enable + "a APPEND INBOX UTF8 (~{1+}\r\nx\r\n"), "a BAD "));
  CHECK(has(dialogue_in_inbox(enable + "a APPEND INBOX UTF8 ({1+}\r\nx)\r\nb NOOP\r\n"), "a BAD "));
}

TEST_CASE("imap: user names and passwords in UTF-8 come by AUTHENTICATE (RFC 6855 §5)") {
  Server server;
  Client client(server, {.hold_open = true});
  // NUL jürgen@example.test NUL pässe
  client.say("a AUTHENTICATE PLAIN AGrDvHJnZW5AZXhhbXBsZS50ZXN0AHDDpHNzZQ==");
  REQUIRE(server.authenticator.asked.has_value());
  CHECK(server.authenticator.asked->user == "j\u00fcrgen@example.test");
  CHECK(server.authenticator.asked->password == "p\u00e4sse");
}

}  // namespace posthorn::imap
