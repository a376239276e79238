#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"
#include "storage/snapshot.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace posthorn::imap {

// Places of messages in a Snapshot (0 is sequence number 1), as ascending ranges that do not overlap.
class Places {
 public:
  struct Range {
    std::uint32_t begin;
    std::uint32_t end;  // one behind the last
    bool operator==(const Range&) const = default;
  };

  Places() = default;
  // In any order, overlapping or not; empty ones are left out.
  explicit Places(std::vector<Range> ranges);

  const std::vector<Range>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool contains(std::uint32_t place) const;
  // How many places.
  std::uint32_t count() const;
  // Those that `range` names among them, the first place being the oldest message (RFC 9394 §3.1).
  Places partial(const PartialRange& range) const;
  // Those below `place`, and the others.
  Places before(std::uint32_t place) const;
  Places from(std::uint32_t place) const;
  // The same in pieces of at most `size` places, each ascending.
  std::vector<Places> in_pieces(std::uint32_t size) const;

  // Calls `visit(place)` for each.
  template <class Visit>
  void each(Visit visit) const {
    for (const Range range : ranges_) {
      for (std::uint32_t place = range.begin; place < range.end; ++place) visit(place);
    }
  }

 private:
  std::vector<Range> ranges_;
};

// What a sequence-set names in `messages`. UIDs that are not there name nothing; `*` is the last message, and
// a range with it takes that in however high its other end (RFC 3501 §6.4.8). What was put in for `$` are
// sequence numbers (saved_search.h).
// Errors: malformed for a sequence number above the number of messages, `*` in an empty mailbox included
// (RFC 3501 §9, seq-number).
Result<Places> places_of(const SequenceSet& set, Numbering numbering, const storage::Snapshot& messages);

// The same for SEARCH, where numbers beyond the last message name nothing, as clients send them.
Places places_there(const SequenceSet& set, Numbering numbering, const storage::Snapshot& messages);
Places places_there(const SearchUidBound& bound, const storage::Snapshot& messages);
Places places_there(const storage::UidSet& uids, const storage::Snapshot& messages);

// Those that all of one set or more have; in n log n, however many sets the n ranges are in.
Places common(std::span<const Places> sets);

// The UIDs of a sequence-set below `end`, whether they are there or not; `*` is the one before `end`.
storage::UidSet uids_below(const SequenceSet& set, storage::Uid end);

// Appends "304,319:320", a uid-set of RFC 4315 §4.
void append_uids(std::string& out, const storage::UidSet& uids);

storage::UidSet uids_of(const Places& places, const storage::Snapshot& messages);

}  // namespace posthorn::imap
