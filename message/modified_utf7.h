#pragma once

#include <optional>
#include <string>
#include <string_view>

// Modified UTF-7 (RFC 3501 §5.1.3), the form of mailbox names on the IMAP4rev1 wire and of folders' names in
// a Maildir, and the characters of UTF-8 that it needs. Pure; linear.
namespace posthorn::message {

// Takes the first character (RFC 3629 §4) off `utf8`, which is not empty; where none is well-formed, an
// octet, for which nothing is given.
std::optional<char32_t> take_character(std::string_view& utf8);

// Appends a character that is no surrogate.
void append_character(std::string& out, char32_t character);

// The text in modified UTF-7; of printable US-ASCII, what is in `shifted` goes into a shift too. What is not
// valid UTF-8 becomes U+FFFD.
std::string encode_modified_utf7(std::string_view utf8, std::string_view shifted = {});

// The text in UTF-8. Strict: text has one encoding, the one that encode_modified_utf7() makes with the same
// `shifted`, and no other is taken for it, but that raw UTF-8 may stand beside or instead of shifts. None for
// anything else: bare controls; in a shift, printable US-ASCII that is not `shifted`; a shift that is not
// terminated, has stray bits, or ends only to begin again; unpaired surrogates.
std::optional<std::string> decode_modified_utf7(std::string_view encoded, std::string_view shifted = {});

}  // namespace posthorn::message
