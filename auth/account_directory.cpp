#include "auth/account_directory.h"

namespace posthorn::auth {

Task<Result<bool>> AccountDirectory::is_local_domain(std::string domain) {
  auto ask = [&] { return accounts_.is_local_domain(domain); };
  co_return co_await Offload(lane_, ask);
}

Task<Result<Directory::Resolution>> AccountDirectory::resolve(std::string address) {
  // A copy: configure() may change it on the loop meanwhile.
  auto ask = [this, &address, hostname = hostname_] { return accounts_.resolve(address, hostname); };
  co_return co_await Offload(lane_, ask);
}

Task<Result<std::vector<std::string>>> AccountDirectory::existing(std::vector<std::string> accounts) {
  auto ask = [&] { return accounts_.existing(accounts); };
  co_return co_await Offload(lane_, ask);
}

}  // namespace posthorn::auth
