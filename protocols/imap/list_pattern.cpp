#include "protocols/imap/list_pattern.h"

#include "protocols/imap/cursor.h"

#include <algorithm>

namespace posthorn::imap {

namespace {

constexpr std::string_view inbox = "INBOX";

bool is_wildcard(char c) { return c == '*' || c == '%'; }

bool begins_with_inbox(std::string_view name) {
  return name.starts_with(inbox) && (name.size() == inbox.size() || name[inbox.size()] == '/');
}

}  // namespace

ListPattern::ListPattern(std::string_view reference, std::string_view pattern) {
  pattern_.reserve(reference.size() + pattern.size());
  for (const std::string_view part : {reference, pattern}) {
    for (const char c : part) {
      // Of wildcards side by side, `*` takes in the others, and one `%` does what many do.
      const bool follows_wildcard = !pattern_.empty() && is_wildcard(pattern_.back());
      if (!is_wildcard(c) || !follows_wildcard) {
        pattern_.push_back(c);
        plain_ += is_wildcard(c) ? 0 : 1;
      } else if (c == '*') {
        pattern_.back() = '*';
      }
    }
  }
}

// The places in the pattern that may come next once `name` has been read, as flags; the last is the pattern's
// end. Places that so short a name can't get to are left out.
std::vector<char> ListPattern::places_after(std::string_view name) const {
  const std::size_t end = std::min(pattern_.size(), 2 * name.size() + 1);
  std::vector<char> now(end + 1, 0);
  std::vector<char> then(end + 1, 0);
  // A wildcard may stand for nothing; two are never side by side.
  const auto enter = [&](std::vector<char>& places, std::size_t place) {
    places[place] = 1;
    if (place < end && is_wildcard(pattern_[place])) places[place + 1] = 1;
  };
  const std::size_t folded = begins_with_inbox(name) ? inbox.size() : 0;

  enter(now, 0);
  for (std::size_t i = 0; i < name.size(); ++i) {
    std::ranges::fill(then, 0);
    for (std::size_t place = 0; place < end; ++place) {
      if (!now[place]) continue;
      const char c = pattern_[place];
      if (is_wildcard(c)) {
        if (c == '*' || name[i] != '/') enter(then, place);
      } else if (c == name[i] || (i < folded && equal_ignoring_case({&c, 1}, name.substr(i, 1)))) {
        enter(then, place + 1);
      }
    }
    now.swap(then);
  }
  return now;
}

bool ListPattern::matches(std::string_view name) const {
  if (plain_ > name.size()) return false;
  return places_after(name).back() != 0;
}

}  // namespace posthorn::imap
