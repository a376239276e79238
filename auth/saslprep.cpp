#include "auth/saslprep.h"

#include "base/handle.h"
#include "message/charset.h"

#include <unicode/unistr.h>
#include <unicode/usprep.h>

#include <algorithm>

namespace posthorn::auth {
namespace {

using Profile = Owned<UStringPrepProfile, usprep_close>;

// Within it, SASLprep changes nothing.
bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string prepared_password(std::string_view password) {
  std::string raw(password);
  if (is_printable_ascii(password) || !message::is_valid_utf8(password)) return raw;
  UErrorCode status = U_ZERO_ERROR;
  const Profile profile(usprep_openByType(USPREP_RFC4013_SASLPREP, &status));
  const auto from = icu::UnicodeString::fromUTF8(
      icu::StringPiece(password.data(), static_cast<std::int32_t>(password.size())));
  // NFKC makes at most 18 code units of one (UAX #15 §9).
  const std::int32_t room = from.length() * 18;
  icu::UnicodeString to;
  char16_t* buffer = to.getBuffer(room);
  if (U_FAILURE(status) || buffer == nullptr) return raw;
  const std::int32_t size = usprep_prepare(profile.get(), from.getBuffer(), from.length(), buffer, room,
                                           USPREP_ALLOW_UNASSIGNED, nullptr, &status);
  to.releaseBuffer(U_SUCCESS(status) ? size : 0);
  if (U_FAILURE(status) || to.isEmpty()) return raw;
  std::string prepared;
  to.toUTF8String(prepared);
  return prepared;
}

}  // namespace posthorn::auth
