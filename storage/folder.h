#pragma once

#include "storage/index.h"
#include "storage/message.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::storage {

class Operation;

// A mailbox of an account that is open: what its row, its state file and its directory say, as of now. In
// memory it is ahead of all three; where one of them is lost, this is what counts.
struct Folder {
  MailboxRow row;
  std::string path;  // of its directory
  std::vector<std::string> keywords;
  std::vector<std::string> other_lines;  // of its state file
  std::size_t keywords_in_index = 0;

  // What the state file promises: no UID from uid_ceiling on and no MODSEQ above modseq_ceiling was used.
  Uid uid_ceiling = 1;
  ModSeq modseq_ceiling = 1;
  bool settled = true;  // the state file has exact values

  // Before the first comparison with the state file: as the index said; for a folder that had no row, as the
  // state file did.
  Uid committed_uid_next = 1;
  bool checked = false;  // compared with its state file since the account was opened
  // From this UID on, that comparison may have made rows for files that had none: which of two links was
  // there first is not told by these. (Of a row that was made anew for a lower one it is: its UID was given
  // before the crash.)
  Uid mended_from = 0;
  std::size_t left_out = 0;                         // files that the last look could not take in
  std::optional<std::size_t> tombstones{};          // how many, or some more; nothing: not counted yet
  std::chrono::steady_clock::time_point next_look;  // listing it once more is not worth it before
  std::chrono::steady_clock::time_point upkeep_after;
  bool upkeep_failed = false;  // the last time, which was logged
  bool doubtful = false;       // another program's change may have gone under in one of ours
  bool relisted = false;       // the mtimes that its listing found are not in the index yet
  bool lagging = false;        // there are rows with `lagging`
  bool tombstones_pending = false;
  bool has_new_tombstones = false;
  bool files_stay = false;              // of tombstones; they could not be unlinked, which was logged
  bool unthreaded = true;               // there may be rows without `threaded`
  bool further_keywords_stale = false;  // the file of keywords beyond the 26th

  // What copies messages to here in pieces, if anything does: until it is done, their rows have UIDs from
  // row.uid_next on, and nobody else may change the folder.
  const Operation* filled_by = nullptr;

  std::string place(Place place) const { return path + "/" + std::string(name_of(place)); }
  // Who else has rights on the mailbox, as its file says; none: nobody.
  std::shared_ptr<const Acl> acl;

  MailboxInfo info() const { return {row.id, row.name, row.uid_validity, row.special_use, acl}; }
  std::string file(const MessageRow& message) const { return path + "/" + message.file(); }
};

}  // namespace posthorn::storage
