#pragma once

#include "auth/accounts.h"
#include "auth/directory.h"
#include "base/offload.h"

namespace posthorn::auth {

// The Directory over this server's accounts; it reads them on `lane`. `hostname` is the server's name.
class AccountDirectory final : public Directory {
 public:
  AccountDirectory(Accounts& accounts, Lane& lane, std::string hostname = {})
      : accounts_(accounts), lane_(lane), hostname_(std::move(hostname)) {}
  void configure(std::string hostname) { hostname_ = std::move(hostname); }

  Task<Result<bool>> is_local_domain(std::string domain) override;
  Task<Result<Resolution>> resolve(std::string address) override;
  Task<Result<std::vector<std::string>>> existing(std::vector<std::string> accounts) override;

 private:
  Accounts& accounts_;
  Lane& lane_;
  std::string hostname_;
};

}  // namespace posthorn::auth
