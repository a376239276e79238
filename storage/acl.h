#pragma once

#include "base/result.h"
#include "storage/rights.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Who may do what with a mailbox, besides the owner (RFC 4314 §2). Pure.
namespace posthorn::storage {

// Every user of the server (RFC 4314 §2).
inline constexpr std::string_view anyone = "anyone";
// Of one mailbox; the configuration may set fewer.
inline constexpr std::size_t most_acl_entries = 1'000;

// The form in which an identifier is kept and compared: prepared with SASLprep (RFC 4314 §3, RFC 4013), then
// "anyone", or the canonical address of an account; an address without a domain gets `domain`. A '-' before
// it, for rights that are taken away, stays. Whether there is such an account is not asked for.
//
// Errors: malformed for what SASLprep does not allow or what can be no address.
Result<std::string> canonical_identifier(std::string_view text, std::string_view domain);

class Acl {
 public:
  struct Entry {
    std::string identifier;  // canonical
    Rights rights;           // never none
    bool operator==(const Entry&) const = default;
  };

  // In the order in which they were made.
  const std::vector<Entry>& entries() const { return entries_; }

  // What `user`, a canonical address, may do: what is given to the user or to anyone, but for what is taken
  // from either by an identifier with '-' (RFC 4314 §2).
  Rights rights_of(std::string_view user) const;
  // Those of this identifier's own entry.
  Rights granted(std::string_view identifier) const;

  // SETACL: an entry that is left without rights goes. Errors: too_large for more than `most` entries.
  Result<> change(std::string_view identifier, RightsChange change, std::size_t most);

  bool operator==(const Acl&) const = default;

 private:
  std::vector<Entry> entries_;
};

// `posthorn-acl` in a mailbox's folder: a line "posthorn-acl 1", then "RIGHTS IDENTIFIER" a line. Errors:
// malformed; too_large beyond most_acl_entries; unavailable for the file of a newer version.
Result<Acl> parse_acl(std::string_view text);
std::string to_string(const Acl& acl);

}  // namespace posthorn::storage
