#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "protocols/imap/command.h"
#include "protocols/imap/view.h"
#include "storage/message.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// SEARCH keys made ready to be tested (RFC 3501 §6.4.4). Pure.
namespace posthorn::imap {

// What a key says of a message, as far as is known of it: the view first, then where it came from, then its
// envelope, then its octets.
enum class Match : std::uint8_t { no, yes, unknown };

// What has to be looked for in the octets of messages. Texts are UTF-8.
struct TextWants {
  struct Field {
    std::string name;
    std::string folded;  // for search; empty: the field is there
  };
  std::vector<std::string> body;     // BODY
  std::vector<std::string> message;  // TEXT
  std::vector<Field> fields;         // HEADER
  bool empty() const { return body.empty() && message.empty() && fields.empty(); }
};

// Which of them a message has, in the same order.
struct TextFindings {
  std::vector<bool> body;
  std::vector<bool> message;
  std::vector<bool> fields;
};

struct Candidate {
  std::uint32_t place;
  const storage::Message& message;
  const message::Envelope* envelope = nullptr;  // null: not known yet
  const TextFindings* texts = nullptr;
  const storage::Mailbox::Origin* origin = nullptr;
};

// One key, or several joined.
class Key {
 public:
  virtual ~Key() = default;
  virtual Match test(const Candidate& candidate) const = 0;
};

struct Criteria {
  std::unique_ptr<Key> key;
  TextWants wants;
  bool by_origin = false;        // some key is about where messages came from
  bool by_mod_sequence = false;  // MODSEQ is among them, so that the answer tells one (RFC 7162 §3.1.5)
};

// `view` outlives the criteria, and its messages do not change while they are used. Sequence numbers beyond
// the last message match nothing. Texts are in `default_charset` where the search names none. Errors:
// not_found for a charset that is not known (RFC 3501 §6.4.4, BADCHARSET).
Result<Criteria> compile(const Search& search, const View& view, std::string_view default_charset);

}  // namespace posthorn::imap
