#include "message/summary_codec.h"
#include "protocols/imap/catenate_url.h"
#include "protocols/imap/message_source.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/section.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <utility>

// The URLs of CATENATE (RFC 4469 §3): octets of messages that are here already, as FETCH BODY would give
// them. No message is in memory as a whole.
namespace posthorn::imap {
namespace {

// url-resp-text of RFC 4469 §5, and what else has no place in a line.
Reply bad_url(std::string_view url) {
  std::string text = "[BADURL ";
  for (const char c : url) {
    if (c > 0x20 && c < 0x7f && c != ']') {
      text += c;
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF";
      const unsigned octet = static_cast<unsigned char>(c);
      text += '%';
      text += digits[octet >> 4U];
      text += digits[octet & 15U];
    }
  }
  return no(text + "] There is no such message or part of one");
}

// What a URL names: a stretch of `message`, or a text made from its header.
struct Named {
  std::optional<MessageSource> message;
  Extent extent;
  std::optional<std::string> text;
};

Extent cut(Extent whole, const MessageUrl::Range& range) {
  return cut(whole, Partial{.first = range.first, .count = range.count.value_or(whole.size)});
}

// Errors: not_found where there is nothing of that name; others as of storage.
Task<Result<Named>> find(storage::Mailbox& mailbox, const MessageUrl& url) {
  const auto messages = mailbox.snapshot();
  const auto place = messages->find(url.uid);
  if (!place) co_return not_found("message");
  const std::uint64_t size = messages->at(*place).size;
  std::optional<Extent> whole = Extent{0, size};
  if (needs_structure(url.section)) {
    storage::UidSet uids;
    uids.append(url.uid);
    const auto summaries = co_await mailbox.summaries(std::move(uids));
    if (!summaries) co_return std::unexpected(summaries.error());
    if (summaries->why) co_return std::unexpected(*summaries->why);
    if (summaries->list.empty()) co_return not_found("message");
    const auto structure = message::decode_structure(summaries->list.front().encoded);
    if (!structure) co_return std::unexpected(structure.error());
    whole = extent_of(url.section, *structure);
  }
  if (!whole) co_return not_found("part of the message");

  Named named{.message = MessageSource(mailbox, url.uid, size), .extent = {}, .text = std::nullopt};
  const auto opened = co_await named.message->open(whole->offset + whole->size);
  if (!opened) co_return std::unexpected(opened.error());
  named.extent = within(*whole, named.message->size());
  if (is_filtered(url.section)) {
    auto fields = co_await header_fields(url.section, named.extent, *named.message);
    if (!fields) co_return std::unexpected(std::move(fields).error());
    named.text = *std::move(fields);
    named.extent = {0, named.text->size()};
  }
  if (url.range) named.extent = cut(named.extent, *url.range);
  co_return named;
}

Task<Result<std::string>> read(Named& named, std::size_t count) {
  if (!named.text) co_return co_await named.message->read(named.extent.offset, count);
  co_return named.text->substr(static_cast<std::size_t>(named.extent.offset), count);
}

}  // namespace

// Writes what `url` names to `spool`.
Task<std::optional<Reply>> Session::write_url(const std::string& url, storage::Spool& spool) {
  const auto parsed = parse_message_url(url);
  if (!parsed) co_return bad_url(url);
  std::string name = parsed->mailbox;
  if (enabled_.dialect.utf8()) name = co_await name_found(std::move(name));
  const auto mailbox = co_await account_->open(std::move(name));
  if (!mailbox) {
    const bool is_name = mailbox.error().code == Errc::not_found || mailbox.error().code == Errc::not_allowed;
    co_return is_name ? bad_url(url) : reply_to(mailbox.error());
  }
  if (parsed->uid_validity && *parsed->uid_validity != (*mailbox)->info().uid_validity) {
    co_return bad_url(url);
  }
  auto named = co_await find(**mailbox, *parsed);
  if (!named) co_return named.error().code == Errc::not_found ? bad_url(url) : reply_to(named.error());
  if (named->extent.size > settings_.message_octets) {
    co_return no("[TOOBIG] The message is too large");
  }
  Slice slice(connection_);
  while (named->extent.size > 0) {
    co_await slice;
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(named->extent.size, MessageSource::longest_read));
    auto octets = co_await read(*named, count);
    if (octets && octets->size() != count)
      octets = failure(Errc::corrupt, "a message is shorter than it was");
    if (!octets) co_return reply_to_unstored(octets.error());
    // As FETCH gives them: no literal has a NUL (RFC 3501 §9, CHAR8).
    std::ranges::replace(*octets, '\0', '\x80');
    const auto written = co_await spool.write(*octets);
    if (!written) co_return reply_to_unstored(written.error());
    named->extent.offset += count;
    named->extent.size -= count;
  }
  co_return std::nullopt;
}

}  // namespace posthorn::imap
