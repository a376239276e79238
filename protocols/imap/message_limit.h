#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/places.h"
#include "protocols/imap/reply.h"
#include "storage/snapshot.h"

#include <cstdint>
#include <optional>
#include <string>

// How many messages one command works on (RFC 9738): of more than that, the newest, or none where a command
// does all or nothing. Pure.
namespace posthorn::imap {

// In which order messages are told: the highest UID first where a limit leaves out those at the end.
enum class Order { ascending, descending };

// The messages that a command works on.
struct Limited {
  Places places;
  std::optional<storage::Uid> lowest{};  // of them, where others were left out

  Order order() const { return lowest ? Order::descending : Order::ascending; }
};

// The newest `limit` of `places` (§3.1).
Limited newest(const Places& places, std::uint32_t limit, const storage::Snapshot& messages);

// `places` in pieces of at most `size`, the pieces in this order.
std::vector<Places> pieces_in_order(const Places& places, std::uint32_t size, Order order);

// The places of `piece` one by one.
std::vector<std::uint32_t> in_order(const Places& piece, Order order);

// How many messages a PARTIAL of FETCH asks for; a limit on them is a limit on this (§3.1).
std::uint64_t count_of(const PartialRange& range);

// "[MESSAGELIMIT 1000 23221]" or "[MESSAGELIMIT 1000]" (§4).
std::string message_limit_code(std::uint32_t limit, std::optional<storage::Uid> lowest = std::nullopt);

// The reply to a command that did nothing, as `places`, all of which it would work on, are more than `limit`;
// nothing if they are not.
std::optional<Reply> refusal_beyond(std::uint32_t limit, const Places& places,
                                    const storage::Snapshot& messages);

// Which messages a search looks at: those that the numbers and UIDs at the top of `key` leave (§3.1). `$` is
// `saved`.
Places searched(const SearchKey& key, const storage::Snapshot& messages, const Places& saved);

}  // namespace posthorn::imap
