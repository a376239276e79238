#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::imap {

// The pattern of LIST and LSUB (RFC 3501 §6.3.8): `*` is any octets, `%` any but the separator `/`; the rest
// is itself, but for INBOX as the first level, which matches in any case (§5.1).
//
// Made once, matched against many names. A match costs at most the pattern's length times the name's,
// whatever the wildcards; a pattern with more plain octets than the name costs nothing.
class ListPattern {
 public:
  // Both in UTF-8. The reference stands right before the pattern (§6.3.8 leaves its meaning to us).
  ListPattern(std::string_view reference, std::string_view pattern);

  // `name` in UTF-8, INBOX in capitals.
  bool matches(std::string_view name) const;

 private:
  std::vector<char> places_after(std::string_view name) const;

  std::string pattern_;    // runs of wildcards joined
  std::size_t plain_ = 0;  // octets in it that are no wildcards
};

}  // namespace posthorn::imap
