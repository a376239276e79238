#include "message/unicode_casemap.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace posthorn::message {
namespace {

char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Titlecase_Mapping of UnicodeData.txt, which maps one character to one.
std::string in_title_case(std::string_view utf8) {
  std::string out;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(utf8.data());
  const auto size = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t at = 0; at < size;) {
    UChar32 character = 0;
    U8_NEXT_OR_FFFD(octets, at, size, character);
    std::uint8_t encoded[U8_MAX_LENGTH];
    std::int32_t length = 0;
    U8_APPEND_UNSAFE(encoded, length, u_totitle(character));
    out.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
  }
  return out;
}

}  // namespace

std::string unicode_casemap(std::string_view utf8) {
  std::string mapped;
  const bool is_ascii =
      std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) {
    mapped.resize(utf8.size());
    std::ranges::transform(utf8, mapped.begin(), ascii_upper);
    return mapped;
  }
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfkd = icu::Normalizer2::getNFKDInstance(status);
  assert(U_SUCCESS(status));  // part of ICU's data, which the build requires
  const std::string titled = in_title_case(utf8);
  icu::StringByteSink<std::string> sink(&mapped);
  nfkd->normalizeUTF8(0, {titled.data(), static_cast<std::int32_t>(titled.size())}, sink, nullptr, status);
  return mapped;
}

}  // namespace posthorn::message
