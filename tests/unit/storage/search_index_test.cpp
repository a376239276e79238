#include "message/charset.h"
#include "storage/search_document.h"
#include "tests/unit/storage/store_fixture.h"

#include <sqlite3.h>

#include <filesystem>
#include <set>

namespace {

using namespace posthorn;
using namespace posthorn::storage;
using storage::testing::StoreFixture;
using In = TextPattern::In;

struct SearchFixture : StoreFixture {
  SearchFixture() {
    stop();
    settings.search_index = true;
    settings.search_index_delay = Milliseconds(0);
    start();
  }

  // Lets what has arrived go into the index.
  void fill() {
    log.clear();
    for (int tries = 0; tries < 500 && !log.has("storage.search_index_filled"); ++tries)
      run_for(Milliseconds(10));
    REQUIRE_MESSAGE(log.has("storage.search_index_filled"), log.all());
  }
  Mailbox::TextHits hits(Mailbox& mailbox, std::string_view text, In in = In::anywhere) {
    return wait(mailbox.text_hits({{in, message::fold_for_search(text)}}));
  }
  // Those of all messages that may have it; all of which are in the index.
  UidSet found(Mailbox& mailbox, std::string_view text, In in = In::anywhere) {
    const Mailbox::TextHits answer = hits(mailbox, text, in);
    for (const Uid uid : uids_of(mailbox)) REQUIRE(answer.known.contains(uid));
    REQUIRE(answer.hits.size() == 1);
    REQUIRE(answer.hits.front());
    return *answer.hits.front();
  }
  std::string index_path() const { return account_path() + "/search.sqlite"; }
};

std::string mail_of(std::string_view header, std::string_view body) {
  return "From: Bob <bob@example.test>\r\n" + std::string(header) + "\r\n\r\n" + std::string(body) + "\r\n";
}

}  // namespace

TEST_CASE_FIXTURE(SearchFixture, "search index: which messages can have a text, by its place") {
  auto inbox = mailbox();
  append(*inbox, mail_of("Subject: =?iso-8859-1?Q?Gr=FC=DFe?= apples", "pears"));
  append(*inbox, mail_of("Subject: pears", "Content apples"));
  append(*inbox,
         mail_of(
             "Subject: none\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64",
             "7c/Ty9fB"));
  fill();
  CHECK(found(*inbox, "apples") == uids({1, 2}));
  CHECK(found(*inbox, "Apples", In::header) == uids({1}));
  CHECK(found(*inbox, "apples", In::body) == uids({2}));
  CHECK(found(*inbox, "GRÜSSE") == uids({1}));
  CHECK(found(*inbox, "Москва", In::body) == uids({3}));
  CHECK(found(*inbox, "bob <bob@", In::header) == uids({1, 2, 3}));
  CHECK(found(*inbox, "oranges").empty());
  CHECK(found(*inbox, "\"quoted\" AND apples").empty());
  // Too short to be asked for.
  CHECK_FALSE(hits(*inbox, "ap").hits.front());
  const auto both = wait(inbox->text_hits({{In::body, "pears"}, {In::body, "x"}, {In::header, "pears"}}));
  REQUIRE(both.hits.size() == 3);
  CHECK(both.hits[0] == uids({1}));
  CHECK_FALSE(both.hits[1]);
  CHECK(both.hits[2] == uids({2}));
}

