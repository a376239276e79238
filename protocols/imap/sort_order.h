#pragma once

#include "message/sort_keys.h"
#include "protocols/imap/command.h"
#include "storage/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// In which order SORT puts messages (RFC 5256 §3, RFC 5957 §4). Pure.
namespace posthorn::imap {

// Whether messages are compared by more than arrival and size.
bool needs_keys(std::span<const SortCriterion> criteria);

// A message and what it sorts by: octets, made of all criteria, whose order is the order of the messages. The
// first of them stand in a number, so that most comparisons look at nothing else.
struct Sortable {
  std::uint64_t prefix = 0;
  const char* rest = nullptr;
  std::uint32_t rest_size = 0;
  std::uint32_t place = 0;  // where nothing else tells two apart: the sequence number (§3)

  friend bool operator<(const Sortable& a, const Sortable& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = std::string_view(a.rest, a.rest_size).compare({b.rest, b.rest_size});
    return order != 0 ? order < 0 : a.place < b.place;
  }
};

// Makes Sortables, and owns the octets that they refer to.
class SortableMaker {
 public:
  explicit SortableMaker(std::span<const SortCriterion> criteria);
  SortableMaker(const SortableMaker&) = delete;
  SortableMaker& operator=(const SortableMaker&) = delete;

  // `keys` are what is known of the message; without a date sent it is INTERNALDATE (§2.2).
  Sortable make(std::uint32_t place, const storage::Message& message, const message::SortKeys& keys);

 private:
  void append_number(std::uint64_t number);
  void append_text(std::string_view text);
  void append(const SortCriterion& criterion, const storage::Message& message, const message::SortKeys& keys);
  const char* keep(std::string_view octets);

  std::vector<SortCriterion> criteria_;  // each key once
  std::string octets_;                   // of the message that is made
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;  // of the last block
  std::size_t left_ = 0;
};

}  // namespace posthorn::imap
