#pragma once

#include "base/sqlite.h"

#include <string>
#include <string_view>

namespace posthorn::storage {

// What SQLite's FTS5 calls `token_list` on a connection where it was registered: a tokenizer whose documents
// are lists of tokens, as append_token() makes them, and whose phrases are one token each. So that each
// trigram of a text goes into the index once, and text is folded by nobody but us.
//
// Errors: io where SQLite has no FTS5.
Result<> register_token_list(Database& database);

// `token` has at most 255 octets, and no NUL: FTS5 would cut it there, and an index that has two tokens which
// are the same then is broken.
void append_token(std::string_view token, std::string& list);

// Appends `token` as a phrase of an FTS5 query: in quotes. It has no NUL.
void append_phrase(std::string_view token, std::string& query);

}  // namespace posthorn::storage
