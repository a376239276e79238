#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"
#include "protocols/imap/cursor.h"

#include <string_view>

// The parsers of the families of commands, for the table in grammar.cpp. Each begins right behind the
// command's name and leaves the cursor behind the last argument; what stands there is the caller's to judge.
namespace posthorn::imap {

using Body = Command::Body;

// grammar_mailbox.cpp
Result<Body> parse_create(Cursor& in);
Result<Body> parse_rename(Cursor& in);

// grammar_select.cpp
Result<Body> parse_select(Cursor& in, Select::Access access);

// grammar_acl.cpp
Result<Body> parse_set_acl(Cursor& in);
Result<Body> parse_delete_acl(Cursor& in);
Result<Body> parse_list_rights(Cursor& in);

// grammar_list.cpp
Result<Body> parse_list(Cursor& in);
Result<Body> parse_lsub(Cursor& in);
Result<Body> parse_xlist(Cursor& in);
Result<Body> parse_status(Cursor& in);

// grammar_append.cpp
Result<Body> parse_append(Cursor& in);
Result<Body> parse_replace(Cursor& in, Numbering numbering);

// grammar_fetch.cpp
Result<Body> parse_fetch(Cursor& in, Numbering numbering);
// section of RFC 3501 §9 and its "]", behind its "[".
Result<Section> parse_section(Cursor& in);

// grammar_search.cpp
Result<Body> parse_search(Cursor& in, Numbering numbering);
// The list of options behind RETURN (RFC 4731 §3.1).
Result<SearchReturn> parse_search_return(Cursor& in);
// All keys up to the end of the command.
Result<SearchKey> parse_search_keys(Cursor& in);
// Takes an atom of letters and digits if it is `word`, in any case.
bool take_word(Cursor& in, std::string_view word);

// grammar_sort.cpp
Result<Body> parse_sort(Cursor& in, Numbering numbering);
Result<Body> parse_thread(Cursor& in, Numbering numbering);

}  // namespace posthorn::imap
