#pragma once

#include "protocols/imap/command.h"

#include <cstdint>
#include <string>
#include <string_view>

// What this folder's printers share; printer.h is what others call.
namespace posthorn::imap {

void append_number(std::string& out, std::uint64_t number);

// Appends a quoted string, whatever is in `text`.
void append_escaped(std::string& out, std::string_view text);

std::string_view name_of(FetchAttribute attribute);
std::string_view name_of(SortCriterion::Key key);
std::string_view name_of(Thread::Algorithm algorithm);

// An item as FETCH asks for it: "BODY.PEEK[1]<0.10>".
void append_request(std::string& out, const FetchItem& item);

// The keys of a SEARCH; those that all have to match stand side by side.
void append_search_key(std::string& out, const SearchKey& key);

// "[1.HEADER]", section of RFC 3501 §9.
void append_section(std::string& out, const Section& section);

// A list in parentheses: opened at once, closed at the end of the scope, a space between its elements.
class Spaced {
 public:
  explicit Spaced(std::string& out) : out_(out) { out_.push_back('('); }
  ~Spaced() { out_.push_back(')'); }
  Spaced(const Spaced&) = delete;
  Spaced& operator=(const Spaced&) = delete;

  // The string to append the next element to.
  std::string& next() {
    if (!is_first_) out_.push_back(' ');
    is_first_ = false;
    return out_;
  }

 private:
  std::string& out_;
  bool is_first_ = true;
};

}  // namespace posthorn::imap
