#include "protocols/imap/fetch_binary.h"

#include "message/binary_view.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <limits>

namespace posthorn::imap {

Result<std::optional<EncodedSection>> encoded_section(const std::vector<std::uint32_t>& part,
                                                      const message::BodyPart& root) {
  if (part.empty())
    return EncodedSection{.extent = {0, root.header_size + root.body_size}, .is_composite = true};
  const message::BodyPart* found = message::find_part(root, part);
  if (found == nullptr) return std::nullopt;
  EncodedSection section{.extent = {found->body_offset, found->body_size},
                         .is_composite = !found->children.empty()};
  if (found->is_multipart()) return section;
  if (!message::is_known_encoding(found->encoding)) {
    return failure(Errc::unavailable, "Content-Transfer-Encoding " + *found->encoding);
  }
  section.encoding = message::transfer_encoding_of(found->encoding);
  return section;
}

EncodedSection stored_section(const EncodedSection& section, const std::vector<message::BinaryEdit>& edits,
                              std::uint64_t stored_size) {
  const message::BinaryView view(edits, stored_size);
  EncodedSection stored = section;
  stored.extent.offset = view.stored_offset(section.extent.offset);
  stored.extent.size = view.stored_offset(section.extent.offset + section.extent.size) - stored.extent.offset;
  return stored;
}

ContentReader::ContentReader(MessageSource& source, const EncodedSection& section,
                             const std::optional<Partial>& partial)
    : source_(source),
      decoder_(section.encoding),
      rest_(section.extent),
      skipped_(partial ? partial->first : 0),
      wanted_(partial ? partial->count : std::numeric_limits<std::uint64_t>::max()) {
  if (section.encoding != message::TransferEncoding::identity) return;
  rest_ = cut(rest_, partial);
  skipped_ = 0;
}

Task<Result<std::string>> ContentReader::next() {
  std::string decoded;
  while (decoded.empty() && wanted_ > 0 && !is_finished_) {
    if (rest_.size > 0) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(rest_.size, MessageSource::longest_read));
      const auto octets = co_await source_.read(rest_.offset, count);
      if (!octets) co_return std::unexpected(octets.error());
      if (octets->size() != count) co_return failure(Errc::corrupt, "a message is shorter than it was");
      decoder_.feed(*octets, decoded);
      rest_ = {rest_.offset + count, rest_.size - count};
    } else {
      decoder_.finish(decoded);
      is_finished_ = true;
    }
    const auto before = static_cast<std::size_t>(std::min<std::uint64_t>(skipped_, decoded.size()));
    decoded.erase(0, before);
    skipped_ -= before;
    if (decoded.size() > wanted_) decoded.resize(static_cast<std::size_t>(wanted_));
    wanted_ -= decoded.size();
  }
  co_return decoded;
}

Task<Result<Content>> examine(Connection& connection, ContentReader reader, std::size_t longest_kept) {
  Slice slice(connection);
  Content content{.octets = std::string()};
  while (true) {
    co_await slice;
    auto octets = co_await reader.next();
    if (!octets) co_return std::unexpected(std::move(octets).error());
    if (octets->empty()) co_return content;
    content.size += octets->size();
    content.has_nul = content.has_nul || octets->contains('\0');
    if (content.octets && content.size <= longest_kept) {
      *content.octets += *octets;
    } else {
      content.octets.reset();
    }
  }
}

}  // namespace posthorn::imap
