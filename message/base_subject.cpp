#include "message/base_subject.h"

#include "message/encoded_word.h"
#include "message/header.h"

#include <algorithm>
#include <optional>

namespace posthorn::message {
namespace {

// Step (1): encoded words decoded, white space and line ends single spaces. So WSP is a space from here on.
std::string on_one_line(std::string_view value) {
  std::string out;
  bool after_space = false;
  for (const char c : decode_encoded_words(value)) {
    if (c == '\0') continue;
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!space) {
      out += c;
    } else if (!after_space) {
      out += ' ';
    }
    after_space = space;
  }
  return out;
}

bool starts_with(std::string_view text, std::string_view lower) {
  return equal_ignoring_case(text.substr(0, lower.size()), lower);
}

bool ends_with(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && starts_with(text.substr(text.size() - lower.size()), lower);
}

std::string_view without_spaces(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

// What follows the subj-blob at the start of `text`. It looks no further than the next bracket, so that looks
// at all of a text's blobs take linear time.
std::optional<std::string_view> after_blob(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto end = text.find_first_of("[]", 1);
  if (end == std::string_view::npos || text[end] == '[') return std::nullopt;
  return without_spaces(text.substr(end + 1));
}

// What follows the subj-refwd at the start of `text`.
std::optional<std::string_view> after_refwd(std::string_view text) {
  if (starts_with(text, "re")) {
    text.remove_prefix(2);
  } else if (starts_with(text, "fw")) {
    text.remove_prefix(starts_with(text, "fwd") ? 3 : 2);
  } else {
    return std::nullopt;
  }
  text = without_spaces(text);
  if (const auto rest = after_blob(text)) text = *rest;
  if (!text.starts_with(':')) return std::nullopt;
  return text.substr(1);
}

// Step (2). True if a "(fwd)" was there.
bool remove_trailers(std::string_view& text) {
  constexpr std::string_view forwarded = "(fwd)";
  bool found = false;
  while (true) {
    if (text.ends_with(' ')) {
      text.remove_suffix(1);
    } else if (ends_with(text, forwarded)) {
      text.remove_suffix(forwarded.size());
      found = true;
    } else {
      return found;
    }
  }
}

// Steps (3) to (5). True if a subj-refwd was there.
//
// A run of blobs is walked once: if a subj-refwd follows it, the run is part of a leader; if not, it also
// follows none of the runs that are left when (4) takes the blobs away one by one, so all go at once, but for
// the last where nothing else would remain.
bool remove_leaders(std::string_view& text) {
  bool found = false;
  while (true) {
    text = without_spaces(text);
    std::string_view last = text;
    std::string_view rest = text;
    while (const auto after = after_blob(rest)) {
      last = rest;
      rest = *after;
    }
    if (const auto after = after_refwd(rest)) {
      text = *after;
      found = true;
    } else {
      text = rest.empty() ? last : rest;
      return found;
    }
  }
}

}  // namespace

BaseSubject base_subject(std::string_view value) {
  constexpr std::string_view forward_header = "[fwd:";
  const std::string line = on_one_line(value);
  std::string_view text = line;
  BaseSubject base;
  while (true) {
    if (remove_trailers(text)) base.is_reply_or_forward = true;
    if (remove_leaders(text)) base.is_reply_or_forward = true;
    if (!starts_with(text, forward_header) || !text.ends_with(']')) break;
    text.remove_prefix(forward_header.size());
    text.remove_suffix(1);
    base.is_reply_or_forward = true;
  }
  base.text = text;
  return base;
}

}  // namespace posthorn::message
