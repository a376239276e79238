#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// RFC 8970 §3.3: Unicode characters, not octets, of a preview.
inline constexpr std::size_t preview_characters = 200;

// Finds in a letter's text, in UTF-8 and in chunks that cut no character, what is worth to be shown beside
// its subject: what its author wrote. Quotations (lines that begin with ">", the line that says who wrote
// them, all after "-----Original Message-----") and the signature (all after a line "-- ") are left out,
// unless there is nothing else. Text that is encrypted (from "-----BEGIN PGP MESSAGE-----" on) is none.
//
// White space and line ends become single spaces; control, formatting and invisible characters vanish, as
// senders fill previews with them. Linear time, bounded memory.
class PreviewText {
 public:
  void feed(std::string_view valid_utf8);

  // Whether what follows can't change the preview any more.
  bool full() const;

  // To be called once, at the end of the text: at most preview_characters, without a space at either end,
  // cut between words or, in long ones, between what a person sees as characters.
  std::string finish();

 private:
  struct Line {
    std::string text;
    std::size_t characters = 0;
    bool after_blank = false;  // there was an empty line before it
  };
  // Lines that will be shown: no more of them are kept than that takes.
  struct Passage {
    std::vector<Line> lines;
    std::size_t characters = 0;

    bool full() const;
    void add(Line line);
  };
  enum class Place : std::uint8_t { own, armor_header, other, nothing };

  void take(std::int32_t character);
  void put(std::int32_t character);
  void end_line();
  void take_line(Line line);
  void add_other(Line line);
  void drop_attribution();

  Line line_;  // the one at the cursor; bounded
  bool space_ = false;
  std::int32_t joiner_ = 0;  // is written only between two that are visible
  bool after_blank_ = false;

  Place place_ = Place::own;
  bool after_rule_ = false;  // the last line was "__________"
  Passage own_;
  Passage other_;
};

}  // namespace posthorn::message
