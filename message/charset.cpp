#include "message/charset.h"

#include "message/header.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>
#include <unicode/uversion.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace posthorn::message {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// Names that mail has and ICU's alias table lacks.
constexpr auto extra_aliases = std::to_array<std::pair<std::string_view, const char*>>({
    {"unicode-1-1-utf-8", "UTF-8"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"utf8mb4", "UTF-8"},
    {"unicode", "UTF-8"},
    {"x-unknown", "US-ASCII"},
    {"ascii", "US-ASCII"},
    {"x-sjis", "Shift_JIS"},
    {"x-big5", "Big5"},
    {"x-gbk", "GBK"},
    {"x-euc-jp", "EUC-JP"},
    {"x-windows-949", "EUC-KR"},
    {"ks_c_5601", "EUC-KR"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-6-i", "ISO-8859-6"},
});

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

// ICU's own callback gives U+001A for some charsets.
void U_CALLCONV write_replacement(const void*, UConverterToUnicodeArgs* args, const char*, std::int32_t,
                                  UConverterCallbackReason reason, UErrorCode* status) {
  if (reason > UCNV_IRREGULAR) return;
  *status = U_ZERO_ERROR;
  const char16_t character = 0xfffd;
  ucnv_cbToUWriteUChars(args, &character, 1, 0, status);
}

Converter open_converter(const char* name) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &status));
  if (U_FAILURE(status)) return nullptr;
  ucnv_setToUCallBack(converter.get(), write_replacement, nullptr, nullptr, nullptr, &status);
  return converter;
}

// To open a converter costs far more than to convert a header: the last few that each thread used wait here.
class ConverterCache {
 public:
  Converter take(const std::string& name) {
    const auto kept = std::ranges::find(slots_, name, &Slot::name);
    if (kept == slots_.end()) return open_converter(name.c_str());
    kept->name.clear();
    return std::move(kept->converter);
  }

  void give_back(std::string name, Converter converter) {
    ucnv_reset(converter.get());
    slots_[next_] = {std::move(name), std::move(converter)};
    next_ = (next_ + 1) % slots_.size();
  }

 private:
  struct Slot {
    std::string name;
    Converter converter;
  };
  std::array<Slot, 8> slots_;
  std::size_t next_ = 0;
};

ConverterCache& converters() {
  thread_local ConverterCache cache;
  return cache;
}

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

