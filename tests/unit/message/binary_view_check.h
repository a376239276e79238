#pragma once

#include "message/binary_view.h"
#include "message/transfer_encoding.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

inline ReadStored reader_of(std::string_view octets) {
  return [octets](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return std::string(octets.substr(std::min<std::size_t>(octets.size(), offset), size));
  };
}

// The whole of what is seen, read in steps of `step` octets.
inline std::string seen(const BinaryView& view, std::string_view stored, std::size_t step = 1 << 20) {
  std::string all;
  while (all.size() < view.size()) all += view.read(all.size(), step, reader_of(stored)).value();
  return all;
}

inline void collect_leaves(const BodyPart& part, std::vector<const BodyPart*>& leaves) {
  if (part.children.empty()) leaves.push_back(&part);
  for (const auto& child : part.children) collect_leaves(child, leaves);
}

inline std::string_view body_of(const BodyPart& part, std::string_view whole) {
  return whole.substr(part.body_offset, part.body_size);
}

// What the view of `stored` promises; empty if all holds, or if it can't be shown, else what is broken.
inline std::string broken_view(std::string_view stored) {
  const auto before = parse_summary(stored);
  const auto edits = find_binary_edits(before.root, stored.size(), reader_of(stored));
  if (!edits) return edits.error().code == Errc::not_allowed ? "" : edits.error().detail;
  if (edits->empty() != !stored.contains('\0')) return "edits without NUL, or none for one";
  const BinaryView view(*edits, stored.size());
  const auto whole = seen(view, stored);
  if (whole.size() != view.size()) return "size";
  if (whole.contains('\0')) return "NUL";
  const std::size_t step = whole.size() / 7 + 1;
  if (seen(view, stored, step) != whole) return "in steps";
  const auto summary = summarise(view, *edits, reader_of(stored));
  if (!summary || summary->edits != *edits) return "summary";
  if (summary->root != parse_summary(whole).root) return "structure of what is seen";
  std::vector<const BodyPart*> old_leaves;
  std::vector<const BodyPart*> leaves;
  collect_leaves(before.root, old_leaves);
  collect_leaves(summary->root, leaves);
  if (leaves.size() != old_leaves.size()) return "other parts";
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const auto body = body_of(*old_leaves[i], stored);
    const auto now = body_of(*leaves[i], whole);
    const bool is_binary = body.contains('\0');
    if (is_binary && decode_transfer(now, transfer_encoding_of(leaves[i]->encoding)) != body)
      return "content";
    if (!is_binary && now != body) return "content of another part";
    const auto stored_end = view.stored_offset(leaves[i]->body_offset + leaves[i]->body_size);
    if (view.stored_offset(leaves[i]->body_offset) != old_leaves[i]->body_offset)
      return "beginning of a part";
    if (stored_end != old_leaves[i]->body_offset + old_leaves[i]->body_size) return "end of a part";
  }
  return {};
}

}  // namespace posthorn::message
