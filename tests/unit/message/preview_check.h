#pragma once

#include "message/charset.h"
#include "message/preview.h"
#include "message/preview_text.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace posthorn::message {

// What every preview promises (RFC 8970 §3.3); empty if all holds, else what is broken.
inline std::string broken_preview(std::string_view preview) {
  if (!is_valid_utf8(preview)) return "no UTF-8";
  const auto characters = std::ranges::count_if(preview, [](char c) { return (c & 0xc0) != 0x80; });
  if (static_cast<std::size_t>(characters) > preview_characters) return "too long";
  if (std::ranges::any_of(preview, [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; }))
    return "control";
  if (preview.starts_with(' ') || preview.ends_with(' ')) return "space at an end";
  if (preview.contains("  ")) return "two spaces";
  return {};
}

}  // namespace posthorn::message
