// Whatever is done, in whatever order, with restarts, crashes and lost indexes in between: storage agrees
// with a plain map of what mailboxes hold.
#include "storage/folder_name.h"
#include "tests/unit/storage/store_fixture.h"

#include <cstdlib>
#include <random>
#include <set>

namespace posthorn::storage::testing {
namespace {

struct ModelMessage {
  std::string subject;
  std::uint8_t flags = 0;
  std::set<std::string> keywords;
  bool operator==(const ModelMessage&) const = default;
};

struct ModelMailbox {
  std::uint32_t uid_validity = 0;
  MailboxId id = 0;
  Uid uid_next = 1;   // at least
  ModSeq modseq = 1;  // at least
  std::map<Uid, ModelMessage> messages;
  std::set<Uid> gone;  // never to be seen again
};

class ModelRun : public StoreFixture {
 public:
  explicit ModelRun(unsigned seed) : random_(seed) {}

  void run(int steps) {
    learn();
    for (int step = 0; step < steps; ++step) {
      act();
      INFO(history_);
      check();
    }
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }

  template <class T>
  T good(Result<T> result) {
    REQUIRE_MESSAGE(result, (result ? "" : history_ + result.error().detail));
    return *std::move(result);
  }

  // Which mailboxes there are.
  void learn() {
    std::map<std::string, ModelMailbox> now;
    for (const MailboxInfo& info : good(wait(account().list()))) {
      ModelMailbox& mailbox = now[info.name];
      if (model_.contains(info.name)) mailbox = model_[info.name];
      mailbox.uid_validity = info.uid_validity;
      mailbox.id = info.id;
    }
    model_ = std::move(now);
  }

  std::string any_mailbox() {
    auto place = model_.begin();
    std::advance(place, below(static_cast<unsigned>(model_.size())));
    return place->first;
  }
  // Held now and then, so that some are loaded and some are not.
  std::shared_ptr<Mailbox> opened(const std::string& name) {
    auto mailbox = good(wait(account().open(name)));
    if (below(3) == 0) held_[name] = mailbox;
    return mailbox;
  }
  UidSet some_of(const ModelMailbox& mailbox) {
    UidSet set;
    const unsigned share = 1 + below(4);
    for (const auto& [uid, message] : mailbox.messages) {
      if (below(share) == 0) set.append(uid);
    }
    return set;
  }
  std::string new_name() {
    static constexpr const char* names[] = {"a", "b", "a/b", "a/c", "b/x/y", "ä", "a.b", "z"};
    return names[below(8)];
  }
  std::uint8_t some_flags() { return static_cast<std::uint8_t>(below(32)); }
  std::vector<std::string> some_keywords() {
    std::vector<std::string> list;
    for (unsigned count = below(3); count > 0; --count) list.push_back("k" + std::to_string(below(40)));
    return list;
  }

  void act() {
    const unsigned kind = below(100);
    if (kind < 20) return deliver_one();
    if (kind < 32) return append_one();
    if (kind < 47) return change_flags();
    if (kind < 55) return expunge();
    if (kind < 68) return transfer();
    if (kind < 73) return create();
    if (kind < 76) return remove();
    if (kind < 80) return rename();
    if (kind < 84) return put_foreign();
    if (kind < 87) return remove_foreign();
    if (kind < 90) return rename_foreign();
    if (kind < 94) return note("restart"), held_.clear(), restart();
    if (kind < 96) return note("crash"), held_.clear(), crash(), start();
    if (kind < 98) return lose_index();
    note("let go");
    held_.clear();
  }
  // The latest of it.
  void note(const std::string& what) {
    constexpr std::size_t enough = 600;
    history_ += what + "; ";
    if (history_.size() > enough) history_.erase(0, history_.size() - enough);
  }

  void added(const std::string& name, Uid uid, ModelMessage message) {
    ModelMailbox& mailbox = model_[name];
    CHECK(uid >= mailbox.uid_next);
    mailbox.uid_next = uid + 1;
    mailbox.messages[uid] = std::move(message);
  }

  void deliver_one() {
    const std::string subject = std::to_string(++letters_);
    note("deliver " + subject);
    deliver(letter(subject));
    const auto inbox = opened("INBOX");
    added("INBOX", inbox->snapshot()->at(inbox->snapshot()->size() - 1).uid, {subject, 0, {}});
  }

  void append_one() {
    const std::string name = any_mailbox();
    ModelMessage message{std::to_string(++letters_), some_flags(), {}};
    const auto keywords = some_keywords();
    message.keywords.insert(keywords.begin(), keywords.end());
    note("append " + message.subject + " to " + name);
    const auto target = opened(name);
    const Uid uid = append(*target, letter(message.subject), message.flags, keywords);
    added(name, uid, std::move(message));
  }

