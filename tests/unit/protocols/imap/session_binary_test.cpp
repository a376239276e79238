#include "message/transfer_encoding.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

using namespace std::string_literals;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);

// What stands in the response to `fetch` of the one message, behind "* 1 FETCH (" up to ")".
std::string fetched(const std::function<void(Server&)>& prepare, const std::string& items) {
  const std::string said = dialogue_in_inbox("a FETCH 1 " + items + "\r\n", prepare);
  const std::string begin = "* 1 FETCH (";
  const std::string end = ")\r\na OK FETCH completed\r\n";
  REQUIRE_MESSAGE(said.starts_with(begin), said);
  REQUIRE_MESSAGE(said.ends_with(end), said);
  return said.substr(begin.size(), said.size() - begin.size() - end.size());
}

std::function<void(Server&)> with(std::string octets) {
  return [octets](Server& server) { server.inbox().put(octets, seen); };
}

std::function<void(Server&)> with_binary(std::string octets) {
  return [octets](Server& server) { server.inbox().put_binary(octets); };
}

std::string literal(std::string_view octets) {
  return "{" + std::to_string(octets.size()) + "}\r\n" + std::string(octets);
}
std::string literal8(std::string_view octets) { return "~" + literal(octets); }

// A multipart of base64, quoted-printable, 8bit and an unknown encoding, and a message in it.
const std::string encoded =
    "Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: BASE64\r\n\r\niVBORw0K\r\nGgoAAQ==\r\n"
    "--x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 soft=\r\n line \r\nend\r\n"
    "--x\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n"
    "--x\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\nend\r\n"
    "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Transfer-Encoding: "
    "base64\r\n\r\naW4=\r\n"
    "--x\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n"
    "--x--\r\n";
const std::string png = "\x89PNG\r\n\x1a\n\0\1"s;

// As a client may hand it in: an image with NULs, beside text.
const std::string binary =
    "Subject: pic\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    "--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"s +
    png + "\r\n--x--\r\n";
const std::string binary_shown =
    "Subject: pic\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    "--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "iVBORw0KGgoAAQ==\r\n\r\n--x--\r\n";

}  // namespace

TEST_CASE("imap: BINARY gives sections without their encoding (RFC 3516 §4.2, §4.3)") {
  const std::string text = "caf\xc3\xa9 soft line\r\nend";
  const std::size_t inner_begin = encoded.find("Subject: inner");
  const std::string inner = encoded.substr(inner_begin, encoded.find("\r\n--x", inner_begin) - inner_begin);
  const struct {
    const char* item;
    std::string answer;
  } cases[] = {
      {"BINARY[1]", "BINARY[1] " + literal8(png)},
      {"BINARY.PEEK[1]", "BINARY[1] " + literal8(png)},
      {"BINARY.SIZE[1]", "BINARY.SIZE[1] 10"},
      // No NUL in what is asked for: a string.
      {"BINARY[1]<1.3>", "BINARY[1]<1> " + literal("PNG")},
      {"BINARY[1]<8.1>", "BINARY[1]<8> " + literal8("\0"s)},
      {"BINARY[1]<9.100>", "BINARY[1]<9> " + literal("\1")},
      {"BINARY[1]<10.1>", "BINARY[1]<10> " + literal("")},
      {"BINARY[1]<4294967295.1>", "BINARY[1]<4294967295> " + literal("")},
      {"BINARY[2]", "BINARY[2] " + literal(text)},
      {"BINARY.SIZE[2]", "BINARY.SIZE[2] " + std::to_string(text.size())},
      {"BINARY[2]<3.4>", "BINARY[2]<3> " + literal("\xc3\xa9 s")},
      {"BINARY[3]", "BINARY[3] " + literal("caf\xc3\xa9")},
      {"BINARY[3]<1.2>", "BINARY[3]<1> " + literal("af")},
      {"BINARY.SIZE[3]", "BINARY.SIZE[3] 5"},
      {"BINARY[6]", "BINARY[6] " + literal("")},
      // A message and a multipart have no encoding of their own.
      {"BINARY[]", "BINARY[] " + literal(encoded)},
      {"BINARY.SIZE[]", "BINARY.SIZE[] " + std::to_string(encoded.size())},
      {"BINARY[]<9.5>", "BINARY[]<9> " + literal("outer")},
      {"BINARY[5]", "BINARY[5] " + literal(inner)},
      {"BINARY[5.1]", "BINARY[5.1] " + literal("in")},
      {"(BINARY.SIZE[5.1] UID BINARY[5.1] BODY[5.1])",
       "BINARY.SIZE[5.1] 2 UID 1 BINARY[5.1] " + literal("in") + " BODY[5.1] " + literal("aW4=")},
      // What is not there is NIL, which has no size.
      {"BINARY[7]", "BINARY[7] NIL"},
      {"BINARY[1.1]<0.1>", "BINARY[1.1]<0> NIL"},
      {"BINARY.SIZE[7]", "BINARY.SIZE[7] 0"},
  };
  for (const auto& c : cases) CHECK(fetched(with(encoded), c.item) == c.answer);
}

