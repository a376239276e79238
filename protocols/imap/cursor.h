#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"
#include "protocols/imap/dialect.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The lexical rules of RFC 3501 §9 for this folder's parsers; grammar.h is what others call.
namespace posthorn::imap {

// ATOM-CHAR, and ASTRING-CHAR, which is that and `]`.
bool is_atom_char(char c);
bool is_astring_char(char c);

std::string to_upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);  // US-ASCII

// "{n}" or "{n+}", or "~{n}" or "~{n+}", and the line end behind it.
struct Announcement {
  std::uint64_t octets = 0;  // the largest value where the number is beyond it
  bool synchronising = true;
  bool is_literal8 = false;  // with `~`, RFC 3516 §4.4
};

// The announcement that ends `line`, given without its line end and with the tail of a command so far, if
// one does. Where in the line it stands does not matter.
std::optional<Announcement> announcement_at_end(std::string_view line);

// Walks once through the bytes of a command. A take_ that gives bool, a view or an optional leaves the cursor
// in place where nothing of the kind stands there; A Result of an error leaves it anywhere.
class Cursor {
 public:
  // A command as a whole, or an APPEND or REPLACE that ends behind the announcement of a literal (grammar.h).
  enum class Extent { whole, cut_off };
  explicit Cursor(std::string_view bytes, Dialect dialect = {}, Extent extent = Extent::whole)
      : bytes_(bytes), dialect_(dialect), extent_(extent) {}

  const Dialect& dialect() const { return dialect_; }
  Extent extent() const { return extent_; }

  bool at_end() const { return position_ == bytes_.size(); }
  bool only_spaces_left() const { return bytes_.find_first_not_of(' ', position_) == std::string_view::npos; }
  char peek() const { return at_end() ? '\0' : bytes_[position_]; }  // '\0' at the end; no command has one
  std::size_t position() const { return position_; }
  std::string_view since(std::size_t position) const { return bytes_.substr(position, position_ - position); }

  bool take(char c);
  // One space or more: §9 asks for exactly one, but clients send more.
  bool take_spaces();
  // The longest run of letters, digits and `.`, of ATOM-CHARs, or of digits: empty where
  // none stands.
  std::string_view take_word();
  std::string_view take_atom();
  std::string_view take_digits();
  // Up to the next space or line end.
  std::string_view take_tag();
  std::optional<Announcement> take_announcement();

  // The space between two arguments; `what` names the missing argument.
  Result<> space(std::string_view what);
  // Nothing but spaces up to the end.
  Result<> end();

  // 0 to 2^63-1, number64 of RFC 9051 §9; leading zeros are let pass.
  Result<std::uint64_t> number();
  // 1 to 2^32-1.
  Result<std::uint32_t> nz_number();
  // mod-sequence-value of RFC 7162 §7: 1 to 2^63-1.
  Result<std::uint64_t> mod_sequence();
  Result<std::string> atom(std::string_view what);
  // quoted or literal. Octets from 0x80 on are let pass in quoted strings, in a dialect with UTF-8 only as
  // that; NUL nowhere.
  Result<std::string> string(std::string_view what);
  // As §9, with octets from 0x80 on let pass.
  Result<std::string> astring(std::string_view what);
  Result<std::optional<std::string>> nstring(std::string_view what);

  Result<std::string> mailbox();
  // The same, with INBOX in whatever case it was written.
  Result<std::string> mailbox_as_written();
  // list-mailbox.
  Result<std::string> pattern();
  // seq-number: 1 to 2^32-1, or SequenceRange::largest for `*`.
  Result<std::uint32_t> sequence_number();
  // `$` too, but only by itself (RFC 5182 §3).
  Result<SequenceSet> sequence_set();
  // A sequence-set of numbers alone: no `*`, no `$` (RFC 7162 §7).
  Result<SequenceSet> known_set(std::string_view what);
  // partial-range of RFC 9394 §4.
  Result<PartialRange> partial_range();
  // flag-list; or, where no parenthesis stands, one flag or more without (as STORE has it).
  Result<FlagList> flag_list();
  Result<FlagList> flag_list_or_flags();
  Result<Day> date();
  Result<InternalDate> date_time();

 private:
  Result<std::uint32_t> place_in_results(PartialRange::From from);
  Result<std::string> quoted(std::string_view what);
  Result<std::string> literal(std::string_view what);
  Result<> flag(FlagList& into);
  Result<> check_8bit(std::string_view text, std::string_view what) const;
  Result<std::string> name_of_wire(std::string_view wire) const;

  std::string_view bytes_;
  Dialect dialect_;
  Extent extent_;
  std::size_t position_ = 0;
};

// Runs `item` for each element of "(" item *(SP item) ")". Spaces just inside the parentheses are let pass.
// `item` returns Result<>; an empty list is none of its business.
template <class Item>
Result<> parenthesised(Cursor& in, std::string_view what, Item item) {
  if (!in.take('(')) return malformed("'(' expected before " + std::string(what));
  in.take_spaces();
  while (!in.take(')')) {
    TRY(item());
    if (!in.take_spaces() && in.peek() != ')')
      return malformed("space or ')' expected after " + std::string(what));
  }
  return {};
}

}  // namespace posthorn::imap
