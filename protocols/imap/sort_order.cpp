#include "protocols/imap/sort_order.h"

#include <algorithm>
#include <cstring>

namespace posthorn::imap {
namespace {

constexpr std::size_t prefix_size = sizeof(std::uint64_t);
constexpr std::size_t block_size = 64UL << 10U;

// As a number that orders as the signed one does.
std::uint64_t ordered(std::int64_t number) {
  return static_cast<std::uint64_t>(number) ^ std::uint64_t{1} << 63U;
}

}  // namespace

bool needs_keys(std::span<const SortCriterion> criteria) {
  return std::ranges::any_of(criteria, [](const SortCriterion& criterion) {
    return criterion.key != SortCriterion::Key::arrival && criterion.key != SortCriterion::Key::size;
  });
}

// A key that comes again decides nothing any more.
SortableMaker::SortableMaker(std::span<const SortCriterion> criteria) {
  for (const SortCriterion& criterion : criteria) {
    if (std::ranges::find(criteria_, criterion.key, &SortCriterion::key) == criteria_.end()) {
      criteria_.push_back(criterion);
    }
  }
}

void SortableMaker::append_number(std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) octets_ += static_cast<char>(number >> shift & 0xffU);
}

// No text has a NUL, so that what is shorter comes first, and the criterion behind it is told apart.
void SortableMaker::append_text(std::string_view text) {
  octets_ += text;
  octets_ += '\0';
}

void SortableMaker::append(const SortCriterion& criterion, const storage::Message& message,
                           const message::SortKeys& keys) {
  using enum SortCriterion::Key;
  using message::SortText;
  const std::size_t begin = octets_.size();
  switch (criterion.key) {
    case arrival: append_number(ordered(message.internal_date)); break;
    case date: append_number(ordered(keys.sent.value_or(message.internal_date))); break;
    case size: append_number(message.size); break;
    case cc: append_text(keys[SortText::cc]); break;
    case display_from: append_text(keys[SortText::display_from]); break;
    case display_to: append_text(keys[SortText::display_to]); break;
    case from: append_text(keys[SortText::from]); break;
    case subject: append_text(keys[SortText::subject]); break;
    case to: append_text(keys[SortText::to]); break;
  }
  if (!criterion.reverse) return;
  for (std::size_t i = begin; i < octets_.size(); ++i) octets_[i] = static_cast<char>(~octets_[i]);
}

const char* SortableMaker::keep(std::string_view octets) {
  if (octets.size() > left_) {
    left_ = std::max(block_size, octets.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
    used_ = 0;
  }
  char* place = blocks_.back().get() + used_;
  std::memcpy(place, octets.data(), octets.size());
  used_ += octets.size();
  left_ -= octets.size();
  return place;
}

Sortable SortableMaker::make(std::uint32_t place, const storage::Message& message,
                             const message::SortKeys& keys) {
  octets_.clear();
  for (const SortCriterion& criterion : criteria_) append(criterion, message, keys);
  Sortable sortable{.place = place};
  for (std::size_t i = 0; i < prefix_size; ++i) {
    const unsigned char octet = i < octets_.size() ? static_cast<unsigned char>(octets_[i]) : 0;
    sortable.prefix = sortable.prefix << 8U | octet;
  }
  if (octets_.size() > prefix_size) {
    const std::string_view rest = std::string_view(octets_).substr(prefix_size);
    sortable.rest = keep(rest);
    sortable.rest_size = static_cast<std::uint32_t>(rest.size());
  }
  return sortable;
}

}  // namespace posthorn::imap
