#include "storage/threads.h"

#include "message/base_subject.h"
#include "message/charset.h"
#include "message/thread_references.h"

#include <algorithm>
#include <array>

namespace posthorn::storage {
namespace {

constexpr std::size_t id_digits = 32;

__extension__ using Wide = unsigned __int128;

// FNV-1a of 128 bits: the same in every build, as file names hold it.
Wide fingerprint(std::string_view octets, Wide state) {
  constexpr Wide prime = (Wide{1} << 88U) + 0x13b;
  for (const char each : octets) state = (state ^ static_cast<unsigned char>(each)) * prime;
  return state;
}

constexpr Wide basis = Wide{0x6c62272e07bb0142ULL} << 64U | 0x62b821756295c58dULL;

}  // namespace

std::string thread_id_of(std::string_view email_id) {
  Wide rest = fingerprint(email_id, basis);
  std::array<char, id_digits> digits{};
  for (char& digit : digits) {
    digit = "0123456789abcdef"[static_cast<unsigned>(rest & 15U)];
    rest >>= 4U;
  }
  return "T" + std::string(digits.rbegin(), digits.rend());
}

bool is_thread_id(std::string_view text) {
  const auto is_digit = [](char each) {
    return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'f');
  };
  return text.size() == id_digits + 1 && text.front() == 'T' && std::ranges::all_of(text.substr(1), is_digit);
}

std::vector<std::int64_t> thread_keys(const message::Summary& summary) {
  const message::ThreadReferences links = message::thread_references(summary);
  const std::string subject =
      message::fold_for_search(message::base_subject(summary.envelope.subject.value_or("")).text);
  // No msg-id has a NUL, so that it parts the two.
  const Wide begun = fingerprint(std::string_view("\0", 1), fingerprint(subject, basis));
  std::vector<std::int64_t> keys;
  const auto add = [&](std::string_view id) {
    const Wide whole = fingerprint(id, begun);
    keys.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(whole >> 64U) ^
                                             static_cast<std::uint64_t>(whole)));
  };
  if (links.message_id) add(*links.message_id);
  std::ranges::for_each(links.references.rbegin(), links.references.rend(), add);
  std::ranges::for_each(links.in_reply_to, add);
  return keys;
}

}  // namespace posthorn::storage
