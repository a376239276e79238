#include "server/administration.h"

#include "auth/address_name.h"
#include "server/keys.h"
#include "server/mailbox_commands.h"
#include "storage/namespaces.h"

#include <array>
#include <optional>

namespace posthorn::server {
namespace {

using Lines = std::vector<std::string>;

// What a change prints: nothing.
Result<control::Reply> silent(Result<> done) {
  if (!done) return std::unexpected(std::move(done).error());
  return control::Reply{};
}

Result<control::Reply> printed(Result<Lines> lines) {
  if (!lines) return std::unexpected(std::move(lines).error());
  return control::Reply{true, {}, *std::move(lines)};
}

Result<Lines> alias_lines(auth::Accounts& accounts) {
  Lines lines;
  for (const auth::Alias& entry : TRY(accounts.aliases()))
    lines.push_back(entry.address + " " + entry.target);
  return lines;
}

// Adds to `warnings` what aliases lead to something that was removed.
void warn(Lines& warnings, const Result<std::vector<auth::Alias>>& aliases) {
  if (!aliases) return;
  for (const auth::Alias& alias : *aliases) {
    warnings.push_back("the alias " + alias.address + " still leads to " + alias.target +
                       ", which gets nothing any more: posthorn alias remove " + alias.address + " " +
                       alias.target);
  }
}

// What the accounts' file can do by itself, each in one transaction.
Result<control::Reply> execute_plain(auth::Accounts& accounts, const control::Request& request) {
  const std::string domain = request.argument("domain");
  const std::string alias = request.argument("alias");
  const std::string target = request.argument("target");
  if (request.command == "domain.add") return silent(accounts.add_domain(domain));
  if (request.command == "domain.list") return printed(accounts.domains());
  if (request.command == "account.list") return printed(accounts.accounts(request.given("domain")));
  if (request.command == "alias.add") return silent(accounts.add_alias(alias, target));
  if (request.command == "alias.remove") return silent(accounts.remove_alias(alias, request.given("target")));
  if (request.command == "alias.list") return printed(alias_lines(accounts));
  return failure(Errc::unavailable, "the server does not know the command " + request.command);
}

}  // namespace

Result<> check_arguments(const control::Request& request) {
  struct Kind {
    const char* key;
    const char* shown;
    const char* expected;
    bool is_address;
  };
  constexpr std::array<Kind, 4> kinds{
      {{"domain", "DOMAIN", "the name of a domain, such as example.org", false},
       {"address", "ADDRESS", "the address of an account, such as ann@example.org", true},
       {"alias", "ALIAS", "an address, such as info@example.org", true},
       {"target", "TARGET", "an address, such as ann@example.org", true}}};
  for (const Kind& kind : kinds) {
    const auto given = request.given(kind.key);
    if (!given) continue;
    Result<> good;
    if (kind.is_address) {
      if (const auto name = auth::parse_address(*given); !name) good = std::unexpected(name.error());
    } else if (const auto name = auth::parse_domain(*given); !name) {
      good = std::unexpected(name.error());
    }
    if (!good) {
      return malformed(std::string(kind.shown) + ": expected " + kind.expected + ", got " +
                       toml_string(*given) + " (" + good.error().detail + ")");
    }
  }
  return {};
}

Task<control::Reply> Administration::run(control::Request request) {
  auto reply = co_await execute(request);
  if (!reply) co_return control::Reply::failed(reply.error().detail);
  co_return *std::move(reply);
}

Task<Result<control::Reply>> Administration::execute(const control::Request& request) {
  if (const auto good = check_arguments(request); !good) co_return std::unexpected(good.error());
  const std::string address = request.argument("address");
  const std::string password = request.argument("password");
  if (request.command == "account.add") {
    co_return co_await add_account(address, password, request.argument("adopt_mail") == "yes");
  }
  if (request.command == "account.password") co_return co_await set_password(address, password);
  if (request.command == "account.remove") co_return co_await remove_account(address);
  if (request.command == "account.search-index") {
    co_return co_await set_search_index(address, request.argument("on"));
  }
  if (request.command == "domain.remove") {
    co_return co_await remove_domain(request.argument("domain"), request.argument("with_accounts") == "yes");
  }
  if (request.command.starts_with("mailbox.")) {
    co_return co_await mailbox_command(accounts_, store_, lane_, request);
  }
  auto plain = [&] { return execute_plain(accounts_, request); };
  co_return co_await Offload(lane_, plain);
}

Task<Result<std::vector<auth::StoredCredential>>> Administration::credentials(std::string password) {
  // A copy: configure() may change it on the loop meanwhile.
  auto make = [&password, cost = cost_] { return auth::make_credentials(password, cost); };
  co_return co_await Offload(hashing_, make);
}

Task<Result<control::Reply>> Administration::add_account(std::string address, std::string password,
                                                         bool adopt_mail) {
  const auto stored = co_await credentials(std::move(password));
  if (!stored) co_return std::unexpected(stored.error());
  if (const auto clear = co_await make_way(address, adopt_mail); !clear) {
    co_return std::unexpected(clear.error());
  }
  auto add = [&] { return accounts_.add_account(address, *stored); };
  const auto added = co_await Offload(lane_, add);
  if (!added) co_return std::unexpected(added.error());
  co_return control::Reply{};
}

// A new account is not to get the letters of a former one of its name: those of one that was removed go
// first. Any other mail without an account may be all that is left of one: whoever asks for it gets it.
Task<Result<>> Administration::make_way(const std::string& address, bool adopt_mail) {
  const auto name = auth::parse_address(address);
  if (!name) co_return std::unexpected(name.error());
  const std::string account = auth::to_string(*name);
  auto look = [&]() -> Result<std::pair<bool, bool>> {
    const bool removed = TRY(accounts_.removal_is_unfinished(account));
    return std::pair(removed, TRY(accounts_.has_account(account)));
  };
  const auto found = co_await Offload(lane_, look);
  if (!found) co_return std::unexpected(found.error());
  const auto [removed, exists] = *found;
  if (removed && !adopt_mail) co_return co_await remove_mail(account);
  if (!removed && (exists || adopt_mail || !auth::can_be_made(*name))) co_return Result<>();
  const auto mail = co_await store_.has_mail(account);
  if (!mail) co_return std::unexpected(mail.error());
  if (removed && *mail) {
    co_return failure(
        Errc::in_use,
        "the mail under the name " + account +
            " is that of an account whose removal is not finished: without --adopt-mail it is "
            "removed now; to keep it, move its folder away first, and back before --adopt-mail");
  }
  if (removed) co_return co_await remove_mail(account);
  if (!*mail) co_return Result<>();
  co_return failure(Errc::already_exists, "there is mail under the name " + account +
                                              " that belongs to no account: --adopt-mail gives it to the new "
                                              "one; or move its folder away first");
}

// Whoever is in with the former password is out.
Task<Result<control::Reply>> Administration::set_password(std::string address, std::string password) {
  const auto name = auth::parse_address(address);
  if (!name) co_return std::unexpected(name.error());
  const auto stored = co_await credentials(std::move(password));
  if (!stored) co_return std::unexpected(stored.error());
  auto set = [&] { return silent(accounts_.set_password(address, *stored)); };
  auto done = co_await Offload(lane_, set);
  if (done && locked_out_) locked_out_(auth::to_string(*name));
  co_return done;
}

Task<Result<control::Reply>> Administration::set_search_index(std::string address, std::string on) {
  const auto name = auth::parse_address(address);
  if (!name) co_return std::unexpected(name.error());
  if (on != "on" && on != "off") co_return malformed("expected on or off, got " + toml_string(on));
  const std::string account = auth::to_string(*name);
  auto look = [&] { return accounts_.has_account(account); };
  const auto exists = co_await Offload(lane_, look);
  if (!exists) co_return std::unexpected(exists.error());
  if (!*exists) co_return failure(Errc::not_found, "there is no account " + account);
  co_return silent(co_await store_.set_search_index(account, on == "on"));
}

// First the account, so that nothing new arrives and nobody logs in, then its mail. What is cut off between
// the two is on record.
Task<Result<control::Reply>> Administration::remove_account(std::string address) {
  const auto name = auth::parse_address(address);
  if (!name) co_return std::unexpected(name.error());
  control::Reply reply;
  auto remove = [&]() -> Result<> {
    TRY(accounts_.remove_account(address));
    warn(reply.warnings, accounts_.aliases_to(address));
    return {};
  };
  const auto removed = co_await Offload(lane_, remove);
  if (!removed) co_return std::unexpected(removed.error());
  if (locked_out_) locked_out_(auth::to_string(*name));
  const auto done = co_await remove_mail(auth::to_string(*name));
  if (!done) co_return std::unexpected(done.error());
  co_return reply;
}

// The second half of a removal: never while there may be a new account of that name, which the record keeps
// from being made.
Task<Result<>> Administration::remove_mail(std::string address) {
  if (!removing_.insert(address).second) {
    co_return failure(Errc::busy, "the mail of " + address + " is being removed; try again in a moment");
  }
  auto look = [&] { return accounts_.removal_is_unfinished(address); };
  const auto unfinished = co_await Offload(lane_, look);
  Result<> done;
  if (!unfinished) done = std::unexpected(unfinished.error());
  if (done && *unfinished) {
    done = co_await store_.remove_account(address);
    auto finish = [&] { return accounts_.finish_removal(address); };
    if (done) done = co_await Offload(lane_, finish);
  }
  removing_.erase(address);
  if (done) co_return done;
  co_return failure(done.error().code, "the account " + address + " is gone, but its mail is not (" +
                                           done.error().detail + "): remove it again to try once more");
}

Task<void> Administration::finish_removals(Log& log) {
  auto list = [&] { return accounts_.unfinished_removals(); };
  const auto addresses = co_await Offload(lane_, list);
  if (!addresses) {
    log.error("account.removal_unfinished", {{"reason", addresses.error().detail}});
    co_return;
  }
  for (const std::string& address : *addresses) {
    const auto done = co_await remove_mail(address);
    if (done) {
      log.info("account.removal_finished", {{"account", address}});
    } else {
      log.error("account.removal_unfinished", {{"account", address}, {"reason", done.error().detail}});
    }
  }
}

// What the domain's users saw as Shared/.
Task<Result<>> Administration::remove_shared_mail(std::string domain, bool with_accounts) {
  const auto name = auth::parse_domain(domain);
  if (!name) co_return std::unexpected(name.error());
  const std::string account = storage::organisation_of("@" + *name);
  const auto there = co_await store_.has_mail(account);
  if (!there) co_return std::unexpected(there.error());
  if (!*there) co_return Result<>();
  if (with_accounts) co_return co_await store_.remove_account(account);
  co_return failure(Errc::in_use,
                    "the domain " + *name + " has shared mailboxes: --with-accounts removes these too");
}

Task<Result<control::Reply>> Administration::remove_domain(std::string domain, bool with_accounts) {
  if (with_accounts) {
    // Those that an earlier attempt left half removed are no accounts any more.
    auto list = [&]() -> Result<Lines> {
      Lines all = TRY(accounts_.accounts(domain));
      const std::string end = "@" + TRY(auth::parse_domain(domain));
      for (std::string& address : TRY(accounts_.unfinished_removals())) {
        if (address.ends_with(end)) all.push_back(std::move(address));
      }
      return all;
    };
    const auto addresses = co_await Offload(lane_, list);
    if (!addresses) co_return std::unexpected(addresses.error());
    for (const std::string& address : *addresses) {
      auto removed = co_await remove_account(address);
      if (removed) continue;
      // Another has removed it meanwhile, or is at it: what is left of it is on record.
      const bool by_another = removed.error().code == Errc::not_found || removing_.contains(address);
      if (!by_another) co_return removed;
    }
  }
  // Before the domain, which has to be there for another attempt.
  auto is_known = [&] { return accounts_.accounts(domain); };
  const auto left = co_await Offload(lane_, is_known);
  if (left && left->empty()) {
    const auto cleared = co_await remove_shared_mail(domain, with_accounts);
    if (!cleared) co_return std::unexpected(cleared.error());
  }
  auto remove = [&]() -> Result<control::Reply> {
    control::Reply reply;
    TRY(accounts_.remove_domain(domain));
    warn(reply.warnings, accounts_.aliases_into(domain));
    return reply;
  };
  co_return co_await Offload(lane_, remove);
}

}  // namespace posthorn::server
