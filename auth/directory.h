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
    // Targets of aliases that get nothing: in domains that are not ours, or no longer; addresses of ours that
    // do not exist, or no longer.
    std::vector<std::string> remote{};
    std::vector<std::string> nowhere{};
  };

  // Whether mail for `domain` (any case, U- or A-labels) is kept here.
  virtual Task<Result<bool>> is_local_domain(std::string domain) = 0;

  // Where mail for `address` goes: an account, or an alias followed to its end (to several, nested; loops
  // end); "user+tag" goes to "user". In each domain postmaster and abuse always exist (RFC 5321 §4.5.1):
  // without an account or alias of the name that leads to one they are the domain's first account.
  // `postmaster` alone is that of the host's own domain, or of the first that has somebody.
  //
  // Errors: not_found (no such user in a local domain); denied (the domain is not local); malformed;
  // too_large (aliases lead to too many); io when postmaster or abuse is asked for and nobody is there yet;
  // busy.
  virtual Task<Result<Resolution>> resolve(std::string address) = 0;

  // Those of `accounts` (canonical addresses) that exist at this moment, in their order. Errors: busy.
  virtual Task<Result<std::vector<std::string>>> existing(std::vector<std::string> accounts) = 0;
};

}  // namespace posthorn::auth
