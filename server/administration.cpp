#include "server/administration.h"

#include <optional>

namespace posthorn::server {
namespace {

using Lines = std::vector<std::string>;

// The outcome of a change, which prints nothing.
Result<Lines> silent(Result<> done) {
  if (!done) return std::unexpected(std::move(done).error());
  return Lines{};
}

// Nothing for an argument that was not given.
std::optional<std::string_view> given(const std::string& argument) {
  if (argument.empty()) return {};
  return argument;
}

// What the accounts' file can do by itself, each in one transaction.
Result<Lines> execute_plain(auth::Accounts& accounts, const control::Request& request) {
  const std::string domain = request.argument("domain");
  const std::string alias = request.argument("alias");
  const std::string target = request.argument("target");
  if (request.command == "domain.add") return silent(accounts.add_domain(domain));
  if (request.command == "domain.list") return accounts.domains();
  if (request.command == "account.list") return accounts.accounts(given(domain));
  if (request.command == "alias.add") return silent(accounts.add_alias(alias, target));
  if (request.command == "alias.remove") return silent(accounts.remove_alias(alias, given(target)));
  if (request.command == "alias.list") {
    Lines lines;
    for (const auth::Alias& entry : TRY(accounts.aliases()))
      lines.push_back(entry.address + " " + entry.target);
    return lines;
  }
  return failure(Errc::unavailable, "the server does not know the command " + request.command);
}

}  // namespace

Task<control::Reply> Administration::run(control::Request request) {
  auto lines = co_await execute(request);
  if (!lines) co_return control::Reply::failed(lines.error().detail);
  co_return control::Reply{true, {}, *std::move(lines)};
}

Task<Result<Lines>> Administration::execute(const control::Request& request) {
  const std::string address = request.argument("address");
  const std::string password = request.argument("password");
  if (request.command == "account.add") co_return co_await add_account(address, password);
  if (request.command == "account.password") co_return co_await set_password(address, password);
  if (request.command == "account.remove") co_return co_await remove_account(address);
  if (request.command == "domain.remove") {
    co_return co_await remove_domain(request.argument("domain"), request.argument("with_accounts") == "yes");
  }
  auto plain = [&] { return execute_plain(accounts_, request); };
  co_return co_await Offload(lane_, plain);
}

Task<Result<std::vector<auth::StoredCredential>>> Administration::credentials(std::string password) {
  // A copy: configure() may change it on the loop meanwhile.
  auto make = [&password, cost = cost_] { return auth::make_credentials(password, cost); };
  co_return co_await Offload(hashing_, make);
}

Task<Result<Lines>> Administration::add_account(std::string address, std::string password) {
  const auto stored = co_await credentials(std::move(password));
  if (!stored) co_return std::unexpected(stored.error());
  auto add = [&] { return accounts_.add_account(address, *stored); };
  const auto added = co_await Offload(lane_, add);
  if (!added) co_return std::unexpected(added.error());
  co_return Lines{};
}

Task<Result<Lines>> Administration::set_password(std::string address, std::string password) {
  const auto stored = co_await credentials(std::move(password));
  if (!stored) co_return std::unexpected(stored.error());
  auto set = [&] { return silent(accounts_.set_password(address, *stored)); };
  co_return co_await Offload(lane_, set);
}

// First the account, so that nothing new arrives and nobody logs in, then its mail.
Task<Result<Lines>> Administration::remove_account(std::string address) {
  const auto name = auth::parse_address(address);
  if (!name) co_return std::unexpected(name.error());
  auto remove = [&] { return accounts_.remove_account(address); };
  const auto removed = co_await Offload(lane_, remove);
  if (!removed) co_return std::unexpected(removed.error());
  if (removed_) removed_(auth::to_string(*name));
  co_return silent(co_await store_.remove_account(auth::to_string(*name)));
}

Task<Result<Lines>> Administration::remove_domain(std::string domain, bool with_accounts) {
  if (with_accounts) {
    auto list = [&] { return accounts_.accounts(domain); };
    const auto addresses = co_await Offload(lane_, list);
    if (!addresses) co_return std::unexpected(addresses.error());
    for (const std::string& address : *addresses) {
      auto removed = co_await remove_account(address);
      if (!removed) co_return removed;
    }
  }
  auto remove = [&] { return silent(accounts_.remove_domain(domain)); };
  co_return co_await Offload(lane_, remove);
}

}  // namespace posthorn::server
