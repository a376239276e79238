#pragma once

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::storage {

// What is read of many messages at a time (Mailbox::summaries): all that was worked out of each at arrival,
// or one of the small forms that are made of that and kept beside it, each for one use: many more of them
// lie in a page of the index.
enum class Form : std::uint8_t { summary, envelope, structure, sort, thread };

inline constexpr std::array small_forms = {Form::envelope, Form::structure, Form::sort, Form::thread};

// How a small form is made of a summary (message::encode). Errors: corrupt.
//
// The first octet of what it gives is `version`. A form that begins with another octet was made by an older
// maker, or of a summary of an older version, and is made anew: the version has to tell both apart.
struct FormMaker {
  char version = 0;
  Result<std::string> (*make)(std::string_view summary) = nullptr;  // none: such forms are not kept
};

// message/sort_keys.h, message/thread_links.h.
FormMaker sort_maker();
FormMaker thread_maker();

// Those that are kept. What a form looks like is the affair of whoever reads it, so makers come from there.
struct FormMakers {
  FormMaker envelope;
  FormMaker structure;
  FormMaker sort = sort_maker();
  FormMaker thread = thread_maker();

  // Not for Form::summary.
  const FormMaker& of(Form form) const;
};

// A longer form is not kept, but made for each who asks: a stranger's letter shall not fill the index.
inline constexpr std::size_t longest_kept_form = 65'536;

// Whether these octets of the index are usable as that form.
bool is_current(Form form, std::string_view octets, const FormMakers& makers);

// The statements that the index uses for a form; ?1 and ?2 are keys, or a key and octets.
struct FormStatements {
  std::string put;
  std::string find;          // the octets under a key
  std::string between;       // keys from ?1 to ?2 and their octets, ascending
  std::string of_messages;   // UIDs of messages of mailbox ?1 from ?2 to ?3, with their octets or NULL
  std::string erase;         // those of keys from ?1 to ?2
  std::string erase_unused;  // those of the first ?1 unused_summary that have no summary any more
};
const FormStatements& statements_of(Form form);

}  // namespace posthorn::storage
