// SEARCH's index of an account: which messages can have texts, and how it is filled.
#include "message/summary_codec.h"
#include "storage/account_disk.h"
#include "storage/search_document.h"
#include "storage/text_scan.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

// What one step of filling looks at, adds and reads at most.
constexpr std::size_t rows_at_once = 2'000;
constexpr std::size_t messages_at_once = 64;
constexpr std::uint64_t octets_at_once = 1U << 20U;
// So many mailboxes' documents are kept in memory.
constexpr std::size_t most_mailboxes = 16;
// Documents of messages that are gone make the index not worth keeping once they are more than those that
// are there and so many.
constexpr std::size_t garbage_allowed = 1'000;

// A name that we made: "1700000000.<24 hexadecimal digits>.host". No other message has it.
bool is_ours(std::string_view email_id) {
  constexpr std::size_t digits = 24;
  const auto dot = email_id.find('.');
  if (dot == std::string_view::npos || email_id.size() < dot + digits + 2) return false;
  const std::string_view unique = email_id.substr(dot + 1, digits);
  return email_id[dot + digits + 1] == '.' && std::ranges::all_of(unique, [](char each) {
           return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'f');
         });
}

// FNV-1a.
class Fingerprint {
 public:
  void add(std::string_view octets) {
    for (const char each : octets) add_octet(static_cast<unsigned char>(each));
    add_octet(0);
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
      add_octet(static_cast<unsigned char>(number >> shift & 0xffU));
  }
  std::int64_t value() const { return static_cast<std::int64_t>(value_); }

 private:
  void add_octet(unsigned char octet) { value_ = (value_ ^ octet) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// What tells the message from all others, and its octets from what they once were. Names that other programs
// gave may come twice: such a message is itself in its own mailbox alone.
std::int64_t fingerprint_of(MailboxId id, Uid uid, std::string_view email_id, std::uint64_t wire_size,
                            std::uint64_t stored_size) {
  Fingerprint fingerprint;
  fingerprint.add(email_id);
  fingerprint.add(wire_size);
  fingerprint.add(stored_size);
  if (!is_ours(email_id)) {
    fingerprint.add(id);
    fingerprint.add(uid);
  }
  return fingerprint.value();
}

// Of the messages from `first` to `last`, at most `limit`.
using FingerprintRow = AccountDisk::FingerprintRow;
Result<std::vector<FingerprintRow>> fingerprints(Database& database, MailboxId id, Uid first, Uid last,
                                                 std::size_t limit) {
  std::vector<FingerprintRow> rows;
  auto statement = TRY(
      database.query("SELECT uid, email_id, wire_size, stored_size FROM message WHERE mailbox = ?1 AND uid "
                     "BETWEEN ?2 AND ?3 ORDER BY uid LIMIT ?4",
                     id, first, last, limit));
  while (const auto row = TRY(statement.step())) {
    const Uid uid = static_cast<Uid>(row->integer(0));
    rows.push_back({uid, fingerprint_of(id, uid, row->text(1), static_cast<std::uint64_t>(row->integer(2)),
                                        static_cast<std::uint64_t>(row->integer(3)))});
  }
  return rows;
}

constexpr Uid highest_uid = 0x7fffffff;

std::unexpected<Error> stopped() { return failure(Errc::unavailable, "filling was stopped"); }

// Those from `first` on.
UidSet from(const UidSet& uids, Uid first) {
  UidSet rest;
  for (const UidSet::Range& range : uids.ranges()) {
    if (range.last >= first) rest.append(std::max(range.first, first), range.last);
  }
  return rest;
}

}  // namespace

// Looks up what was not known the last time.
Result<std::shared_ptr<const AccountDisk::SearchedMailbox>> AccountDisk::searched_mailbox(
    Reader& reader, SearchIndex::Reader& search, MailboxId id) {
  Database& database = reader.database;
  const auto last = TRY(database.integer("SELECT coalesce(max(uid), 0) FROM message WHERE mailbox = ?1", id));
  const std::scoped_lock lock(searched_mutex_);
  const std::uint64_t additions = search_.additions();
  const std::pair generations(reader.generation, search.generation);
  auto known = std::make_shared<SearchedMailbox>();
  const auto kept = searched_.find(id);
  if (kept != searched_.end() && kept->second->generations == generations) {
    if (kept->second->additions == additions && kept->second->last == last) return kept->second;
    *known = *kept->second;
  }
  known->generations = generations;
  known->additions = additions;
  known->last = static_cast<Uid>(last);
  const auto again = std::ranges::lower_bound(known->entries, known->next, {}, &SearchedMailbox::Entry::uid);
  known->entries.erase(again, known->entries.end());
  std::optional<Uid> missing;
  for (const FingerprintRow& row : TRY(fingerprints(database, id, known->next, highest_uid, highest_uid))) {
    if (const auto found = TRY(SearchIndex::find(search, row.fingerprint))) {
      known->entries.push_back({row.uid, found->document, found->complete});
    } else if (!missing) {
      missing = row.uid;
    }
  }
  known->next = missing.value_or(known->last + 1);
  if (missing) unfilled_.emplace(id, *missing);
  if (searched_.size() >= most_mailboxes) searched_.clear();
  searched_[id] = known;
  return known;
}

Result<Mailbox::TextHits> AccountDisk::text_hits(MailboxId id, std::span<const TextPattern> patterns) {
  Mailbox::TextHits found;
  found.hits.resize(patterns.size());
  auto search = search_.take_reader();
  if (!search) {
    note_broken(search.error());
    return std::unexpected(search.error());
  }
  Reader reader = TRY(take_reader());
  auto looked_up = look_up_texts(reader, *search, id, patterns, found);
  give_back(std::move(reader));
  if (!looked_up) {
    note_broken(looked_up.error());
    return std::unexpected(looked_up.error());
  }
  search_.give_back(*std::move(search));
  return found;
}

Result<> AccountDisk::look_up_texts(Reader& reader, SearchIndex::Reader& search, MailboxId id,
                                    std::span<const TextPattern> patterns, Mailbox::TextHits& found) {
  const auto mailbox = TRY(searched_mailbox(reader, search, id));
  if (mailbox->entries.empty()) return {};
  const auto documents = std::ranges::minmax(mailbox->entries, {}, &SearchedMailbox::Entry::document);
  const SearchIndex::Document first = documents.min.document;
  for (const SearchedMailbox::Entry& entry : mailbox->entries) found.known.append(entry.uid);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string query = query_for(patterns[i]);
    if (query.empty()) continue;
    const auto hits = TRY(SearchIndex::query(search, query, first, documents.max.document));
    UidSet& uids = found.hits[i].emplace();
    for (const SearchedMailbox::Entry& entry : mailbox->entries) {
      if (!entry.complete || hits[entry.document - first]) uids.append(entry.uid);
    }
  }
  return {};
}

