#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "message/trigrams.h"
#include "storage/message_texts.h"
#include "storage/store.h"

#include <string>
#include <string_view>

namespace posthorn::storage {

// What the search index keeps of a message: the trigrams of its texts, those of its own header and those of
// what BODY looks into apart from each other. Of one message after the other. It blocks.
class SearchDocument final : TextVisitor {
 public:
  // Reads the message. Where that is too much work, or it has very many different trigrams, complete() says
  // no afterwards. Errors: those of StoredFile::read.
  Result<> read(const message::Summary& summary, StoredFile& file);

  // Whether tokens() has all of the message's trigrams.
  bool complete() const { return complete_; }
  // The trigrams as token_list.h has them; empty where not all are there.
  std::string tokens() const;
  // How many octets of text were looked into.
  std::uint64_t octets() const { return octets_; }

 private:
  void text(Place place, std::string_view folded) override;
  void end(Place place) override;
  bool satisfied() const override { return header_.overflowed() || body_.overflowed(); }

  MessageTexts reader_;
  message::Trigrams header_;
  message::Trigrams body_;
  std::uint64_t octets_ = 0;
  bool complete_ = false;
};

// The FTS5 query for messages that may match: all that do, and some more. Empty for a pattern that is too
// short for it.
std::string query_for(const TextPattern& pattern);

}  // namespace posthorn::storage
