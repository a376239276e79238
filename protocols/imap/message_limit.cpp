#include "protocols/imap/message_limit.h"

#include "protocols/imap/printer_parts.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

Places all_of(const storage::Snapshot& messages) { return Places({{0, messages.size()}}); }

storage::Uid lowest_uid(const Places& places, const storage::Snapshot& messages) {
  return messages.at(places.ranges().front().begin).uid;
}

Places newest_places(const Places& places, std::uint32_t limit) {
  return places.partial({.from = PartialRange::From::newest, .first = 1, .last = limit});
}

// The sets of numbers and UIDs that all messages found are in.
class TopSets {
 public:
  explicit TopSets(const storage::Snapshot& messages) : messages_(messages), sets_{all_of(messages)} {}

  void operator()(const auto&) {}
  void operator()(const SearchNumbers& key) {
    if (key.set.saved) {
      names_saved_ = true;
    } else {
      sets_.push_back(places_there(key.set, key.numbering, messages_));
    }
  }
  void operator()(const SearchUidBound& key) { sets_.push_back(places_there(key, messages_)); }
  void operator()(const SearchAnd& all) {
    for (const SearchKey& key : all.keys) std::visit(*this, key.key);
  }

  Places common(const Places& saved) && {
    if (names_saved_) sets_.push_back(saved);
    return imap::common(sets_);
  }

 private:
  const storage::Snapshot& messages_;
  std::vector<Places> sets_;
  bool names_saved_ = false;  // once for all of them: they are many, and it may be large
};

}  // namespace

Limited newest(const Places& places, std::uint32_t limit, const storage::Snapshot& messages) {
  if (places.count() <= limit) return {places};
  Limited limited{newest_places(places, limit)};
  limited.lowest = lowest_uid(limited.places, messages);
  return limited;
}

std::vector<Places> pieces_in_order(const Places& places, std::uint32_t size, Order order) {
  std::vector<Places> pieces = places.in_pieces(size);
  if (order == Order::descending) std::ranges::reverse(pieces);
  return pieces;
}

std::vector<std::uint32_t> in_order(const Places& piece, Order order) {
  std::vector<std::uint32_t> places;
  piece.each([&](std::uint32_t place) { places.push_back(place); });
  if (order == Order::descending) std::ranges::reverse(places);
  return places;
}

std::uint64_t count_of(const PartialRange& range) {
  const auto [low, high] = std::minmax(range.first, range.last);
  return std::uint64_t{high} - low + 1;
}

std::string message_limit_code(std::uint32_t limit, std::optional<storage::Uid> lowest) {
  std::string code = "[MESSAGELIMIT ";
  append_number(code, limit);
  if (lowest) append_number(code += ' ', *lowest);
  return code + "]";
}

std::optional<Reply> refusal_beyond(std::uint32_t limit, const Places& places,
                                    const storage::Snapshot& messages) {
  if (places.count() <= limit) return std::nullopt;
  const storage::Uid lowest = lowest_uid(newest_places(places, limit), messages);
  return no(message_limit_code(limit, lowest) + " Too many messages for one command");
}

Places searched(const SearchKey& key, const storage::Snapshot& messages, const Places& saved) {
  TopSets sets(messages);
  std::visit(sets, key.key);
  return std::move(sets).common(saved);
}

}  // namespace posthorn::imap
