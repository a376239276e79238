#include "protocols/imap/esearch.h"

#include "protocols/imap/printer_parts.h"
#include "protocols/imap/search_answer.h"

namespace posthorn::imap {

std::uint32_t Esearch::number_at(std::uint32_t place) const {
  return numbering_ == Numbering::uid ? view_.messages().at(place).uid : place + 1;
}

void Esearch::begin() {
  std::string& out = connection_.output();
  out += "* ESEARCH (TAG ";
  append_escaped(out, tag_);
  out += numbering_ == Numbering::uid ? ") UID" : ")";
}

void Esearch::append_first_and_last(std::uint32_t count, std::uint32_t first, std::uint32_t last,
                                    const SearchReturn& returned) {
  std::string& out = connection_.output();
  if (returned.min && count > 0) append_number(out += " MIN ", number_at(first));
  if (returned.max && count > 0) append_number(out += " MAX ", number_at(last));
  if (returned.count) append_number(out += " COUNT ", count);
}

void Esearch::end(std::optional<storage::ModSeq> mod_sequence) {
  std::string& out = connection_.output();
  if (mod_sequence) append_number(out += " MODSEQ ", *mod_sequence);
  out += "\r\n";
}

Task<void> Esearch::append_range(SequenceRange range, bool is_first) {
  co_await slice_;
  std::string& out = connection_.output();
  if (!is_first) out += ',';
  append_number(out, range.first);
  if (range.last != range.first) append_number(out += ':', range.last);
  co_await connection_.flush_if_large();
}

Task<void> Esearch::append(const Places& places) {
  bool is_first = true;
  for (const SequenceRange range : numbers_of(places, numbering_, view_.messages())) {
    co_await append_range(range, is_first);
    is_first = false;
  }
}

Task<void> Esearch::append(std::span<const std::uint32_t> sorted) {
  bool is_first = true;
  SequenceRange range;
  for (const std::uint32_t place : sorted) {
    const std::uint32_t number = number_at(place);
    if (range.first != 0 && number == range.last + 1) {
      range.last = number;
      continue;
    }
    if (range.first != 0) {
      co_await append_range(range, is_first);
      is_first = false;
    }
    range = {number, number};
  }
  co_await append_range(range, is_first);
}

Task<void> Esearch::send(const Places& found, const SearchReturn& returned,
                         std::optional<storage::ModSeq> mod_sequence) {
  begin();
  const std::uint32_t count = found.count();
  const std::uint32_t first = count > 0 ? found.ranges().front().begin : 0;
  append_first_and_last(count, first, count > 0 ? found.ranges().back().end - 1 : 0, returned);
  if (returned.all && count > 0) {
    connection_.queue(" ALL ");
    co_await append(found);
  }
  if (returned.partial) {
    const Places part = found.partial(*returned.partial);
    append_partial_range(connection_.output() += " PARTIAL (", *returned.partial);
    connection_.queue(part.empty() ? " NIL" : " ");
    if (!part.empty()) co_await append(part);
    connection_.queue(")");
  }
  end(mod_sequence);
}

Task<void> Esearch::send(std::span<const std::uint32_t> sorted, const SearchReturn& returned,
                         std::optional<storage::ModSeq> mod_sequence) {
  begin();
  const auto count = static_cast<std::uint32_t>(sorted.size());
  append_first_and_last(count, count > 0 ? sorted.front() : 0, count > 0 ? sorted.back() : 0, returned);
  if (returned.all && count > 0) {
    connection_.queue(" ALL ");
    co_await append(sorted);
  }
  if (returned.partial) {
    const auto part = partial_of(sorted, *returned.partial);
    append_partial_range(connection_.output() += " PARTIAL (", *returned.partial);
    connection_.queue(part.empty() ? " NIL" : " ");
    if (!part.empty()) co_await append(part);
    connection_.queue(")");
  }
  end(mod_sequence);
}

}  // namespace posthorn::imap
