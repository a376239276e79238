#pragma once

#include "base/file_system.h"
#include "storage/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::storage {

class Work;

// A message takes another one's place (RFC 8508 §3.4): once its file is there, the other one is gone. As no
// UID of a mailbox is given twice, this stays true whatever becomes of the two.
struct Replacement {
  MailboxId from = 0;
  Uid replaced = 0;
  MailboxId to = 0;
  Uid uid = 0;  // of the message that takes its place

  bool operator==(const Replacement&) const = default;
};

// The name of the note that says so: "17.4-18.1" for UID 4 of mailbox 17 and UID 1 of mailbox 18. Pure.
std::string to_string(const Replacement& replacement);
// Nothing for a name that to_string() does not give. Pure.
std::optional<Replacement> parse_replacement(std::string_view name);

// The notes of one account: empty files in a folder beside its Maildir.
//
// A note is durable before the new message's file appears, and goes when both mailboxes' directories have
// been synced since the batch ended. So a crash at any time leaves, behind the next opening, one of the two
// messages: the new one, if its file is there.
class Replacements {
 public:
  // `path` is the folder of the notes.
  explicit Replacements(std::string path) : path_(std::move(path)) {}

  // Reads the notes that the last process left; the first thing when the account is opened.
  Result<> load(FileSystem& files);
  bool has_unfinished() const { return !unfinished_.empty(); }
  // Takes away what they say is replaced. What can't be looked at now is left for the next opening. Errors:
  // corrupt.
  Result<> finish(Work& work);
  // What finish() did is committed.
  void confirm();

  // Makes a note; it is durable when this returns.
  Result<> note(FileSystem& files, const Replacement& replacement);
  // The batch of all notes so far has been committed or undone.
  void retire();
  bool has_some() const { return !noted_.empty() || !past_.empty(); }
  // Takes away the notes of batches that have ended.
  Result<> forget(Work& work);

 private:
  std::string file(const Replacement& replacement) const { return path_ + "/" + to_string(replacement); }

  std::string path_;
  std::vector<Replacement> unfinished_;
  std::vector<Replacement> finished_;  // of those, in the batch that runs
  std::vector<Replacement> noted_;     // in the batch that runs
  std::vector<Replacement> past_;      // in earlier ones
};

}  // namespace posthorn::storage
