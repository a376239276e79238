// STORE and EXPUNGE.
#include "storage/messages.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

void apply(FlagChange how, Flags& flags, std::uint8_t system, const KeywordSet& keywords) {
  if (how == FlagChange::replace) {
    flags.system = system;
    flags.keywords = keywords;
    return;
  }
  const bool add = how == FlagChange::add;
  flags.system = static_cast<std::uint8_t>(add ? flags.system | system : flags.system & ~system);
  for (std::size_t word = 0; word < keywords.words().size(); ++word) {
    std::uint64_t& target = flags.keywords.words()[word];
    target = add ? target | keywords.words()[word] : target & ~keywords.words()[word];
  }
}

}  // namespace

Result<> ChangeFlags::run(Work& work) {
  stored = {};
  Folder& folder = *TRY(work.folder(id_));
  std::vector<MessageRow> rows = TRY(work.disk.index().messages(id_, request_.uids));
  if (rows.empty()) return {};
  KeywordSet keywords;
  if (request_.how == FlagChange::remove) {
    // One that the mailbox does not know is on no message.
    for (const std::string& name : request_.keywords) {
      if (const auto place = find_keyword(folder.keywords, name)) keywords.add(*place);
    }
  } else {
    keywords = TRY(work.keywords(folder, request_.keywords));
  }
  for (MessageRow& row : rows) {
    if (request_.unchanged_since && row.modseq > *request_.unchanged_since) {
      stored.modified.append(row.uid);
      continue;
    }
    const Flags before = row.flags;
    apply(request_.how, row.flags, request_.system_flags, keywords);
    if (row.flags == before) continue;
    row.modseq = TRY(work.modseq(folder));
    row.compare(folder.row.first_recent);
    TRY(work.replace(folder, before, row));
    stored.changed.push_back(row.message());
  }
  return {};
}

Result<> Expunge::run(Work& work) {
  expunged = {};
  Folder& folder = *TRY(find_folder(work, mailbox_));
  const MailboxId id = folder.row.id;
  Index& index = work.disk.index();
  const auto rows = all_ ? TRY(index.messages(id, uids_)) : TRY(index.deleted(id, uids_));
  for (const MessageRow& row : rows) {
    TRY(work.remove(folder, row, row.email_id));
    work.unlink_after_commit(folder, row);
    expunged.append(row.uid);
  }
  return {};
}

}  // namespace posthorn::storage
