#include "storage/folder_name.h"

#include <array>
#include <cstdint>

namespace posthorn::storage {
namespace {

constexpr std::size_t directory_limit = 240;
constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

// Takes one character off the front of `text`; none if it is not UTF-8 (RFC 3629 §4).
std::optional<char32_t> take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t more = 0;
  char32_t character = lead;
  if (lead >= 0xc2 && lead < 0xe0) {
    more = 1;
    character = lead & 0x1fU;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    more = 2;
    character = lead & 0x0fU;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    more = 3;
    character = lead & 0x07U;
  } else if (lead >= 0x80) {
    return std::nullopt;
  }
  if (text.size() <= more) return std::nullopt;
  for (std::size_t index = 1; index <= more; ++index) {
    const auto next = static_cast<unsigned char>(text[index]);
    if ((next & 0xc0U) != 0x80) return std::nullopt;
    character = character << 6U | (next & 0x3fU);
  }
  constexpr std::array<char32_t, 4> lowest{0, 0x80, 0x800, 0x10000};
  if (character < lowest[more] || character > 0x10ffff) return std::nullopt;
  if (character >= 0xd800 && character < 0xe000) return std::nullopt;
  text.remove_prefix(more + 1);
  return character;
}

void append_utf8(std::string& out, char32_t character) {
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xc0U | character >> 6U);
    out += static_cast<char>(0x80U | (character & 0x3fU));
  } else if (character < 0x10000) {
    out += static_cast<char>(0xe0U | character >> 12U);
    out += static_cast<char>(0x80U | (character >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (character & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | character >> 18U);
    out += static_cast<char>(0x80U | (character >> 12U & 0x3fU));
    out += static_cast<char>(0x80U | (character >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (character & 0x3fU));
  }
}

bool may_stand_in_name(char32_t character) {
  const bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
  return !control && character != 0x2028 && character != 0x2029;
}

// Stands for itself in a directory's name.
bool is_direct(char32_t character) {
  return character >= 0x20 && character < 0x7f && character != '.' && character != '/' && character != '~' &&
         character != ':';
}

// One run of modified base64: "&" ... "-".
class Shifted {
 public:
  void add(std::uint32_t unit, std::string& out) {
    if (!open_) out += '&';
    open_ = true;
    bits_ = bits_ << 16U | unit;
    count_ += 16;
    while (count_ >= 6) {
      count_ -= 6;
      out += base64[bits_ >> count_ & 0x3fU];
    }
  }
  void end(std::string& out) {
    if (!open_) return;
    if (count_ > 0) out += base64[bits_ << (6U - count_) & 0x3fU];
    out += '-';
    *this = {};
  }

 private:
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
  bool open_ = false;
};

std::string encode_level(std::string_view level) {
  std::string out;
  Shifted shifted;
  while (!level.empty()) {
    const char32_t character = take_character(level).value_or(U'?');
    if (is_direct(character)) {
      shifted.end(out);
      out += static_cast<char>(character);
      if (character == '&') out += '-';
    } else if (character < 0x10000) {
      shifted.add(character, out);
    } else {
      shifted.add(0xd800U + ((character - 0x10000U) >> 10U), out);
      shifted.add(0xdc00U + ((character - 0x10000U) & 0x3ffU), out);
    }
  }
  shifted.end(out);
  return out;
}

// The characters of one run, given without its "&" and "-".
bool decode_run(std::string_view run, std::string& out) {
  std::uint64_t bits = 0;
  unsigned count = 0;
  char32_t high = 0;
  for (const char each : run) {
    const std::size_t value = base64.find(each);
    if (value == std::string_view::npos) return false;
    bits = bits << 6U | value;
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const auto unit = static_cast<char32_t>(bits >> count & 0xffffU);
    if (high != 0) {
      if (unit < 0xdc00 || unit >= 0xe000) return false;
      append_utf8(out, 0x10000 + ((high - 0xd800) << 10U) + (unit - 0xdc00));
      high = 0;
    } else if (unit >= 0xd800 && unit < 0xdc00) {
      high = unit;
    } else if (unit >= 0xdc00 && unit < 0xe000) {
      return false;
    } else {
      append_utf8(out, unit);
    }
  }
  return high == 0;
}

bool decode_level(std::string_view level, std::string& out) {
  while (!level.empty()) {
    if (level.front() != '&') {
      out += level.front();
      level.remove_prefix(1);
      continue;
    }
    const std::size_t end = level.find('-');
    if (end == std::string_view::npos) return false;
    if (end == 1) {
      out += '&';
    } else if (!decode_run(level.substr(1, end - 1), out)) {
      return false;
    }
    level.remove_prefix(end + 1);
  }
  return true;
}

bool is_inbox(std::string_view level) {
  if (level.size() != 5) return false;
  for (std::size_t index = 0; index < level.size(); ++index) {
    if ((level[index] & ~0x20) != "INBOX"[index]) return false;
  }
  return true;
}

Result<> check_level(std::string_view level) {
  if (level.empty()) return failure(Errc::not_allowed, "mailbox name with an empty level");
  if (level == "." || level == "..") return failure(Errc::not_allowed, "mailbox name with a level . or ..");
  while (!level.empty()) {
    const auto character = take_character(level);
    if (!character) return failure(Errc::not_allowed, "mailbox name is not UTF-8");
    if (!may_stand_in_name(*character))
      return failure(Errc::not_allowed, "mailbox name with a control character");
  }
  return {};
}

}  // namespace

Result<std::string> canonical_mailbox_name(std::string_view name) {
  // The directory's name has at least 8 octets for 9 of UTF-8: none this long could fit.
  if (name.size() > 2 * directory_limit) return too_large("mailbox name");
  std::size_t begin = 0;
  while (true) {
    const std::size_t slash = name.find('/', begin);
    TRY(check_level(name.substr(begin, slash - begin)));
    if (slash == std::string_view::npos) break;
    begin = slash + 1;
  }
  std::string canonical(name);
  if (is_inbox(name.substr(0, name.find('/')))) canonical.replace(0, 5, "INBOX");
  if (folder_directory(canonical).size() > directory_limit) return too_large("mailbox name");
  return canonical;
}

std::string folder_directory(std::string_view canonical) {
  if (canonical == "INBOX") return {};
  std::string directory;
  while (true) {
    const std::size_t slash = canonical.find('/');
    directory += '.';
    directory += encode_level(canonical.substr(0, slash));
    if (slash == std::string_view::npos) return directory;
    canonical.remove_prefix(slash + 1);
  }
}

std::optional<std::string> mailbox_of_directory(std::string_view directory) {
  if (!directory.starts_with('.')) return std::nullopt;
  std::string name;
  std::string_view rest = directory.substr(1);
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!decode_level(rest.substr(0, dot), name)) return std::nullopt;
    if (dot == std::string_view::npos) break;
    name += '/';
    rest.remove_prefix(dot + 1);
  }
  auto canonical = canonical_mailbox_name(name);
  // Two directories must never be one mailbox: only the one that we would make counts.
  if (!canonical || folder_directory(*canonical) != directory) return std::nullopt;
  return *std::move(canonical);
}

}  // namespace posthorn::storage
