#include "protocols/imap/condstore.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

bool asks(const std::vector<StatusItem>& items) {
  return std::ranges::find(items, StatusItem::highest_mod_sequence) != items.end();
}

bool asks(const SearchKey& key);

struct KeyVisitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const SearchModSequence&) const { return true; }
  bool operator()(const SearchAnd& key) const { return std::ranges::any_of(key.keys, asks_key); }
  bool operator()(const SearchOr& key) const { return std::ranges::any_of(key.keys, asks_key); }
  bool operator()(const SearchNot& key) const { return std::ranges::any_of(key.keys, asks_key); }

  static bool asks_key(const SearchKey& key) { return asks(key); }
};

bool asks(const SearchKey& key) { return std::visit(KeyVisitor(), key.key); }

struct Visitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const Select& select) const { return select.condstore; }
  bool operator()(const Status& status) const { return asks(status.items); }
  bool operator()(const List& list) const { return asks(list.returned.status); }
  bool operator()(const Search& search) const { return asks(search.key); }
  bool operator()(const Sort& sort) const { return asks(sort.search.key); }
  bool operator()(const Thread& thread) const { return asks(thread.search.key); }
  bool operator()(const Store& store) const { return store.unchanged_since.has_value(); }
  bool operator()(const Fetch& fetch) const {
    return fetch.changed_since ||
           std::ranges::find(fetch.items, FetchItem(FetchAttribute::mod_sequence)) != fetch.items.end();
  }
};

}  // namespace

bool enables_condstore(const Command::Body& body) { return std::visit(Visitor(), body); }

}  // namespace posthorn::imap
