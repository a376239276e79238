#include "message/binary_view.h"
#include "message/header.h"
#include "message/mime_fields.h"
#include "message/transfer_encoding.h"

#include <algorithm>
#include <set>

// Where the NULs of a message are, and what has to be done about them.
namespace posthorn::message {
namespace {

constexpr std::size_t chunk_size = 256 << 10;
constexpr std::uint64_t longest_header = 128 << 10;  // well within what SummaryParser looks at

// Which leaves have a NUL in their bodies, and what they lie in: `read` gives the message once, from its
// beginning to its end.
class NulFinder {
 public:
  NulFinder(std::uint64_t stored_size, const ReadStored& read) : stored_size_(stored_size), read_(read) {}

  Result<std::set<const BodyPart*>> find(const BodyPart& root) {
    TRY(is_binary(root));
    TRY(nothing_up_to(stored_size_));
    return std::move(found_);
  }

 private:
  Result<bool> is_binary(const BodyPart& part) {
    bool found = false;
    for (const BodyPart& child : part.children) found |= TRY(is_binary(child));
    if (part.children.empty()) {
      TRY(nothing_up_to(part.body_offset));
      found = TRY(is_in_next(part.body_size));
    }
    if (found) found_.insert(&part);
    return found;
  }

  Result<> nothing_up_to(std::uint64_t end) {
    if (TRY(is_in_next(end - position_))) {
      return failure(Errc::not_allowed, "NUL outside of the body of a part");
    }
    return {};
  }

  Result<bool> is_in_next(std::uint64_t size) {
    bool found = false;
    while (size > 0) {
      if (chunk_.empty()) {
        chunk_ = TRY(read_(position_, chunk_size));
        if (chunk_.empty()) return failure(Errc::corrupt, "a message is shorter than it was");
        rest_ = chunk_;
      }
      const std::string_view piece =
          rest_.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, rest_.size())));
      found = found || piece.contains('\0');
      size -= piece.size();
      position_ += piece.size();
      rest_.remove_prefix(piece.size());
      if (rest_.empty()) chunk_.clear();
    }
    return found;
  }

  std::uint64_t stored_size_;
  const ReadStored& read_;
  std::uint64_t position_ = 0;
  std::string chunk_;
  std::string_view rest_;  // of the chunk
  std::set<const BodyPart*> found_;
};

constexpr std::string_view encoding_name = "Content-Transfer-Encoding";

// The header of one entity, at its place in the message.
class Header {
 public:
  static Result<Header> of(const BodyPart& part, const ReadStored& read) {
    if (part.header_size > longest_header) return failure(Errc::not_allowed, "NUL below a very long header");
    Header header;
    header.offset_ = part.header_offset;
    header.block_ = TRY(read(part.header_offset, static_cast<std::size_t>(part.header_size)));
    HeaderReader reader(header.block_);
    while (const auto field = reader.next()) {
      const auto offset = static_cast<std::size_t>(field->raw.data() - header.block_.data());
      if (equal_ignoring_case(field->name, encoding_name)) {
        header.encodings_.push_back({offset, field->raw.size(), parse_encoding(field->value)});
      }
      if (equal_ignoring_case(field->name, "MIME-Version")) header.has_version_ = true;
    }
    if (reader.blank_line().empty()) return failure(Errc::not_allowed, "NUL in a part without header");
    header.end_ = static_cast<std::size_t>(reader.blank_line().data() - header.block_.data());
    return header;
  }

  // In lower case; empty if the field is not there. Of several the first counts that has a value, as for
  // SummaryParser.
  std::string encoding() const {
    const auto first =
        std::ranges::find_if(encodings_, [](const Field& each) { return !each.value.empty(); });
    return first == encodings_.end() ? "" : to_lower_ascii(first->value);
  }

  // The field with this value, once, in the place of what is there; and the field without which it would
  // mean nothing (RFC 2045 §4), where the header is a message's.
  void set_encoding(std::string_view value, bool is_of_message, std::vector<BinaryEdit>& edits) const {
    const std::string line = std::string(encoding_name) + ": " + std::string(value) + "\r\n";
    bool is_set = false;
    for (const Field& field : encodings_) {
      edits.push_back({offset_ + field.offset, field.size, is_set ? std::string() : line});
      is_set = true;
    }
    std::string added = is_of_message && !has_version_ ? "MIME-Version: 1.0\r\n" : "";
    if (!is_set) added += line;
    if (!added.empty()) edits.push_back({offset_ + end_, 0, std::move(added)});
  }

 private:
  struct Field {
    std::size_t offset;
    std::size_t size;
    std::string value;
  };
  Header() = default;

  std::uint64_t offset_ = 0;
  std::string block_;
  std::vector<Field> encodings_;
  std::size_t end_ = 0;  // where the blank line is
  bool has_version_ = false;
};

class EditFinder {
 public:
  EditFinder(const std::set<const BodyPart*>& binary, const ReadStored& read)
      : binary_(binary), read_(read) {}

  Result<std::vector<BinaryEdit>> find(const BodyPart& root) {
    TRY(visit(root, true));
    return std::move(edits_);
  }

 private:
  Result<> visit(const BodyPart& part, bool is_of_message) {
    if (!binary_.contains(&part)) return {};
    if (part.children.empty()) return show_in_base64(part, is_of_message);
    if (part.encoding && equal_ignoring_case(*part.encoding, "binary")) {
      TRY(Header::of(part, read_)).set_encoding("8bit", is_of_message, edits_);
    }
    for (const BodyPart& child : part.children) TRY(visit(child, part.is_message()));
    return {};
  }

  Result<> show_in_base64(const BodyPart& part, bool is_of_message) {
    const Header header = TRY(Header::of(part, read_));
    const std::string encoding = header.encoding();
    const bool is_plain =
        encoding.empty() || encoding == "binary" || encoding == "8bit" || encoding == "7bit";
    if (!is_plain) return failure(Errc::not_allowed, "NUL in a part that is encoded already");
    header.set_encoding("base64", is_of_message, edits_);
    edits_.push_back({part.body_offset, part.body_size, std::nullopt});
    return {};
  }

  const std::set<const BodyPart*>& binary_;
  const ReadStored& read_;
  std::vector<BinaryEdit> edits_;
};

}  // namespace

Result<std::vector<BinaryEdit>> find_binary_edits(const BodyPart& root, std::uint64_t stored_size,
                                                  const ReadStored& read) {
  const auto binary = TRY(NulFinder(stored_size, read).find(root));
  return EditFinder(binary, read).find(root);
}

}  // namespace posthorn::message
