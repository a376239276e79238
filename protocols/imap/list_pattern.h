#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::imap {

// The pattern of LIST and LSUB (RFC 3501 §6.3.8): `*` is any octets, `%` any but the separator `/`; the rest
// is itself, but for INBOX as the first level, which matches in any case (§5.1).
//
// Made once, matched against many names, all in UTF-8. A match costs at most pattern × name steps and, with
// one kind of wildcard, commonly their sum: no backtracking beyond the last wildcard of each kind.
class ListPattern {
 public:
  // `pattern` in UTF-8. The reference goes before it, unless the pattern begins with `/` (§6.3.8 leaves
  // the interpretation to us).
  ListPattern(std::string_view reference, std::string_view pattern);

  bool matches(std::string_view name) const;

  // Whether a name strictly below `name` could match: what lets LIST with `%` name a level that is no mailbox
  // itself, and lets a walk leave out a subtree.
  bool may_match_below(std::string_view name) const;

 private:
  std::string pattern_;
};

}  // namespace posthorn::imap
