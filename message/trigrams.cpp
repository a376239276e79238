#include "message/trigrams.h"

#include <algorithm>

namespace posthorn::message {
namespace {

constexpr unsigned character_bits = 21;
constexpr std::uint64_t two_characters = (std::uint64_t{1} << (2 * character_bits)) - 1;
constexpr std::uint64_t one_character = (std::uint64_t{1} << character_bits) - 1;
// So that no trigram is 0, a free place of the table.
constexpr std::uint64_t marked = std::uint64_t{1} << 63U;
constexpr std::size_t least_table = 4096;

void append_character(std::uint32_t character, std::string& out) {
  const auto octet = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  const auto continuation = [&](unsigned shift) { octet(0x80U | (character >> shift & 0x3fU)); };
  if (character < 0x80) {
    octet(character);
  } else if (character < 0x800) {
    octet(0xc0U | character >> 6U);
    continuation(0);
  } else if (character < 0x10000) {
    octet(0xe0U | character >> 12U);
    continuation(6);
    continuation(0);
  } else {
    octet(0xf0U | character >> 18U);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace

void Trigrams::feed(std::string_view folded) {
  for (const char each : folded) {
    const auto octet = static_cast<unsigned char>(each);
    if (missing_ > 0) {
      if ((octet & 0xc0U) == 0x80U) {
        character_ = character_ << 6U | (octet & 0x3fU);
        if (--missing_ == 0) {
          if (character_ < least_ || character_ > 0x10ffff) {
            next_range();
          } else {
            add(character_);
          }
        }
        continue;
      }
      next_range();
    }
    if (octet == 0) {
      next_range();
    } else if (octet < 0x80) {
      add(octet);
    } else if (octet >= 0xc2 && octet < 0xf5) {
      missing_ = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
      character_ = octet & (0x3fU >> missing_);
      least_ = missing_ == 1 ? 0x80 : missing_ == 2 ? 0x800 : 0x10000;
    } else {
      next_range();
    }
  }
}

void Trigrams::next_range() {
  characters_ = 0;
  missing_ = 0;
}

void Trigrams::add(std::uint32_t character) {
  const std::uint64_t trigram = last_ << character_bits | character;
  last_ = trigram & two_characters;
  if (characters_ < 2) {
    ++characters_;
    return;
  }
  if (2 * found_.size() >= table_.size()) grow();
  const std::uint64_t entry = trigram | marked;
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = slot_of(entry, mask);
  while (table_[slot] != 0 && table_[slot] != entry) slot = (slot + 1) & mask;
  if (table_[slot] == entry) return;
  if (found_.size() >= limit_) {
    overflowed_ = true;
    return;
  }
  table_[slot] = entry;
  found_.push_back(entry);
}

void Trigrams::grow() {
  table_.assign(std::max(least_table, 2 * table_.size()), 0);
  const std::size_t mask = table_.size() - 1;
  for (const std::uint64_t entry : found_) {
    std::size_t slot = slot_of(entry, mask);
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = entry;
  }
}

void Trigrams::clear() {
  // What one large text needed is not swept for each small one after it.
  if (table_.size() > 8 * least_table) {
    table_ = {};
  } else {
    std::ranges::fill(table_, 0);
  }
  found_.clear();
  next_range();
  overflowed_ = false;
}

std::string Trigrams::text_of(std::uint64_t trigram) {
  std::string text;
  for (const unsigned shift : {2 * character_bits, character_bits, 0U}) {
    append_character(static_cast<std::uint32_t>(trigram >> shift & one_character), text);
  }
  return text;
}

std::vector<std::string> trigrams_of(std::string_view folded_pattern) {
  Trigrams trigrams;
  trigrams.feed(folded_pattern);
  std::vector<std::string> texts;
  trigrams.each([&](std::string_view text) { texts.emplace_back(text); });
  return texts;
}

}  // namespace posthorn::message
