#pragma once

#include <string>
#include <string_view>

namespace posthorn::message {

// UTF-8 in Unicode's Normalization Form C, in which Net-Unicode is (RFC 5198 §2, §3). What is malformed stays
// as it is.
std::string to_nfc(std::string_view utf8);

}  // namespace posthorn::message