Result<Mailbox::TextHits> AccountDisk::scan(MailboxId id, const UidSet& uids,
                                            std::span<const TextPattern> patterns) {
  Mailbox::TextHits found;
  found.hits.resize(patterns.size());
  for (auto& hits : found.hits) hits.emplace();
  found.exact = true;
  TextScan texts(patterns);
  UidSet rest = uids;
  while (!rest.empty()) {
    const Summaries summaries = TRY(this->summaries(id, rest, Effort::look_up, Form::summary));
    TRY(scan_messages(id, summaries.present.list, texts, found));
    rest = summaries.present.rest ? from(rest, *summaries.present.rest) : UidSet();
  }
  return found;
}

Result<> AccountDisk::scan_messages(MailboxId id, std::span<const Mailbox::CachedSummary> summaries,
                                    TextScan& texts, Mailbox::TextHits& found) {
  Reader reader = TRY(take_reader());
  const std::string folder = TRY(message_folder(reader.database, id));
  for (const Mailbox::CachedSummary& summary : summaries) {
    const auto decoded = message::decode(summary.encoded);
    auto row = TRY(find_message(reader.database, id, summary.uid));
    if (!decoded || !row) continue;
    auto opened = open_named(folder, *std::move(row));
    if (!opened) opened = open_message(reader.database, id, summary.uid);
    if (!opened) continue;
    auto file = file_of(reader.database, id, *std::move(opened), Octets::seen);
    if (!file) continue;
    const auto has = texts.look(*decoded, *file);
    if (!has || !*has) continue;
    found.known.append(summary.uid);
    for (std::size_t i = 0; i < found.hits.size(); ++i) {
      if ((**has)[i]) found.hits[i]->append(summary.uid);
    }
  }
  give_back(std::move(reader));
  return {};
}

std::uint64_t AccountDisk::rows_generation() {
  const std::scoped_lock lock(readers_mutex_);
  return generation_;
}

// A search index that is not there yet is no trouble; one that is broken is made anew by the next filling.
void AccountDisk::note_broken(const Error& error) {
  if (error.code == Errc::corrupt) search_.give_up(error.detail);
}

// A file that is there says no, so that the choice goes with the mail.
Result<> AccountDisk::set_search_index(bool on) {
  if (on) {
    const auto gone = files().unlink(search_switch());
    if (!gone && gone.error().code != Errc::not_found) return gone;
    TRY(files().sync_directory(path_));
    search_index_off_ = false;
    return {};
  }
  TRY(files().replace(search_switch(), "posthorn account search-index\n"));
  search_index_off_ = true;
  return search_.remove();
}

