#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "message/text.h"
#include "message/trigrams.h"
#include "storage/message_bytes.h"
#include "storage/store.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What the search index keeps of a message: the trigrams of its texts, those of its own header and those of
// what BODY looks into apart from each other.
namespace posthorn::storage {

// Makes the documents of one message after the other. It blocks.
class SearchDocument {
 public:
  // Reads the message. Where that is too much work, or it has very many different trigrams, complete() says
  // no afterwards. Errors: those of StoredFile::read.
  Result<> read(const message::Summary& summary, StoredFile& file);

  // Whether tokens() has all of the message's trigrams.
  bool complete() const { return complete_; }
  // The trigrams as token_list.h has them; empty where not all are there.
  std::string tokens() const;
  // How many octets were looked into.
  std::uint64_t octets() const { return octets_; }

 private:
  // At most 256 KiB.
  Result<std::string> octets_at(StoredFile& file, std::uint64_t offset, std::size_t count) const;
  Result<> read_header(const message::Summary& summary, StoredFile& file);
  Result<> read_range(const message::TextRange& range, StoredFile& file, message::Trigrams& trigrams);
  void add_envelope(const message::Envelope& envelope);
  void add_to_header(std::string_view readable);

  std::string held_;  // all of a small message
  message::Trigrams header_;
  message::Trigrams body_;
  std::uint64_t octets_ = 0;
  bool complete_ = false;
};

// The FTS5 query for messages that may match: all that do, and some more. Empty for a pattern that is too
// short for it.
std::string query_for(const TextPattern& pattern);

}  // namespace posthorn::storage
