#pragma once

#include "message/base_subject.h"
#include "message/encoded_word.h"
#include "message/header.h"

#include <optional>
#include <string>
#include <string_view>

namespace posthorn::message {

// RFC 5256 §2.1 step by step, each taken when it is its turn and one piece at a time, however long that
// takes: what base_subject() has to give.
class SlowBaseSubject {
 public:
  static BaseSubject of(std::string_view value) {
    SlowBaseSubject slow(value);
    slow.run();
    return {slow.text_, slow.is_reply_or_forward_};
  }

 private:
  explicit SlowBaseSubject(std::string_view value) {
    for (const char c : decode_encoded_words(value)) {
      if (c == '\0') continue;
      const char put = c == '\t' || c == '\r' || c == '\n' ? ' ' : c;
      if (put != ' ' || !text_.ends_with(' ')) text_ += put;
    }
  }

  void run() {
    do {
      while (step_2()) {
      }
      while (step_3() || step_4()) {
      }
    } while (step_6());
  }

  bool has(std::size_t at, std::string_view lower) const {
    return at <= text_.size() && equal_ignoring_case(std::string_view(text_).substr(at, lower.size()), lower);
  }

  bool step_2() {
    if (text_.ends_with(' ')) {
      text_.pop_back();
      return true;
    }
    if (text_.size() < 5 || !has(text_.size() - 5, "(fwd)")) return false;
    text_.resize(text_.size() - 5);
    return is_reply_or_forward_ = true;
  }

  // subj-leader = (*subj-blob subj-refwd) / WSP
  bool step_3() {
    if (text_.starts_with(' ')) {
      text_.erase(0, 1);
      return true;
    }
    std::size_t at = 0;
    while (const auto end = blob(at)) at = *end;
    if (has(at, "re")) {
      at += 2;
    } else if (has(at, "fwd")) {
      at += 3;
    } else if (has(at, "fw")) {
      at += 2;
    } else {
      return false;
    }
    at = spaces(at);
    if (const auto end = blob(at)) at = *end;
    if (!has(at, ":")) return false;
    text_.erase(0, at + 1);
    return is_reply_or_forward_ = true;
  }

  bool step_4() {
    const auto end = blob(0);
    if (!end || *end == text_.size()) return false;
    text_.erase(0, *end);
    return true;
  }

  bool step_6() {
    if (!has(0, "[fwd:") || !text_.ends_with(']')) return false;
    text_ = text_.substr(5, text_.size() - 6);
    return is_reply_or_forward_ = true;
  }

  // subj-blob = "[" *BLOBCHAR "]" *WSP
  std::optional<std::size_t> blob(std::size_t at) const {
    if (!has(at, "[")) return std::nullopt;
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == '[') return std::nullopt;
      if (text_[at] == ']') return spaces(at + 1);
    }
    return std::nullopt;
  }

  std::size_t spaces(std::size_t at) const {
    while (at < text_.size() && text_[at] == ' ') ++at;
    return at;
  }

  std::string text_;
  bool is_reply_or_forward_ = false;
};

}  // namespace posthorn::message
