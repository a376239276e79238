#pragma once

#include "base/task.h"
#include "message/structure.h"
#include "message/text.h"
#include "protocols/imap/message_source.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/slice.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::imap {

// Looks for what a SEARCH wants in one message after the other. However many keys there are, a message's
// texts are decoded and folded once, and others have their turn in between. Of a header field, the first 64
// KiB count; of the addresses in the envelope, all.
class TextLookup {
 public:
  // Both outlive it.
  TextLookup(const TextWants& wants, Slice& slice);
  TextLookup(const TextLookup&) = delete;
  TextLookup& operator=(const TextLookup&) = delete;

  Task<EnvelopeFindings> in_envelope(const message::Envelope& envelope) const;

  // Decoded text streams by and is never whole in memory. Of the header, the first longest_header octets
  // (section.h) count for fields. `source` is not open yet; with it, those of `next` that follow are read.
  // Errors: as MessageSource.
  Task<Result<TextFindings>> in_message(const message::Summary& summary, MessageSource& source,
                                        storage::ReadAhead& ahead, const storage::UidSet& next) const;

 private:
  // Keys that are looked for in the same texts. A copy is used up by one message.
  struct Search {
    explicit Search(const TextWants::Texts& texts);
    std::vector<bool> results() const;

    message::TextSearch keys;
    std::size_t count;
    std::size_t step;  // octets between two looks at the time
  };

  Task<void> feed(Search& search, std::string_view folded) const;
  Task<void> feed_whole(Search& search, std::string_view readable) const;
  Task<std::vector<bool>> in_addresses(const std::vector<message::Address>& addresses, Search search) const;
  Task<std::vector<bool>> in_value(const std::string* value, Search search) const;
  Task<Result<std::vector<std::vector<bool>>>> in_fields(const message::BodyPart& root,
                                                         MessageSource& source) const;
  Task<Result<>> in_range(const message::TextRange& range, MessageSource& source, Search& text,
                          Search* body) const;

  const TextWants& wants_;
  Slice& slice_;
  std::vector<Search> envelope_;
  std::map<std::string, std::size_t> names_;  // of fields, in lower case, with their places
  std::vector<Search> fields_;
  Search body_;
  Search message_;
};

}  // namespace posthorn::imap
