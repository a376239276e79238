// What other programs do to a Maildir.
#include "message/summary_codec.h"
#include "tests/unit/storage/outside_fixture.h"

#include <sys/stat.h>
#include <utility>

namespace posthorn::storage::testing {

TEST_CASE_FIXTURE(OutsideFixture, "outside: a message put into new/ or cur/ is seen without a restart") {
  auto inbox = mailbox();
  deliver(letter("ours"));
  put_file(maildir() + "/new/1600000001.1.other", letter("in new"));
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
  CHECK(read(*inbox, 2) == letter("in new"));
  CHECK(inbox->snapshot()->at(1).internal_date == 1'600'000'001);
  put_file(maildir() + "/cur/1600000002.2.other:2,FS", letter("in cur"));
  CHECK(counts().messages == 3);
  REQUIRE(inbox->snapshot()->size() == 3);
  CHECK(inbox->snapshot()->at(2).flags.system == (bit(SystemFlag::flagged) | bit(SystemFlag::seen)));
  CHECK(find_file("1600000002.2.other,S=") != "");
  const auto found = wait(inbox->summaries(uids({3})));
  REQUIRE(found);
  CHECK(message::decode_envelope(found->list.at(0).encoded)->subject == "in cur");
  inbox.reset();
  restart();
  CHECK(uids_of(*mailbox()) == std::vector<Uid>{1, 2, 3});
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: whoever opens a mailbox that is open already sees what has come") {
  const auto first = mailbox();
  put_file(maildir() + "/new/1600000001.1.other", letter("in new"));
  CHECK(first->snapshot()->size() == 0);
  const auto second = mailbox();
  CHECK(second == first);
  CHECK(second->snapshot()->size() == 1);
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: names without a time, and odd ones, get one of ours") {
  namespace fs = std::filesystem;
  account();
  put_file(maildir() + "/new/letter", "x");
  stop();
  start();
  auto inbox = mailbox();
  put_file(maildir() + "/cur/" + std::string(250, 'x'), letter("long name"));
  put_file(maildir() + "/cur/.hidden", letter("no message"));
  fs::create_directories(maildir() + "/cur/1600000000.1.directory");
  fs::create_symlink("/etc/passwd", maildir() + "/cur/1600000000.1.link:2,S");
  put_file(maildir() + "/cur/1600000000.1.empty:2,", "");
  make_old(maildir() + "/cur/1600000000.1.empty:2,");
  poll(*inbox);
  CHECK(inbox->snapshot()->size() == 3);
  for (const std::string& name : list(maildir() + "/cur")) CHECK(name.size() <= 255);
  for (const Uid uid : uids_of(*inbox))
    CHECK(read(*inbox, uid).size() == inbox->snapshot()->at(uid - 1).size);
  CHECK(fs::exists(fs::symlink_status(maildir() + "/cur/1600000000.1.link:2,S")));
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a file of bare LFs is served with CRLF (design, decision 8)") {
  auto inbox = mailbox();
  std::string stored = "Subject: foreign\n\nline one\nline two\n";
  for (int index = 0; index < 20'000; ++index) stored += "line " + std::to_string(index) + "\n";
  std::string wire;
  for (const char each : stored) wire += each == '\n' ? std::string("\r\n") : std::string(1, each);
  put_file(maildir() + "/new/1600000001.1.other", stored);
  // Begins with CRLF, so it is what it is.
  const std::string mixed = "Subject: mixed\r\n\r\none\ntwo\r\n";
  put_file(maildir() + "/new/1600000002.2.other", mixed);
  poll(*inbox);
  REQUIRE(inbox->snapshot()->size() == 2);
  CHECK(inbox->snapshot()->at(0).size == wire.size());
  CHECK(read(*inbox, 1) == wire);
  CHECK(read(*inbox, 2) == mixed);
  auto bytes = wait(inbox->bytes(1));
  REQUIRE(bytes);
  for (const std::uint64_t offset : {200'000ULL, 17ULL, 130'000ULL, 131'071ULL, 0ULL}) {
    auto part = wait((*bytes)->read(offset, 1000));
    REQUIRE(part);
    CHECK(*part == wire.substr(offset, 1000));
  }
  auto past = wait((*bytes)->read(wire.size(), 10));
  REQUIRE(past);
  CHECK(past->empty());
  inbox.reset();
  stop();
  std::filesystem::remove(index_path());
  start();
  CHECK(read(*mailbox(), 1) == wire);
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a flag changed by a rename is taken over, and our own lag is not mistaken") {
  auto inbox = mailbox();
  deliver(letter("one"));
  REQUIRE(try_store(*inbox, uids({1}), FlagChange::add, bit(SystemFlag::flagged)));
  // The name says nothing of \Flagged yet; another program adds S.
  const std::string before = find_file("U=1");
  std::filesystem::rename(before, maildir() + "/cur/" + before.substr(before.rfind('/') + 1) + ":2,S");
  poll(*inbox);
  CHECK(inbox->snapshot()->at(0).flags.system == (bit(SystemFlag::seen) | bit(SystemFlag::flagged)));
  CHECK(uids_of(*inbox) == std::vector<Uid>{1});
  CHECK(read(*inbox, 1) == letter("one"));
  restart();
  inbox = mailbox();
  const std::string name = find_file("U=1");
  CHECK(name.ends_with(":2,FS"));
  std::filesystem::rename(name, name.substr(0, name.size() - 2) + "PRT");
  poll(*inbox);
  CHECK(inbox->snapshot()->at(0).flags.system == (bit(SystemFlag::answered) | bit(SystemFlag::deleted)));
  CHECK(counts().deleted == 1);
  CHECK(counts().unseen == 1);
  // P is another program's; it stays.
  REQUIRE(try_store(*inbox, uids({1}), FlagChange::remove, bit(SystemFlag::deleted)));
  restart();
  CHECK(find_file("U=1").ends_with(":2,PR"));
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a file removed is a message expunged; its UID never comes back") {
  auto inbox = mailbox();
  for (int index = 0; index < 3; ++index) deliver(letter(std::to_string(index)));
  const std::string path = find_file("U=2");
  const std::string bytes = content(path);
  std::filesystem::remove(path);
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3});
  CHECK(counts().messages == 2);
  // Put back: a new message, as clients have forgotten the old one.
  put_file(path, bytes);
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3, 4});
  CHECK(read(*inbox, 4) == letter("1"));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a U= counts only when it is free and was given (design, decision 6)") {
  auto inbox = mailbox();
  for (int index = 0; index < 3; ++index) deliver(letter(std::to_string(index)));
  REQUIRE(wait(inbox->expunge(uids({2}), true)));
  put_file(maildir() + "/cur/1600000001.a.other,U=1:2,", letter("in use"));
  put_file(maildir() + "/cur/1600000002.b.other,U=2:2,", letter("in a tombstone"));
  put_file(maildir() + "/cur/1600000003.c.other,U=900:2,", letter("not given yet"));
  put_file(maildir() + "/cur/1600000004.d.other,U=900:2,", letter("second"));
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3, 4, 5, 6, 7});
  CHECK(inbox->snapshot()->uid_next() == 8);
  CHECK(read(*inbox, 1) == letter("0"));
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a listener hears of a foreign delivery without asking") {
  auto inbox = mailbox();
  struct Waiting final : Listener {
    int calls = 0;
    void mailbox_changed() override { ++calls; }
  } listener;
  inbox->add_listener(listener);
  put_file(maildir() + "/tmp/1600000001.1.other", letter("x"));
  std::filesystem::rename(maildir() + "/tmp/1600000001.1.other", maildir() + "/new/1600000001.1.other");
  for (int turn = 0; turn < 200 && listener.calls == 0; ++turn) run_for(Milliseconds(10));
  CHECK(listener.calls > 0);
  CHECK(inbox->snapshot()->size() == 1);
  inbox->remove_listener(listener);
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a Maildir of another server is taken over") {
  namespace fs = std::filesystem;
  const std::string carol = "carol@example.test";
  for (const char* folder : {"", "/.Sent", "/.Lists.cpp"}) {
    for (const char* place : {"/new", "/cur", "/tmp"})
      fs::create_directories(maildir(carol) + folder + place);
  }
  put_file(maildir(carol) + "/cur/1600000002.M2P1.old,S=9,W=10:2,S", "A: b\n\nok\n");
  put_file(maildir(carol) + "/cur/1600000001.M1P1.old:2,FS", letter("first"));
  put_file(maildir(carol) + "/new/1600000003.M3P1.old", letter("third"));
  put_file(maildir(carol) + "/.Sent/cur/1600000003.M3P1.old:2,S", letter("sent"));
  auto inbox = mailbox("INBOX", carol);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2, 3});
  CHECK(read(*inbox, 1) == letter("first"));
  CHECK(read(*inbox, 2) == "A: b\r\n\r\nok\r\n");
  CHECK(inbox->first_recent() == 3);
  const auto folders = wait(account(carol).list());
  REQUIRE(folders);
  CHECK(folders->size() == 7);
  for (const MailboxInfo& each : *folders) {
    if (each.name == "Sent") CHECK(each.special_use == SpecialUse::sent);
  }
  CHECK(counts("Sent", carol).messages == 1);
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a lost or damaged state file costs no message and no UID") {
  fill();
  auto inbox = mailbox();
  const auto before = uids_of(*inbox);
  const auto info = inbox->info();
  inbox.reset();
  for (const std::string text : {"", "rubbish", "posthorn-mailbox 1\n"}) {
    stop();
    if (text.empty()) {
      std::filesystem::remove(maildir() + "/posthorn-mailbox");
    } else {
      put_file(maildir() + "/posthorn-mailbox", text);
    }
    start();
    inbox = mailbox();
    CHECK(uids_of(*inbox) == before);
    CHECK(inbox->info().uid_validity == info.uid_validity);
    CHECK(inbox->info().id == info.id);
    CHECK(inbox->snapshot()->uid_next() > 6);
    inbox.reset();
  }
  stop();
  put_file(maildir() + "/posthorn-mailbox", "posthorn-mailbox 2\n");
  start();
  const auto refused = wait(account().open("INBOX"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: COPY finds a message that is renamed just then") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  for (int index = 0; index < 3; ++index) deliver(letter(std::to_string(index)));
  for (const bool move : {false, true}) {
    CAPTURE(move);
    bool once = true;
    files.before_link([&](const std::string& path) {
      if (!path.contains("U=2") || !std::exchange(once, false)) return;
      const std::string name = path.substr(path.rfind('/') + 1);
      const std::string info = name.contains(":2,") ? "F" : ":2,S";
      std::filesystem::rename(path, maildir() + "/cur/" + name + info);
    });
    auto done = move ? wait(inbox->move(all(), archive, Missing::refuse))
                     : wait(inbox->copy(uids({1, 2, 3}), archive, Missing::refuse));
    if (move) {
      // Not all of them are there.
      REQUIRE(done);
      CHECK(done->source.empty());
      done = wait(inbox->move(uids({1, 2, 3}), archive, Missing::refuse));
    }
    files.before_link({});
    REQUIRE(done);
    CHECK(done->target.size() == 3);
  }
  REQUIRE(archive->snapshot()->size() == 6);
  CHECK(archive->snapshot()->at(1).flags.system == bit(SystemFlag::seen));
  CHECK(archive->snapshot()->at(4).flags.system != 0);
  CHECK(inbox->snapshot()->size() == 0);
  for (Uid uid = 1; uid <= 6; ++uid) CHECK(read(*archive, uid) == letter(std::to_string((uid - 1) % 3)));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: of messages one of which goes just then, COPY copies all or none") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  for (int index = 0; index < 3; ++index) deliver(letter(std::to_string(index)));
  bool once = true;
  files.before_link([&](const std::string& path) {
    if (path.contains("U=2") && std::exchange(once, false)) std::filesystem::remove(path);
  });
  auto refused = wait(inbox->copy(uids({1, 2, 3}), archive, Missing::refuse));
  REQUIRE(refused);
  CHECK(refused->source.empty());
  CHECK(archive->snapshot()->size() == 0);
  CHECK(list(maildir() + "/.Archive/new").empty());
  auto skipped = wait(inbox->copy(uids({1, 2, 3}), archive, Missing::skip));
  REQUIRE(skipped);
  CHECK(skipped->source == std::vector<Uid>{1, 3});
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3});
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a file that another program is still writing is served whole in the end") {
  auto inbox = mailbox();
  const std::string whole = letter("slow") + std::string(1 << 20, 'x') + "\r\n";
  for (const std::string& beginning : {std::string(), letter("slow")}) {
    CAPTURE(beginning.size());
    const std::string path = maildir() + "/cur/1600000001." + std::to_string(beginning.size()) + ".other:2,";
    run_for(Milliseconds(25));
    std::ofstream out(path, std::ios::binary);
    out << beginning << std::flush;
    poll(*inbox);
    out << whole.substr(beginning.size()) << std::flush;
    poll(*inbox);
    REQUIRE(inbox->snapshot()->size() > 0);
    const Uid uid = uids_of(*inbox).back();
    const auto bytes = wait(inbox->bytes(uid));
    // Taken in too early it gets another UID.
    if (!bytes) CHECK(uids_of(*inbox).back() > uid);
    CHECK(read(*inbox, uids_of(*inbox).back()) == whole);
  }
  CHECK(inbox->snapshot()->size() == 2);
  inbox.reset();
  restart();
  CHECK(mailbox()->snapshot()->size() == 2);
}

