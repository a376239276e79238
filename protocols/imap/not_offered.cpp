#include "protocols/imap/not_offered.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

bool is_not_offered(const SequenceSet& set) { return set.saved; }

bool is_not_offered(StatusItem item) { return item > StatusItem::unseen && item != StatusItem::append_limit; }

bool is_not_offered(FetchAttribute attribute) {
  switch (attribute) {
    case FetchAttribute::gmail_message_id:
    case FetchAttribute::gmail_thread_id:
    case FetchAttribute::gmail_labels: return true;
    default: return false;
  }
}

bool is_not_offered(const FetchItem& item) {
  if (const auto* attribute = std::get_if<FetchAttribute>(&item)) return is_not_offered(*attribute);
  return !std::holds_alternative<FetchBody>(item);
}

bool is_not_offered(const AppendMessage& message) {
  return std::ranges::any_of(message.parts, [](const AppendPart& part) {
    const auto* literal = std::get_if<AppendLiteral>(&part);
    return literal != nullptr && literal->form == AppendLiteral::Form::utf8;
  });
}

bool is_not_offered(const SearchKey& key);

struct KeyVisitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const SearchNumbers& key) const { return is_not_offered(key.set); }
  bool operator()(const SearchModSequence&) const { return true; }
  bool operator()(const SearchGmailId&) const { return true; }
  bool operator()(const SearchGmailRaw&) const { return true; }
  bool operator()(const SearchAnd& key) const { return any(key.keys); }
  bool operator()(const SearchOr& key) const { return any(key.keys); }
  bool operator()(const SearchNot& key) const { return any(key.keys); }

  static bool any(const std::vector<SearchKey>& keys) {
    return std::ranges::any_of(keys, [](const SearchKey& key) { return is_not_offered(key); });
  }
};

bool is_not_offered(const SearchKey& key) { return std::visit(KeyVisitor(), key.key); }

template <class Items>
bool any_not_offered(const Items& items) {
  return std::ranges::any_of(items, [](const auto& item) { return is_not_offered(item); });
}

struct Visitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const Xlist&) const { return true; }
  bool operator()(const Replace&) const { return true; }
  bool operator()(const List& list) const {
    // SPECIAL-USE (RFC 6154) is offered without the rest of RFC 5258.
    const List::Selection& selection = list.selection;
    return list.patterns.size() > 1 || selection.subscribed || selection.remote ||
           selection.recursive_match || list.returned.subscribed || list.returned.children ||
           !list.returned.status.empty();
  }
  bool operator()(const Status& status) const { return any_not_offered(status.items); }
  bool operator()(const Append& append) const { return any_not_offered(append.messages); }
  bool operator()(const Expunge& expunge) const { return expunge.uids && is_not_offered(*expunge.uids); }
  bool operator()(const Search& search) const { return search.returned || is_not_offered(search.key); }
  bool operator()(const Fetch& fetch) const {
    return is_not_offered(fetch.messages) || any_not_offered(fetch.items) || fetch.partial;
  }
  bool operator()(const Store& store) const { return is_not_offered(store.messages); }
  bool operator()(const Copy& copy) const { return is_not_offered(copy.messages); }
  bool operator()(const Move& move) const { return is_not_offered(move.messages); }
};

}  // namespace

bool uses_what_is_not_offered(const Command& command) { return std::visit(Visitor(), command.body); }

Reply not_offered() { return bad("That is not offered here"); }

}  // namespace posthorn::imap
