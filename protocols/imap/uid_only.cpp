#include "protocols/imap/uid_only.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

bool uses(const SearchKey& key);

struct KeyVisitor {
  bool operator()(const auto&) const { return false; }
  bool operator()(const SearchNumbers& numbers) const {
    return numbers.numbering == Numbering::sequence && !numbers.set.saved;
  }
  bool operator()(const SearchAnd& key) const { return std::ranges::any_of(key.keys, uses); }
  bool operator()(const SearchOr& key) const { return std::ranges::any_of(key.keys, uses); }
  bool operator()(const SearchNot& key) const { return std::ranges::any_of(key.keys, uses); }
};

bool uses(const SearchKey& key) { return std::visit(KeyVisitor(), key.key); }

struct Visitor {
  template <class Body>
  bool operator()(const Body& body) const {
    if constexpr (requires { body.numbering; }) return body.numbering == Numbering::sequence;
    return false;
  }
  bool operator()(const Search& search) const {
    return search.numbering == Numbering::sequence || uses(search.key);
  }
  bool operator()(const Sort& sort) const { return (*this)(sort.search); }
  bool operator()(const Thread& thread) const { return (*this)(thread.search); }
  bool operator()(const Select& select) const { return select.resync && select.resync->match; }
};

}  // namespace

bool uses_sequence_numbers(const Command::Body& body) { return std::visit(Visitor(), body); }

}  // namespace posthorn::imap
