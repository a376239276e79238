#pragma once

#include "base/connection.h"
#include "message/binary_edit.h"
#include "message/structure.h"
#include "protocols/imap/command.h"
#include "protocols/imap/fetch_binary.h"
#include "protocols/imap/message_source.h"
#include "protocols/imap/section.h"
#include "protocols/imap/slice.h"
#include "storage/store.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The FETCH items that take octets of the message itself: BODY[...], the RFC822 ones, and BINARY's.
namespace posthorn::imap {

// The RFC822 items are sections under names of their own (RFC 3501 §6.4.5); nothing for what is no section.
std::optional<FetchBody> body_of(const FetchItem& item);

// The part of an item of BINARY; null for any other.
const std::vector<std::uint32_t>* binary_part_of(const FetchItem& item);

bool is_of_octets(const FetchItem& item);

// Whether it asks for a section of such a message that is in an unknown encoding, so that it fails (RFC 3516
// §4.3).
bool has_unknown_encoding(std::span<const FetchItem> items, const message::BodyPart& structure);

// The values of these items for one message. None is in memory as a whole, but for short ones, which have 64
// KiB together.
class FetchOctets {
 public:
  // `structure` and `edits` as they are kept of the message; what is asked for may do without. All of it
  // outlives this.
  FetchOctets(Connection& connection, storage::Mailbox& mailbox, const storage::Message& message,
              const message::BodyPart* structure, const std::vector<message::BinaryEdit>& edits)
      : connection_(connection),
        seen_(mailbox, message.uid, message.size),
        structure_(structure),
        edits_(edits),
        slice_(connection) {}
  FetchOctets(const FetchOctets&) = delete;
  FetchOctets& operator=(const FetchOctets&) = delete;

  // Does all that can fail; others than those of octets are passed over. Call it once, first; `ahead` and
  // `next` as of MessageSource::open().
  // Errors: as of MessageSource::open(), ContentReader::next().
  Task<Result<>> prepare(std::span<const FetchItem> items, storage::ReadAhead& ahead,
                         const storage::UidSet& next);

  // Puts the next one's value into the connection's output. If octets prove not to be there any more, the
  // connection ends: the client could not tell what follows from the rest of the message.
  Task<void> append_next();

 private:
  // A section without its encoding, read once more if it is too long to be kept.
  struct Decoded {
    EncodedSection section;
    std::optional<Partial> partial;
    Content content;
    MessageSource* source;
  };
  // Fields of a header, taken out of it as they are sent: a hundred items may each want most of a long one.
  struct Fields {
    Section section;
    std::optional<Partial> partial;
    Extent header;
  };
  struct Header {
    Extent extent;
    std::string octets;
  };
  // Fields, or a stretch of the message, or a content or its size; or NIL.
  struct Piece {
    std::optional<Fields> fields{};
    std::optional<Extent> extent{};
    std::optional<Decoded> decoded{};
    std::optional<std::uint64_t> size{};
  };

  std::uint64_t last_octet_needed(std::span<const FetchItem> items) const;
  Task<Result<Piece>> piece_of(const FetchItem& item);
  Task<Result<Piece>> piece_of(const FetchBody& body);
  Task<Result<Piece>> piece_of(const FetchBinary& binary);
  Task<Result<Piece>> piece_of(const FetchBinarySize& size);
  Task<Result<std::optional<Decoded>>> find_section(const std::vector<std::uint32_t>& part);
  Task<Result<>> read(Extent header);
  Task<void> send(const Fields& fields);
  Task<void> send(Extent extent);
  Task<void> send(const Decoded& decoded);
  [[noreturn]] void give_up(std::string_view cause);

  Connection& connection_;
  MessageSource seen_;
  std::optional<MessageSource> stored_;  // where that is another, and asked for
  const message::BodyPart* structure_;
  const std::vector<message::BinaryEdit>& edits_;
  Slice slice_;
  std::optional<Header> header_;  // the one that was read last
  std::vector<Piece> pieces_;
  std::size_t next_ = 0;
  std::size_t room_ = 65'536;  // for contents that are kept
};

}  // namespace posthorn::imap
