#include "auth/accounts.h"

#include <deque>
#include <set>

namespace posthorn::auth {
namespace {

// Local names that a resolution looks at: bounds its time, and what one letter can be multiplied to.
// More than one alias may have, so that each by itself is good: it, its tagged form and its targets count.
constexpr std::size_t max_visited = 2000;

// RFC 5321 §4.5.1 and RFC 2142 §4: somebody reads these in every domain.
bool always_exists(std::string_view local) { return local == "postmaster" || local == "abuse"; }

}  // namespace

Result<std::optional<std::string>> Accounts::first_account(std::int64_t domain) {
  Statement rows =
      TRY(database_.query("SELECT local FROM account WHERE domain = ?1 ORDER BY id LIMIT 1", domain));
  const auto row = TRY(rows.step());
  if (!row) return std::nullopt;
  return std::string(row->text(0));
}

// One resolution on its way.
struct Accounts::Walk {
  std::set<AddressName> seen;
  std::deque<AddressName> left;
  std::optional<AddressName> role;  // the first postmaster or abuse of a domain of ours that was met
  Directory::Resolution found;

  void visit(AddressName name) {
    if (seen.insert(name).second) left.push_back(std::move(name));
  }
};

Result<> Accounts::look_at(const AddressName& name, Walk& walk) {
  const auto domain = domain_id(name.domain);
  if (!domain) {
    if (domain.error().code != Errc::not_found) return std::unexpected(domain.error());
    walk.found.remote.push_back(to_string(name));
    return {};
  }
  AddressName untagged{std::string(without_tag(name.local)), name.domain};
  if (untagged != name) {
    walk.visit(std::move(untagged));
    return {};
  }
  if (always_exists(name.local) && !walk.role) walk.role = name;
  const auto account = account_id(name);
  if (!account && account.error().code != Errc::not_found) return std::unexpected(account.error());
  if (account) {
    walk.found.accounts.push_back(to_string(name));
    return {};
  }
  bool is_alias = false;
  Statement rows = TRY(database_.query(
      "SELECT target FROM alias WHERE domain = ?1 AND local = ?2 ORDER BY target", *domain, name.local));
  while (const auto row = TRY(rows.step())) {
    is_alias = true;
    walk.visit(TRY(parse_address(row->text(0))));
  }
  if (is_alias) return {};
  const auto first = always_exists(name.local) ? TRY(first_account(*domain)) : std::nullopt;
  if (first) {
    walk.visit({*first, name.domain});
  } else {
    walk.found.nowhere.push_back(to_string(name));
  }
  return {};
}

Result<Directory::Resolution> Accounts::resolve_name(const AddressName& asked) {
  if (const auto domain = domain_id(asked.domain); !domain) {
    if (domain.error().code != Errc::not_found) return std::unexpected(domain.error());
    return failure(Errc::denied, asked.domain + " is not a domain of ours");
  }
  Walk walk;
  for (walk.visit(asked); !walk.left.empty(); walk.left.pop_front()) {
    if (walk.seen.size() > max_visited) return too_large("the alias leads to more than 2000 addresses");
    TRY(look_at(walk.left.front(), walk));
  }
  if (walk.found.accounts.empty() && walk.role) {
    // Its aliases lead to nobody here: somebody is to read it nevertheless.
    const std::int64_t domain = TRY(domain_id(walk.role->domain));
    const auto first = TRY(first_account(domain));
    if (!first) return failure(Errc::io, walk.role->domain + " has no account that could take its mail yet");
    walk.found.accounts.push_back(to_string({*first, walk.role->domain}));
  }
  if (walk.found.accounts.empty() && walk.found.remote.empty()) {
    return not_found(to_string(asked) + " leads to nobody");
  }
  return std::move(walk.found);
}

// The domains that "postmaster" alone may mean, the best first: the host's own, by its name or that of the
// domain it lies in, then the others by age.
Result<std::vector<std::string>> Accounts::postmaster_domains(std::string_view hostname) {
  const std::string host = parse_domain(hostname).value_or("");
  std::vector<std::string> names;
  Statement rows = TRY(database_.query(
      "SELECT name FROM domain ORDER BY CASE WHEN ?1 = name OR substr(?1, -length(name) - 1) = '.' || name "
      "THEN length(name) ELSE 0 END DESC, id",
      host));
  while (const auto row = TRY(rows.step())) names.emplace_back(row->text(0));
  return names;
}

Result<Directory::Resolution> Accounts::resolve_postmaster(std::string_view hostname) {
  Result<Directory::Resolution> last = failure(Errc::io, "there is no domain yet");
  for (const std::string& domain : TRY(postmaster_domains(hostname))) {
    last = resolve_name({"postmaster", domain});
    if (last || last.error().code != Errc::io) break;
  }
  return last;
}

Result<Directory::Resolution> Accounts::resolve(std::string_view address, std::string_view hostname) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) {
    if (TRY(parse_local_part(address)) != "postmaster") return malformed("address: no @");
    const std::lock_guard lock(mutex_);
    return resolve_postmaster(hostname);
  }
  const auto name = parse_address(address);
  const std::lock_guard lock(mutex_);
  if (name) return resolve_name(*name);
  // What a local part may be is the other domain's affair.
  const std::string domain = TRY(parse_domain(address.substr(at + 1)));
  const auto ours = domain_id(domain);
  if (!ours && ours.error().code == Errc::not_found) {
    return failure(Errc::denied, domain + " is not a domain of ours");
  }
  return std::unexpected(name.error());
}

}  // namespace posthorn::auth
