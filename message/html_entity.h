#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthorn::message {

// The UTF-8 of an HTML character reference, given without "&" and ";": "auml", "#228", "#xE4". Known are the
// names of HTML 4 and those beyond that mail has. Numbers 128 to 159 mean windows-1252, and those of no
// character U+FFFD, as in every browser. None for what is no reference.
std::optional<std::string> decode_html_entity(std::string_view name);

}  // namespace posthorn::message
