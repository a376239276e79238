#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "message/summary_form.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What IMAP's SORT compares messages by, but for what is known of them anyway: date of arrival and size.
namespace posthorn::message {

// The texts among it: the base subject (RFC 5256 §2.1); of From, To and Cc the local part of the first
// address (§3), and what is displayed of From and To (RFC 5957 §3). "" where there is none.
enum class SortText : std::uint8_t { subject, from, to, cc, display_from, display_to };
inline constexpr std::size_t sort_text_count = 6;
template <class Text>
using OfSortTexts = std::array<Text, sort_text_count>;

// As a person reads them, in UTF-8: for any collation.
OfSortTexts<std::string> sort_texts(const Envelope& envelope);

// Texts are told apart by their first octets, this many of them, in i;unicode-casemap.
inline constexpr std::size_t max_sort_text = 255;

// What encode_sort_keys() made, looked at where it lies. The texts are in i;unicode-casemap
// (unicode_casemap.h), to be compared octet by octet; none has a NUL.
struct SortKeys {
  std::optional<std::int64_t> sent;  // the Date field, seconds since 1970 UTC; none where it can't be read
  OfSortTexts<std::string_view> texts;

  std::string_view operator[](SortText text) const { return texts[static_cast<std::size_t>(text)]; }
};

// As compact octets, for the index; the first is the version of the form.
// With that of summaries, as what is read from messages changes with that.
inline constexpr char sort_keys_version = 1 << 4 | summary_version;
std::string encode_sort_keys(const Summary& summary);
// Of an encoded summary (summary_codec.h). Errors: as message::decode().
Result<std::string> sort_keys_of(std::string_view encoded_summary);

// Errors: Errc::corrupt for octets that encode_sort_keys() can't have made, and for another version.
Result<SortKeys> view_sort_keys(std::string_view encoded);

}  // namespace posthorn::message
