#pragma once

#include "auth/accounts.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <stdlib.h>
#include <string>

namespace posthorn::test {

// The cheapest hashes that libsodium and RFC 7677 allow.
inline constexpr auth::PasswordCost cheap{1, 8, 4096};

inline std::vector<auth::StoredCredential> credentials_of(std::string_view password,
                                                          auth::PasswordCost cost = cheap) {
  auto rows = auth::make_credentials(password, cost);
  REQUIRE(rows);
  return *std::move(rows);
}

// An accounts.sqlite of its own, removed at the end.
struct TemporaryAccounts {
  TemporaryAccounts() {
    std::string pattern = (std::filesystem::temp_directory_path() / "posthorn-auth-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    auto opened = auth::Accounts::open(path());
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    accounts = *std::move(opened);
  }
  ~TemporaryAccounts() {
    accounts.reset();
    std::filesystem::remove_all(folder);
  }
  std::string path() const { return (folder / "accounts.sqlite").string(); }

  std::filesystem::path folder;
  std::unique_ptr<auth::Accounts> accounts;
};

}  // namespace posthorn::test
