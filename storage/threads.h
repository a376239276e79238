#pragma once

#include "message/structure.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Threads (RFC 8474 §5.2): messages that share a msg-id among Message-ID, In-Reply-To and References and have
// the same base subject. Which thread a message belongs to is settled as it arrives, and stays. Pure.
namespace posthorn::storage {

// The id of the thread that a message begins: `T` and 32 hexadecimal digits, made of its email id.
std::string thread_id_of(std::string_view email_id);

bool is_thread_id(std::string_view text);

// What a message's thread is found by: a number for each of its msg-ids together with its base subject in
// whatever case. Its own id first, then the nearest ancestor, the furthest last. Messages of different
// threads have the same number about once in 2^64.
std::vector<std::int64_t> thread_keys(const message::Summary& summary);

}  // namespace posthorn::storage
