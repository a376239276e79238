#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::imap {

// What a URL of CATENATE names: a message of this server, or a part of one (RFC 4469 §3).
struct MessageUrl {
  // partial-range of RFC 5092 §11: octets from `first` (0 is the first one) on; all of them where there is no
  // count, which is never 0.
  struct Range {
    std::uint64_t first = 0;
    std::optional<std::uint64_t> count{};
    bool operator==(const Range&) const = default;
  };
  std::string mailbox;                        // UTF-8 with INBOX in capitals
  std::optional<std::uint32_t> uid_validity;  // if named, it has to be the mailbox's
  std::uint32_t uid = 0;                      // not 0
  Section section{};                          // as of BODY[section]
  std::optional<Range> range{};
  bool operator==(const MessageUrl&) const = default;
};

// Reads "/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024": iabsolute-path of RFC 5092 §11,
// percent-encoded UTF-8, keywords in any case. It is the one form there is for CATENATE: URLs of a server are
// ruled out by RFC 4469 §3, paths that do not begin with "/" by RFC 5092 §7.2. Linear.
//
// Errors, all of them NO [BADURL] (RFC 4469 §4.1):
//   Errc::malformed    what is no such URL, URLAUTH, searches and a path with "." or ".." as a level
//   included; Errc::too_large    a bound of grammar.h is passed by the section; Errc::not_allowed  a mailbox
//   that can have no such name.
Result<MessageUrl> parse_message_url(std::string_view url);

// The same back, all percent-encoded that may not stand as it is.
std::string to_string(const MessageUrl& url);

}  // namespace posthorn::imap
