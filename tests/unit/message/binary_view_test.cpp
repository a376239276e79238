#include "message/summary_codec.h"
#include "tests/unit/message/binary_view_check.h"

#include <doctest/doctest.h>

#include <random>

using namespace posthorn;
using namespace posthorn::message;
using namespace std::string_literals;

namespace {

// What clients see of `stored`.
std::string shown(std::string_view stored) {
  const auto edits = find_binary_edits(parse_summary(stored).root, stored.size(), reader_of(stored));
  REQUIRE_MESSAGE(edits.has_value(), edits.error().detail);
  CHECK(broken_view(stored) == "");
  return seen(BinaryView(*edits, stored.size()), stored);
}

// Why it can't be shown; empty if it can.
std::string refused(std::string_view stored) {
  const auto edits = find_binary_edits(parse_summary(stored).root, stored.size(), reader_of(stored));
  if (edits) return {};
  CHECK(edits.error().code == Errc::not_allowed);
  return edits.error().detail;
}

std::string many(std::size_t count, char c) { return std::string(count, c); }

}  // namespace

TEST_CASE("message: a binary part is shown in base64, everything else as it is (RFC 3516 §6)") {
  const std::string stored =
      "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "before\r\n--b\r\n\r\ntext\r\n"
      "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\nX-Y: z\r\n\r\n"
      "\x89PNG\r\n\x1a\n\0\r\n--b--\r\nafter"s;
  CHECK(shown(stored) ==
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "before\r\n--b\r\n\r\ntext\r\n"
        "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nX-Y: z\r\n\r\n"
        "iVBORw0KGgoA\r\n\r\n--b--\r\nafter");
}

TEST_CASE("message: parts that are called binary but have no NUL stay as they are") {
  const std::string plain = "Content-Transfer-Encoding: binary\r\n\r\nno NUL\rat\nall\xff";
  CHECK(shown(plain) == plain);
  const auto edits = find_binary_edits(parse_summary(plain).root, plain.size(), reader_of(plain));
  CHECK(edits->empty());
}

