#include "protocols/imap/saved_search.h"

#include "protocols/imap/slice.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace posthorn::imap {
namespace {

struct KeyVisitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const SearchNumbers& numbers) const { return numbers.set.saved; }
  bool operator()(const SearchAnd& key) const { return any_of(key.keys); }
  bool operator()(const SearchOr& key) const { return any_of(key.keys); }
  bool operator()(const SearchNot& key) const { return any_of(key.keys); }

  static bool any_of(const std::vector<SearchKey>& keys) {
    return std::ranges::any_of(keys, [](const SearchKey& key) { return names_saved(key); });
  }
};

// The sequence-set of a command that has one, else null.
struct SetVisitor {
  template <class Body>
  SequenceSet* operator()(Body& body) const {
    if constexpr (requires { body.messages.saved; }) return &body.messages;
    return nullptr;
  }
  SequenceSet* operator()(Expunge& expunge) const { return expunge.uids ? &*expunge.uids : nullptr; }
};

}  // namespace

bool names_saved(const SearchKey& key) { return std::visit(KeyVisitor(), key.key); }

Task<std::shared_ptr<const Places>> saved_places(Connection& connection, const View& view) {
  constexpr std::size_t step = 512;
  Slice slice(connection);
  std::vector<Places::Range> ranges;
  for (const auto uids : view.saved_search().ranges()) {
    if (ranges.size() % step == 0) co_await slice;
    ranges.push_back({view.messages().lower_bound(uids.first), view.messages().lower_bound(uids.last + 1)});
  }
  co_return std::make_shared<const Places>(std::move(ranges));
}

bool names_saved(const Command::Body& body) {
  const auto names = [](const auto& command) {
    if constexpr (requires { command.messages.saved; }) return command.messages.saved;
    return false;
  };
  const auto* expunge = std::get_if<Expunge>(&body);
  if (expunge != nullptr) return expunge->uids && expunge->uids->saved;
  return std::visit(names, body);
}

void put_in_saved(Command::Body& body, const Places& saved) {
  SequenceSet* set = std::visit(SetVisitor(), body);
  if (set == nullptr || !set->saved) return;
  for (const Places::Range range : saved.ranges()) set->ranges.push_back({range.begin + 1, range.end});
}

}  // namespace posthorn::imap