TEST_CASE("imap: BINARY of a message that is no multipart (RFC 3501 §6.4.5, part 1)") {
  const std::string message = "Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n";
  CHECK(fetched(with(message), "BINARY[1]") == "BINARY[1] " + literal("hello"));
  CHECK(fetched(with("Subject: x\r\n\r\nplain\r\n"), "BINARY[1]") == "BINARY[1] " + literal("plain\r\n"));
}

TEST_CASE(
    "imap: BINARY in an unknown encoding is NO [UNKNOWN-CTE]; other messages are given (RFC 3516 §4.3)") {
  const std::string failed = "a NO [UNKNOWN-CTE] The encoding of some of the sections is not known\r\n";
  CHECK(dialogue_in_inbox("a FETCH 1 BINARY[4]\r\n", with(encoded)) == failed);
  CHECK(dialogue_in_inbox("a FETCH 1 BINARY.PEEK[4]<0.1>\r\n", with(encoded)) == failed);
  CHECK(dialogue_in_inbox("a FETCH 1 (FLAGS BINARY.SIZE[4])\r\n", with(encoded)) == failed);
  const std::string said =
      dialogue_in_inbox("a FETCH 1:3 (UID BINARY[4])\r\nb FETCH 1:3 FLAGS\r\n", [](Server& server) {
        server.inbox().put("A: b\r\n\r\nx");
        server.inbox().put(encoded);
        server.inbox().put("A: b\r\n\r\nx");
      });
  // Of which the one that was not given is not seen.
  CHECK(said ==
        "* 1 FETCH (UID 1 BINARY[4] NIL FLAGS (\\Seen \\Recent))\r\n"
        "* 3 FETCH (UID 3 BINARY[4] NIL FLAGS (\\Seen \\Recent))\r\n" +
            failed +
            "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n* 2 FETCH (FLAGS (\\Recent))\r\n"
            "* 3 FETCH (FLAGS (\\Seen \\Recent))\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: BINARY sets \\Seen, BINARY.PEEK and BINARY.SIZE do not (RFC 3516 §4.2)") {
  const auto unseen = [](Server& server) { server.inbox().put("A: b\r\n\r\nx"); };
  CHECK_FALSE(has(dialogue_in_inbox("a FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1])\r\n", unseen), "\\Seen"));
  CHECK(has(dialogue_in_inbox("a FETCH 1 BINARY[1]\r\n", unseen),
            "BINARY[1] {1}\r\nx FLAGS (\\Seen \\Recent))"));
}

TEST_CASE("imap: BINARY of a large part, decoded as it goes; exact sizes and partials") {
  std::string content(700'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  std::string body;
  message::Base64Encoder encoder;
  encoder.feed(content, body);
  encoder.finish(body);
  const auto large = [&](Server& server) {
    server.store.message_size = 2'000'000;
    server.inbox().put("Content-Transfer-Encoding: base64\r\n\r\n" + body, seen);
  };
  const auto said = [&](const std::string& item) {
    Server server;
    large(server);
    const auto client = Client::with_inbox(server);
    return client->say("a FETCH 1 " + item);
  };
  const auto answer = [](const std::string& value) {
    return "* 1 FETCH (" + value + ")\r\na OK FETCH completed\r\n";
  };
  CHECK(said("BINARY.SIZE[1]") == answer("BINARY.SIZE[1] 700000"));
  CHECK(said("BINARY[1]") == answer("BINARY[1] " + literal8(content)));
  CHECK(said("BINARY[1]<300000.200000>") ==
        answer("BINARY[1]<300000> " + literal8(content.substr(300'000, 200'000))));
  CHECK(said("BINARY[1]<699999.5>") == answer("BINARY[1]<699999> " + literal(content.substr(699'999))));
  CHECK(said("BINARY[]") ==
        answer("BINARY[] " + literal("Content-Transfer-Encoding: base64\r\n\r\n" + body)));
}

TEST_CASE("imap: a NUL in a file of another program is 0x80 in BODY and itself in BINARY") {
  const std::string foreign = "A: b\r\n\r\nx\0y"s;
  CHECK(fetched(with(foreign), "(BODY[1] BINARY[1] BINARY.SIZE[1])") ==
        "BODY[1] " + literal("x\x80y") + " BINARY[1] " + literal8("x\0y"s) + " BINARY.SIZE[1] 3");
}

TEST_CASE("imap: a message with binary parts is stored as it came and shown in base64 (RFC 3516 §4.4, §6)") {
  const struct {
    const char* item;
    std::string answer;
  } cases[] = {
      {"BODY.PEEK[]", "BODY[] " + literal(binary_shown)},
      {"RFC822.SIZE", "RFC822.SIZE " + std::to_string(binary_shown.size())},
      {"BODY.PEEK[2]", "BODY[2] " + literal("iVBORw0KGgoAAQ==\r\n")},
      {"BODY.PEEK[2.MIME]",
       "BODY[2.MIME] " + literal("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n")},
      {"BODY.PEEK[]<200.30>", "BODY[]<200> " + literal(binary_shown.substr(200, 30))},
      {"BODY",
       "BODY ((\"text\" \"plain\" NIL NIL NIL \"7BIT\" 5 1)(\"image\" \"png\" NIL NIL NIL \"base64\" 18)"
       " \"mixed\")"},
      {"BINARY.PEEK[2]", "BINARY[2] " + literal8(png)},
      {"BINARY.SIZE[2]", "BINARY.SIZE[2] 10"},
      {"BINARY.PEEK[2]<2.6>", "BINARY[2]<2> " + literal("NG\r\n\x1a\n")},
      // As a whole, as it is stored.
      {"BINARY.PEEK[]", "BINARY[] " + literal8(binary)},
      {"BINARY.SIZE[]", "BINARY.SIZE[] " + std::to_string(binary.size())},
      {"BINARY.PEEK[1]", "BINARY[1] " + literal("hello")},
  };
  for (const auto& c : cases) CHECK(fetched(with_binary(binary), c.item) == c.answer);
}

TEST_CASE("imap: BINARY of a message inside a message is as it is stored") {
  const std::string inner =
      "Content-Transfer-Encoding: binary\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
      "--y\r\n\r\n\0\r\n--y--"s;
  const std::string outer =
      "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
      "--x\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
      inner + "\r\n--x--\r\n";
  CHECK(fetched(with_binary(outer), "BINARY.PEEK[1]") == "BINARY[1] " + literal8(inner));
  CHECK(fetched(with_binary(outer), "BINARY.PEEK[1.1]") == "BINARY[1.1] " + literal8("\0"s));
  CHECK(fetched(with_binary(outer), "BODY.PEEK[1.1]") == "BODY[1.1] " + literal("AA==\r\n"));
}

TEST_CASE("imap: APPEND of a literal8 (RFC 3516 §4.4)") {
  const std::string size = std::to_string(binary.size());
  const std::string fetch = "b FETCH 1 (RFC822.SIZE BINARY.PEEK[] BODY.PEEK[])\r\n";
  const std::string stored = "* 1 FETCH (RFC822.SIZE " + std::to_string(binary_shown.size()) + " BINARY[] " +
                             literal8(binary) + " BODY[] " + literal(binary_shown) + ")\r\nb OK";
  for (const std::string& announced : {"~{" + size + "}\r\n", "~{" + size + "+}\r\n"}) {
    CAPTURE(announced);
    CHECK(has(dialogue_in_inbox("a APPEND INBOX " + announced + binary + "\r\n" + fetch), stored));
    // CATENATE, of parts that each have a kind of literal of their own (RFC 4469).
    CHECK(has(dialogue_in_inbox("a APPEND INBOX CATENATE (TEXT " + announced + binary + ")\r\n" + fetch),
              stored));
  }
  const std::size_t half = binary.size() / 2;
  CHECK(has(dialogue_in_inbox("a APPEND INBOX CATENATE (TEXT " + literal(binary.substr(0, half)) + " TEXT " +
                              literal8(binary.substr(half)) + ")\r\n" + fetch),
            stored));
  // MULTIAPPEND (RFC 3502), and COPY.
  const std::string said =
      dialogue_in_inbox("a APPEND INBOX " + literal8(binary) + " " + literal("A: b\r\n\r\n") + " " +
                        literal8(binary) + "\r\nb COPY 3 INBOX\r\nc FETCH 1:4 (UID RFC822.SIZE)\r\n");
  const std::string shown_size = std::to_string(binary_shown.size());
  CHECK(has(said, "* 1 FETCH (UID 1 RFC822.SIZE " + shown_size + ")"));
  CHECK(has(said, "* 2 FETCH (UID 2 RFC822.SIZE 8)"));
  CHECK(has(said, "* 4 FETCH (UID 4 RFC822.SIZE " + shown_size + ")"));
}

TEST_CASE("imap: a literal8 without NUL is a literal") {
  const std::string plain = "Content-Transfer-Encoding: binary\r\n\r\nno NUL";
  CHECK(has(dialogue_in_inbox("a APPEND INBOX " + literal8(plain) + "\r\nb FETCH 1 (BODY.PEEK[])\r\n"),
            "BODY[] " + literal(plain)));
}

TEST_CASE("imap: short contents of many BINARY items go out as they are put together") {
  Server server;
  const std::string text(65'000, 'x');
  server.inbox().put("Subject: s\r\n\r\n" + text, seen);
  std::string items;
  std::string expected = "* 1 FETCH (";
  for (int i = 0; i < 50; ++i) {
    items += (i == 0 ? "" : " ") + ("BINARY.PEEK[1]<" + std::to_string(i) + ".65000>");
    expected += (i == 0 ? "" : " ") + ("BINARY[1]<" + std::to_string(i) + "> ") +
                literal(text.substr(static_cast<std::size_t>(i)));
  }
  auto client = Client::with_inbox(server);
  const std::size_t before = client->peer().awaits();
  CHECK(client->say("a FETCH 1 (" + items + ")") == expected + ")\r\na OK FETCH completed\r\n");
  // Each went out by itself.
  CHECK(client->peer().awaits() - before >= 50);
}

TEST_CASE("imap: a NUL where it can't be is NO [UNKNOWN-CTE]; in a literal it is refused (RFC 3516 §4.4)") {
  const std::string unknown = "a NO [UNKNOWN-CTE] A NUL octet can't stand where this one does\r\n";
  for (const std::string& message : {"A: \0\r\n\r\nx"s, "Content-Transfer-Encoding: base64\r\n\r\n\0"s}) {
    const std::string said = dialogue_in_inbox("a APPEND INBOX " + literal8(message) + "\r\nb NOOP\r\n");
    CHECK(said == "+ OK\r\n" + unknown + "b OK NOOP completed\r\n");
    CHECK(has(dialogue_in_inbox("a APPEND INBOX " + literal8(message) + " {5}\r\nb NOOP\r\n"), unknown));
  }
  CHECK(dialogue_in_inbox("a APPEND INBOX " + literal("A: b\r\n\r\n\0"s) + "\r\nb NOOP\r\n") ==
        "+ OK\r\na NO [CANNOT] The message has a NUL octet\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: which messages can be decoded is found out in turns, before the others are marked") {
  Server server;
  std::string parts;
  for (int i = 0; i < 9'000; ++i) parts += "--b\r\n\r\n";
  for (int i = 0; i < 8; ++i) {
    server.inbox().put("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts);
  }
  const auto turns_of = [&](std::string_view command) {
    auto client = Client::with_inbox(server, command);
    client->peer().send("a FETCH 1:* BINARY[1]\r\n");
    int turns = 0;
    std::string said;
    while (said.find("a OK FETCH") == std::string::npos) {
      REQUIRE(++turns < 100'000);
      server.loop.run_once();
      said += client->peer().take_output();
    }
    return turns;
  };
  const int without_marking = turns_of("EXAMINE INBOX");
  CHECK(turns_of("SELECT INBOX") >= without_marking + 8);
}

}  // namespace posthorn::imap
