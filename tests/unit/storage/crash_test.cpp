// Every operation, with each of its system calls made to fail, or the process killed there: it happened, or
// it did not, and what is found afterwards is sane.
#include "tests/support/faulty_sqlite.h"
#include "tests/unit/storage/store_fixture.h"

#include <functional>
#include <set>

namespace posthorn::storage::testing {
namespace {

using posthorn::testing::FaultySqlite;

struct CrashFixture : StoreFixture {
  FaultySqlite sqlite{files};
  // The store of the fixture was opened before SQLite was watched.
  CrashFixture() { stop(); }
  ~CrashFixture() {
    // What decides which calls fail is the test's, which is over.
    files.heal();
    crash();
  }

  // All mail of an account in words, by what a person would see; mailboxes by name.
  std::map<std::string, std::string> describe(const std::string& address) {
    std::map<std::string, std::string> state;
    auto folders = wait(account(address).list());
    REQUIRE_MESSAGE(folders, (folders ? "" : folders.error().detail));
    for (const MailboxInfo& each : *folders) {
      auto target = wait(account(address).open(each.name));
      REQUIRE_MESSAGE(target, (target ? "" : target.error().detail));
      std::multiset<std::string> letters;
      std::set<Uid> seen;
      const auto snapshot = (*target)->snapshot();
      for (std::uint32_t index = 0; index < snapshot->size(); ++index) {
        const Message& message = snapshot->at(index);
        CHECK(seen.insert(message.uid).second);
        CHECK(message.uid < snapshot->uid_next());
        CHECK(message.modseq <= snapshot->highest_modseq());
        const std::string text = read(**target, message.uid);
        CHECK(text.size() == message.size);
        const std::size_t subject = text.find("Subject: ") + 9;
        std::string line = text.substr(subject, text.find("\r\n", subject) - subject) + "/" +
                           std::to_string(message.flags.system);
        for (std::size_t place = 0; place < (*target)->keywords().size(); ++place) {
          if (message.flags.keywords.has(place)) line += "," + (*target)->keywords()[place];
        }
        letters.insert(line);
      }
      auto counted = wait(account(address).status(each.name));
      REQUIRE(counted);
      CHECK(counted->messages == snapshot->size());
      std::string& words = state[each.name];
      words = std::to_string(each.uid_validity) + ": ";
      for (const std::string& letter : letters) words += letter + " ";
      check_files(each.name, address, snapshot->size());
    }
    auto subscribed = wait(account(address).subscriptions());
    REQUIRE(subscribed);
    for (const std::string& name : *subscribed) state["subscribed"] += name + " ";
    return state;
  }

