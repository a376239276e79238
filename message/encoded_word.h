#pragma once

#include "message/structure.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// Header text as a person reads it, in UTF-8: encoded words decoded (RFC 2047), white space between adjacent
// ones gone (§6.2), characters that are split over words of one charset joined. What is no valid encoded
// word, or has a charset that nobody knows, stays as it is. Raw 8-bit octets that are no UTF-8 are read as
// windows-1252.
//
// Looser than §5, as real mail is: an encoded word may touch other text, be inside quotes, and have spaces in
// it.
std::string decode_encoded_words(std::string_view text);

// The parameters as a person reads them: continuations joined and percent-encoding undone (RFC 2231 §3, §4),
// encoded words decoded although RFC 2047 §5 forbids them there; UTF-8. Each name once, the extended form
// before the plain one (RFC 2231 §4.1).
std::vector<Parameter> decode_parameters(std::span<const Parameter> parameters);

// The parameters as a protocol that speaks of sections tells them (RFC 9051 §7.5.2): sections joined, those
// with a charset under a name that ends in `*`, in UTF-8; others as they are. Each of the joined names once.
std::vector<Parameter> join_parameters(std::span<const Parameter> parameters);

// One of them, found by its plain name ("filename") in any case.
std::optional<std::string> parameter_value(std::span<const Parameter> parameters, std::string_view name);

}  // namespace posthorn::message
