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

// "postmaster" without a domain is the first domain's.
Result<AddressName> Accounts::with_domain(std::string_view address) {
  if (address.find('@') != std::string_view::npos) return parse_address(address);
  const std::string local = TRY(parse_local_part(address));
  if (local != "postmaster") return malformed("address: no @");
  Statement rows = TRY(database_.query("SELECT name FROM domain ORDER BY id LIMIT 1"));
  const auto row = TRY(rows.step());
  if (!row) return not_found("there is no domain yet");
  return AddressName{local, std::string(row->text(0))};
}

Result<Directory::Resolution> Accounts::resolve_locked(std::string_view address) {
  const AddressName asked = TRY(with_domain(address));
  Directory::Resolution resolution;
  std::set<AddressName> seen;
  std::deque<AddressName> left;
  const auto visit = [&](AddressName name) {
    if (seen.insert(name).second) left.push_back(std::move(name));
  };
  visit(asked);
  for (; !left.empty(); left.pop_front()) {
    if (seen.size() > max_visited) return too_large("the alias leads to more than 2000 addresses");
    const AddressName& name = left.front();
    const auto domain = domain_id(name.domain);
    if (!domain) {
      if (domain.error().code != Errc::not_found) return std::unexpected(domain.error());
      if (name == asked) return failure(Errc::denied, name.domain + " is not a domain of ours");
      resolution.remote.push_back(to_string(name));
      continue;
    }
    const AddressName untagged{std::string(without_tag(name.local)), name.domain};
    if (untagged != name) {
      visit(untagged);
      continue;
    }
    const auto account = account_id(name);
    if (!account && account.error().code != Errc::not_found) return std::unexpected(account.error());
    if (account) {
      resolution.accounts.push_back(to_string(name));
      continue;
    }
    bool is_alias = false;
    Statement rows = TRY(database_.query(
        "SELECT target FROM alias WHERE domain = ?1 AND local = ?2 ORDER BY target", *domain, name.local));
    while (const auto row = TRY(rows.step())) {
      is_alias = true;
      visit(TRY(parse_address(row->text(0))));
    }
    if (is_alias || !always_exists(name.local)) continue;
    if (const auto first = TRY(first_account(*domain))) visit({*first, name.domain});
  }
  if (resolution.accounts.empty() && resolution.remote.empty()) {
    return not_found(to_string(asked) + " leads to nobody");
  }
  return resolution;
}

}  // namespace posthorn::auth