  void change_flags() {
    const std::string name = any_mailbox();
    ModelMailbox& mailbox = model_[name];
    const UidSet uids = some_of(mailbox);
    const auto how = static_cast<FlagChange>(below(3));
    const std::uint8_t flags = some_flags();
    const auto keywords = some_keywords();
    note("store in " + name);
    const auto target = opened(name);
    good(try_store(*target, uids, how, flags, keywords));
    for (auto& [uid, message] : mailbox.messages) {
      if (!uids.contains(uid)) continue;
      if (how == FlagChange::replace) message.flags = 0, message.keywords.clear();
      message.flags = static_cast<std::uint8_t>(how == FlagChange::remove ? message.flags & ~flags
                                                                          : message.flags | flags);
      for (const std::string& keyword : keywords) {
        if (how == FlagChange::remove) {
          message.keywords.erase(keyword);
        } else {
          message.keywords.insert(keyword);
        }
      }
    }
  }

  void expunge() {
    const std::string name = any_mailbox();
    ModelMailbox& mailbox = model_[name];
    const UidSet uids = some_of(mailbox);
    const bool every = below(2) == 0;
    note("expunge in " + name);
    const auto target = opened(name);
    good(wait(target->expunge(uids, every)));
    std::erase_if(mailbox.messages, [&](const auto& each) {
      const bool goes =
          uids.contains(each.first) && (every || (each.second.flags & bit(SystemFlag::deleted)) != 0);
      if (goes) mailbox.gone.insert(each.first);
      return goes;
    });
  }

  void transfer() {
    const std::string from = any_mailbox();
    const std::string to = any_mailbox();
    const bool move = below(2) == 0;
    const UidSet uids = some_of(model_[from]);
    note((move ? "move " : "copy ") + from + " to " + to);
    const auto source = opened(from);
    const auto target = opened(to);
    const Copied copied = good(
        wait(move ? source->move(uids, target, Missing::skip) : source->copy(uids, target, Missing::skip)));
    REQUIRE(copied.source.size() == uids.count());
    for (std::size_t index = 0; index < copied.source.size(); ++index) {
      added(to, copied.target[index], model_[from].messages.at(copied.source[index]));
      if (!move) continue;
      model_[from].messages.erase(copied.source[index]);
      model_[from].gone.insert(copied.source[index]);
    }
  }

  void create() {
    const std::string name = new_name();
    note("create " + name);
    const auto created = wait(account().create(name, SpecialUse::none));
    CHECK(created.has_value() == !model_.contains(name));
    learn();
    CHECK(model_.contains(name));
  }

  void remove() {
    const std::string name = new_name();
    note("delete " + name);
    const auto removed = wait(account().remove(name));
    CHECK(removed.has_value() == model_.contains(name));
    model_.erase(name);
    if (const auto was = held_.extract(name)) CHECK(was.mapped()->deleted());
  }

  void rename() {
    const std::string from = new_name();
    const std::string to = new_name();
    note("rename " + from + " to " + to);
    const auto renamed = wait(account().rename(from, to));
    if (!renamed) return;
    std::map<std::string, ModelMailbox> now;
    for (auto& [name, mailbox] : model_) {
      const bool moves = name == from || name.starts_with(from + "/");
      now[moves ? to + name.substr(from.size()) : name] = std::move(mailbox);
    }
    model_ = std::move(now);
    std::map<std::string, std::shared_ptr<Mailbox>> held;
    for (auto& [name, mailbox] : held_) held[mailbox->info().name] = mailbox;
    held_ = std::move(held);
    learn();
  }

  std::string folder_path(const std::string& name) {
    const std::string directory = folder_directory(name);
    return directory.empty() ? maildir() : maildir() + "/" + directory;
  }
  // The file of one of a mailbox's messages.
  std::string file_of(const std::string& name, Uid uid) {
    for (const char* place : {"/new/", "/cur/"}) {
      for (const std::string& file : list(folder_path(name) + place)) {
        const std::size_t at = file.find(",U=" + std::to_string(uid));
        if (at == std::string::npos) continue;
        const std::size_t end = file.find_first_not_of("0123456789", at + 3);
        if (end == std::string::npos || file[end] == ':') {
          if (file.substr(at + 3, end - at - 3) == std::to_string(uid))
            return folder_path(name) + place + file;
        }
      }
    }
    return {};
  }
  void poll(const std::string& name) {
    // The clock of mtimes has to tick.
    run_for(Milliseconds(25));
    REQUIRE(wait(opened(name)->poll()));
  }

  void put_foreign() {
    const std::string name = any_mailbox();
    const std::string subject = std::to_string(++letters_);
    note("foreign file " + subject + " in " + name);
    opened(name);
    run_for(Milliseconds(25));
    const bool current = below(2) == 0;
    put_file(folder_path(name) + (current ? "/cur/16000000" : "/new/16000000") + subject + ".x.other" +
                 (current ? ":2,S" : ""),
             letter(subject));
    poll(name);
    const auto target = opened(name);
    REQUIRE(target->snapshot()->size() > 0);
    added(name, target->snapshot()->at(target->snapshot()->size() - 1).uid,
          {subject, current ? bit(SystemFlag::seen) : std::uint8_t{0}, {}});
  }

