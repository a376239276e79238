#include "protocols/imap/search_answer.h"

#include "protocols/imap/printer_parts.h"

#include <algorithm>

namespace posthorn::imap {

bool is_answered(const SearchReturn& returned) {
  const bool has_data =
      returned.min || returned.max || returned.all || returned.count || returned.partial.has_value();
  return has_data || !returned.save;
}

Places spoken_of(const Places& found, const SearchReturn& returned) {
  const bool of_some = returned.min || returned.max || returned.partial;
  if (returned.all || returned.count || !of_some || found.empty()) return found;
  std::vector<Places::Range> some;
  if (returned.partial) some = found.partial(*returned.partial).ranges();
  const std::uint32_t first = found.ranges().front().begin;
  const std::uint32_t last = found.ranges().back().end - 1;
  if (returned.min) some.push_back({first, first + 1});
  if (returned.max) some.push_back({last, last + 1});
  return Places(std::move(some));
}

Places spoken_of(std::span<const std::uint32_t> sorted, const SearchReturn& returned) {
  const bool of_some = returned.min || returned.max || returned.partial;
  std::vector<Places::Range> some;
  const auto add = [&](std::uint32_t place) { some.push_back({place, place + 1}); };
  if (returned.all || returned.count || !of_some || sorted.empty()) {
    std::ranges::for_each(sorted, add);
    return Places(std::move(some));
  }
  if (returned.partial) std::ranges::for_each(partial_of(sorted, *returned.partial), add);
  if (returned.min) add(sorted.front());
  if (returned.max) add(sorted.back());
  return Places(std::move(some));
}

std::span<const std::uint32_t> partial_of(std::span<const std::uint32_t> sorted, const PartialRange& range) {
  const auto [first, last] = std::minmax(range.first, range.last);
  if (first > sorted.size()) return {};
  const std::size_t count = std::min<std::size_t>(sorted.size(), last) - first + 1;
  const bool from_end = range.from == PartialRange::From::newest;
  return sorted.subspan(from_end ? sorted.size() - (first - 1) - count : first - 1, count);
}

storage::ModSeq highest_mod_sequence(const Places& places, const storage::Snapshot& messages) {
  storage::ModSeq highest = 0;
  for (const Places::Range range : places.ranges()) {
    messages.visit(range.begin, range.end, [&](std::uint32_t, const storage::Message& message) {
      highest = std::max(highest, message.modseq);
    });
  }
  return highest;
}

std::vector<SequenceRange> numbers_of(const Places& places, Numbering numbering,
                                      const storage::Snapshot& messages) {
  std::vector<SequenceRange> numbers;
  if (numbering == Numbering::uid) {
    const storage::UidSet uids = uids_of(places, messages);
    numbers.reserve(uids.ranges().size());
    for (const auto range : uids.ranges()) numbers.push_back({range.first, range.last});
    return numbers;
  }
  numbers.reserve(places.ranges().size());
  for (const Places::Range range : places.ranges()) numbers.push_back({range.begin + 1, range.end});
  return numbers;
}

void append_search_mod_sequence(std::string& out, std::optional<storage::ModSeq> mod_sequence) {
  if (!mod_sequence) return;
  append_number(out += " (MODSEQ ", *mod_sequence);
  out += ')';
}

void append_partial_range(std::string& out, const PartialRange& range) {
  const std::string_view sign = range.from == PartialRange::From::newest ? "-" : "";
  out += sign;
  append_number(out, range.first);
  out += ':';
  out += sign;
  append_number(out, range.last);
}

}  // namespace posthorn::imap