Result<bool> AccountDisk::fill_search_index() {
  if (search_index_off_) return false;
  if (filling_stopped_) return stopped();
  auto more = fill_search_index_once();
  if (!more) note_broken(more.error());
  return more;
}

Result<bool> AccountDisk::fill_search_index_once() {
  if (const auto lost = TRY(search_.prepare())) {
    context_.log.warning("storage.search_index_lost", {{"account", address_}, {"reason", *lost}});
  }
  Reader reader = TRY(take_reader());
  auto more = fill_search_index_from(reader.database);
  give_back(std::move(reader));
  if (more && !*more) TRY(search_.checkpoint(SearchIndex::Filling::is_done));
  return more;
}

// What is filled is believed but once: should a search find messages of before that are missing, they are
// looked at again.
Result<> AccountDisk::begin_filling() {
  const std::pair generations(rows_generation(), search_.generation());
  if (filling_.generations != generations) {
    filling_ = {generations, {}, {}};
    for (const SearchIndex::Filled& filled : TRY(search_.filled()))
      filling_.mailboxes[filled.mailbox] = filled;
  }
  const std::scoped_lock lock(searched_mutex_);
  for (const auto& [id, first] : std::exchange(unfilled_, {})) {
    const auto mailbox = filling_.mailboxes.find(id);
    if (mailbox == filling_.mailboxes.end() || mailbox->second.up_to <= first) continue;
    if (filling_.looked_again.insert(id).second) mailbox->second.up_to = first;
  }
  return {};
}

Result<bool> AccountDisk::fill_search_index_from(Database& database) {
  TRY(begin_filling());
  std::vector<SearchIndex::Filled> mailboxes;
  {
    auto statement = TRY(database.query("SELECT id, uid_validity, uid_next FROM mailbox ORDER BY id"));
    while (const auto row = TRY(statement.step())) {
      mailboxes.push_back({static_cast<MailboxId>(row->integer(0)),
                           static_cast<std::uint32_t>(row->integer(1)), static_cast<Uid>(row->integer(2))});
    }
  }
  for (const SearchIndex::Filled& there : mailboxes) {
    auto& filled = filling_.mailboxes.try_emplace(there.mailbox, there.mailbox, there.uid_validity, Uid{1})
                       .first->second;
    if (filled.uid_validity != there.uid_validity) filled = {there.mailbox, there.uid_validity, 1};
    if (filled.up_to >= there.up_to) continue;
    const auto rows = TRY(fingerprints(database, there.mailbox, filled.up_to, there.up_to - 1, rows_at_once));
    const Uid end = rows.size() < rows_at_once ? there.up_to : rows.back().uid + 1;
    filled = TRY(add_to_search_index({there.mailbox, there.uid_validity, end}, rows));
    return true;
  }
  // What is gone stays in it until the whole is made anew.
  const auto messages = TRY(database.integer("SELECT messages FROM account"));
  if (TRY(search_.count()) > 2 * static_cast<std::size_t>(messages) + garbage_allowed) {
    search_.give_up("most of it is about messages that are gone");
    return true;
  }
  return false;
}

// Adds those of `rows` that are not in it, up to some limit; gives what is filled then: `goal`, if that was
// all.
Result<SearchIndex::Filled> AccountDisk::add_to_search_index(SearchIndex::Filled goal,
                                                             std::span<const FingerprintRow> rows) {
  std::vector<SearchIndex::Text> texts;
  std::uint64_t octets = 0;
  SearchDocument document;
  SearchIndex::Reader search = TRY(search_.take_reader());
  for (const FingerprintRow& row : rows) {
    if (filling_stopped_) return stopped();
    if (TRY(SearchIndex::find(search, row.fingerprint))) continue;
    if (texts.size() == messages_at_once || octets >= octets_at_once) {
      goal.up_to = row.uid;
      break;
    }
    const auto made = make_search_document(goal.mailbox, row.uid, document);
    // What can't be read now is read by each search, which finds out why.
    if (!made) continue;
    octets += document.octets();
    texts.push_back({row.fingerprint, document.complete(), document.tokens()});
  }
  search_.give_back(std::move(search));
  TRY(search_.add(texts, goal, filling_stopped_));
  TRY(search_.checkpoint(SearchIndex::Filling::goes_on));
  return goal;
}

Result<> AccountDisk::make_search_document(MailboxId id, Uid uid, SearchDocument& document) {
  UidSet one;
  one.append(uid);
  const Summaries found = TRY(summaries(id, one, Effort::full, Form::summary));
  if (found.present.list.empty()) return not_found("message is expunged");
  const message::Summary summary = TRY(message::decode(found.present.list.front().encoded));
  StoredFile file = TRY(open_message(id, uid, Octets::seen));
  return document.read(summary, file);
}

}  // namespace posthorn::storage
