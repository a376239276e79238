#include "protocols/imap/places.h"

#include "protocols/imap/grammar.h"
#include "protocols/imap/printer_parts.h"

namespace posthorn::imap {

Places::Places(std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::begin);
  for (const Range range : ranges) {
    if (range.begin >= range.end) continue;
    if (!ranges_.empty() && range.begin <= ranges_.back().end) {
      ranges_.back().end = std::max(ranges_.back().end, range.end);
    } else {
      ranges_.push_back(range);
    }
  }
}

bool Places::contains(std::uint32_t place) const {
  const auto behind = std::ranges::upper_bound(ranges_, place, {}, &Range::begin);
  return behind != ranges_.begin() && place < std::prev(behind)->end;
}

std::uint32_t Places::count() const {
  std::uint32_t sum = 0;
  for (const Range range : ranges_) sum += range.end - range.begin;
  return sum;
}

Places Places::partial(const PartialRange& range) const {
  const auto [low, high] = std::minmax(range.first, range.last);
  const std::uint32_t all = count();
  // As [begin, end) of the places, counted from the oldest.
  std::uint32_t begin = low - 1;
  std::uint32_t end = high;
  if (range.from == PartialRange::From::newest) {
    begin = all - std::min(all, high);
    end = all - std::min(all, low - 1);
  }
  Places some;
  std::uint32_t before = 0;  // places in the ranges that were passed
  for (const Range each : ranges_) {
    const std::uint32_t size = each.end - each.begin;
    const std::uint32_t from = std::max(begin, before);
    const std::uint32_t to = std::min(end, before + size);
    if (from < to) some.ranges_.push_back({each.begin + (from - before), each.begin + (to - before)});
    before += size;
  }
  return some;
}

Places Places::before(std::uint32_t place) const {
  Places some;
  for (const Range each : ranges_) {
    if (each.begin < place) some.ranges_.push_back({each.begin, std::min(each.end, place)});
  }
  return some;
}

Places Places::from(std::uint32_t place) const {
  Places some;
  for (const Range each : ranges_) {
    if (each.end > place) some.ranges_.push_back({std::max(each.begin, place), each.end});
  }
  return some;
}

std::vector<Places> Places::in_pieces(std::uint32_t size) const {
  std::vector<Places> pieces;
  std::uint32_t room = 0;
  for (Range rest : ranges_) {
    while (rest.begin < rest.end) {
      if (room == 0) {
        pieces.emplace_back();
        room = size;
      }
      const std::uint32_t end = rest.end - rest.begin > room ? rest.begin + room : rest.end;
      pieces.back().ranges_.push_back({rest.begin, end});
      room -= end - rest.begin;
      rest.begin = end;
    }
  }
  return pieces;
}

Result<Places> places_of(const SequenceSet& set, Numbering numbering, const storage::Snapshot& messages) {
  const std::uint32_t count = messages.size();
  std::vector<Places::Range> ranges;
  ranges.reserve(set.ranges.size());
  if (numbering == Numbering::uid && !set.saved) {
    const storage::Uid last = count == 0 ? 0 : messages.at(count - 1).uid;
    for (const SequenceRange named : set.ranges) {
      const SequenceRange range = resolved(named, last);
      const std::uint32_t end = range.last >= last ? count : messages.lower_bound(range.last + 1);
      ranges.push_back({messages.lower_bound(range.first), end});
    }
    return Places(std::move(ranges));
  }
  for (const SequenceRange named : set.ranges) {
    const SequenceRange range = resolved(named, count);
    if (range.first == 0 || range.last > count) return malformed("no such message");
    ranges.push_back({range.first - 1, range.last});
  }
  return Places(std::move(ranges));
}

Places places_there(const SequenceSet& set, Numbering numbering, const storage::Snapshot& messages) {
  if (numbering == Numbering::uid) return places_of(set, numbering, messages).value_or(Places());
  const std::uint32_t count = messages.size();
  std::vector<Places::Range> ranges;
  ranges.reserve(set.ranges.size());
  for (const SequenceRange named : set.ranges) {
    const SequenceRange range = resolved(named, count);
    if (range.first != 0) ranges.push_back({range.first - 1, std::min(range.last, count)});
  }
  return Places(std::move(ranges));
}

Places places_there(const SearchUidBound& bound, const storage::Snapshot& messages) {
  const std::uint32_t from = messages.lower_bound(bound.uid);
  if (bound.side == SearchUidBound::Side::before) return Places({{0, from}});
  const bool is_there = from < messages.size() && messages.at(from).uid == bound.uid;
  return Places({{is_there ? from + 1 : from, messages.size()}});
}

Places places_there(const storage::UidSet& uids, const storage::Snapshot& messages) {
  std::vector<Places::Range> ranges;
  for (const auto range : uids.ranges()) {
    ranges.push_back({messages.lower_bound(range.first), messages.lower_bound(range.last + 1)});
  }
  return Places(std::move(ranges));
}

Places common(std::span<const Places> sets) {
  std::vector<std::uint32_t> begins;
  std::vector<std::uint32_t> ends;
  for (const Places& set : sets) {
    for (const Places::Range range : set.ranges()) {
      begins.push_back(range.begin);
      ends.push_back(range.end);
    }
  }
  std::ranges::sort(begins);
  std::ranges::sort(ends);
  std::vector<Places::Range> all;
  std::size_t inside = 0;  // of how many sets
  auto end = ends.cbegin();
  for (const std::uint32_t begin : begins) {
    for (; *end <= begin; ++end) --inside;
    if (++inside == sets.size()) all.push_back({begin, *end});
  }
  return Places(std::move(all));
}

storage::UidSet uids_below(const SequenceSet& set, storage::Uid end) {
  storage::UidSet uids;
  if (end <= 1) return uids;
  std::vector<Places::Range> ranges;
  ranges.reserve(set.ranges.size());
  for (const SequenceRange named : set.ranges) {
    const SequenceRange range = resolved(named, end - 1);
    ranges.push_back({range.first, std::min(range.last, end - 1) + 1});
  }
  // Ranges of any numbers are sorted and joined as those of places are.
  const Places joined(std::move(ranges));
  for (const Places::Range range : joined.ranges()) {
    uids.append(std::max(range.begin, 1U), range.end - 1);
  }
  return uids;
}

void append_uids(std::string& out, const storage::UidSet& uids) {
  bool is_first = true;
  for (const auto range : uids.ranges()) {
    if (!is_first) out += ',';
    is_first = false;
    append_number(out, range.first);
    if (range.last == range.first) continue;
    out += ':';
    append_number(out, range.last);
  }
}

storage::UidSet uids_of(const Places& places, const storage::Snapshot& messages) {
  storage::UidSet uids;
  for (const Places::Range range : places.ranges()) {
    messages.visit(range.begin, range.end,
                   [&](std::uint32_t, const storage::Message& message) { uids.append(message.uid); });
  }
  return uids;
}

}  // namespace posthorn::imap
