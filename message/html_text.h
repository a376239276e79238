#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::message {

// Turns HTML in UTF-8, in chunks of any size, into the text that a person reads in it, for a preview: one
// line a block, the lines of quotations (blockquote, and what mail programs mark as the letter that is
// replied to) beginning with "> ", a line "--" before what they mark as a signature. The content of head,
// title, style, script and their like, comments and all tags are left out; what a style hides is not, as
// senders hide there the text that they mean for previews. Broken HTML gets what a browser would make of it,
// roughly. White space is not collapsed but at a line's start.
//
// Linear time, bounded memory: the text goes to `out` as it comes.
class HtmlText {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  enum class State : std::uint8_t { text, entity, open, markup, comment, bogus, tag, value, raw };
  struct Tag;

  void take(char c, std::string& out);
  void take_raw(char c);
  void take_entity(char c, std::string& out);
  void take_tag(char c, std::string& out);
  void end_entity(bool with_semicolon, std::string& out);
  void end_tag(std::string& out);
  void apply(const Tag& tag, std::string& out);
  void quote(const Tag& tag, std::string& out);
  void put(std::string_view text, std::string& out);
  void put(char c, std::string& out);
  void end_line(std::string& out);

  State state_ = State::text;
  std::string held_;  // the tag or the reference at the cursor; bounded
  char quote_ = 0;    // what ends the attribute's value
  char last_ = 0;     // of the tag, white space aside
  int dashes_ = 0;    // in a row, in a comment

  std::string raw_end_;  // "</style": where the content ends that is left out
  std::size_t raw_matched_ = 0;

  bool in_head_ = false;
  std::size_t in_pre_ = 0;
  std::string quoting_tag_;        // the element that is quoted; empty outside of one
  std::size_t quoting_depth_ = 0;  // elements of that name inside of it
  bool at_line_start_ = true;
};

}  // namespace posthorn::message
