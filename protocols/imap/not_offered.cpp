#include "protocols/imap/not_offered.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

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
  bool operator()(const Replace&) const { return true; }
  bool operator()(const Append& append) const { return any_not_offered(append.messages); }
  bool operator()(const Search& search) const { return is_not_offered(search.key); }
  bool operator()(const Fetch& fetch) const { return any_not_offered(fetch.items); }
};

}  // namespace

bool uses_what_is_not_offered(const Command& command) { return std::visit(Visitor(), command.body); }

Reply not_offered() { return bad("That is not offered here"); }

}  // namespace posthorn::imap
