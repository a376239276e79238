#include "protocols/imap/search_text.h"

#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/text.h"
#include "protocols/imap/section.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

// Decoded and folded between two looks at the time.
constexpr std::size_t step = 8'192;

bool has_field(std::string_view header, const TextWants::Field& wanted) {
  return std::ranges::any_of(
      message::find_fields(header, wanted.name), [&](const message::HeaderField& field) {
        const std::string text = message::decode_encoded_words(message::unfold(field.value));
        return message::fold_for_search(text).find(wanted.folded) != std::string::npos;
      });
}

Task<Result<std::vector<bool>>> look_for_fields(const TextWants& wants, const message::BodyPart& root,
                                                MessageSource& source) {
  std::vector<bool> found;
  // All fields but none in particular: the header itself.
  auto header =
      co_await header_fields({.text = Section::Text::header_fields_not}, {0, root.header_size}, source);
  if (!header) co_return std::unexpected(std::move(header).error());
  for (const TextWants::Field& field : wants.fields) found.push_back(has_field(*header, field));
  co_return found;
}

// Feeds one stretch of the message to both searches; `body` only where the stretch belongs to the body.
Task<Result<>> look_in(const message::TextRange& range, MessageSource& source, message::TextSearch& text,
                       message::TextSearch* body, Slice& slice) {
  message::TextExtractor extractor(range);
  std::string folded;
  const auto search = [&] {
    text.feed(folded);
    if (body != nullptr) body->feed(folded);
    folded.clear();
  };
  const Extent there = within({range.offset, range.size}, source.size());
  for (std::uint64_t done = 0; done < there.size;) {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(there.size - done, MessageSource::longest_read));
    const auto octets = co_await source.read(there.offset + done, count);
    if (!octets) co_return std::unexpected(octets.error());
    if (octets->empty()) break;
    for (std::size_t at = 0; at < octets->size(); at += step) {
      extractor.feed(std::string_view(*octets).substr(at, step), folded);
      search();
      co_await slice;
    }
    done += octets->size();
    if (text.found_all() && (body == nullptr || body->found_all())) co_return Result<>();
  }
  extractor.finish(folded);
  search();
  text.next_range();
  if (body != nullptr) body->next_range();
  co_return Result<>();
}

std::vector<bool> results(const message::TextSearch& search, std::size_t count) {
  std::vector<bool> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(search.found(i));
  return found;
}

}  // namespace

Task<Result<TextFindings>> look_for(const TextWants& wants, const message::Summary& summary,
                                    MessageSource& source, Slice& slice) {
  const bool header_only = wants.body.empty() && wants.message.empty();
  const message::BodyPart& root = summary.root;
  auto opened = co_await source.open(header_only ? root.header_size : root.header_size + root.body_size);
  if (!opened) co_return std::unexpected(std::move(opened).error());

  TextFindings findings;
  if (!wants.fields.empty()) {
    auto fields = co_await look_for_fields(wants, root, source);
    if (!fields) co_return std::unexpected(std::move(fields).error());
    findings.fields = *std::move(fields);
  }
  message::TextSearch text(wants.message);
  message::TextSearch body(wants.body);
  if (!header_only) {
    const auto scope = wants.message.empty() ? message::TextScope::body : message::TextScope::message;
    for (const message::TextRange& range : message::text_ranges(summary, scope)) {
      const bool is_own_header = range.kind == message::TextRange::Kind::header && range.part == &root;
      auto looked = co_await look_in(range, source, text, is_own_header ? nullptr : &body, slice);
      if (!looked) co_return std::unexpected(std::move(looked).error());
      if (text.found_all() && body.found_all()) break;
    }
  }
  findings.message = results(text, wants.message.size());
  findings.body = results(body, wants.body.size());
  co_return findings;
}

}  // namespace posthorn::imap
