#pragma once

#include "message/common_fields.h"
#include "message/header.h"
#include "message/structure.h"
#include "message/summary_codec.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// What every part of a Summary promises (see BodyPart); empty if all holds, else what is broken.
inline std::string broken_promise(const BodyPart& part, std::uint64_t end) {
  if (part.type.empty() || part.subtype.empty()) return "empty type";
  if (part.body_offset != part.header_offset + part.header_size) return "body does not follow its header";
  const auto part_end = part.body_offset + part.body_size;
  if (part_end > end) return "part ends outside of its parent";
  if (part.body_lines > part.body_size || part.header_lines > part.header_size)
    return "more lines than octets";
  if (part.is_message() != part.envelope.has_value())
    return "envelope without message, or message without envelope";
  if (part.is_message() && part.children.size() != 1) return "message without its one child";
  if (part.is_multipart() == part.children.empty() && !part.is_message())
    return "children do not fit the type";
  if (part.disposition && part.disposition->type.empty()) return "empty disposition";
  auto at = part.body_offset;
  for (const auto& child : part.children) {
    if (child.header_offset < at) return "child begins before its place";
    if (auto broken = broken_promise(child, part_end); !broken.empty()) return broken;
    at = child.body_offset + child.body_size;
  }
  if (part.is_message() && part.children[0].header_offset != part.body_offset)
    return "embedded message is not the body";
  return {};
}

// The same for a whole Summary of a message of `size` octets on the wire, and that it survives the codec.
inline std::string broken_promise(const Summary& summary, std::uint64_t size) {
  if (summary.root.header_offset != 0) return "message does not begin at 0";
  if (summary.root.body_offset + summary.root.body_size != size) return "message does not end at its end";
  if (auto broken = broken_promise(summary.root, size); !broken.empty()) return broken;
  const auto bytes = encode(summary);
  if (decode(bytes) != summary) return "codec changes the summary";
  if (decode_envelope(bytes) != summary.envelope) return "codec changes the envelope alone";
  if (decode_structure(bytes) != summary.root) return "codec changes the structure alone";
  return {};
}

// Whether what was kept of the header of `wire` answers for these fields as the header itself does.
inline bool kept_fields_agree(const Summary& summary, std::string_view wire,
                              const std::vector<std::string>& names) {
  if (!summary.common_fields) return true;
  const auto wanted = common_field_set(names);
  if (!wanted) return false;
  std::string kept;
  if (!append_common_fields(*summary.common_fields, *wanted, kept)) {
    // Received, where it is long, is the one that may be missing.
    std::vector<std::string> others = names;
    return std::erase(others, "Received") > 0 && kept_fields_agree(summary, wire, others);
  }
  return kept == filter_fields(wire.substr(0, summary.root.header_size), names, FieldFilter::only);
}

// Parses `bytes` in chunks of `size` octets.
inline Summary parse_in_chunks(std::string_view bytes, std::size_t size, LineEnds ends,
                               const Limits& limits = {}) {
  SummaryParser parser(ends, limits);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    parser.feed(bytes.substr(0, size));
  return parser.finish();
}

// In chunks of 0 to `most` octets, as `seed` has it.
inline Summary parse_in_random_chunks(std::string_view bytes, unsigned seed, std::size_t most,
                                      LineEnds ends) {
  std::minstd_rand random(seed);
  SummaryParser parser(ends);
  while (!bytes.empty()) {
    const auto chunk = bytes.substr(0, random() % (most + 1));
    parser.feed(chunk);
    bytes.remove_prefix(chunk.size());
  }
  return parser.finish();
}

// The wire form of `bytes`.
inline std::string wire_form(std::string_view bytes, LineEnds ends = LineEnds::lf) {
  std::string out;
  WireForm form(ends);
  form.feed(bytes, out);
  return out;
}

}  // namespace posthorn::message
