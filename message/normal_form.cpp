#include "message/normal_form.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <cassert>

namespace posthorn::message {

std::string to_nfc(std::string_view utf8) {
  const bool is_ascii =
      std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) return std::string(utf8);
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfc = icu::Normalizer2::getNFCInstance(status);
  assert(U_SUCCESS(status));  // part of ICU's data, which the build requires
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  nfc->normalizeUTF8(0, {utf8.data(), static_cast<std::int32_t>(utf8.size())}, sink, nullptr, status);
  return normal;
}

}  // namespace posthorn::message
