#include "message/common_fields.h"

#include "message/header.h"

#include <algorithm>
#include <array>

namespace posthorn::message {
namespace {

constexpr std::size_t longest_kept = 4096;

// Ascending. Content-Transfer-Encoding is not among them, as FETCH may show another one than is stored (RFC
// 3516 §4.3). The place of a name is in what was kept: a change of the list is a new version of the summary.
constexpr std::array<std::string_view, 47> names{
    "auto-submitted",
    "bcc",
    "cc",
    "content-class",
    "content-description",
    "content-disposition",
    "content-language",
    "content-type",
    "date",
    "delivered-to",
    "disposition-notification-to",
    "followup-to",
    "from",
    "importance",
    "in-reply-to",
    "keywords",
    "lines",
    "list-id",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mail-followup-to",
    "mail-reply-to",
    "message-id",
    "mime-version",
    "newsgroups",
    "organization",
    "precedence",
    "priority",
    "received",
    "references",
    "reply-to",
    "resent-from",
    "return-path",
    "sender",
    "subject",
    "to",
    "user-agent",
    "x-identity-key",
    "x-k9mail-identity",
    "x-label",
    "x-mailer",
    "x-msmail-priority",
    "x-original-to",
    "x-priority",
    "x-spam-flag",
};
static_assert(std::ranges::is_sorted(names) && names.size() < common_field_limit);

// In the place of a field: the blank line.
constexpr std::size_t blank_line = common_field_limit;
// At the very beginning: the Received fields were left out.
constexpr std::size_t without_received = common_field_limit + 1;

constexpr std::size_t received =
    std::ranges::lower_bound(names, std::string_view("received")) - names.begin();
static_assert(names[received] == "received");

std::optional<std::size_t> place_of(std::string_view name) {
  const std::string lower = to_lower_ascii(name);
  const auto found = std::ranges::lower_bound(names, std::string_view(lower));
  if (found == names.end() || *found != lower) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::optional<CommonFieldSet> common_field_set(std::span<const std::string> wanted) {
  CommonFieldSet set;
  for (const std::string& name : wanted) {
    const auto place = place_of(name);
    if (!place) return std::nullopt;
    set.set(*place);
  }
  return set;
}

namespace {

enum class Received { kept, left_out };

// Each is its place, its size as two octets, and its lines with CRLF. Nothing if that gets too long.
std::optional<std::string> keep(std::string_view block, Received received_fields) {
  std::string kept;
  HeaderReader reader(block);
  while (const auto field = reader.next()) {
    const auto place = place_of(field->name);
    if (!place || (*place == received && received_fields == Received::left_out)) continue;
    kept += static_cast<char>(*place);
    const std::size_t size_at = kept.size();
    kept += "  ";
    append_with_crlf(field->raw, kept);
    if (kept.size() > longest_kept) return std::nullopt;
    const std::size_t size = kept.size() - size_at - 2;
    kept[size_at] = static_cast<char>(size & 0xff);
    kept[size_at + 1] = static_cast<char>(size >> 8);
  }
  return kept;
}

}  // namespace

std::optional<std::string> keep_common_fields(std::string_view block, bool ends_with_blank_line) {
  if (block.contains('\r') || block.contains('\0')) return std::nullopt;
  auto kept = keep(block, Received::kept);
  if (!kept) {
    kept = keep(block, Received::left_out);
    if (kept) kept->insert(kept->begin(), static_cast<char>(without_received));
  }
  if (kept && ends_with_blank_line) *kept += static_cast<char>(blank_line);
  return kept;
}

namespace {

// Calls `visit(octets)` for each of the fields that are wanted, and for the blank line. False as
// append_common_fields() is; some may have been visited by then.
template <class Visit>
bool each_wanted(std::string_view kept, const CommonFieldSet& wanted, Visit visit) {
  if (kept.starts_with(static_cast<char>(without_received))) {
    if (wanted[received]) return false;
    kept.remove_prefix(1);
  }
  while (!kept.empty()) {
    const std::size_t place = static_cast<unsigned char>(kept[0]);
    if (place == blank_line && kept.size() == 1) {
      visit("\r\n");
      return true;
    }
    if (place >= names.size() || kept.size() < 3) return false;
    const std::size_t size = static_cast<unsigned char>(kept[1]) + 256U * static_cast<unsigned char>(kept[2]);
    kept.remove_prefix(3);
    if (size > kept.size()) return false;
    if (wanted[place]) visit(kept.substr(0, size));
    kept.remove_prefix(size);
  }
  return true;
}

}  // namespace

bool append_common_fields(std::string_view kept, const CommonFieldSet& wanted, std::string& out) {
  const std::size_t before = out.size();
  const bool is_whole = each_wanted(kept, wanted, [&](std::string_view octets) { out += octets; });
  if (!is_whole) out.resize(before);
  return is_whole;
}

std::optional<std::size_t> common_fields_size(std::string_view kept, const CommonFieldSet& wanted) {
  std::size_t size = 0;
  const bool is_whole = each_wanted(kept, wanted, [&](std::string_view octets) { size += octets.size(); });
  return is_whole ? std::optional(size) : std::nullopt;
}

}  // namespace posthorn::message
