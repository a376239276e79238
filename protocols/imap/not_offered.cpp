#include "protocols/imap/not_offered.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

bool is_not_offered(const AppendMessage& message) {
  return std::ranges::any_of(message.parts, [](const AppendPart& part) {
    const auto* literal = std::get_if<AppendLiteral>(&part);
    return literal != nullptr && literal->form == AppendLiteral::Form::utf8;
  });
}

template <class Items>
bool any_not_offered(const Items& items) {
  return std::ranges::any_of(items, [](const auto& item) { return is_not_offered(item); });
}

struct Visitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const Replace&) const { return true; }
  bool operator()(const Append& append) const { return any_not_offered(append.messages); }
};

}  // namespace

bool uses_what_is_not_offered(const Command& command) { return std::visit(Visitor(), command.body); }

Reply not_offered() { return bad("That is not offered here"); }

}  // namespace posthorn::imap
