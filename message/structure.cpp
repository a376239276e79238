#include "message/structure.h"

#include "message/common_fields.h"
#include "message/encoded_word.h"
#include "message/envelope.h"
#include "message/header.h"
#include "message/mime_fields.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace posthorn::message {
namespace {

// RFC 2046 §5.1.1 has 70; more are seen. A longer one is no boundary.
constexpr std::size_t max_boundary = 512;
// What is looked at of a line in a body: "--", boundary, "--", and white space that gateways add.
constexpr std::size_t max_delimiter_line = 1024;
constexpr std::size_t max_depth = 1000;

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view without_trailing_white(std::string_view text) {
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

void become_plain_text(BodyPart& part) {
  part.type = "text";
  part.subtype = "plain";
  part.parameters = {{"charset", "us-ascii"}};
}

// What an entity's header fields say of its content. Of a field that stands there twice the first counts.
void read_content_fields(std::string_view block, BodyPart& part, bool in_digest) {
  bool has_type = false;
  HeaderReader reader(block);
  while (const auto field = reader.next()) {
    constexpr std::string_view prefix = "content-";
    if (!equal_ignoring_case(field->name.substr(0, prefix.size()), prefix)) continue;
    const auto name = to_lower_ascii(field->name.substr(prefix.size()));
    const auto text = [&](std::optional<std::string>& to) {
      if (auto value = unfold(field->value); !to && !value.empty()) to = std::move(value);
    };
    if (name == "type" && !has_type) {
      has_type = true;
      if (auto content = parse_content_type(field->value)) {
        part.type = std::move(content->type);
        part.subtype = std::move(content->subtype);
        part.parameters = std::move(content->parameters);
      }
    } else if (name == "transfer-encoding") {
      if (auto token = parse_encoding(field->value); !part.encoding && !token.empty())
        part.encoding = std::move(token);
    } else if (name == "disposition") {
      if (!part.disposition) part.disposition = parse_disposition(field->value);
    } else if (name == "language") {
      if (part.languages.empty()) part.languages = parse_languages(field->value);
    } else if (name == "id") {
      text(part.id);
    } else if (name == "description") {
      text(part.description);
    } else if (name == "md5") {
      text(part.md5);
    } else if (name == "location") {
      text(part.location);
    }
  }
  if (!part.type.empty()) return;
  if (in_digest && !has_type) {
    part.type = "message";
    part.subtype = "rfc822";
  } else {
    become_plain_text(part);
  }
}

std::size_t size_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::size_t size_of(const std::vector<Parameter>& parameters) {
  std::size_t size = parameters.size() * sizeof(Parameter);
  for (const auto& parameter : parameters) size += parameter.name.size() + parameter.value.size();
  return size;
}

std::size_t size_of(const std::vector<Address>& addresses) {
  std::size_t size = addresses.size() * sizeof(Address);
  for (const auto& a : addresses)
    size += size_of(a.name) + size_of(a.route) + size_of(a.mailbox) + size_of(a.host);
  return size;
}

// Memory that the texts of one entity take, for Limits::kept_bytes.
std::size_t size_of(const BodyPart& part) {
  std::size_t size = part.type.size() + part.subtype.size() + size_of(part.parameters) + size_of(part.id) +
                     size_of(part.description) + size_of(part.encoding) + size_of(part.md5) +
                     size_of(part.location);
  if (part.disposition) size += part.disposition->type.size() + size_of(part.disposition->parameters);
  for (const auto& language : part.languages) size += sizeof(std::string) + language.size();
  return size;
}

std::size_t size_of(const Envelope& envelope) {
  return size_of(envelope.date) + size_of(envelope.subject) + size_of(envelope.in_reply_to) +
         size_of(envelope.message_id) + size_of(envelope.from) + size_of(envelope.sender) +
         size_of(envelope.reply_to) + size_of(envelope.to) + size_of(envelope.cc) + size_of(envelope.bcc);
}

// Without white space at its end (RFC 2046 §5.1.1); empty if there is none that can be used.
std::string boundary_of(const BodyPart& part) {
  const auto plain = std::ranges::find_if(
      part.parameters, [](const Parameter& p) { return equal_ignoring_case(p.name, "boundary"); });
  auto boundary = plain != part.parameters.end() ? plain->value
                                                 : parameter_value(part.parameters, "boundary").value_or("");
  boundary.resize(without_trailing_white(boundary).size());
  if (boundary.size() > max_boundary) boundary.clear();
  return boundary;
}

// An end of content: where it is, and how many lines have ended or been cut off before it.
struct End {
  std::uint64_t offset = 0;
  std::uint64_t lines = 0;
};

}  // namespace

// The entities that are open at the cursor stand on a stack, the message itself at the bottom; each is moved
// into its parent when it ends. Only the innermost one's header is kept as text, and only until it ends.
class SummaryParser::Impl {
 public:
  Impl(LineEnds ends, const Limits& limits) : ends_(ends), limits_(limits) {
    limits_.depth = std::clamp<std::size_t>(limits_.depth, 1, max_depth);
    open_entity(Place::message, End{});
  }

