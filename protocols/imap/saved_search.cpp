#include "protocols/imap/saved_search.h"

namespace posthorn::imap {
namespace {

class PutIn {
 public:
  PutIn(const storage::UidSet& saved, const storage::Snapshot& messages)
      : saved_(saved), messages_(messages) {}

  void operator()(auto&) const {}
  void operator()(Expunge& expunge) const {
    if (expunge.uids) set(*expunge.uids, Numbering::uid);
  }
  void operator()(Fetch& fetch) const { set(fetch.messages, fetch.numbering); }
  void operator()(Store& store) const { set(store.messages, store.numbering); }
  void operator()(Copy& copy) const { set(copy.messages, copy.numbering); }
  void operator()(Move& move) const { set(move.messages, move.numbering); }

 private:
  void set(SequenceSet& numbers, Numbering numbering) const {
    if (!numbers.saved) return;
    for (const auto uids : saved_.ranges()) {
      if (numbering == Numbering::uid) {
        numbers.ranges.push_back({uids.first, uids.last});
        continue;
      }
      const std::uint32_t begin = messages_.lower_bound(uids.first);
      const std::uint32_t end = messages_.lower_bound(uids.last + 1);
      if (begin < end) numbers.ranges.push_back({begin + 1, end});
    }
  }

  const storage::UidSet& saved_;
  const storage::Snapshot& messages_;
};

}  // namespace

void put_in_saved(Command::Body& body, const storage::UidSet& saved, const storage::Snapshot& messages) {
  std::visit(PutIn(saved, messages), body);
}

}  // namespace posthorn::imap
