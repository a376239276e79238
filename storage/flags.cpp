// STORE and EXPUNGE.
#include "storage/messages.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

void apply(FlagChange how, Flags& flags, std::uint8_t system, const KeywordSet& keywords, FlagLimits limits) {
  if (how == FlagChange::replace) {
    flags.system = static_cast<std::uint8_t>((flags.system & ~limits.system) | (system & limits.system));
    if (limits.keywords) flags.keywords = keywords;
    return;
  }
  const bool add = how == FlagChange::add;
  flags.system = static_cast<std::uint8_t>(add ? flags.system | system : flags.system & ~system);
  for (std::size_t word = 0; word < keywords.words().size(); ++word) {
    std::uint64_t& target = flags.keywords.words()[word];
    target = add ? target | keywords.words()[word] : target & ~keywords.words()[word];
  }
}

bool any_of(const Flags& flags, std::uint8_t system, const KeywordSet& keywords) {
  if ((flags.system & system) != 0) return true;
  for (std::size_t word = 0; word < keywords.words().size(); ++word) {
    if ((flags.keywords.words()[word] & keywords.words()[word]) != 0) return true;
  }
  return false;
}

bool same_in(const Flags& left, const Flags& right, std::uint8_t system, const KeywordSet& keywords) {
  Flags difference{static_cast<std::uint8_t>(left.system ^ right.system), {}};
  for (std::size_t word = 0; word < keywords.words().size(); ++word) {
    difference.keywords.words()[word] = left.keywords.words()[word] ^ right.keywords.words()[word];
  }
  return !any_of(difference, system, keywords);
}

// RFC 7162 §3.1.3: whether the message may be changed, as the client asks for it only if it knows the present
// state. There is one MODSEQ for all flags of a message; of adding and removing it is known which count.
bool is_unchanged(const MessageRow& row, const StoreRequest& request, const KeywordSet& keywords) {
  const ModSeq since = request.unchanged_since.value_or(row.modseq);
  if (row.modseq <= since) return true;
  if (request.how == FlagChange::replace) return false;
  if (since == 0) return request.system_flags == 0 && !keywords.empty() && !any_of(row.flags, 0, keywords);
  const auto place = request.known ? request.known->find(row.uid) : std::nullopt;
  if (!place) return false;
  const Message known = request.known->at(*place);
  return known.modseq <= since && same_in(known.flags, row.flags, request.system_flags, keywords);
}

}  // namespace

Result<> ChangeFlags::run(Work& work) {
  stored = {};
  request_.system_flags = static_cast<std::uint8_t>(request_.system_flags & request_.limits.system);
  if (!request_.limits.keywords) request_.keywords.clear();
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
    if (!is_unchanged(row, request_, keywords)) {
      stored.modified.append(row.uid);
      continue;
    }
    const Flags before = row.flags;
    apply(request_.how, row.flags, request_.system_flags, keywords, request_.limits);
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
  TRY(work.expunge(folder, rows));
  for (const MessageRow& row : rows) expunged.append(row.uid);
  return {};
}

}  // namespace posthorn::storage
