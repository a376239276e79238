#pragma once

#include "base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// The name that MIME prefers for a charset ("latin1" is "ISO-8859-1"), for any name or alias in any case;
// none if it is not known here. Names that mail uses wrongly ("unicode-1-1-utf-8", "ks_c_5601-1987",
// "x-sjis", ...) count too.
std::optional<std::string> canonical_charset(std::string_view name);

// The preferred names of all charsets that can be converted, sorted: for IMAP's BADCHARSET (RFC 3501 §7.1).
std::vector<std::string> charset_names();

bool is_valid_utf8(std::string_view bytes);

// `bytes` as UTF-8; what is malformed in that charset becomes U+FFFD. In US-ASCII, 8-bit octets that form
// UTF-8 characters are read as those, others as windows-1252. ISO-8859-1 is read as its superset
// windows-1252, as all mail programs do.
//
// Errors: Errc::not_found for a charset that is not known.
Result<std::string> to_utf8(std::string_view bytes, std::string_view charset);

// `bytes` of an unknown charset: octets that form UTF-8 characters as those, others as windows-1252.
std::string guess_utf8(std::string_view bytes);

// The same for text that streams by; a character may be cut anywhere.
class Utf8Converter {
 public:
  // Errors: Errc::not_found for a charset that is not known.
  static Result<Utf8Converter> open(std::string_view charset);
  Utf8Converter(Utf8Converter&&) noexcept;
  Utf8Converter& operator=(Utf8Converter&&) noexcept;
  ~Utf8Converter();

  // Appends the UTF-8 of `chunk` to `out`; finish() what is left of a cut character, as U+FFFD.
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  class Impl;
  explicit Utf8Converter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Text in the form in which a search compares: Unicode's NFKC_Casefold (no case, compatibility forms joined,
// invisible characters gone), accents kept, every run of white space and line ends one space, so that a
// phrase is found across folds and line breaks. Malformed UTF-8 becomes U+FFFD. A key is found where the
// folded key is a part of the folded text.
std::string fold_for_search(std::string_view utf8);

// What text that was folded, or converted from a charset, may be another with: the versions of ICU and of
// Unicode in it.
std::string folding_version();

// The same for UTF-8 that streams by; the chunks of output joined are the folded text.
class SearchFolder {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  void fold(std::string_view text, std::string& out);

  std::string held_;          // what a later octet may still combine with; bounded
  bool after_space_ = false;  // the last folded character was a space
};

}  // namespace posthorn::message