TEST_CASE("message: a part with a NUL that is not called binary counts as such; fields that lack are added") {
  CHECK(shown("Subject: x\r\n\r\n\0"s) ==
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n");
  CHECK(shown("\r\n\0"s) == "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n");
  CHECK(shown("MIME-version: 1.0\r\ncontent-transfer-encoding:\r\n 8BIT (really)\r\nA: b\r\n\r\n\0"s) ==
        "MIME-version: 1.0\r\nContent-Transfer-Encoding: base64\r\nA: b\r\n\r\nAA==\r\n");
  // A line of a CR alone ends no header.
  CHECK(shown("\r\r\n\r\n\0"s) ==
        "\r\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n");
  // In a part, MIME-Version means nothing (RFC 2045 §4).
  CHECK(shown("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\0\r\n--b--"s) ==
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\nAA==\r\n\r\n--b--");
  // Of fields that stand there twice one is left.
  CHECK(shown("MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\nA: b\r\n"
              "Content-Transfer-Encoding: binary\r\n\r\n\0"s) ==
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nA: b\r\n\r\nAA==\r\n");
}

TEST_CASE("message: what holds a binary part calls itself 8bit instead of binary (RFC 2045 §6.4)") {
  const std::string stored =
      "MIME-Version: 1.0\r\nContent-Transfer-Encoding: BINARY\r\nContent-Type: multipart/mixed; "
      "boundary=b\r\n\r\n"
      "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
      "Subject: inner\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\r\n"
      "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
      "Subject: other\r\n\r\ntext\r\n--b--\r\n"s;
  CHECK(shown(stored) ==
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nContent-Type: multipart/mixed; "
        "boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "Subject: inner\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nYQBi\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "Subject: other\r\n\r\ntext\r\n--b--\r\n");
}

TEST_CASE("message: a NUL where no encoding can save it is refused (RFC 3516 §4.4)") {
  const std::string multipart = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  CHECK(refused("Subject: \0\r\n\r\nx"s) == "NUL outside of the body of a part");
  CHECK(refused(multipart + "\0\r\n--b\r\n\r\nx\r\n--b--\r\n"s) == "NUL outside of the body of a part");
  CHECK(refused(multipart + "--b\r\n\r\nx\r\n--b--\r\n\0"s) == "NUL outside of the body of a part");
  CHECK(refused(multipart + "--b\r\nA: \0\r\n\r\nx\r\n--b--\r\n"s) == "NUL outside of the body of a part");
  CHECK(refused("Content-Transfer-Encoding: base64\r\n\r\nAA\0=="s) ==
        "NUL in a part that is encoded already");
  CHECK(refused("Content-Transfer-Encoding: quoted-printable\r\n\r\n\0"s) ==
        "NUL in a part that is encoded already");
  CHECK(refused("Content-Transfer-Encoding: x-uuencode\r\n\r\n\0"s) ==
        "NUL in a part that is encoded already");
  // No delimiter at all: a part without a header of its own.
  CHECK(refused(multipart + "\0"s) == "NUL in a part without header");
  CHECK(refused(multipart + "--b\r\n\0 at once\r\n--b--\r\n"s) == "NUL in a part without header");
  CHECK(refused("A: " + many(140'000, 'x') + "\r\n\r\n\0"s) == "NUL below a very long header");
  CHECK(refused("A: " + many(120'000, 'x') + "\r\n\r\n\0"s) == "");
}

TEST_CASE("message: any stretch of what is seen can be read by itself") {
  std::minstd_rand random(7);
  for (const std::size_t size : {1, 2, 3, 56, 57, 58, 113, 114, 115, 171, 5'000, 300'000}) {
    CAPTURE(size);
    std::string body(size, '\0');
    for (char& c : body) c = static_cast<char>(random());
    body[size / 2] = '\0';
    const std::string stored = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n" + body;
    CHECK(broken_view(stored) == "");
    const auto edits = find_binary_edits(parse_summary(stored).root, stored.size(), reader_of(stored));
    const BinaryView view(*edits, stored.size());
    const std::string whole = seen(view, stored);
    for (int i = 0; i < 200; ++i) {
      const std::size_t from = random() % (whole.size() + 3);
      const std::size_t count = random() % 400;
      const std::string expected = from < whole.size() ? whole.substr(from, count) : "";
      CHECK(view.read(from, count, reader_of(stored)) == expected);
    }
  }
}

TEST_CASE("message: a stretch far inside a large part costs its own size") {
  const std::uint64_t size = 100ULL << 20U;
  const BinaryView view({{10, size, std::nullopt}}, size + 10);
  std::uint64_t asked = 0;
  const auto octets = view.read(view.size() - 1000, 500, [&](std::uint64_t offset, std::size_t count) {
    CHECK(offset + count <= size + 10);
    asked += count;
    return Result<std::string>(std::string(count, 'x'));
  });
  CHECK(octets->size() == 500);
  CHECK(asked < 600);
}

TEST_CASE("message: a message that became shorter is corrupt, and edits from elsewhere do no harm") {
  const std::string stored = "\r\n" + many(100, '\0');
  const auto edits = find_binary_edits(parse_summary(stored).root, stored.size(), reader_of(stored));
  const BinaryView view(*edits, stored.size());
  CHECK(view.read(0, 1000, reader_of(std::string_view(stored).substr(0, 50))).error().code == Errc::corrupt);
  CHECK(find_binary_edits(parse_summary(stored).root, stored.size() + 1, reader_of(stored)).error().code ==
        Errc::corrupt);
  const BinaryView odd({{2, 3, "x"}, {1, 1, "y"}, {90, 20, std::nullopt}, {101, 2, "z"}, {102, 0, "end"}},
                       102);
  CHECK(odd.size() == 2 + 1 + 97 + 3);
  CHECK(seen(odd, many(102, 'o')) == "oox" + many(97, 'o') + "end");
  CHECK(BinaryView({}, 0).read(0, 10, reader_of("")) == "");
}

TEST_CASE("message: edits are kept with the summary") {
  const std::string stored = "\r\nhello\0"s;
  const auto edits = *find_binary_edits(parse_summary(stored).root, stored.size(), reader_of(stored));
  const auto summary = *summarise(BinaryView(edits, stored.size()), edits, reader_of(stored));
  CHECK(summary.preview == "hello");
  const std::string encoded = encode(summary);
  CHECK(decode(encoded) == summary);
  CHECK(decode_edits(encoded) == edits);
  CHECK(decode_preview(encoded).value() == summary.preview);
  CHECK(decode_edits(encode(parse_summary("\r\nx")))->empty());
  for (std::size_t size = 0; size < encoded.size(); ++size) CHECK_FALSE(decode(encoded.substr(0, size)));
}
