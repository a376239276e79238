#pragma once

#include "base/result.h"
#include "message/search_fields.h"
#include "protocols/imap/command.h"
#include "protocols/imap/view.h"
#include "storage/message.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// SEARCH keys made ready to be tested (RFC 3501 §6.4.4). Pure.
namespace posthorn::imap {

// What a key says of a message, as far as is known of it: the view first, then the search index, then where
// it came from, then its envelope, then its octets.
enum class Match : std::uint8_t { no, yes, unknown };

using message::EnvelopeField;
using message::OfEnvelopeFields;

// What has to be looked for in messages, by the place where. Texts are UTF-8, as the client gave them; an
// empty one is found where the field is there.
struct TextWants {
  using Texts = std::vector<std::string>;
  struct Field {
    std::string name;
    Texts texts;
  };
  OfEnvelopeFields<Texts> envelope;  // FROM, SUBJECT and so on, and HEADER with their names
  bool sent = false;                 // the day of the Date field
  std::vector<Field> fields;         // HEADER with any other name, each name once
  Texts body;                        // BODY
  Texts message;                     // TEXT
  // The same for the search index, in no order: those that are not empty, up to its limit.
  std::vector<storage::TextPattern> patterns;
};

// Which of them a message has, in the same order.
struct EnvelopeFindings {
  OfEnvelopeFields<std::vector<bool>> found;
  std::optional<std::int64_t> sent;  // days since 1970-01-01; none without a Date that can be read
};
struct TextFindings {
  std::vector<std::vector<bool>> fields;
  std::vector<bool> body;
  std::vector<bool> message;
};

struct Candidate {
  std::uint32_t place;
  const storage::Message& message;
  const EnvelopeFindings* envelope = nullptr;  // null: not known yet
  const TextFindings* texts = nullptr;
  const storage::Mailbox::Origin* origin = nullptr;
  // What the search index says of TextWants::patterns, or a scan of some messages.
  const storage::Mailbox::TextHits* hits = nullptr;

  // What a key says for which the message would have to be looked into: no, where it is known not to have the
  // pattern.
  Match by_hits(std::size_t pattern) const;
  // The same of a pattern that is looked for in all of a text.
  Match by_text_hits(std::size_t pattern) const;
};

// One key, or several joined.
class Key {
 public:
  virtual ~Key() = default;
  virtual Match test(const Candidate& candidate) const = 0;
};

struct Criteria {
  std::unique_ptr<Key> key;
  std::size_t keys = 0;  // how many were joined
  TextWants wants;
  bool by_origin = false;        // some key is about where messages came from
  bool by_mod_sequence = false;  // MODSEQ is among them, so that the answer tells one (RFC 7162 §3.1.5)
};

// `view` outlives the criteria, and its messages do not change while they are used. `saved` is what every `$`
// stands for. Sequence numbers beyond the last message match nothing. Texts are in `default_charset` where
// the search names none; `now` is in seconds since 1970. Errors: not_found for a charset that is not known
// (RFC 3501 §6.4.4, BADCHARSET).
Result<Criteria> compile(const Search& search, const View& view, std::shared_ptr<const Places> saved,
                         std::string_view default_charset, std::int64_t now);

}  // namespace posthorn::imap
