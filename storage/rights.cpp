#include "storage/rights.h"

#include <array>
#include <utility>

namespace posthorn::storage {
namespace {

constexpr std::array<std::pair<char, Right>, 11> letters_of_rights{{
    {'l', Right::lookup},
    {'r', Right::read},
    {'s', Right::seen},
    {'w', Right::write},
    {'i', Right::insert},
    {'p', Right::post},
    {'k', Right::create},
    {'x', Right::remove},
    {'t', Right::remove_messages},
    {'e', Right::expunge},
    {'a', Right::administer},
}};

// Those of RFC 2086, which older clients know.
constexpr Rights obsolete_create = Right::create | Right::remove;
constexpr Rights obsolete_delete = Right::remove_messages | Right::expunge;

Result<Rights> right_of(char letter) {
  if (letter == 'c') return obsolete_create;
  if (letter == 'd') return obsolete_delete;
  for (const auto& [known, right] : letters_of_rights) {
    if (known == letter) return Rights(right);
  }
  return malformed("unknown right");
}

}  // namespace

Result<Rights> parse_rights(std::string_view letters) {
  Rights rights;
  for (const char letter : letters) rights = rights | TRY(right_of(letter));
  return rights;
}

std::string to_string(Rights rights) {
  std::string letters;
  for (const auto& [letter, right] : letters_of_rights) {
    if (rights.has(right)) letters += letter;
  }
  return letters;
}

std::string with_obsolete(Rights rights) {
  std::string letters;
  for (const auto& [letter, right] : letters_of_rights) {
    if (letter == 'a') {
      if (rights.has_any(obsolete_create)) letters += 'c';
      if (rights.has_any(obsolete_delete)) letters += 'd';
    }
    if (rights.has(right)) letters += letter;
  }
  return letters;
}

Result<RightsChange> parse_rights_change(std::string_view text) {
  RightsChange change;
  if (text.starts_with('+')) change.how = RightsChange::How::add;
  if (text.starts_with('-')) change.how = RightsChange::How::remove;
  if (change.how != RightsChange::How::replace) text.remove_prefix(1);
  change.rights = TRY(parse_rights(text));
  return change;
}

Rights changed(Rights rights, RightsChange change) {
  switch (change.how) {
    case RightsChange::How::add: return rights | change.rights;
    case RightsChange::How::remove: return rights.without(change.rights);
    case RightsChange::How::replace: break;
  }
  return change.rights;
}

FlagLimits limits_of(Rights rights) {
  constexpr auto seen = static_cast<std::uint8_t>(SystemFlag::seen);
  constexpr auto deleted = static_cast<std::uint8_t>(SystemFlag::deleted);
  FlagLimits limits{.system = 0, .keywords = rights.has(Right::write)};
  if (rights.has(Right::write)) limits.system = static_cast<std::uint8_t>(~(seen | deleted));
  if (rights.has(Right::seen)) limits.system = static_cast<std::uint8_t>(limits.system | seen);
  if (rights.has(Right::remove_messages)) limits.system = static_cast<std::uint8_t>(limits.system | deleted);
  return limits;
}

}  // namespace posthorn::storage