  // The message of INBOX gives way to a new one.
  Result<> try_replace(Uid uid, const std::string& to) {
    const auto message = TRY(try_spool(letter("new")));
    TRY(wait(mailbox()->replace(
        uid, mailbox(to),
        {.spool = message.get(), .internal_date = 1'600'000'000, .system_flags = 1, .keywords = {"Later"}})));
    return {};
  }

  // Each message is one file, and nothing else lies around.
  void check_files(const std::string& name, const std::string& address, std::size_t messages) {
    std::string folder = maildir(address);
    if (name != "INBOX") {
      folder += "/.";
      for (const char each : name) folder += each == '/' ? '.' : each;
    }
    CHECK(list(folder + "/new").size() + list(folder + "/cur").size() == messages);
    CHECK(list(folder + "/tmp").empty());
  }
  using State = std::map<std::string, std::map<std::string, std::string>>;
  State describe_all() { return {{alice, describe(alice)}, {bob, describe(bob)}}; }

  // What every test begins with.
  void fill() {
    start();
    auto inbox = mailbox();
    for (const char* subject : {"one", "two", "three", "four"}) deliver(letter(subject));
    REQUIRE(try_store(*inbox, uids({2}), FlagChange::add, bit(SystemFlag::seen), {"Work"}));
    auto archive = mailbox("Archive");
    append(*archive, letter("old"), bit(SystemFlag::flagged));
    REQUIRE(wait(account().create("a/b", SpecialUse::none)));
    append(*mailbox("a/b"), letter("inside"));
    account(bob);
    deliver(letter("hello"), {bob});
    stop();
    const std::string data = settings.data;
    std::filesystem::rename(data, directory.path() + "/template");
  }
  void begin() {
    std::filesystem::remove_all(settings.data);
    std::filesystem::copy(directory.path() + "/template", settings.data,
                          std::filesystem::copy_options::recursive);
    start();
  }
};

struct Case {
  const char* name;
  std::function<Result<>(CrashFixture&)> act;
  // Each account for itself: a delivery to several is one operation in each.
  bool apart = false;
  // Done twice it is not what it is done once, so an error has to mean that it was not done.
  bool once = true;
};

template <class T>
Result<> ended(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"deliver", [](CrashFixture& f) { return f.try_deliver(f.letter("new")); }},
      {"deliver large",
       [](CrashFixture& f) { return f.try_deliver(f.letter("new") + std::string(10'000, 'x')); }},
      {"deliver to two", [](CrashFixture& f) { return f.try_deliver(f.letter("new"), {f.alice, f.bob}); },
       true},
      {"append",
       [](CrashFixture& f) {
         return ended(f.try_append(*f.mailbox("Archive"), f.letter("new"), 1, {"Later"}));
       }},
      {"store",
       [](CrashFixture& f) {
         return ended(f.try_store(*f.mailbox(), f.all(), FlagChange::add, 4, {"$Junk"}));
       }},
      {"expunge", [](CrashFixture& f) { return ended(f.wait(f.mailbox()->expunge(f.uids({1, 3}), true))); }},
      {"copy",
       [](CrashFixture& f) {
         return ended(f.wait(f.mailbox()->copy(f.uids({1, 2}), f.mailbox("Archive"), Missing::skip)));
       }},
      {"move",
       [](CrashFixture& f) {
         return ended(f.wait(f.mailbox()->move(f.uids({1, 2}), f.mailbox("Archive"), Missing::skip)));
       }},
      {"replace", [](CrashFixture& f) { return f.try_replace(2, "INBOX"); }},
      {"replace into another", [](CrashFixture& f) { return f.try_replace(3, "Archive"); }},
      {"create", [](CrashFixture& f) { return ended(f.wait(f.account().create("x", SpecialUse::none))); }},
      {"delete", [](CrashFixture& f) { return f.wait(f.account().remove("a/b")); }},
      {"rename", [](CrashFixture& f) { return f.wait(f.account().rename("a", "z")); }},
      {"rename INBOX", [](CrashFixture& f) { return f.wait(f.account().rename("INBOX", "z")); }},
      {"subscribe", [](CrashFixture& f) { return f.wait(f.account().subscribe("not there", true)); }, false,
       false},
  };
  return all;
}

// UIDVALIDITY of a mailbox that was made in the act differs from run to run.
CrashFixture::State without_new_validity(CrashFixture::State state, const CrashFixture::State& before) {
  for (auto& [address, folders] : state) {
    for (auto& [name, words] : folders) {
      const auto was = before.at(address).find(name);
      if (was == before.at(address).end() && name != "subscribed") words = words.substr(words.find(':'));
    }
  }
  return state;
}

bool is_one_of(const CrashFixture::State& now, const CrashFixture::State& before,
               const CrashFixture::State& after, bool apart) {
  if (!apart) return now == before || now == after;
  for (const auto& [address, folders] : now) {
    if (folders != before.at(address) && folders != after.at(address)) return false;
  }
  return true;
}

std::string words(const CrashFixture::State& state) {
  std::string text;
  for (const auto& [address, folders] : state) {
    for (const auto& [name, letters] : folders) text += "\n  " + address + " " + name + " " + letters;
  }
  return text;
}

enum class End { fails_once, disk_full, killed };

void fail_at(FaultyFileSystem& files, std::uint64_t n, End end) {
  switch (end) {
    case End::fails_once: files.fail(n, Errc::io, FaultyFileSystem::Fault::once); break;
    case End::disk_full: files.fail(n, Errc::disk_full, FaultyFileSystem::Fault::full); break;
    case End::killed: files.fail(n, Errc::io, FaultyFileSystem::Fault::from_then_on); break;
  }
}

void run_matrix(End end) {
  CrashFixture fixture;
  fixture.fill();
  for (const Case& each : cases()) {
    const std::string operation = each.name;
    CAPTURE(operation);
    fixture.begin();
    const auto before = fixture.describe_all();
    fixture.stop();
    fixture.begin();
    REQUIRE(each.act(fixture));
    const auto after = without_new_validity(fixture.describe_all(), before);
    fixture.stop();
    CHECK(before != after);
    for (std::uint64_t n = 0;; ++n) {
      CAPTURE(n);
      REQUIRE(n < 1000);
      fixture.begin();
      fixture.account(fixture.alice);
      fixture.account(fixture.bob);
      const std::uint64_t first = fixture.files.calls() + n;
      fail_at(fixture.files, n, end);
      const auto done = each.act(fixture);
      const bool failed = fixture.files.calls() > first;
      const std::string call = fixture.files.failed_call();
      CAPTURE(call);
      if (end == End::killed) fixture.crash();
      fixture.files.heal();
      if (end != End::killed) {
        // In the same process: an error means that nothing has changed.
        const auto now = without_new_validity(fixture.describe_all(), before);
        const std::string found = words(now);
        CAPTURE(found);
        if (done) {
          CHECK(now == after);
        } else if (each.once) {
          // The part of a delivery that one account took can't be taken back where even that needs space.
          CHECK((now == before || (each.apart && is_one_of(now, before, after, true))));
        } else {
          CHECK((now == before || now == after));
        }
        fixture.stop();
      }
      fixture.start();
      const auto now = without_new_validity(fixture.describe_all(), before);
      const std::string found = words(now);
      CAPTURE(found);
      if (done) {
        CHECK(now == after);
      } else {
        CHECK(is_one_of(now, before, after, each.apart));
      }
      CHECK(fixture.list(fixture.settings.data + "/spool").empty());
      // The Maildir alone says the same.
      fixture.stop();
      CHECK(fixture.list(fixture.account_path() + "/replacing").empty());
      if (n % 3 == 0) {
        std::filesystem::remove(fixture.account_path() + "/index.sqlite");
        fixture.start();
        CHECK(without_new_validity(fixture.describe_all(), before) == now);
        fixture.stop();
      }
      if (!failed) break;
    }
  }
}

}  // namespace

TEST_CASE("crash: killed at each system call, every operation has happened or not") {
  run_matrix(End::killed);
}

TEST_CASE("crash: with each system call failing once, every operation has happened or not") {
  run_matrix(End::fails_once);
}

TEST_CASE("crash: on a disk that is full from some call on, every operation has happened or not") {
  run_matrix(End::disk_full);
}

}  // namespace posthorn::storage::testing
