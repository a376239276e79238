#pragma once

#include "base/result.h"
#include "base/task.h"

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::auth {

// Which addresses are ours and where their mail goes.
class Directory {
 public:
  virtual ~Directory() = default;

  struct Resolution {
    std::vector<std::string> accounts;  // canonical addresses, each once
    std::vector<std::string> remote;    // targets of aliases that lie elsewhere
  };

  // Whether mail for `domain` (any case, U- or A-labels) is kept here.
  virtual Task<Result<bool>> is_local_domain(std::string domain) = 0;

  // Where mail for `address` goes: an account, or an alias followed to its end (to several, nested; loops
  // end); "user+tag" goes to "user". `postmaster` alone (RFC 5321 §4.5.1) is that of the first domain, and in
  // each domain postmaster and abuse always exist: without an account or alias of the name they are the
  // domain's first account. Errors: not_found (no such user in a local domain); denied (the domain is not
  // local); malformed; too_large (aliases lead to
  // too many); busy.
  virtual Task<Result<Resolution>> resolve(std::string address) = 0;

  // Those of `accounts` (canonical addresses) that exist at this moment, in their order. Errors: busy.
  virtual Task<Result<std::vector<std::string>>> existing(std::vector<std::string> accounts) = 0;
};

}  // namespace posthorn::auth