  void feed(std::string_view chunk) {
    while (!chunk.empty()) {
      const auto end = chunk.find('\n');
      const auto piece = chunk.substr(0, end);
      chunk.remove_prefix(end == std::string_view::npos ? chunk.size() : end + 1);
      if (end != std::string_view::npos && line_size_ == 0) {
        end_line(piece, piece.size(), !piece.empty() && piece.back() == '\r', true);
        continue;
      }
      hold(piece);
      if (end != std::string_view::npos) end_held_line(true);
    }
  }

  Summary finish() {
    if (line_size_ > 0) end_held_line(false);
    close_entities(0, End{position_, lines_});
    Summary summary;
    summary.envelope = std::move(envelope_);
    summary.root = std::move(root_);
    summary.references = std::move(references_);
    summary.common_fields = std::move(common_fields_);
    if (summary.envelope.date) {
      if (auto date = parse_date(*summary.envelope.date)) summary.date_sent = *date;
    }
    return summary;
  }

 private:
  enum class HeaderEnd { blank_line, none };
  enum class Place { message, part };  // a message, embedded or not; a part of a multipart

  struct Entity {
    BodyPart part;
    Place place = Place::message;
    bool in_header = true;
    bool in_digest = false;  // its parent is a multipart/digest
    std::string boundary;    // of a multipart whose closing delimiter has not come yet
    std::uint64_t lines_before_header = 0;
    std::uint64_t lines_before_body = 0;
    End children_end;           // end of the last child
    std::optional<End> closed;  // where the closing delimiter began
  };

  // How much of a line the code below looks at. Fixed for a line by what was before it.
  std::size_t interesting_size() const {
    return open_.back().in_header ? std::max(limits_.header_bytes, max_delimiter_line)
                                  : max_delimiter_line + 2;
  }

  void hold(std::string_view piece) {
    if (piece.empty()) return;
    line_size_ += piece.size();
    line_ends_in_cr_ = piece.back() == '\r';
    const auto size = interesting_size();
    if (line_.size() < size) line_ += piece.substr(0, size - line_.size());
  }

  void end_held_line(bool has_lf) {
    end_line(line_, line_size_, line_ends_in_cr_, has_lf);
    line_.clear();
    line_size_ = 0;
    line_ends_in_cr_ = false;
  }

  // `text` is the line, or at least its interesting part, without LF; `size` is all of it.
  void end_line(std::string_view text, std::uint64_t size, bool ends_in_cr, bool has_lf) {
    const bool crlf = has_lf && ends_in_cr;
    std::uint64_t content_size = size;
    if (crlf) --content_size;
    if (text.size() > content_size) text.remove_suffix(text.size() - content_size);
    const unsigned end_size = !has_lf ? 0 : crlf || ends_ == LineEnds::lf ? 2 : 1;
    const Line line{text.substr(0, interesting_size()), content_size, end_size,
                    position_ + content_size + end_size};
    take_line(line);
    position_ = line.next;
    ++lines_;
    last_end_size_ = end_size;
    last_was_empty_ = content_size == 0;
  }

  struct Line {
    std::string_view text;  // without line end; cut where it stops to matter
    std::uint64_t size;     // without line end
    unsigned end_size;      // of the line end on the wire: 0, 1 or 2
    std::uint64_t next;     // offset of the next line
  };

  void take_line(const Line& line) {
    if (line.text.starts_with("--") && line.size <= max_delimiter_line && take_delimiter(line)) return;
    if (open_.back().in_header) take_header_line(line);
  }

