#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/command.h"
#include "protocols/imap/places.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/view.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace posthorn::imap {

// Sends the ESEARCH response to a SEARCH (RFC 4731 §3.1) or a SORT (RFC 5267 §3).
class Esearch {
 public:
  // `view` and `tag` outlive this.
  Esearch(Connection& connection, const View& view, std::string_view tag, Numbering numbering)
      : connection_(connection), view_(view), tag_(tag), numbering_(numbering), slice_(connection) {}
  Esearch(const Esearch&) = delete;
  Esearch& operator=(const Esearch&) = delete;

  // "* ESEARCH (TAG "A282") MIN 2 COUNT 3" of what was found, in the mailbox's order. `mod_sequence`, where
  // there is one, is told at its end (RFC 7162 §3.1.10).
  Task<void> send(const Places& found, const SearchReturn& returned,
                  std::optional<storage::ModSeq> mod_sequence);
  // The same in an order of its own, given as places.
  Task<void> send(std::span<const std::uint32_t> sorted, const SearchReturn& returned,
                  std::optional<storage::ModSeq> mod_sequence);

  // "* ESEARCH (TAG "A282") UID"
  void begin();
  // Appends "5,3,1:2": ranges only where the order is ascending (RFC 5267 §3.2). At least one.
  Task<void> append(std::span<const std::uint32_t> sorted);

 private:
  Task<void> append(const Places& places);
  void append_first_and_last(std::uint32_t count, std::uint32_t first, std::uint32_t last,
                             const SearchReturn& returned);
  void end(std::optional<storage::ModSeq> mod_sequence);
  std::uint32_t number_at(std::uint32_t place) const;
  Task<void> append_range(SequenceRange range, bool is_first);

  Connection& connection_;
  const View& view_;
  std::string_view tag_;
  Numbering numbering_;
  Slice slice_;
};

}  // namespace posthorn::imap
