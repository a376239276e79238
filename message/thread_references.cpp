#include "message/thread_references.h"

#include "message/encoded_word.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace posthorn::message {
namespace {

// An id can't be folded, and no line is longer (RFC 5322 §2.1.1).
constexpr std::size_t max_id = 998;

// What separates, and what is left out of an id.
bool is_separator(char c) { return (c >= '\0' && c <= ' ') || c == '\x7f'; }

std::string without_separators(std::string_view text) {
  std::string out;
  std::ranges::remove_copy_if(text, std::back_inserter(out), is_separator);
  return out;
}

// The domain of an id with the comments that old mail has in it (RFC 5322 §4.5.4) taken out.
void remove_comments_after_at(std::string& id) {
  auto at = id.find('@');
  if (at == std::string::npos) return;
  std::string out;
  std::size_t kept = 0;  // of `id`, in `out`
  while ((at = id.find('(', at)) != std::string::npos) {
    const auto end = id.find(')', at);
    if (end == std::string::npos) break;
    out += id.substr(kept, at - kept);
    kept = at = end + 1;
  }
  id = out + id.substr(kept);
}

class IdReader {
 public:
  explicit IdReader(std::string_view text) : text_(text) {}

  std::vector<std::string> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '<') {
        take_id();
      } else if (c == '"') {
        if (const auto end = end_of_quoted()) {
          at_ = *end;
        } else {
          ++at_;
        }
      } else if (c == '(') {
        skip_comment();
      } else {
        ++at_;
      }
    }
    return std::move(ids_);
  }

 private:
  // One past the quoted string that begins at the cursor. The first look in vain is the last one: where no
  // quote follows, none does later.
  std::optional<std::size_t> end_of_quoted() {
    if (no_quote_) return std::nullopt;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        return i + 1;
      }
    }
    no_quote_ = true;
    return std::nullopt;
  }

  // Comments nest. One that does not end is none, and then no other is looked for.
  void skip_comment() {
    const auto begin = at_++;
    if (no_comment_) return;
    std::size_t depth = 1;
    for (; at_ < text_.size() && depth > 0; ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '(')
        ++depth;
      else if (text_[at_] == ')')
        --depth;
    }
    if (depth == 0) return;
    no_comment_ = true;
    at_ = begin + 1;
  }

  void take_id() {
    ++at_;
    std::string id;
    if (at_ < text_.size() && text_[at_] == '"') id = take_quoted_left_side();
    const auto end = std::min(text_.find_first_of("<>", at_), text_.size());
    id += without_separators(text_.substr(at_, end - at_));
    at_ = end < text_.size() && text_[end] == '>' ? end + 1 : end;
    if (id.size() > max_id) return;
    remove_comments_after_at(id);
    if (!id.empty()) ids_.push_back(std::move(id));
  }

  // RFC 2822 §3.6.4, no-fold-quote. Only with the "@" that has to follow; the cursor is on it then.
  std::string take_quoted_left_side() {
    const auto end = end_of_quoted();
    if (!end || *end == text_.size() || text_[*end] != '@') return {};
    std::string left;
    for (auto i = at_ + 1; i + 1 < *end; ++i) {
      if (text_[i] == '\\') ++i;
      if (!is_separator(text_[i])) left += text_[i];
    }
    at_ = *end;
    return left;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool no_quote_ = false;
  bool no_comment_ = false;
  std::vector<std::string> ids_;
};

// Words with "@" in them.
std::vector<std::string> bare_ids(std::string_view text) {
  std::vector<std::string> ids;
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(
        std::ranges::find_if(text, [](char c) { return is_separator(c) || c == ','; }) - text.begin());
    const auto word = text.substr(0, end);
    if (word.contains('@') && word.size() <= max_id) ids.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

// See thread_references().
std::vector<std::string> tidy(std::vector<std::string> ids, const std::optional<std::string>& own) {
  std::unordered_set<std::string> seen;
  if (own) seen.insert(*own);
  while (!ids.empty() && ids.back() == own) ids.pop_back();
  if (ids.empty()) return ids;
  auto parent = std::move(ids.back());
  ids.pop_back();
  seen.insert(parent);
  std::vector<std::string> once;
  for (auto& id : ids) {
    if (seen.insert(id).second) once.push_back(std::move(id));
  }
  once.push_back(std::move(parent));
  constexpr auto most = first_references_kept + last_references_kept;
  if (once.size() > most) {
    const auto first = once.begin() + static_cast<std::ptrdiff_t>(first_references_kept);
    once.erase(first, first + static_cast<std::ptrdiff_t>(once.size() - most));
  }
  return once;
}

std::vector<std::string> ids_of(const std::optional<std::string>& field) {
  return field ? parse_message_ids(*field) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> ThreadReferences::ancestors() const {
  if (!references.empty() || in_reply_to.empty()) return references;
  return {in_reply_to.front()};
}

std::vector<std::string> parse_message_ids(std::string_view value) {
  if (value.contains('<')) return IdReader(value).read();
  if (value.contains("=?")) {
    const auto decoded = decode_encoded_words(value);
    if (decoded.contains('<')) return IdReader(decoded).read();
  }
  return bare_ids(value);
}

ThreadReferences thread_references(const Summary& summary) {
  ThreadReferences links;
  if (auto ids = ids_of(summary.envelope.message_id); !ids.empty()) links.message_id = std::move(ids.front());
  links.in_reply_to = tidy(ids_of(summary.envelope.in_reply_to), links.message_id);
  links.references = tidy(ids_of(summary.references), links.message_id);
  return links;
}

}  // namespace posthorn::message
