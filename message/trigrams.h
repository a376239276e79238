#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// The trigrams of texts, each once: three characters that follow each other in one range. Where a pattern of
// three characters or more stands in a text, all trigrams of the pattern are among those of the text.
//
// Texts and patterns are UTF-8 as fold_for_search() makes it; an octet that is none parts what stands before
// it from what stands behind it, as a range's end does. So does NUL, which no trigram has in it.
class Trigrams {
 public:
  // Of more than `limit` different ones, those that come first are kept.
  explicit Trigrams(std::size_t limit = 65'536) : limit_(limit) {}

  // Text that continues what was fed before, cut anywhere.
  void feed(std::string_view folded);
  // No trigram spans what was fed and what comes.
  void next_range();
  // Some were not kept.
  bool overflowed() const { return overflowed_; }
  std::size_t count() const { return found_.size(); }

  // Calls `visit(utf8)` for each, of at most 12 octets.
  template <class Visit>
  void each(Visit visit) const {
    for (const std::uint64_t trigram : found_) visit(std::string_view(text_of(trigram)));
  }
  void clear();

 private:
  void add(std::uint32_t character);
  void grow();
  static std::size_t slot_of(std::uint64_t trigram, std::size_t mask) {
    return static_cast<std::size_t>((trigram * 0x9e3779b97f4a7c15) >> 32U) & mask;
  }
  static std::string text_of(std::uint64_t trigram);

  std::size_t limit_;
  std::vector<std::uint64_t> table_;  // 0: free
  std::vector<std::uint64_t> found_;
  std::uint64_t last_ = 0;       // the last two characters, of 21 bits each
  unsigned characters_ = 0;      // how many of these there are
  std::uint32_t character_ = 0;  // what there is of one that was cut
  unsigned missing_ = 0;         // octets that it lacks
  std::uint32_t least_ = 0;      // the lowest character that needs so many octets
  bool overflowed_ = false;
};

// The trigrams of a pattern as texts, each once; none of a pattern below three characters.
std::vector<std::string> trigrams_of(std::string_view folded_pattern);

}  // namespace posthorn::message