  void remove_foreign() {
    const std::string name = any_mailbox();
    ModelMailbox& mailbox = model_[name];
    if (mailbox.messages.empty()) return;
    const Uid uid = mailbox.messages.begin()->first;
    note("foreign removal of " + std::to_string(uid) + " in " + name);
    opened(name);
    run_for(Milliseconds(25));
    const std::string path = file_of(name, uid);
    REQUIRE(path != "");
    std::filesystem::remove(path);
    poll(name);
    mailbox.messages.erase(uid);
    mailbox.gone.insert(uid);
  }

  void rename_foreign() {
    const std::string name = any_mailbox();
    ModelMailbox& mailbox = model_[name];
    if (mailbox.messages.empty()) return;
    auto& [uid, message] = *mailbox.messages.rbegin();
    note("foreign rename of " + std::to_string(uid) + " in " + name);
    opened(name);
    run_for(Milliseconds(25));
    const std::string path = file_of(name, uid);
    REQUIRE(path != "");
    const std::string file = path.substr(path.rfind('/') + 1);
    const std::size_t colon = file.find(":2,");
    const std::string letters = colon == std::string::npos ? "" : file.substr(colon + 3);
    // Toggles the flag that the name says.
    const bool flagged = letters.contains('F');
    const std::string now = flagged
                                ? letters.substr(0, letters.find('F')) + letters.substr(letters.find('F') + 1)
                                : "F" + letters;
    std::filesystem::rename(path, folder_path(name) + "/cur/" + file.substr(0, colon) + ":2," + now);
    poll(name);
    message.flags = static_cast<std::uint8_t>(flagged ? message.flags & ~bit(SystemFlag::flagged)
                                                      : message.flags | bit(SystemFlag::flagged));
  }

  void lose_index() {
    const bool running = below(2) == 0;
    note(running ? "lose the index, running" : "lose the index, stopped");
    // Names lag, and only what is loaded is known in memory besides: so all is loaded, or stopped.
    if (running) {
      for (const auto& [name, mailbox] : model_) held_[name] = good(wait(account().open(name)));
    } else {
      held_.clear();
      stop();
    }
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
    if (!running) start();
  }

  void check() {
    const auto folders = good(wait(account().list()));
    REQUIRE(folders.size() == model_.size());
    for (const MailboxInfo& info : folders) {
      CAPTURE(info.name);
      REQUIRE(model_.contains(info.name));
      ModelMailbox& mailbox = model_[info.name];
      CHECK(info.uid_validity == mailbox.uid_validity);
      CHECK(info.id == mailbox.id);
      check_counts(info.name, mailbox);
      const auto held = held_.find(info.name);
      if (held == held_.end() && below(3) != 0) continue;
      check_messages(*(held != held_.end() ? held->second : opened(info.name)), mailbox);
    }
  }

  void check_counts(const std::string& name, const ModelMailbox& mailbox) {
    const Counts found = counts(name);
    std::uint32_t unseen = 0;
    std::uint32_t deleted = 0;
    for (const auto& [uid, message] : mailbox.messages) {
      if ((message.flags & bit(SystemFlag::seen)) == 0) ++unseen;
      if ((message.flags & bit(SystemFlag::deleted)) != 0) ++deleted;
    }
    CHECK(found.messages == mailbox.messages.size());
    CHECK(found.unseen == unseen);
    CHECK(found.deleted == deleted);
    CHECK(found.uid_next >= mailbox.uid_next);
  }

  void check_messages(Mailbox& found, ModelMailbox& mailbox) {
    const auto snapshot = found.snapshot();
    CHECK(snapshot->uid_next() >= mailbox.uid_next);
    CHECK(snapshot->highest_modseq() >= mailbox.modseq);
    mailbox.modseq = snapshot->highest_modseq();
    REQUIRE(snapshot->size() == mailbox.messages.size());
    std::uint32_t index = 0;
    for (const auto& [uid, message] : mailbox.messages) {
      const Message& is = snapshot->at(index++);
      REQUIRE(is.uid == uid);
      CHECK_FALSE(mailbox.gone.contains(uid));
      CHECK(is.flags.system == message.flags);
      std::set<std::string> keywords;
      for (std::size_t place = 0; place < found.keywords().size(); ++place) {
        if (is.flags.keywords.has(place)) keywords.insert(found.keywords()[place]);
      }
      CHECK(keywords == message.keywords);
      CHECK(is.modseq <= snapshot->highest_modseq());
      if (below(4) == 0) CHECK(read(found, uid) == letter(message.subject));
    }
  }

  std::mt19937 random_;
  std::map<std::string, ModelMailbox> model_;
  std::map<std::string, std::shared_ptr<Mailbox>> held_;
  std::string history_;
  int letters_ = 0;
};

}  // namespace

TEST_CASE("model: storage agrees with a map, whatever happens") {
  // For a longer hunt: POSTHORN_MODEL_SEEDS=200.
  const char* wanted = std::getenv("POSTHORN_MODEL_SEEDS");
  const unsigned seeds = wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : 6;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    ModelRun(seed).run(150);
  }
}

}  // namespace posthorn::storage::testing
