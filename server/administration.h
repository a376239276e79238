#pragma once

#include "auth/accounts.h"
#include "auth/password.h"
#include "base/log.h"
#include "base/offload.h"
#include "base/task.h"
#include "server/control.h"
#include "storage/store.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace posthorn::server {

// Whether the arguments that a request has are what they must be, without a look at any account. Errors:
// malformed, with words that name the argument and what was expected.
Result<> check_arguments(const control::Request& request);

// Carries out the commands that show or change domains, accounts and aliases: in the running server for
// requests over the control socket, else in the command's own process.
class Administration {
 public:
  Administration(auth::Accounts& accounts, storage::Store& store, Lane& lane, Lane& hashing,
                 auth::PasswordCost cost)
      : accounts_(accounts), store_(store), lane_(lane), hashing_(hashing), cost_(cost) {}

  // Hears of each account whose password was changed, or that was removed, by its canonical address; before
  // its mail goes.
  void when_locked_out(std::function<void(const std::string&)> callback) {
    locked_out_ = std::move(callback);
  }

  // Takes new settings, for passwords from now on.
  void configure(auth::PasswordCost cost) { cost_ = cost; }

  // What it replies is on disk.
  Task<control::Reply> run(control::Request request);

  // Goes on with removals of accounts that were cut off. What fails is logged, and tried at the next start.
  Task<void> finish_removals(Log& log);

 private:
  Task<Result<control::Reply>> execute(const control::Request& request);
  Task<Result<control::Reply>> add_account(std::string address, std::string password, bool adopt_mail);
  Task<Result<>> make_way(const std::string& address, bool adopt_mail);
  Task<Result<control::Reply>> set_password(std::string address, std::string password);
  Task<Result<control::Reply>> set_search_index(std::string address, std::string on);
  Task<Result<control::Reply>> remove_account(std::string address);
  Task<Result<>> remove_mail(std::string address);
  Task<Result<>> remove_shared_mail(std::string domain, bool with_accounts);
  Task<Result<control::Reply>> remove_domain(std::string domain, bool with_accounts);
  Task<Result<std::vector<auth::StoredCredential>>> credentials(std::string password);

  auth::Accounts& accounts_;
  storage::Store& store_;
  Lane& lane_;
  Lane& hashing_;
  auth::PasswordCost cost_;
  std::function<void(const std::string&)> locked_out_;
  std::set<std::string> removing_;  // whose mail is being removed at this moment
};

}  // namespace posthorn::server
