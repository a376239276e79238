#include "message/transfer_encoding.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace posthorn::message;

namespace {

struct Case {
  std::string_view in, out;
};

template <class Coder>
std::string run(Coder coder, std::string_view in, std::size_t size) {
  std::string out;
  for (; !in.empty(); in.remove_prefix(std::min(size, in.size()))) coder.feed(in.substr(0, size), out);
  coder.finish(out);
  return out;
}

std::string every_octet() {
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  return text;
}

}  // namespace

TEST_CASE("base64 is decoded, broken as it may be (RFC 2045 §6.8; examples of RFC 4648 §10)") {
  const Case cases[] = {
      {"", ""},
      {"Zg==", "f"},
      {"Zm8=", "fo"},
      {"Zm9v", "foo"},
      {"Zm9vYg==", "foob"},
      {"Zm9vYmE=", "fooba"},
      {"Zm9vYmFy", "foobar"},
      {"Zm9v\r\nYmFy\r\n", "foobar"},
      {"Zg", "f"},
      {"Zm8", "fo"},
      {"Z", ""},
      {"Zg==Zg==", "ff"},
      {"Z*m-9.v", "foo"},
      {"====", ""},
      {"Zm9v=", "foo"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    for (std::size_t size = 1; size <= 5; ++size) CHECK(run(Base64Decoder(), c.in, size) == c.out);
  }
}

TEST_CASE("quoted-printable is decoded, broken as it may be (RFC 2045 §6.7)") {
  const Case cases[] = {
      {"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
       "Now's the time for all folk to come to the aid of their country."},
      {"J=F6rg=3d=3D", "J\xf6rg=="},
      {"trailing \t \r\nnext", "trailing\r\nnext"},
      {"soft = \t\r\nbreak", "soft break"},
      {"soft=\nbreak", "softbreak"},
      {"lf \nonly", "lf\nonly"},
      {"a=", "a"},
      {"a=4", "a=4"},
      {"a=4x", "a=4x"},
      {"a=xy", "a=xy"},
      {"a== 41", "a== 41"},
      {"a= b", "a= b"},
      {"a==41", "a=A"},
      {"a=4=41", "a=4A"},
      {"cr\ralone", "cr\ralone"},
      {"end  ", "end"},
      {"=\r\n=\r\n", ""},
      {"=\rx", "=\rx"},
      {"\xff\x01", "\xff\x01"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    for (std::size_t size = 1; size <= 5; ++size) CHECK(run(QuotedPrintableDecoder(), c.in, size) == c.out);
  }
}

TEST_CASE("white space without end does not fill memory, and is not lost") {
  const std::string spaces(200'000, ' ');
  CHECK(run(QuotedPrintableDecoder(), spaces + "x", 1000) == spaces + "x");
  CHECK(run(QuotedPrintableDecoder(), "a=" + spaces + "\r\nb", 1000) == "ab");
}

TEST_CASE("what is encoded decodes to the same, in lines of at most 76 (RFC 2045 §6.7, §6.8)") {
  std::string long_line(1000, 'x');
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("ab\r\nc \r\n\t\r\n"), every_octet() + every_octet(),
        long_line, std::string(200, '\xe4'), std::string("a\rb\nc\n\r\r\n"), std::string("end ")}) {
    for (const std::size_t size : {1, 2, 3, 7, 1000}) {
      const auto base64 = run(Base64Encoder(), text, size);
      const auto quoted = run(QuotedPrintableEncoder(), text, size);
      CHECK(decode_transfer(base64, TransferEncoding::base64) == text);
      CHECK(decode_transfer(quoted, TransferEncoding::quoted_printable) == text);
      for (const auto& encoded : {base64, quoted}) {
        std::size_t line = 0;
        for (std::size_t i = 0; i < encoded.size(); ++i) {
          const auto c = static_cast<unsigned char>(encoded[i]);
          line = c == '\n' ? 0 : c == '\r' ? line : line + 1;
          CHECK(line <= 76);
          CHECK((c == '\r' || c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f)));
        }
      }
    }
  }
  CHECK(run(Base64Encoder(), "foobar", 10) == "Zm9vYmFy\r\n");
  CHECK(run(QuotedPrintableEncoder(), "caf\xc3\xa9 =\r\n", 10) == "caf=C3=A9 =3D\r\n");
}

TEST_CASE("names of encodings (RFC 2045 §6.1)") {
  CHECK(transfer_encoding_of(std::nullopt) == TransferEncoding::identity);
  CHECK(transfer_encoding_of("BASE64") == TransferEncoding::base64);
  CHECK(transfer_encoding_of("Quoted-Printable") == TransferEncoding::quoted_printable);
  CHECK(transfer_encoding_of("8bit") == TransferEncoding::identity);
  CHECK(transfer_encoding_of("x-uuencode") == TransferEncoding::identity);
  CHECK(decode_transfer("a=20b", TransferEncoding::identity) == "a=20b");
}
