#pragma once

#include "message/structure.h"
#include "message/transfer_encoding.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// A stretch of a message that a person can read: a header, or the body of a part.
struct TextRange {
  enum class Kind : std::uint8_t { header, body };
  Kind kind;
  std::uint64_t offset;  // on the wire
  std::uint64_t size;
  const BodyPart* part;  // whose header or body it is; inside the Summary
};

enum class TextScope : std::uint8_t {
  body,    // IMAP SEARCH BODY: text of all parts, headers of parts and embedded messages
  message  // IMAP SEARCH TEXT: the message's own header too
};

// What a search in that scope reads (RFC 3501 §6.4.4), in the order of the bytes: headers, and bodies of
// text/* and of those message/* that are not opened. Attachments of other types are not text; their headers
// (file names) are.
std::vector<TextRange> text_ranges(const Summary& summary, TextScope scope);

// Turns the bytes of one range as on the wire, in chunks of any size, into UTF-8 folded for search
// (fold_for_search). A body's transfer encoding and charset are undone, an unknown charset is guessed; a
// header's fields are unfolded and their encoded words decoded, line by line. Memory is bounded: a header
// field counts up to 64 KiB.
class TextExtractor {
 public:
  explicit TextExtractor(const TextRange& range);
  TextExtractor(TextExtractor&&) noexcept;
  TextExtractor& operator=(TextExtractor&&) noexcept;
  ~TextExtractor();

  // Appends folded text to `out`.
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Looks for several keys in text that streams by, in linear time whatever the keys are. An empty key is found
// at once.
class TextSearch {
 public:
  // Keys as the client gave them, in UTF-8; they are folded here.
  explicit TextSearch(std::span<const std::string> keys);

  // Looks through folded text that continues what was fed before.
  void feed(std::string_view folded);
  // Begins a new range: no match spans the two.
  void next_range();

  bool found(std::size_t key) const { return keys_[key].found; }
  bool found_all() const { return missing_ == 0; }

 private:
  struct Key {
    std::string text;
    std::vector<std::uint32_t> fallback;  // Knuth, Morris, Pratt
    std::size_t matched = 0;
    bool found = false;
  };
  std::vector<Key> keys_;
  std::size_t missing_ = 0;
};

// Which keys stand in a message that is in memory as a whole; one flag a key.
std::vector<bool> search_text(const Summary& summary, std::string_view wire_bytes, TextScope scope,
                              std::span<const std::string> keys);

}  // namespace posthorn::message
