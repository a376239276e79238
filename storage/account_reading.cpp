// What is read beside the writer, through connections of its own.
#include "message/summary_codec.h"
#include "storage/account_disk.h"
#include "storage/folder_name.h"
#include "storage/maildir_name.h"
#include "storage/threads.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t idle_readers = 2;

}  // namespace

Result<AccountDisk::Reader> AccountDisk::take_reader() {
  std::uint64_t generation = 0;
  {
    const std::scoped_lock lock(readers_mutex_);
    if (!readers_.empty()) {
      Reader reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
    generation = generation_;
  }
  return Reader{TRY(Index::open_reader(index_path())), generation};
}

void AccountDisk::give_back(Reader reader) {
  const std::scoped_lock lock(readers_mutex_);
  if (reader.generation == generation_ && readers_.size() < idle_readers)
    readers_.push_back(std::move(reader));
}

void AccountDisk::forget_readers() {
  const std::scoped_lock lock(readers_mutex_);
  readers_.clear();
  ++generation_;
}

Result<AccountDisk::Summaries> AccountDisk::summaries(MailboxId id, const UidSet& uids, Effort effort,
                                                      Form form) {
  if (form != Form::summary && context_.settings.forms.of(form).make == nullptr) {
    return failure(Errc::not_found, "a form of summaries that is not kept");
  }
  Summaries found;
  Reader reader = TRY(take_reader());
  TRY(look_up_summaries(reader.database, id, uids, effort, form, found.present));
  TRY(work_out_summaries(reader.database, id, form, found));
  give_back(std::move(reader));
  return found;
}

// Those that are not there yet are empty.
Result<> AccountDisk::look_up_summaries(Database& database, MailboxId id, const UidSet& uids, Effort effort,
                                        Form form, Mailbox::Summaries& found) {
  const std::size_t limit = form == Form::summary ? summaries_limit : forms_limit;
  const auto is_usable = [&](std::string_view octets) {
    return is_current(form, octets, context_.settings.forms);
  };
  std::size_t octets = 0;
  // False where there is no room for more.
  const auto add = [&](Uid uid, std::string_view encoded) {
    octets += encoded.size();
    if (found.list.size() == limit || (octets > summary_octets_limit && !found.list.empty())) {
      found.rest = uid;
      return false;
    }
    found.list.push_back({uid, std::string(encoded)});
    return true;
  };
  found.list.reserve(std::min<std::uint64_t>(uids.count(), limit));
  const FormStatements& statements = statements_of(form);
  for (const UidSet::Range& range : uids.ranges()) {
    // As long as each is there, and of today's form, nobody has to look at the messages themselves.
    Uid uid = range.first;
    auto present =
        TRY(database.query(statements.between, summary_key(id, range.first), summary_key(id, range.last)));
    for (auto row = TRY(present.step()); row; row = TRY(present.step()), ++uid) {
      const std::string_view encoded = row->text(1);
      if (row->integer(0) != summary_key(id, uid) || !is_usable(encoded)) break;
      if (!add(uid, encoded)) return {};
    }
    if (uid > range.last) continue;
    auto statement = TRY(database.query(statements.of_messages, id, uid, range.last));
    while (const auto row = TRY(statement.step())) {
      const std::string_view encoded = row->text(1);
      const bool usable = is_usable(encoded);
      if (!usable && effort == Effort::look_up) continue;
      if (!add(static_cast<Uid>(row->integer(0)), usable ? encoded : std::string_view())) return {};
    }
  }
  return {};
}

// Not worked out at arrival, or by an older version: taken over with its name in order, or the index was
// made anew.
Result<> AccountDisk::work_out_summaries(Database& database, MailboxId id, Form form, Summaries& found) {
  auto& [list, rest, unread, why] = found.present;
  std::size_t octets = 0;
  std::size_t kept = 0;
  for (auto summary = list.begin(); summary != list.end(); ++summary) {
    if (summary->encoded.empty()) {
      // What is kept of them takes memory, and the writer's time.
      if (found.worked_out.size() == summaries_limit || kept > summary_octets_limit) {
        rest = summary->uid;
        list.erase(summary, list.end());
        break;
      }
      const std::size_t before = found.worked_out.size();
      auto worked_out = work_out(database, id, summary->uid, form, found.worked_out);
      if (!worked_out && worked_out.error().code == Errc::not_found) continue;
      if (!worked_out) {
        if (worked_out.error().code == Errc::corrupt && !found.resized) found.resized = summary->uid;
        unread.append(summary->uid);
        if (!why) why = std::move(worked_out).error();
        continue;
      }
      summary->encoded = *std::move(worked_out);
      if (found.worked_out.size() > before) kept += found.worked_out.back().octets.size();
    }
    const bool is_first = octets == 0;
    octets += summary->encoded.size();
    if (octets > summary_octets_limit && !is_first) {
      rest = summary->uid;
      list.erase(summary, list.end());
      break;
    }
  }
  std::erase_if(list, [](const auto& each) { return each.encoded.empty(); });
  return {};
}

// What it gives; what is to be kept goes to `worked_out`.
Result<std::string> AccountDisk::work_out(Database& database, MailboxId id, Uid uid, Form form,
                                          std::vector<WorkedOut>& worked_out) {
  if (form != Form::summary) {
    const std::int64_t key = TRY(find_summary_key(database, id, uid));
    auto statement = TRY(database.query(statements_of(Form::summary).find, key));
    const auto row = TRY(statement.step());
    if (row && message::is_current(row->text(0))) {
      auto made = context_.settings.forms.of(form).make(row->text(0));
      if (made && made->size() <= longest_kept_form) worked_out.push_back({uid, form, *made});
      if (made) return made;
    }
  }
  std::string summary = TRY(measure_summary(database, id, uid));
  // The small forms are kept with it.
  worked_out.push_back({uid, Form::summary, summary});
  if (form == Form::summary) return summary;
  auto made = context_.settings.forms.of(form).make(summary);
  // Not Errc::corrupt, which says that the file is not the message that it was.
  if (!made) return failure(Errc::io, "no small form of the message: " + made.error().detail);
  return made;
}

Result<std::string> AccountDisk::measure_summary(Database& database, MailboxId id, Uid uid) {
  for (int attempt = 0;; ++attempt) {
    const OpenMessage message = TRY(open_message(database, id, uid));
    auto measured = measure(files(), message.path, form_of(message.row));
    if (measured) return std::move(measured->summary);
    // Its name may have followed its flags just then.
    if (measured.error().code != Errc::not_found || attempt > 0) return std::unexpected(measured.error());
  }
}

Result<AccountDisk::Gains> AccountDisk::gains(MailboxId id, Uid from) {
  Gains gains;
  std::vector<Uid> unknown;
  Reader reader = TRY(take_reader());
  {
    auto statement = TRY(reader.database.query(
        "SELECT uid, gain FROM message WHERE mailbox = ?1 AND uid >= ?2 AND gain IS NOT 0 ORDER BY uid", id,
        from));
    while (const auto row = TRY(statement.step())) {
      const Uid uid = static_cast<Uid>(row->integer(0));
      if (!row->is_null(1)) {
        gains.present.push_back({uid, static_cast<std::uint64_t>(row->integer(1))});
      } else if (unknown.size() < summaries_limit) {
        unknown.push_back(uid);
      } else {
        gains.next = uid;
        break;
      }
    }
  }
  for (const Uid uid : unknown) {
    auto message = open_message(reader.database, id, uid);
    if (!message) continue;
    const message::LineEnds ends = line_ends_of(message->row);
    const auto end = end_of(reader.database, id, *std::move(message), 2);
    if (end) gains.worked_out.push_back({uid, gain_of_end(*end, ends)});
  }
  give_back(std::move(reader));
  return gains;
}

Result<std::vector<Mailbox::Origin>> AccountDisk::origins(MailboxId id, const UidSet& uids) {
  std::vector<Mailbox::Origin> found;
  Reader reader = TRY(take_reader());
  for (const UidSet::Range& range : uids.ranges()) {
    auto statement =
        TRY(reader.database.query("SELECT uid, saved, thread, email_id FROM message "
                                  "WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
                                  id, range.first, range.last));
    while (const auto row = TRY(statement.step())) {
      if (found.size() == summaries_limit) break;
      found.push_back({static_cast<Uid>(row->integer(0)), row->integer(1), object_id(row->text(3)),
                       row->is_null(2) ? thread_id_of(row->text(3)) : std::string(row->text(2))});
    }
  }
  give_back(std::move(reader));
  return found;
}

Result<Counts> AccountDisk::committed_counts(std::string_view name) {
  Reader reader = TRY(take_reader());
  auto counts = find_counts(reader.database, name);
  give_back(std::move(reader));
  const std::scoped_lock lock(checked_mutex_);
  if (counts && !checked_.contains(counts->id)) return not_found("the mailbox was not looked at yet");
  return counts;
}

Result<std::optional<UidSet>> AccountDisk::vanished_since(MailboxId id, ModSeq since) {
  Reader reader = TRY(take_reader());
  auto vanished = find_vanished(reader.database, id, since, vanished_limit);
  give_back(std::move(reader));
  return vanished;
}

Result<std::vector<Mailbox::EmailId>> AccountDisk::email_ids(MailboxId id, const UidSet& uids) {
  std::vector<Mailbox::EmailId> ids;
  Reader reader = TRY(take_reader());
  for (const UidSet::Range& range : uids.ranges()) {
    auto statement = TRY(reader.database.query(
        "SELECT uid, email_id FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid", id,
        range.first, range.last));
    while (const auto row = TRY(statement.step())) {
      if (ids.size() == summaries_limit) break;
      ids.push_back({static_cast<Uid>(row->integer(0)), object_id(row->text(1))});
    }
  }
  give_back(std::move(reader));
  return ids;
}

Result<StoredFile> AccountDisk::open_message(MailboxId id, Uid uid, Octets octets) {
  Reader reader = TRY(take_reader());
  auto message = open_message(reader.database, id, uid);
  if (!message) {
    give_back(std::move(reader));
    return std::unexpected(message.error());
  }
  auto file = file_of(reader.database, id, *std::move(message), octets);
  give_back(std::move(reader));
  return file;
}

Result<StoredFile> AccountDisk::file_of(Database& database, MailboxId id, OpenMessage message,
                                        Octets octets) {
  const MessageRow& row = message.row;
  if (!row.encoded_size || octets == Octets::stored) {
    return StoredFile(files(), std::move(message.file), row.stored_size, row.wire_size);
  }
  message::BinaryView view(TRY(edits_of(database, id, message)), row.stored_size);
  return StoredFile(files(), std::move(message.file), std::move(view));
}

// The last octets: as they are seen of a message with binary parts, else as they are stored, which are found
// at once.
Result<std::string> AccountDisk::end_of(Database& database, MailboxId id, OpenMessage message,
                                        std::size_t count) {
  const MessageRow& row = message.row;
  if (!row.encoded_size) {
    return files().read(message.file, row.stored_size - std::min<std::uint64_t>(row.stored_size, count),
                        count);
  }
  StoredFile file = TRY(file_of(database, id, std::move(message), Octets::seen));
  return file.read(file.size() - std::min<std::uint64_t>(file.size(), count), count);
}

Result<std::vector<Mailbox::Head>> AccountDisk::heads(MailboxId id, const UidSet& uids,
                                                      Mailbox::HeadLimits limits) {
  std::vector<Mailbox::Head> heads;
  std::size_t octets = 0;
  Reader reader = TRY(take_reader());
  const std::string folder = TRY(message_folder(reader.database, id));
  // Read to their end before a file is opened: where one has gone meanwhile, the next look sees why.
  for (MessageRow& row : TRY(find_messages(reader.database, id, uids))) {
    if (!heads.empty() && octets >= limits.all) break;
    const Uid uid = row.uid;
    auto opened = open_named(folder, std::move(row));
    if (!opened) opened = open_message(reader.database, id, uid);
    if (!opened) continue;
    auto file = file_of(reader.database, id, *std::move(opened), Octets::seen);
    if (!file) continue;
    auto head = file->head(limits.each);
    if (!head) continue;
    octets += head->size();
    heads.push_back({uid, *std::move(head)});
  }
  give_back(std::move(reader));
  return heads;
}

Result<std::vector<message::BinaryEdit>> AccountDisk::edits_of(Database& database, MailboxId id,
                                                               const OpenMessage& message) {
  const std::int64_t key = message.row.shared_summary.value_or(summary_key(id, message.row.uid));
  auto statement = TRY(database.query(statements_of(Form::summary).find, key));
  const auto row = TRY(statement.step());
  if (row && message::is_current(row->text(0))) return message::decode_edits(row->text(0));
  return message::decode_edits(TRY(measure(files(), message.path, form_of(message.row))).summary);
}

Result<AccountDisk::OpenMessage> AccountDisk::open_message(Database& database, MailboxId id, Uid uid) {
  // Its name follows its flags in the background, and other programs rename too: then it is looked for.
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto row = TRY(find_message(database, id, uid));
    if (!row) return not_found("message is expunged");
    const std::string folder = TRY(message_folder(database, id));
    auto opened = open_named(folder, *row);
    if (!opened && opened.error().code == Errc::not_found) {
      std::string path = TRY(search_message(folder, *row));
      if (path.empty()) continue;
      opened = open_at(std::move(path), *std::move(row));
    }
    if (opened || opened.error().code != Errc::not_found) return opened;
  }
  return not_found("the file of a message is gone");
}

