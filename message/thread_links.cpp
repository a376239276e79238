#include "message/thread_links.h"

#include "message/base_subject.h"
#include "message/number_codec.h"
#include "message/summary_codec.h"
#include "message/summary_form.h"
#include "message/thread_references.h"
#include "message/unicode_casemap.h"

#include <algorithm>

namespace posthorn::message {
namespace {

// Version 1: version, flags, [message_id], [date sent], [subject], size of ancestors, ancestors. What stands
// for an id or a subject has eight octets, little-endian.

enum Flag : unsigned char { has_message_id = 1, has_sent = 2, has_subject = 4, is_reply = 8 };
constexpr unsigned char all_flags = 15;
constexpr std::size_t stand_in_octets = 8;

__extension__ using Wide = unsigned __int128;

std::uint64_t stand_in(std::string_view octets) {
  constexpr Wide prime = (Wide{1} << 88U) + 0x13b;
  Wide state = Wide{0x6c62272e07bb0142ULL} << 64U | 0x62b821756295c58dULL;
  for (const char each : octets) state = (state ^ static_cast<unsigned char>(each)) * prime;
  return static_cast<std::uint64_t>(state >> 64U) ^ static_cast<std::uint64_t>(state);
}

void append_stand_in(std::string& out, std::uint64_t value) {
  for (std::size_t i = 0; i < stand_in_octets; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

std::uint64_t take_stand_in(SummaryReader& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < stand_in_octets; ++i) value |= std::uint64_t{in.octet()} << (8 * i);
  return value;
}

}  // namespace

ThreadLinks thread_links(const Summary& summary) {
  ThreadLinks links;
  const ThreadReferences references = thread_references(summary);
  if (references.message_id) links.message_id = stand_in(*references.message_id);
  for (const std::string& id : references.ancestors()) links.ancestors.push_back(stand_in(id));
  const BaseSubject subject = base_subject(summary.envelope.subject.value_or(""));
  links.is_reply_or_forward = subject.is_reply_or_forward;
  if (!subject.text.empty())
    links.subject = std::max<std::uint64_t>(1, stand_in(unicode_casemap(subject.text)));
  if (summary.date_sent) links.sent = summary.date_sent->utc_seconds;
  return links;
}

std::string encode_thread_links(const ThreadLinks& links) {
  std::string out(1, thread_links_version);
  out +=
      static_cast<char>((links.message_id ? has_message_id : 0) | (links.sent ? has_sent : 0) |
                        (links.subject != 0 ? has_subject : 0) | (links.is_reply_or_forward ? is_reply : 0));
  if (links.message_id) append_stand_in(out, *links.message_id);
  if (links.sent) append_number(out, zigzag(*links.sent));
  if (links.subject != 0) append_stand_in(out, links.subject);
  append_number(out, links.ancestors.size());
  for (const std::uint64_t id : links.ancestors) append_stand_in(out, id);
  return out;
}

Result<std::string> thread_links_of(std::string_view encoded_summary) {
  return encode_thread_links(thread_links(TRY(decode(encoded_summary))));
}

Result<ThreadLinks> decode_thread_links(std::string_view encoded) {
  SummaryReader in(encoded);
  if (in.octet() != thread_links_version) in.fail();
  const unsigned char flags = in.flags(all_flags);
  ThreadLinks links;
  if (flags & has_message_id) links.message_id = take_stand_in(in);
  if (flags & has_sent) links.sent = unzigzag(in.number());
  if (flags & has_subject) {
    links.subject = take_stand_in(in);
    if (links.subject == 0) in.fail();
  }
  links.is_reply_or_forward = (flags & is_reply) != 0;
  const std::size_t ancestors = in.list_size(stand_in_octets);
  links.ancestors.reserve(ancestors);
  for (std::size_t i = 0; i < ancestors; ++i) links.ancestors.push_back(take_stand_in(in));
  if (!in.ok() || !in.at_end()) {
    return std::unexpected(Error{Errc::corrupt, "thread links that can't be read"});
  }
  return links;
}

}  // namespace posthorn::message
