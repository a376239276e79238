#include "storage/acl.h"

#include "storage/account_path.h"

#include <unicode/unistr.h>
#include <unicode/usprep.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace posthorn::storage {
namespace {

constexpr std::string_view heading = "posthorn-acl ";
constexpr std::string_view version = "1";
// Longer than any address that an account can have.
constexpr std::size_t longest_identifier = 1'024;

struct CloseProfile {
  void operator()(UStringPrepProfile* profile) const { usprep_close(profile); }
};

// RFC 4013.
Result<std::string> prepared(std::string_view text) {
  if (text.size() > longest_identifier) return malformed("identifier: too long");
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UStringPrepProfile, CloseProfile> profile(
      usprep_openByType(USPREP_RFC4013_SASLPREP, &status));
  if (U_FAILURE(status) != 0) return failure(Errc::io, "ICU has no SASLprep");
  const auto source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  // What is not UTF-8 has become this.
  if (source.indexOf(char16_t{0xfffd}) >= 0) return malformed("identifier: not UTF-8");
  std::vector<char16_t> target(4 * static_cast<std::size_t>(source.length()) + 16);
  const int32_t size = usprep_prepare(profile.get(), source.getBuffer(), source.length(), target.data(),
                                      static_cast<int32_t>(target.size()), USPREP_DEFAULT, nullptr, &status);
  if (U_FAILURE(status) != 0) return malformed("identifier: not allowed by SASLprep");
  std::string result;
  icu::UnicodeString(target.data(), size).toUTF8String(result);
  return result;
}

bool is_anyone(std::string_view text) {
  return std::ranges::equal(text, anyone, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

std::string negative(std::string_view identifier) { return "-" + std::string(identifier); }

}  // namespace

Result<std::string> canonical_identifier(std::string_view text, std::string_view domain) {
  std::string name = TRY(prepared(text));
  const bool is_negative = name.starts_with('-');
  if (is_negative) name.erase(0, 1);
  if (name.empty()) return malformed("identifier: empty");
  std::string canonical(anyone);
  if (!is_anyone(name)) {
    if (name.find('@') == std::string::npos) name.append("@").append(domain);
    auto address = canonical_address(name);
    if (!address) return malformed("identifier: " + address.error().detail);
    canonical = *std::move(address);
  }
  return is_negative ? negative(canonical) : canonical;
}

Rights Acl::granted(std::string_view identifier) const {
  const auto found = std::ranges::find(entries_, identifier, &Entry::identifier);
  return found == entries_.end() ? Rights() : found->rights;
}

Rights Acl::rights_of(std::string_view user) const {
  const Rights taken = granted(negative(user)) | granted(negative(anyone));
  return (granted(user) | granted(anyone)).without(taken);
}

Result<> Acl::change(std::string_view identifier, RightsChange change, std::size_t most) {
  const Rights rights = changed(granted(identifier), change);
  const auto found = std::ranges::find(entries_, identifier, &Entry::identifier);
  if (rights.empty()) {
    if (found != entries_.end()) entries_.erase(found);
  } else if (found != entries_.end()) {
    found->rights = rights;
  } else if (entries_.size() >= most) {
    return too_large("entries of an access control list");
  } else {
    entries_.push_back({std::string(identifier), rights});
  }
  return {};
}

Result<Acl> parse_acl(std::string_view text) {
  Acl acl;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return malformed("cut posthorn-acl file");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (std::exchange(is_first, false)) {
      if (!line.starts_with(heading)) return malformed("not a posthorn-acl file");
      if (line.substr(heading.size()) == version) continue;
      return failure(Errc::unavailable, "posthorn-acl file of another version");
    }
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == line.size()) {
      return malformed("line of a posthorn-acl file");
    }
    const Rights rights = TRY(parse_rights(line.substr(0, space)));
    const std::string_view identifier = line.substr(space + 1);
    if (!acl.granted(identifier).empty()) return malformed("identifier that stands twice");
    TRY(acl.change(identifier, {RightsChange::How::replace, rights}, most_acl_entries));
  }
  if (is_first) return malformed("empty posthorn-acl file");
  return acl;
}

std::string to_string(const Acl& acl) {
  std::string text = std::string(heading) + std::string(version) + "\n";
  for (const Acl::Entry& entry : acl.entries()) {
    text += to_string(entry.rights) + " " + entry.identifier + "\n";
  }
  return text;
}

}  // namespace posthorn::storage