// What stands at the start of `text`: how many octets make one character, or, if negative, how many (1 to 3)
// begin one that the end of `text` cuts off; 0 if the first octet begins none (RFC 3629 §4).
int character_size(std::string_view text) {
  const unsigned char first = byte_at(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const int size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  for (int i = 1; i < size; ++i) {
    if (static_cast<std::size_t>(i) == text.size()) return -i;
    const unsigned char c = byte_at(text, static_cast<std::size_t>(i));
    if (c < low || c > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return size;
}

std::size_t ascii_size(std::string_view text) {
  std::size_t size = 0;
  std::uint64_t eight = 0;
  for (; size + sizeof eight <= text.size(); size += sizeof eight) {
    std::memcpy(&eight, text.data() + size, sizeof eight);
    if (eight & 0x8080808080808080) break;
  }
  while (size < text.size() && byte_at(text, size) < 0x80) ++size;
  return size;
}

void append_code_point(std::uint32_t c, std::string& out) {
  const auto octet = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) {
    out += octet(c);
  } else if (c < 0x800) {
    out += {octet(0xc0 | c >> 6), octet(0x80 | (c & 0x3f))};
  } else {
    out += {octet(0xe0 | c >> 12), octet(0x80 | (c >> 6 & 0x3f)), octet(0x80 | (c & 0x3f))};
  }
}

void append_windows_1252(unsigned char c, std::string& out) {
  // 0x80 to 0x9f; the five that are not assigned stay C1 controls, as in every browser.
  constexpr std::array<std::uint16_t, 32> high = {
      0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
      0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
      0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
  append_code_point(c >= 0x80 && c < 0xa0 ? high[c - 0x80u] : c, out);
}

// What becomes of an octet that is no part of a UTF-8 character.
enum class Stray { replace, as_windows_1252 };

void append_stray(unsigned char c, Stray stray, std::string& out) {
  if (stray == Stray::replace) {
    out += replacement;
  } else {
    append_windows_1252(c, out);
  }
}

// Appends what `text` has of complete characters; returns the size of the cut character at its end.
std::size_t append_utf8(std::string_view text, Stray stray, std::string& out) {
  while (!text.empty()) {
    const auto ascii = ascii_size(text);
    out += text.substr(0, ascii);
    text.remove_prefix(ascii);
    if (text.empty()) break;
    const int size = character_size(text);
    if (size < 0) return static_cast<std::size_t>(-size);
    if (size == 0) append_stray(byte_at(text, 0), stray, out);
    out += text.substr(0, static_cast<std::size_t>(size));
    text.remove_prefix(size == 0 ? 1 : static_cast<std::size_t>(size));
  }
  return 0;
}

std::optional<std::string> preferred_name(const char* name) {
  for (const char* standard : {"MIME", "IANA"}) {
    UErrorCode status = U_ZERO_ERROR;
    const char* preferred = ucnv_getStandardName(name, standard, &status);
    if (U_SUCCESS(status) && preferred) return preferred;
  }
  return std::nullopt;
}

std::string trimmed(std::string_view name) {
  constexpr std::string_view blank = " \t\r\n\"'";
  const auto first = name.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return to_lower_ascii(name.substr(first, name.find_last_not_of(blank) - first + 1));
}

const icu::Normalizer2& folding() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* instance = icu::Normalizer2::getNFKCCasefoldInstance(status);
  assert(U_SUCCESS(status));  // part of ICU's data, which the build requires
  return *instance;
}

// Folded ASCII: letters in lower case, white space of all kinds one.
constexpr auto folded_ascii = [] {
  std::array<char, 128> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    const bool white = c == ' ' || (c >= '\t' && c <= '\r');
    table[i] = white ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return table;
}();

// The size of a white space character beyond ASCII at the start of `text`, one of those that NFKC leaves:
// U+0085, U+1680, U+2028, U+2029. Else 0.
std::size_t wide_space_size(std::string_view text) {
  for (const std::string_view space : {"\xc2\x85", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

}  // namespace

std::optional<std::string> canonical_charset(std::string_view given) {
  constexpr std::size_t max_name = 64;
  if (given.size() > 2 * max_name) return std::nullopt;
  const auto name = trimmed(given);
  if (name.empty() || name.size() > max_name || name.contains('\0') || name.contains(','))
    return std::nullopt;
  if (name == "utf-8" || name == "utf8") return "UTF-8";
  if (name == "us-ascii") return "US-ASCII";
  if (name == "iso-8859-1") return "ISO-8859-1";
  const auto extra = std::ranges::find(extra_aliases, name, &std::pair<std::string_view, const char*>::first);
  const char* known = extra != extra_aliases.end() ? extra->second : name.c_str();
  return preferred_name(known);
}

std::vector<std::string> charset_names() {
  std::vector<std::string> names;
  for (std::int32_t i = 0; i < ucnv_countAvailable(); ++i) {
    if (auto name = preferred_name(ucnv_getAvailableName(i))) names.push_back(std::move(*name));
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::unique(names);
  names.erase(twice.begin(), twice.end());
  return names;
}

bool is_valid_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    bytes.remove_prefix(ascii_size(bytes));
    if (bytes.empty()) break;
    const int size = character_size(bytes);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

class Utf8Converter::Impl {
 public:
  // For charsets that are UTF-8, or guessed.
  explicit Impl(Stray stray) : stray_(stray) {}
  Impl(std::string name, Converter source, Converter target)
      : name_(std::move(name)), source_(std::move(source)), target_(std::move(target)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (source_) converters().give_back(std::move(name_), std::move(source_));
    if (target_) converters().give_back("UTF-8", std::move(target_));
  }

  void feed(std::string_view chunk, std::string& out) {
    if (source_) return convert(chunk, false, out);
    // Octets of a cut character wait in `held_`, at most three; after a stray one, the rest may begin a
    // character anew.
    while (!held_.empty() && !chunk.empty()) {
      held_ += chunk.front();
      chunk.remove_prefix(1);
      const auto cut = append_utf8(held_, stray_, out);
      held_.erase(0, held_.size() - cut);
    }
    if (chunk.empty()) return;
    const auto cut = append_utf8(chunk, stray_, out);
    held_ = chunk.substr(chunk.size() - cut);
  }

  void finish(std::string& out) {
    if (source_) return convert("", true, out);
    if (stray_ == Stray::replace && !held_.empty()) {
      out += replacement;
    } else {
      for (const char c : held_) append_stray(static_cast<unsigned char>(c), stray_, out);
    }
    held_.clear();
  }

 private:
  void convert(std::string_view chunk, bool flush, std::string& out) {
    const char* source = chunk.data();
    const char* const source_end = source + chunk.size();
    char buffer[2048];
    UErrorCode status = U_BUFFER_OVERFLOW_ERROR;
    while (status == U_BUFFER_OVERFLOW_ERROR) {
      status = U_ZERO_ERROR;
      char* target = buffer;
      ucnv_convertEx(target_.get(), source_.get(), &target, buffer + sizeof buffer, &source, source_end,
                     pivot_.data(), &pivot_source_, &pivot_target_, pivot_.data() + pivot_.size(),
                     UBool(first_), UBool(flush), &status);
      first_ = false;
      out.append(buffer, target);
    }
  }

  Stray stray_ = Stray::replace;
  std::string held_;  // the first octets of a character that is not complete

  std::string name_;
  Converter source_;
  Converter target_;
  std::array<char16_t, 1024> pivot_;
  char16_t* pivot_source_ = pivot_.data();
  char16_t* pivot_target_ = pivot_.data();
  bool first_ = true;
};

Result<Utf8Converter> Utf8Converter::open(std::string_view charset) {
  auto name = canonical_charset(charset);
  if (!name) return not_found("charset");
  if (*name == "UTF-8") return Utf8Converter(std::make_unique<Impl>(Stray::replace));
  if (*name == "US-ASCII") return Utf8Converter(std::make_unique<Impl>(Stray::as_windows_1252));
  if (*name == "ISO-8859-1") name = "windows-1252";
  auto source = converters().take(*name);
  auto target = converters().take("UTF-8");
  if (!source || !target) return not_found("charset " + *name);
  return Utf8Converter(std::make_unique<Impl>(std::move(*name), std::move(source), std::move(target)));
}

Utf8Converter::Utf8Converter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Utf8Converter::Utf8Converter(Utf8Converter&&) noexcept = default;
Utf8Converter& Utf8Converter::operator=(Utf8Converter&&) noexcept = default;
Utf8Converter::~Utf8Converter() = default;

void Utf8Converter::feed(std::string_view chunk, std::string& out) { impl_->feed(chunk, out); }
void Utf8Converter::finish(std::string& out) { impl_->finish(out); }

Result<std::string> to_utf8(std::string_view bytes, std::string_view charset) {
  auto converter = TRY(Utf8Converter::open(charset));
  std::string out;
  out.reserve(bytes.size());
  converter.feed(bytes, out);
  converter.finish(out);
  return out;
}

std::string guess_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  const auto cut = append_utf8(bytes, Stray::as_windows_1252, out);
  for (const char c : bytes.substr(bytes.size() - cut))
    append_windows_1252(static_cast<unsigned char>(c), out);
  return out;
}

std::string fold_for_search(std::string_view utf8) {
  std::string out;
  SearchFolder folder;
  folder.feed(utf8, out);
  folder.finish(out);
  return out;
}

std::string folding_version() {
  UVersionInfo icu;
  UVersionInfo unicode;
  u_getVersion(icu);
  u_getUnicodeVersion(unicode);
  std::string version;
  for (const UVersionInfo* each : {&icu, &unicode}) {
    char text[U_MAX_VERSION_STRING_LENGTH];
    u_versionToString(*each, text);
    version.append(text).append(" ");
  }
  return version;
}

// A character may change together with those after it, so what follows the last sure border waits. Every
// ASCII character is such a border.
void SearchFolder::feed(std::string_view chunk, std::string& out) {
  constexpr std::size_t max_held = 4096;
  held_ += chunk;
  std::size_t border = held_.size();
  while (border > 0) {
    --border;
    const auto rest = std::string_view(held_).substr(border);
    if (byte_at(rest, 0) < 0x80) break;
    const std::size_t waiting = rest.size();
    const int size = character_size(rest);
    if (size <= 0 && waiting <= max_held + 4) continue;
    if (waiting > max_held) break;
    std::uint32_t character = byte_at(rest, 0) & (0x7fu >> size);
    for (int i = 1; i < size; ++i)
      character = character << 6 | (byte_at(rest, static_cast<std::size_t>(i)) & 0x3fu);
    if (folding().hasBoundaryBefore(static_cast<UChar32>(character))) break;
  }
  fold(std::string_view(held_).substr(0, border), out);
  held_.erase(0, border);
}

void SearchFolder::finish(std::string& out) {
  fold(held_, out);
  held_.clear();
}

void SearchFolder::fold(std::string_view text, std::string& out) {
  if (text.empty()) return;
  std::string folded;
  if (ascii_size(text) < text.size()) {
    std::string valid;
    const auto cut = append_utf8(text, Stray::replace, valid);
    if (cut > 0) valid += replacement;
    icu::StringByteSink<std::string> sink(&folded);
    UErrorCode status = U_ZERO_ERROR;
    folding().normalizeUTF8(0, icu::StringPiece(valid.data(), static_cast<std::int32_t>(valid.size())), sink,
                            nullptr, status);
    text = folded;
  }
  // Whatever becomes of it, it grows no further.
  const auto start = out.size();
  out.resize(start + text.size());
  char* to = out.data() + start;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const unsigned char octet = byte_at(text, at);
    char c = static_cast<char>(octet);
    if (octet < 0x80) {
      c = folded_ascii[octet];
    } else if (const auto size = wide_space_size(text.substr(at)); size > 0) {
      c = ' ';
      at += size - 1;
    }
    if (c != ' ' || !after_space_) *to++ = c;
    after_space_ = c == ' ';
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

}  // namespace posthorn::message
