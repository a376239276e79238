#pragma once

#include "storage/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::storage {

// The name of a message's file,
// `TIME.UNIQUE.HOST,S=<size>,W=<wire size>[,B=<seen size>][,D=<save date>][,T=<thread>],U=<uid>:2,<flags>`:
// what Maildir asks for (cr.yp.to/proto/maildir.html), with the fields of Dovecot and mbsync and three of
// our own.
struct MaildirName {
  std::string email_id;                       // what stands before the first comma; kept by COPY and MOVE
  std::optional<std::uint64_t> stored_size;   // S=: octets of the file
  std::optional<std::uint64_t> wire_size;     // W=: octets with each line ended by CRLF
  std::optional<Uid> uid;                     // U=
  std::optional<std::string> info;            // the letters after ":2,"; absent without ":2,"
  std::optional<std::int64_t> saved;          // D=: when it came into this mailbox, if not at TIME
  std::optional<std::string> thread_id;       // T=: is_thread_id(), if the thread is another message's
  std::optional<std::uint64_t> encoded_size;  // B=: as clients see it, if it has binary parts (binary_view.h)

  bool operator==(const MaildirName&) const = default;

  // The INTERNALDATE, seconds since 1970: the number before the first dot, if there is one.
  std::optional<std::int64_t> time() const;
  // All fields are there, and it prints to the name that it came from: nothing has to be renamed.
  bool is_ours(std::string_view name) const;
};

// Takes any file name apart. Fields that are not there, or no numbers in range, are absent. Pure.
MaildirName parse_maildir_name(std::string_view name);

// The name. Absent fields are left out.
std::string to_string(const MaildirName& name);

// The flags that letters say: D draft, F flagged, R answered, S seen, T deleted, `a` to `z` the keywords at
// places 0 to 25. Letters that mean nothing here are passed over.
Flags flags_of_letters(std::string_view letters);

// The letters for `flags`, in ASCII order, with those of `before` that mean nothing here (another program's).
// Keywords beyond place 25 have no letter.
std::string letters_of_flags(const Flags& flags, std::string_view before);

// Whether there are keywords that no letter says.
bool has_further_keywords(const Flags& flags);
// Those alone, and those that letters say alone.
KeywordSet further_keywords(const KeywordSet& keywords);
KeywordSet letter_keywords(const KeywordSet& keywords);

// `time` and `unique` as an email_id; what may not stand in a file name's first part is taken out of `host`.
std::string make_email_id(std::int64_t time, std::string_view unique, std::string_view host);

// An email_id as an objectid of RFC 8474 §7: up to 255 letters, digits, '-' and '_'. Different ones become
// different ones; of what another program named at greater length, a hash has to tell the ends apart.
std::string object_id(std::string_view email_id);

}  // namespace posthorn::storage
