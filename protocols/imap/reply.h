#pragma once

#include "base/result.h"

#include <string>
#include <utility>

namespace posthorn::imap {

// How a command ended: the tagged status response of RFC 3501 §7.1, without the tag.
struct Reply {
  enum class Status {
    ok,
    no,
    bad,
    none  // it does not: the session ends with BYE, which says it all
  };
  Status status = Status::ok;
  std::string text;  // "[READ-WRITE] SELECT completed": the response code, if any, stands first
};

inline Reply ok(std::string text) { return {Reply::Status::ok, std::move(text)}; }
inline Reply no(std::string text) { return {Reply::Status::no, std::move(text)}; }
inline Reply bad(std::string text) { return {Reply::Status::bad, std::move(text)}; }
inline Reply unanswered() { return {Reply::Status::none, {}}; }

// The reply to a command that failed, with the response code of RFC 5530 that says why. Nothing of the
// error's detail is in it.
Reply reply_to(const Error& error);

// The same where the error speaks of the mailbox that messages were to go to: one that does not exist could
// be created (RFC 3501 §6.3.11, §6.4.7).
Reply reply_for_target(const Error& error);

// The reply to a command that could not be parsed. The detail is the grammar's, and says what is wrong. What
// passes a bound of this server is no error of syntax (RFC 5530 §3, LIMIT).
Reply reply_to_unparsed(const Error& error);

// Appends "A1 OK FETCH completed" and the line end; nothing for none.
void append_tagged(std::string& out, std::string_view tag, const Reply& reply);

}  // namespace posthorn::imap