TEST_CASE_FIXTURE(SearchFixture,
                  "search index: what has just arrived is not known, until it is filled again") {
  auto inbox = mailbox();
  append(*inbox, mail_of("Subject: one", "apples"));
  fill();
  append(*inbox, mail_of("Subject: two", "apples"));
  const auto before = hits(*inbox, "apples");
  REQUIRE(before.hits.front());
  CHECK(*before.hits.front() == before.known);
  fill();
  CHECK(found(*inbox, "apples") == uids({1, 2}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: copies and moved messages are known at once") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  append(*archive, mail_of("Subject: zero", "pears"));
  append(*inbox, mail_of("Subject: one", "apples"));
  append(*inbox, mail_of("Subject: two", "apples"));
  fill();
  REQUIRE(wait(inbox->copy(uids({1}), archive, Missing::skip)));
  REQUIRE(wait(inbox->move(uids({2}), archive, Missing::skip)));
  CHECK(found(*archive, "apples") == uids({2, 3}));
  CHECK(found(*inbox, "apples") == uids({1}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: names that other programs gave twice are two messages") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  put_file(maildir() + "/cur/1600000000.same.host:2,", mail_of("Subject: one", "apples"));
  put_file(maildir() + "/.Archive/cur/1600000000.same.host:2,", mail_of("Subject: one", "grapes"));
  REQUIRE(wait(inbox->poll()));
  REQUIRE(wait(archive->poll()));
  fill();
  CHECK(found(*inbox, "apples") == uids({1}));
  CHECK(found(*archive, "apples").empty());
  CHECK(found(*archive, "grapes") == uids({1}));
}

TEST_CASE_FIXTURE(SearchFixture,
                  "search index: it is there after a restart, and after a loss of the index beside it") {
  auto inbox = mailbox();
  for (int i = 0; i < 5; ++i) append(*inbox, mail_of("Subject: one", "apples" + std::to_string(i)));
  fill();
  restart();
  inbox = mailbox();
  CHECK(found(*inbox, "apples3") == uids({4}));
  stop();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
  start();
  inbox = mailbox();
  CHECK(found(*inbox, "apples3") == uids({4}));
  CHECK_FALSE(log.has("storage.search_index_lost"));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: removed while it is in use, it comes back") {
  auto inbox = mailbox();
  append(*inbox, mail_of("Subject: one", "apples"));
  fill();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  log.clear();
  CHECK(hits(*inbox, "apples").known.empty());
  fill();
  CHECK(found(*inbox, "apples") == uids({1}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: damaged while it is in use or not, it is made anew") {
  auto inbox = mailbox();
  for (int i = 0; i < 20; ++i) append(*inbox, mail_of("Subject: one", "apples" + std::to_string(i)));
  fill();
  SUBCASE("in use") {
    put_file(index_path(), "no database");
    CHECK(hits(*inbox, "apples7").known.empty());
  }
  SUBCASE("while nobody uses it") {
    stop();
    // What is in the log would be played into it.
    std::filesystem::remove(index_path() + "-wal");
    put_file(index_path(), std::string(20'000, 'x'));
    start();
    inbox = mailbox();
  }
  SUBCASE("of another version") {
    stop();
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(index_path().c_str(), &raw) == SQLITE_OK);
    CHECK(sqlite3_exec(raw, "PRAGMA user_version=99", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    start();
    inbox = mailbox();
  }
  SUBCASE("made with another Unicode") {
    stop();
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(index_path().c_str(), &raw) == SQLITE_OK);
    CHECK(sqlite3_exec(raw, "UPDATE about SET folding = '1.0'", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    start();
    inbox = mailbox();
  }
  const auto is_back = [&] {
    return log.has("storage.search_index_lost") && !hits(*inbox, "apples7").known.empty();
  };
  for (int tries = 0; tries < 500 && !is_back(); ++tries) run_for(Milliseconds(10));
  CHECK(log.has("storage.search_index_lost"));
  CHECK(found(*inbox, "apples7") == uids({8}));
}

TEST_CASE_FIXTURE(SearchFixture,
                  "search index: texts with NUL are no harm to it, however often it is merged") {
  auto inbox = mailbox();
  // "a", NUL, "b", NUL and so on: as if UTF-16 had no name.
  std::string encoded;
  for (int i = 0; i < 20; ++i) encoded += "YQBiAGMAZAAxADIAMwA0ADUA\r\n";
  const std::string wide = "Subject: wide\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64";
  // Each by itself, so that there is something to merge.
  for (int i = 0; i < 20; ++i) {
    append(*inbox, mail_of(wide, encoded));
    append(*inbox, mail_of("Subject: text", "apples" + std::to_string(i)));
    fill();
    REQUIRE_FALSE_MESSAGE(log.has("storage.search_index_lost"), log.all());
  }
  CHECK(found(*inbox, "apples19") == uids({40}));
  CHECK(hits(*inbox, std::string_view("a\0b\0c", 5)).hits.size() == 1);
}

TEST_CASE_FIXTURE(SearchFixture, "search index: a message with very long texts is always to be read") {
  auto inbox = mailbox();
  std::string text;
  while (text.size() < (5U << 20U)) text += "some line of a long text\r\n";
  append(*inbox, mail_of("Subject: long", text));
  append(*inbox, mail_of("Subject: short", "apples"));
  fill();
  CHECK(found(*inbox, "apples") == uids({1, 2}));
  CHECK(found(*inbox, "oranges") == uids({1}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: made anew once most of it is about messages that are gone") {
  auto inbox = mailbox();
  for (int i = 0; i < 1'010; ++i) append(*inbox, mail_of("Subject: one", "apples" + std::to_string(i)));
  fill();
  UidSet gone;
  gone.append(2, 1'010);
  REQUIRE(wait(inbox->expunge(gone, true)));
  fill();
  CHECK(log.has("messages that are gone"));
  CHECK(found(*inbox, "apples0") == uids({1}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: switched off for one account, it goes and stays away") {
  auto inbox = mailbox();
  append(*inbox, mail_of("Subject: one", "apples"));
  fill();
  REQUIRE(wait(store->set_search_index(alice, false)));
  CHECK(hits(*inbox, "apples").known.empty());
  CHECK_FALSE(std::filesystem::exists(index_path()));
  restart();
  inbox = mailbox();
  append(*inbox, mail_of("Subject: two", "apples"));
  run_for(Milliseconds(50));
  CHECK(hits(*inbox, "apples").known.empty());
  CHECK_FALSE(std::filesystem::exists(index_path()));
  REQUIRE(wait(store->set_search_index(alice, true)));
  fill();
  CHECK(found(*inbox, "apples") == uids({1, 2}));
}

// How many accounts' search indexes this process has open.
std::size_t open_search_indexes(const std::string& data) {
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string path = std::filesystem::read_symlink(entry.path(), gone).string();
    if (!gone && path.starts_with(data) && path.ends_with("/search.sqlite")) open.insert(path);
  }
  return open.size();
}

TEST_CASE_FIXTURE(SearchFixture,
                  "search index: of an account that is closed while it is filled, none stays open") {
  stop();
  settings.open_indexes = 2;
  start();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) deliver(letter("apples"), {"u" + std::to_string(i) + "@example.test"});
    run_for(Milliseconds(round * 10));
  }
  run_for(Milliseconds(300));
  CHECK(open_search_indexes(settings.data) <= 2);
  // What was not done then is done at the next use.
  auto inbox = mailbox("INBOX", "u0@example.test");
  for (int tries = 0; tries < 500 && hits(*inbox, "apples").known.count() < 3; ++tries)
    run_for(Milliseconds(10));
  CHECK(found(*inbox, "apples") == uids({1, 2, 3}));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: an account is removed while it is filled or waits for it") {
  for (int i = 0; i < 5; ++i) {
    for (int count = 0; count < 40; ++count)
      deliver(letter("apples"), {"u" + std::to_string(i) + "@example.test"});
  }
  for (int i = 4; i >= 0; --i) CHECK(wait(store->remove_account("u" + std::to_string(i) + "@example.test")));
  CHECK(open_search_indexes(settings.data) == 0);
  CHECK_FALSE(log.has("storage.search_index_not_filled"));
}

TEST_CASE_FIXTURE(SearchFixture, "search index: a store that closes leaves what waits to be filled") {
  auto inbox = mailbox();
  for (int i = 0; i < 200; ++i) append(*inbox, mail_of("Subject: one", "apples"));
  for (int i = 0; i < 10; ++i) deliver(letter("apples"), {"u" + std::to_string(i) + "@example.test"});
  restart();
  CHECK_FALSE(log.has("storage.search_index_not_filled"));
  inbox = mailbox();
  for (int tries = 0; tries < 500 && hits(*inbox, "apples").known.count() < 200; ++tries)
    run_for(Milliseconds(10));
  CHECK(found(*inbox, "apples").count() == 200);
}

TEST_CASE("search index: switched off, there is none") {
  StoreFixture store;
  auto inbox = store.mailbox();
  store.append(*inbox, mail_of("Subject: one", "apples"));
  store.run_for(Milliseconds(50));
  CHECK(store.wait(inbox->text_hits({{In::body, "apples"}})).known.empty());
  CHECK_FALSE(std::filesystem::exists(store.account_path() + "/search.sqlite"));
}