TEST_CASE_FIXTURE(OutsideFixture, "outside: a file that stays empty is a message a second later") {
  auto inbox = mailbox();
  put_file(maildir() + "/new/1600000001.1.other", "");
  poll(*inbox);
  CHECK(inbox->snapshot()->size() == 0);
  make_old(maildir() + "/new/1600000001.1.other");
  poll(*inbox);
  REQUIRE(inbox->snapshot()->size() == 1);
  CHECK(inbox->snapshot()->at(0).size == 0);
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a rename between a STORE and the name that follows it loses neither's flags") {
  auto inbox = mailbox();
  for (int index = 0; index < 2; ++index) deliver(letter(std::to_string(index)));
  for (const Uid uid : {1U, 2U})
    REQUIRE(try_store(*inbox, uids({uid}), FlagChange::add, bit(SystemFlag::flagged)));
  inbox.reset();
  mailboxes.clear();
  const std::string before = find_file("U=1");
  std::filesystem::rename(before, maildir() + "/cur/" + before.substr(before.rfind('/') + 1) + ":2,S");
  run_for(Milliseconds(4000));
  CHECK(find_file("U=1").ends_with(":2,FS"));
  CHECK(find_file("U=2").ends_with(":2,F"));
  inbox = mailbox();
  CHECK(inbox->snapshot()->at(0).flags.system == (bit(SystemFlag::seen) | bit(SystemFlag::flagged)));
  CHECK(inbox->snapshot()->at(1).flags.system == bit(SystemFlag::flagged));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a name that lost its fields is put right, and its message is the same") {
  auto inbox = mailbox();
  deliver(letter("one"));
  const std::string path = find_file("U=1");
  const std::string email_id = path.substr(path.rfind('/') + 1, path.find(",S=") - path.rfind('/') - 1);
  std::filesystem::rename(path, maildir() + "/cur/" + email_id + ",U=1:2,S");
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1});
  CHECK(find_file("U=1").ends_with(path.substr(path.rfind('/') + 1) + ":2,S"));
  REQUIRE(try_store(*inbox, uids({1}), FlagChange::add, bit(SystemFlag::flagged)));
  CHECK(wait(inbox->copy(uids({1}), mailbox("Archive"), Missing::refuse))->target.size() == 1);
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: no new message has a UID below the UIDNEXT that was told (RFC 3501 §2.3.1.1)") {
  deliver(letter("one"));
  crash();
  start();
  auto inbox = mailbox();
  const Uid next = inbox->snapshot()->uid_next();
  REQUIRE(next > 100);
  put_file(maildir() + "/cur/1600000001.a.other,U=100:2,", letter("two"));
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, next});
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: one file that can't be handled stops neither the others nor deliveries") {
  namespace fs = std::filesystem;
  auto inbox = mailbox();
  put_file(maildir() + "/cur/1.x:2," + std::string(245, 'S'), letter("long"));
  put_file(maildir() + "/cur/1600000001.stuck.other:2,", letter("stuck"));
  mkfifo((maildir() + "/cur/1600000002.pipe.other:2,").c_str(), 0600);
  put_file(maildir() + "/cur/1600000003.good.other:2,", letter("good"));
  make_old(maildir() + "/cur/1600000002.pipe.other:2,");
  const auto stuck = [](std::string_view call) {
    return call.starts_with("rename ") && call.contains("stuck.other");
  };
  files.fail_if(stuck);
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
  CHECK(inbox->snapshot()->at(0).flags.system == bit(SystemFlag::seen));
  deliver(letter("ours"));
  poll(*inbox);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2, 3});
  inbox.reset();
  restart();
  deliver(letter("later"));
  CHECK(mailbox()->snapshot()->size() == 4);
  files.heal();
  put_file(maildir() + "/cur/1600000004.more.other:2,", letter("more"));
  poll(*mailbox());
  CHECK(mailbox()->snapshot()->size() == 6);
  CHECK(fs::is_fifo(maildir() + "/cur/1600000002.pipe.other:2,"));
  CHECK(log.has("not_taken_in"));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: a folder that is gone, or broken, keeps no other's names from following") {
  for (const char* name : {"A", "gone", "stuck", "Z"}) {
    REQUIRE(wait(account().create(name, SpecialUse::none)));
    auto target = mailbox(name);
    append(*target, letter(name));
    // Beyond the 26th they need a file of their own.
    std::vector<std::string> keywords;
    for (int index = 0; index < 30; ++index) keywords.push_back("k" + std::to_string(index));
    if (std::string(name) == "stuck") REQUIRE(try_store(*target, uids({1}), FlagChange::add, 0, keywords));
  }
  files.fail_if([](std::string_view call) { return call.contains(".stuck/posthorn-keywords"); });
  for (const char* name : {"A", "gone", "stuck", "Z"})
    REQUIRE(try_store(*mailbox(name), uids({1}), FlagChange::add, bit(SystemFlag::flagged)));
  std::filesystem::remove_all(maildir() + "/.gone");
  SUBCASE("behind the scenes") {
    for (int waited = 0; waited < 100 && find_file(":2,F", "/.Z").empty(); ++waited)
      run_for(Milliseconds(100));
  }
  SUBCASE("at the end") { stop(); }
  for (const char* name : {"/.A", "/.Z"}) {
    CAPTURE(name);
    CHECK(find_file(":2,F", name) != "");
  }
  stop();
  CHECK_FALSE(log.has("not_settled"));
  std::size_t told = 0;
  const std::string lines = log.all();
  for (std::size_t at = lines.find("upkeep_failed"); at != std::string::npos;
       at = lines.find("upkeep_failed", at + 1)) {
    ++told;
  }
  CHECK(told == 2);
  CHECK(content(maildir() + "/.Z/posthorn-mailbox").contains("settled yes"));
  CHECK(content(maildir() + "/.stuck/posthorn-mailbox").contains("settled no"));
  files.heal();
  start();
  CHECK(mailbox("stuck")->snapshot()->at(0).flags.has(SystemFlag::flagged));
  CHECK_FALSE(wait(account().open("gone")));
  stop();
  CHECK(content(maildir() + "/.stuck/posthorn-keywords").contains("k"));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: files that another program has changed in place come anew, all at once") {
  auto inbox = mailbox();
  for (int index = 0; index < 5; ++index) deliver(letter(std::to_string(index)));
  const std::string last = find_file("U=5");
  for (const Uid uid : {1, 2, 3, 4}) {
    const std::string path = find_file("U=" + std::to_string(uid));
    put_file(path, content(path) + "more\r\n");
  }
  CHECK_FALSE(wait(inbox->bytes(2)));
  CHECK(uids_of(*inbox) == std::vector<Uid>{5, 6, 7, 8, 9});
  CHECK(read(*inbox, 6) == letter("0") + "more\r\n");
  CHECK(std::filesystem::exists(last));
  CHECK(log.has("storage.size_changed"));
  CHECK(log.has("files=4"));
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "outside: summaries say which messages can't be read, and give the others") {
  auto inbox = mailbox();
  for (int index = 0; index < 4; ++index) deliver(letter(std::to_string(index)));
  // An index that is made anew has none of them.
  inbox.reset();
  stop();
  std::filesystem::remove(index_path());
  start();
  inbox = mailbox();
  // What is no regular file is not read.
  const std::string path = find_file("U=2");
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/null", path);
  auto found = wait(inbox->summaries(all()));
  REQUIRE(found);
  CHECK(found->list.size() == 3);
  CHECK(found->unread == uids({2}));
  REQUIRE(found->why);
  CHECK(found->why->code != Errc::not_found);
  std::filesystem::remove(path);
  // One that another program has changed in place comes anew, and then its old UID is gone.
  put_file(path, letter("another of another size"));
  found = wait(inbox->summaries(uids({1, 2, 3})));
  REQUIRE(found);
  CHECK(found->list.size() == 2);
  CHECK(found->unread.empty());
  CHECK_FALSE(found->why);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3, 4, 5});
  CHECK(log.has("storage.size_changed"));
}

}  // namespace posthorn::storage::testing
