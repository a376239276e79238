#include "storage/account_path.h"

#include <idn2.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>

namespace posthorn::storage {
namespace {

constexpr std::size_t component_limit = 240;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char each) { return static_cast<unsigned char>(each) < 0x80; });
}

std::string lower(std::string text) {
  for (char& each : text) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each + ('a' - 'A'));
  }
  return text;
}

bool is_plain(char each) {
  return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '.' || each == '_' ||
         each == '+' || each == '-';
}

Result<std::string> domain_directory(std::string_view domain) {
  std::string labels(domain);
  if (!is_ascii(domain)) {
    std::uint8_t* converted = nullptr;
    const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(labels.c_str()), &converted,
                                    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code != IDN2_OK) return failure(Errc::not_allowed, "domain: " + std::string(idn2_strerror(code)));
    labels = reinterpret_cast<const char*>(converted);
    idn2_free(converted);
  }
  labels = lower(std::move(labels));
  if (labels.empty() || labels.size() > component_limit) return failure(Errc::not_allowed, "domain");
  // No empty label: so also no leading dot, "." or "..".
  if (labels.front() == '.' || labels.back() == '.' || labels.find("..") != std::string::npos) {
    return failure(Errc::not_allowed, "domain with an empty label");
  }
  for (const char each : labels) {
    if (!is_plain(each) || each == '+') return failure(Errc::not_allowed, "character in a domain");
  }
  return labels;
}

Result<std::string> folded(std::string_view user) {
  if (is_ascii(user)) return lower(std::string(user));
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status) != 0) return failure(Errc::io, "ICU has no NFC data");
  auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(user.data(), static_cast<int32_t>(user.size())));
  text = nfc->normalize(text.foldCase(), status);
  if (U_FAILURE(status) != 0) return failure(Errc::not_allowed, "user name cannot be normalised");
  std::string result;
  text.toUTF8String(result);
  return result;
}

}  // namespace

Result<std::string> canonical_address(std::string_view address) {
  TRY(account_path(address));
  const std::size_t at = address.rfind('@');
  return TRY(folded(address.substr(0, at))) + "@" + TRY(domain_directory(address.substr(at + 1)));
}

Result<std::string> account_path(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 1024)
    return failure(Errc::not_allowed, "account address");
  const std::string domain = TRY(domain_directory(address.substr(at + 1)));
  const std::string user = TRY(folded(address.substr(0, at)));
  std::string encoded;
  for (const char each : user) {
    if (is_plain(each) && !(encoded.empty() && each == '.')) {
      encoded += each;
      continue;
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(each);
    encoded += '%';
    encoded += digits[octet >> 4U];
    encoded += digits[octet & 0xfU];
  }
  if (encoded.size() > component_limit) return too_large("account name");
  return domain + "/" + encoded;
}

}  // namespace posthorn::storage
