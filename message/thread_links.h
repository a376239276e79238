#pragma once

#include "base/result.h"
#include "message/structure.h"
#include "message/summary_form.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// What IMAP's THREAD needs of a message (RFC 5256 §3). msg-ids and subjects are numbers here, made of 128
// bits of FNV-1a: two that differ have the same one about once in 2^64.
struct ThreadLinks {
  std::optional<std::uint64_t> message_id;  // none: it needs one that nobody else has
  std::vector<std::uint64_t> ancestors;     // ThreadReferences::ancestors(), the parent last
  std::uint64_t subject = 0;                // of the base subject in i;unicode-casemap; 0 if that is empty
  bool is_reply_or_forward = false;         // its subject says so
  std::optional<std::int64_t> sent;         // as of SortKeys

  bool operator==(const ThreadLinks&) const = default;
};

ThreadLinks thread_links(const Summary& summary);

// As compact octets, for the index; the first is the version of the form.
// With that of summaries, as what is read from messages changes with that.
inline constexpr char thread_links_version = 1 << 4 | summary_version;
std::string encode_thread_links(const ThreadLinks& links);
// Of an encoded summary (summary_codec.h). Errors: as message::decode().
Result<std::string> thread_links_of(std::string_view encoded_summary);

// Errors: Errc::corrupt for octets that encode_thread_links() can't have made, and for another version.
Result<ThreadLinks> decode_thread_links(std::string_view encoded);

}  // namespace posthorn::message
