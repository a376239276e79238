#pragma once

#include "base/result.h"
#include "message/text.h"
#include "storage/message_texts.h"
#include "storage/store.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace posthorn::storage {

// Looks for texts in one message after the other, as the search index would: for a pattern in the header, in
// all of its fields.
class TextScan {
 public:
  explicit TextScan(std::span<const TextPattern> patterns);

  // Which patterns the message has, a flag each; nothing of a message with very long texts. Errors: those of
  // StoredFile::read. It blocks.
  Result<std::optional<std::vector<bool>>> look(const message::Summary& summary, StoredFile& file);

 private:
  class Visitor;
  // The patterns of one kind, and which ones they are.
  struct Group {
    std::vector<std::size_t> places;
    std::vector<std::string> texts;
  };

  std::size_t count_;
  Group header_;
  Group body_;
  Group anywhere_;
  MessageTexts reader_;
};

}  // namespace posthorn::storage
