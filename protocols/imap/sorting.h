#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/form_reading.h"
#include "protocols/imap/places.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/sort_order.h"
#include "protocols/imap/view.h"

#include <cstdint>
#include <span>
#include <vector>

namespace posthorn::imap {

// Puts messages into the order of a SORT (RFC 5256 §3).
class Sorting {
 public:
  // All of it outlives this, and the view's messages do not change meanwhile.
  Sorting(Connection& connection, View& view, std::span<const SortCriterion> criteria)
      : view_(view),
        maker_(criteria),
        needs_keys_(needs_keys(criteria)),
        slice_(connection),
        reading_(connection, view, storage::Form::sort, slice_) {}
  Sorting(const Sorting&) = delete;
  Sorting& operator=(const Sorting&) = delete;

  Task<std::vector<std::uint32_t>> run(const Places& places);

  // Whether messages were sorted as ones without header fields, as they could not be read.
  bool failed() const { return reading_.failed(); }

 private:
  Task<void> without_keys(const Places& places);
  void add(std::uint32_t place, const storage::Message& message, std::string_view encoded);

  View& view_;
  SortableMaker maker_;
  bool needs_keys_;
  Slice slice_;
  FormReading reading_;
  std::vector<Sortable> sortables_;
};

}  // namespace posthorn::imap