  void take_header_line(const Line& line) {
    Entity& entity = open_.back();
    if (line.size == 0 && line.end_size > 0) {
      end_header(line.next, lines_ + 1, HeaderEnd::blank_line);
      return;
    }
    const bool first = lines_ == entity.lines_before_header;
    if (first && entity.place == Place::part && field_name_of(line.text).empty()) {
      // Text at once after the delimiter: the part has no header, and the blank line is missing.
      end_header(position_, lines_, HeaderEnd::none);
      if (open_.back().in_header) take_header_line(line);
      return;
    }
    if (header_.size() >= limits_.header_bytes) return;
    header_ += line.text.substr(0, limits_.header_bytes - header_.size());
    // Not the blank line that it would become.
    if (line.text == "\r") header_ += '\r';
    header_ += '\n';
  }

  // A delimiter line of any open multipart, the innermost first (RFC 2046 §5.1.1, §5.1.2). The whole line
  // must be it, so that one boundary may begin with another.
  bool take_delimiter(const Line& line) {
    const auto text = without_trailing_white(line.text.substr(2));
    for (std::size_t i = open_.size(); i-- > 0;) {
      const std::string_view boundary = open_[i].boundary;
      if (boundary.empty() || !text.starts_with(boundary)) continue;
      const auto rest = text.substr(boundary.size());
      if (rest == "--") {
        const End end = delimited_end();
        close_entities(i + 1, end);
        open_[i].closed = end;
        open_[i].boundary.clear();
        return true;
      }
      if (rest.empty()) {
        if (parts_ >= limits_.parts) return false;
        close_entities(i + 1, delimited_end());
        open_entity(Place::part, End{line.next, lines_ + 1});
        return true;
      }
    }
    return false;
  }

  // The end of what stands before a delimiter line that begins at the cursor: the line end before it is the
  // delimiter's, and an empty line that loses it is no line.
  End delimited_end() const {
    return {position_ - last_end_size_, lines_ - (last_end_size_ > 0 && last_was_empty_ ? 1 : 0)};
  }

  void open_entity(Place place, const End& before) {
    Entity entity;
    entity.place = place;
    entity.in_digest = !open_.empty() && open_.back().part.is("multipart", "digest");
    entity.part.header_offset = before.offset;
    entity.lines_before_header = before.lines;
    open_.push_back(std::move(entity));
    header_.clear();
    ++parts_;
  }

  // The header of the innermost entity ends at `offset`, after `lines` lines of the message. An embedded
  // message is opened.
  void end_header(std::uint64_t offset, std::uint64_t lines, HeaderEnd end) {
    Entity& entity = open_.back();
    BodyPart& part = entity.part;
    entity.in_header = false;
    entity.lines_before_body = lines;
    part.header_size = offset - part.header_offset;
    part.header_lines = lines - entity.lines_before_header;
    part.body_offset = offset;
    if (kept_ < limits_.kept_bytes) {
      read_content_fields(header_, part, entity.in_digest);
      kept_ += size_of(part);
    } else {
      become_plain_text(part);
    }
    if (entity.place == Place::message) take_envelope(end);

    const bool is_message = part.is_message();
    if (!is_message && !part.is_multipart()) return;
    if (open_.size() >= limits_.depth || (is_message && parts_ >= limits_.parts)) {
      part.type = "application";
      part.subtype = "octet-stream";
    } else if (is_message) {
      open_entity(Place::message, End{offset, lines});
    } else {
      entity.boundary = boundary_of(part);
    }
  }

  // The envelope belongs to the message/rfc822 part that holds this message; the outermost one to the
  // Summary.
  void take_envelope(HeaderEnd end) {
    Envelope envelope;
    if (kept_ < limits_.kept_bytes) {
      envelope = parse_envelope(header_, addresses_left_);
      kept_ += size_of(envelope);
    }
    for (const auto* list : {&envelope.from, &envelope.to, &envelope.cc, &envelope.bcc}) {
      addresses_left_ -= std::min(addresses_left_, list->size());
    }
    if (open_.size() > 1) {
      open_[open_.size() - 2].part.envelope = std::move(envelope);
      return;
    }
    envelope_ = std::move(envelope);
    if (const auto field = find_field(header_, "references")) references_ = unfold(field->value);
    // What was cut off may have more of them.
    if (header_.size() < limits_.header_bytes)
      common_fields_ = keep_common_fields(header_, end == HeaderEnd::blank_line);
  }

