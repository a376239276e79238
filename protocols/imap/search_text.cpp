#include "protocols/imap/search_text.h"

#include "message/charset.h"
#include "message/date.h"
#include "message/header.h"
#include "message/search_fields.h"
#include "protocols/imap/section.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

// What is decoded and folded between two looks at the time, and as much of it as is compared with one key; of
// many keys, each is compared with less.
constexpr std::size_t longest_step = 8'192;
constexpr std::size_t shortest_step = 256;

}  // namespace

TextLookup::Search::Search(const TextWants::Texts& texts)
    : keys(texts),
      count(texts.size()),
      step(std::max(shortest_step, longest_step / std::max<std::size_t>(1, texts.size()))) {}

std::vector<bool> TextLookup::Search::results() const {
  std::vector<bool> found(count);
  for (std::size_t i = 0; i < count; ++i) found[i] = keys.found(i);
  return found;
}

TextLookup::TextLookup(const TextWants& wants, Slice& slice)
    : wants_(wants),
      slice_(slice),
      envelope_(wants.envelope.begin(), wants.envelope.end()),
      body_(wants.body),
      message_(wants.message) {
  for (const TextWants::Field& field : wants.fields) {
    names_.emplace(message::to_lower_ascii(field.name), fields_.size());
    fields_.emplace_back(field.texts);
  }
}

Task<void> TextLookup::feed(Search& search, std::string_view folded) const {
  while (!folded.empty() && !search.keys.found_all()) {
    search.keys.feed(folded.substr(0, search.step));
    folded.remove_prefix(std::min(search.step, folded.size()));
    co_await slice_;
  }
}

// A text of its own.
Task<void> TextLookup::feed_whole(Search& search, std::string_view readable) const {
  const std::string folded = message::fold_for_search(readable);
  co_await feed(search, folded);
  search.keys.next_range();
}

// Names as a person reads them, and addresses, as "Name <mailbox@host>".
Task<std::vector<bool>> TextLookup::in_addresses(const std::vector<message::Address>& addresses,
                                                 Search search) const {
  if (addresses.empty()) co_return std::vector<bool>(search.count);
  for (const message::Address& address : addresses) {
    const std::string text = message::readable(address);
    co_await feed_whole(search, text);
    co_await slice_;
  }
  co_return search.results();
}

Task<std::vector<bool>> TextLookup::in_value(const std::string* value, Search search) const {
  if (value == nullptr) co_return std::vector<bool>(search.count);
  const std::string text = message::readable_value(*value);
  co_await feed_whole(search, text);
  co_return search.results();
}

Task<EnvelopeFindings> TextLookup::in_envelope(const message::Envelope& envelope) const {
  EnvelopeFindings findings;
  if (wants_.sent && envelope.date) {
    if (const auto date = message::parse_date(*envelope.date)) findings.sent = date->local_day();
  }
  for (std::size_t i = 0; i < envelope_.size(); ++i) {
    if (envelope_[i].count == 0) continue;
    const auto field = static_cast<EnvelopeField>(i);
    if (const auto* addresses = message::addresses_of(field, envelope)) {
      findings.found[i] = co_await in_addresses(*addresses, envelope_[i]);
    } else {
      findings.found[i] = co_await in_value(message::value_of(field, envelope), envelope_[i]);
    }
  }
  co_return findings;
}

Task<Result<std::vector<std::vector<bool>>>> TextLookup::in_fields(const message::BodyPart& root,
                                                                   MessageSource& source) const {
  // All fields but none in particular: the header itself.
  auto header =
      co_await header_fields({.text = Section::Text::header_fields_not}, {0, root.header_size}, source);
  if (!header) co_return std::unexpected(std::move(header).error());
  std::vector<Search> searches = fields_;
  std::vector<bool> is_there(fields_.size());
  message::HeaderReader reader(*header);
  while (const auto field = reader.next()) {
    co_await slice_;
    const auto name = names_.find(message::to_lower_ascii(field->name));
    if (name == names_.end()) continue;
    is_there[name->second] = true;
    const std::string text = message::readable_field_value(field->value);
    co_await feed_whole(searches[name->second], text);
  }
  std::vector<std::vector<bool>> found;
  found.reserve(searches.size());
  for (std::size_t i = 0; i < searches.size(); ++i) {
    found.push_back(is_there[i] ? searches[i].results() : std::vector<bool>(searches[i].count));
  }
  co_return found;
}

// Feeds one stretch of the message to both searches; `body` only where the stretch belongs to the body.
Task<Result<>> TextLookup::in_range(const message::TextRange& range, MessageSource& source, Search& text,
                                    Search* body) const {
  message::TextExtractor extractor(range);
  const Extent there = within({range.offset, range.size}, source.size());
  std::string folded;
  for (std::uint64_t done = 0; done < there.size;) {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(there.size - done, MessageSource::longest_read));
    const auto octets = co_await source.read(there.offset + done, count);
    if (!octets) co_return std::unexpected(octets.error());
    if (octets->empty()) break;
    for (std::size_t at = 0; at < octets->size(); at += longest_step) {
      extractor.feed(std::string_view(*octets).substr(at, longest_step), folded);
      co_await feed(text, folded);
      if (body != nullptr) co_await feed(*body, folded);
      folded.clear();
      co_await slice_;
    }
    done += octets->size();
    if (text.keys.found_all() && (body == nullptr || body->keys.found_all())) co_return Result<>();
  }
  extractor.finish(folded);
  co_await feed(text, folded);
  text.keys.next_range();
  if (body != nullptr) {
    co_await feed(*body, folded);
    body->keys.next_range();
  }
  co_return Result<>();
}

Task<Result<TextFindings>> TextLookup::in_message(const message::Summary& summary, MessageSource& source,
                                                  storage::ReadAhead& ahead,
                                                  const storage::UidSet& next) const {
  const bool header_only = wants_.body.empty() && wants_.message.empty();
  const message::BodyPart& root = summary.root;
  const std::uint64_t end = header_only ? root.header_size : root.header_size + root.body_size;
  auto opened = co_await source.open(end, ahead, next);
  if (!opened) co_return std::unexpected(std::move(opened).error());

  TextFindings findings;
  if (!wants_.fields.empty()) {
    auto fields = co_await in_fields(root, source);
    if (!fields) co_return std::unexpected(std::move(fields).error());
    findings.fields = *std::move(fields);
  }
  Search text = message_;
  Search body = body_;
  if (!header_only) {
    const auto scope = wants_.message.empty() ? message::TextScope::body : message::TextScope::message;
    for (const message::TextRange& range : message::text_ranges(summary, scope)) {
      const bool is_own_header = range.kind == message::TextRange::Kind::header && range.part == &root;
      const auto looked = co_await in_range(range, source, text, is_own_header ? nullptr : &body);
      if (!looked) co_return std::unexpected(looked.error());
      if (text.keys.found_all() && body.keys.found_all()) break;
    }
  }
  findings.message = text.results();
  findings.body = body.results();
  co_return findings;
}

}  // namespace posthorn::imap