// Where a mailbox's new/ and cur/ are, with a slash at the end.
Result<std::string> AccountDisk::message_folder(Database& database, MailboxId id) {
  auto name = TRY(database.query("SELECT name FROM mailbox WHERE id = ?1", id));
  const auto mailbox = TRY(name.step());
  if (!mailbox) return not_found("mailbox was deleted");
  return folder_path(mailbox->text(0)) + "/";
}

// The file under the name that the row gives it.
Result<AccountDisk::OpenMessage> AccountDisk::open_named(const std::string& folder, MessageRow row) {
  std::string path = folder + row.file();
  return open_at(std::move(path), std::move(row));
}

Result<AccountDisk::OpenMessage> AccountDisk::open_at(std::string path, MessageRow row) {
  File file = TRY(open_message_file(files(), path));
  if (TRY(files().status(file)).size != row.stored_size) {
    return failure(Errc::corrupt, path + " has another size than the index says");
  }
  return OpenMessage{std::move(file), std::move(row), std::move(path)};
}

// The file of `row` under whatever flags; empty if there is none.
Result<std::string> AccountDisk::search_message(const std::string& folder, const MessageRow& row) {
  for (const Place place : {Place::fresh, Place::current}) {
    const std::string directory = folder + std::string(name_of(place));
    for (const std::string& name : TRY(files().list(directory))) {
      const MaildirName parsed = parse_maildir_name(name);
      if (parsed.uid == row.uid && parsed.email_id == row.email_id) return directory + name;
    }
  }
  return std::string();
}

StoredForm form_of(const MessageRow& row) { return {line_ends_of(row), row.encoded_size.has_value()}; }

message::LineEnds line_ends_of(const MessageRow& row) {
  return row.stored_size == row.wire_size ? message::LineEnds::crlf : message::LineEnds::lf;
}

}  // namespace posthorn::storage