  // Ends all entities from the innermost up to and including number `from`; their content ends at `end`.
  void close_entities(std::size_t from, const End& end) {
    while (open_.size() > from) {
      if (open_.back().in_header) {
        const Entity& cut = open_.back();
        end_header(std::max(end.offset, cut.part.header_offset), std::max(end.lines, cut.lines_before_header),
                   HeaderEnd::none);
        continue;  // which may have opened an embedded message, empty then
      }
      Entity entity = std::move(open_.back());
      open_.pop_back();
      BodyPart& part = entity.part;
      End actual = end;
      if (actual.offset < entity.children_end.offset) actual = entity.children_end;
      if (actual.offset < part.body_offset) actual = {part.body_offset, entity.lines_before_body};
      part.body_size = actual.offset - part.body_offset;
      part.body_lines = actual.lines - entity.lines_before_body;
      if (part.is_multipart() && part.children.empty()) add_substitute_child(entity);
      if (open_.empty()) {
        root_ = std::move(part);
      } else {
        open_.back().children_end = actual;
        open_.back().part.children.push_back(std::move(part));
      }
    }
  }

  // A multipart without parts shows the text that it has as one.
  void add_substitute_child(Entity& entity) {
    BodyPart child;
    become_plain_text(child);
    child.header_offset = child.body_offset = entity.part.body_offset;
    child.body_size = entity.part.body_size;
    child.body_lines = entity.part.body_lines;
    if (entity.closed) {
      const auto [offset, lines] = *entity.closed;
      child.body_size = offset > child.body_offset ? offset - child.body_offset : 0;
      child.body_lines = child.body_size > 0 ? lines - entity.lines_before_body : 0;
    }
    entity.part.children.push_back(std::move(child));
    ++parts_;
  }

  LineEnds ends_;
  Limits limits_;

  // The line that is coming in, where a chunk ended inside it.
  std::string line_;
  std::uint64_t line_size_ = 0;
  bool line_ends_in_cr_ = false;

  // The line at the cursor, and the one before it.
  std::uint64_t position_ = 0;  // offset of its first octet
  std::uint64_t lines_ = 0;     // lines before it
  unsigned last_end_size_ = 0;
  bool last_was_empty_ = false;

  std::vector<Entity> open_;
  std::string header_;  // of the innermost entity, lines ended by LF
  BodyPart root_;
  Envelope envelope_;
  std::optional<std::string> references_;
  std::optional<std::string> common_fields_;
  std::size_t parts_ = 0;
  std::size_t kept_ = 0;
  std::size_t addresses_left_ = limits_.addresses;
};

bool BodyPart::is(std::string_view lower_type, std::string_view lower_subtype) const {
  return equal_ignoring_case(type, lower_type) && equal_ignoring_case(subtype, lower_subtype);
}

bool BodyPart::is_multipart() const { return equal_ignoring_case(type, "multipart"); }

bool BodyPart::is_message() const { return is("message", "rfc822") || is("message", "global"); }

SummaryParser::SummaryParser(LineEnds ends, const Limits& limits)
    : impl_(std::make_unique<Impl>(ends, limits)) {}
SummaryParser::SummaryParser(SummaryParser&&) noexcept = default;
SummaryParser& SummaryParser::operator=(SummaryParser&&) noexcept = default;
SummaryParser::~SummaryParser() = default;

void SummaryParser::feed(std::string_view chunk) { impl_->feed(chunk); }

Summary SummaryParser::finish() { return impl_->finish(); }

Summary parse_summary(std::string_view whole, LineEnds ends, const Limits& limits) {
  SummaryParser parser(ends, limits);
  parser.feed(whole);
  return parser.finish();
}

const BodyPart* find_part(const BodyPart& root, std::span<const std::uint32_t> numbers) {
  const BodyPart* part = &root;
  bool at_message = true;  // `part` is a message's root, whose own body is its part 1 if it is no multipart
  for (const auto number : numbers) {
    if (!at_message && part->is_message() && part->children.size() == 1) {
      part = &part->children.front();
      at_message = true;
    }
    if (part->is_multipart()) {
      if (number == 0 || number > part->children.size()) return nullptr;
      part = &part->children[number - 1];
    } else if (!at_message || number != 1) {
      return nullptr;
    }
    at_message = false;
  }
  return part;
}

}  // namespace posthorn::message
