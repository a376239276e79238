#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace posthorn::message {

// Header fields by which clients list a mailbox (Thunderbird, Apple Mail, K-9, mutt, Roundcube). They are
// kept with a message's summary, so that BODY[HEADER.FIELDS (...)] of these opens no file.
constexpr std::size_t common_field_limit = 64;
using CommonFieldSet = std::bitset<common_field_limit>;

// Which of them `names`, in any case, are; nothing if one is not among them.
std::optional<CommonFieldSet> common_field_set(std::span<const std::string> names);

// Those of the fields of a header block with lines that end in LF, folds as they are, in a form of their own.
// Received, which may be long and which Thunderbird alone asks for, is left out where all of them are more
// than 4 KiB. Nothing where the others are more than that, or where a CR or NUL stands in the block: what
// filter_fields() would give could then not be told from it. `ends_with_blank_line`: whether the header had
// its blank line.
std::optional<std::string> keep_common_fields(std::string_view block, bool ends_with_blank_line);

// Of what keep_common_fields() made, appends the fields that are wanted, as filter_fields() gives them.
// False, and nothing appended, where Received is wanted and was left out, and for octets that it can't have
// made.
bool append_common_fields(std::string_view kept, const CommonFieldSet& wanted, std::string& out);

// How many octets it appends; nothing where it can't.
std::optional<std::size_t> common_fields_size(std::string_view kept, const CommonFieldSet& wanted);

}  // namespace posthorn::message
