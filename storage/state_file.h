#pragma once

#include "base/result.h"
#include "storage/message.h"
#include "storage/store.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// The small files beside the messages from which an index can be rebuilt (design, decision 6). Each begins
// with a line that names its kind and version, the rest are lines `key value`; lines of keys that are not
// known here are kept. All of this is pure: text in, value out.
//
// Errors of the parsers: malformed, also where a line is missing; unavailable when a newer version wrote the
// file.
namespace posthorn::storage {

// `posthorn-mailbox` in each folder.
struct FolderState {
  std::uint32_t uid_validity = 0;
  MailboxId id = 0;
  SpecialUse special_use = SpecialUse::none;
  // Settled: exact, as nothing was changed since. Otherwise ceilings: every UID handed out lies below
  // uid_next, no MODSEQ above modseq.
  bool settled = true;
  Uid uid_next = 1;
  ModSeq modseq = 1;
  std::vector<std::string> keywords;
  std::vector<std::string> others;  // lines that are not known here

  bool operator==(const FolderState&) const = default;
};
Result<FolderState> parse_folder_state(std::string_view text);
std::string to_string(const FolderState& state);

// `posthorn-account` in the Maildir: where UIDVALIDITYs and MAILBOXIDs come from.
struct AccountState {
  std::uint32_t counter = 0;    // the last number given; it only grows
  bool mailboxes_made = false;  // the mailboxes of a new account are there
  bool shared = false;          // there may be access control lists in its folders (acl.h)
  std::vector<std::string> others;

  bool operator==(const AccountState&) const = default;
};
Result<AccountState> parse_account_state(std::string_view text);
std::string to_string(const AccountState& state);

// `posthorn-keywords` in a folder: by UID, the keywords (places 26 and above) that file names cannot say.
using FurtherKeywords = std::map<Uid, KeywordSet>;
Result<FurtherKeywords> parse_further_keywords(std::string_view text);
std::string to_string(const FurtherKeywords& keywords);

// `posthorn-subscriptions` in the Maildir: names, ascending.
Result<std::vector<std::string>> parse_subscriptions(std::string_view text);
std::string subscriptions_to_string(const std::vector<std::string>& names);

// Whether storage keeps `keyword`: an atom of RFC 3501 §9 of at most 255 octets.
bool is_keyword(std::string_view keyword);
// The place of `keyword` in any case.
std::optional<std::size_t> find_keyword(const std::vector<std::string>& keywords, std::string_view keyword);

SpecialUse special_use_of(std::string_view name);  // "\\Sent" in any case; none for others

}  // namespace posthorn::storage
