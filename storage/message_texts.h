#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "message/text.h"
#include "storage/message_bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::storage {

// Takes the texts of a message as SEARCH looks into them (RFC 3501 §6.4.4), folded for search.
class TextVisitor {
 public:
  enum class Place : std::uint8_t {
    header,  // the message's own header
    fields,  // each field of it by itself, as FROM, SUBJECT, HEADER and so on look into it
    body     // what BODY looks into
  };
  // A piece of a text; the next one of that place continues it.
  virtual void text(Place place, std::string_view folded) = 0;
  // The text has ended: no match spans it and the next.
  virtual void end(Place place) = 0;
  // Nothing more has to be seen.
  virtual bool satisfied() const { return false; }

 protected:
  ~TextVisitor() = default;
};

// Reads the texts of one message after the other. It blocks.
class MessageTexts {
 public:
  // Shows the message's texts. Says whether these were all: of a message with more than `limits` have,
  // nothing is shown. Errors: those of StoredFile::read.
  struct Limits {
    std::uint64_t text = 4U << 20U;      // octets of all texts together, as they are stored
    std::uint64_t header = 256U << 10U;  // of the message's own header
  };
  Result<bool> visit(const message::Summary& summary, StoredFile& file, TextVisitor& visitor,
                     const Limits& limits);

 private:
  Result<std::string> octets_at(StoredFile& file, std::uint64_t offset, std::size_t count) const;
  Result<> visit_fields(const message::Summary& summary, StoredFile& file, TextVisitor& visitor) const;
  Result<> visit_range(const message::TextRange& range, TextVisitor::Place place, StoredFile& file,
                       TextVisitor& visitor) const;

  std::string held_;  // the first octets of the file
};

}  // namespace posthorn::storage
