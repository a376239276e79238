#pragma once

#include "base/file_system.h"
#include "base/sqlite.h"
#include "storage/index.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::storage {

// The search index of one account, `search.sqlite` beside its index: the trigrams of its messages' texts in
// SQLite's FTS5. It only says which messages can have a text: whoever asks reads these. Nothing is in it that
// could not be made anew, so it may be removed at any time; and it is not trusted further than it can be
// checked: a message is in it under a fingerprint of what tells it from all others and can't change.
//
// It takes no part in what the account's index does: a message is added to it some time after its arrival,
// and is not removed before the whole is made anew.
//
// Any thread may call any function, but only one at a time those that write: prepare(), add() and
// checkpoint(). All of them block.
class SearchIndex {
 public:
  SearchIndex(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;

  // A number that a message has in it; never 0.
  using Document = std::uint32_t;

  // One connection, for some queries of one thread.
  struct Reader {
    Database database;
    std::uint64_t generation;
  };
  // Errors: not_found where there is no index yet; corrupt where it is broken, or is none of today's: it is
  // to be dropped. Looks whether it is still the file that was opened: where it is not, the generation is
  // another one from now on.
  Result<Reader> take_reader();
  void give_back(Reader reader);
  // Documents are those of one generation; they are other messages' in the next.
  std::uint64_t generation() const;
  // Changes when something is added.
  std::uint64_t additions() const;

  // Which document has this fingerprint, and whether the index has all of its text.
  struct Entry {
    Document document;
    bool complete;
  };
  static Result<std::optional<Entry>> find(Reader& reader, std::int64_t fingerprint);
  // Which documents from `first` to `last` a query (search_document.h) finds: a flag each.
  static Result<std::vector<bool>> query(Reader& reader, std::string_view query, Document first,
                                         Document last);

  // Makes it if it is not there, and anew if it is broken; then, says why. Errors: io, disk_full.
  Result<std::optional<std::string>> prepare();
  struct Text {
    std::int64_t fingerprint;
    bool complete;       // else it has no tokens, and is to be read by each search
    std::string tokens;  // token_list.h
  };
  // All messages of a mailbox with UIDs below `up_to` were looked at. For whoever fills it: those that are
  // there now may be others.
  struct Filled {
    MailboxId mailbox;
    std::uint32_t uid_validity;
    Uid up_to;
  };
  Result<std::vector<Filled>> filled();
  // One transaction. Those that are there already are left out. Fails soon once `stop` is set.
  Result<> add(std::span<const Text> texts, const Filled& filled, const std::atomic<bool>& stop);
  // Moves what the write-ahead log has grown by into the index, if that is much.
  enum class Filling : std::uint8_t { goes_on, is_done };
  Result<> checkpoint(Filling filling);
  // How many documents there are.
  Result<std::size_t> count();
  // It is not to be used any more: the next prepare() makes it anew.
  void give_up(std::string why);
  // Removes its files, too.
  Result<> remove();
  // Closes what is open and not in use.
  void close();

 private:
  Result<Reader> connect(bool make);
  Result<> check(Database& database) const;
  Result<> forget_if_changed();
  void close_all();

  FileSystem* files_;
  std::string path_;
  mutable std::mutex mutex_;
  std::vector<Reader> idle_;
  std::optional<IndexIdentity> identity_;  // none: not opened yet, and not checked
  std::uint64_t generation_ = 1;
  std::uint64_t additions_ = 0;
  std::optional<std::string> broken_;  // why
  bool writing_ = false;               // into the file itself
};

}  // namespace posthorn::storage
