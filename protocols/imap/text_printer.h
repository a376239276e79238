#pragma once

#include "protocols/imap/dialect.h"

#include <optional>
#include <string>
#include <string_view>

namespace posthorn::imap {

// string of what users wrote. In a dialect with UTF-8, text that is UTF-8 is quoted (RFC 6855 §3, RFC 9051
// §4.3); anything else, and in other dialects all 8-bit text, is a literal, as append_string() of printer.h
// has it.
void append_string(std::string& out, std::string_view text, Dialect dialect);

// The same; NIL for nullopt.
void append_nstring(std::string& out, const std::optional<std::string_view>& text, Dialect dialect);

}  // namespace posthorn::imap
