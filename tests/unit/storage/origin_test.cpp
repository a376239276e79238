// When messages came into their mailbox, which thread they belong to, and what their previews say.
#include "base/sqlite.h"
#include "message/summary_codec.h"
#include "storage/threads.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct OriginFixture : StoreFixture {
  std::vector<Mailbox::Origin> origins(Mailbox& target) {
    auto found = wait(target.origins(all()));
    REQUIRE(found);
    return *std::move(found);
  }
  std::vector<std::int64_t> saved(Mailbox& target) {
    std::vector<std::int64_t> dates;
    for (const auto& each : origins(target)) dates.push_back(each.saved);
    return dates;
  }
  // The place of the first message of each one's thread: "0 0 2" says that the first two are one thread.
  std::string threads(Mailbox& target) {
    const auto found = origins(target);
    std::string text;
    for (const auto& each : found) {
      CHECK(is_thread_id(each.thread_id));
      const auto first = std::ranges::find(found, each.thread_id, &Mailbox::Origin::thread_id);
      text += (text.empty() ? "" : " ") + std::to_string(first - found.begin());
    }
    return text;
  }
  static std::string mail(std::string_view subject, std::string_view id, std::string_view fields = "") {
    return "Message-ID: <" + std::string(id) + ">\r\nSubject: " + std::string(subject) + "\r\n" +
           std::string(fields) + "\r\nHello\r\n";
  }
  std::vector<std::string> names() { return list(maildir() + "/new"); }
  void lose_index() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
    }
  }
  std::optional<std::string> preview(Mailbox& target, Uid uid, Effort effort = Effort::full) {
    const auto found = wait(target.summaries(uids({uid}), effort));
    REQUIRE(found);
    if (found->list.empty()) return std::nullopt;
    const auto decoded = message::decode_preview(found->list.front().encoded);
    REQUIRE(decoded);
    return *decoded;
  }
};

}  // namespace

TEST_CASE_FIXTURE(OriginFixture, "SAVEDATE: when a message came into this mailbox (RFC 8514 §3)") {
  auto inbox = mailbox();
  const std::int64_t begin = clock.seconds();
  deliver(letter("one"));
  CHECK(saved(*inbox) == std::vector{begin});
  CHECK_FALSE(names().front().contains(",D="));
  clock.advance_seconds(10);
  append(*inbox, letter("two"));  // dated 2020
  CHECK(inbox->snapshot()->at(1).internal_date == 1'600'000'000);
  clock.advance_seconds(10);
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(uids({1, 2}), archive, Missing::skip)));
  clock.advance_seconds(10);
  REQUIRE(wait(archive->copy(uids({1}), archive, Missing::skip)));
  REQUIRE(wait(archive->move(uids({2}), inbox, Missing::skip)));
  const std::vector<std::int64_t> here{begin, begin + 10, begin + 30};
  const std::vector<std::int64_t> there{begin + 20, begin + 30};
  CHECK(saved(*inbox) == here);
  CHECK(saved(*archive) == there);
  for (int round = 0; round < 3; ++round) {
    clock.advance_seconds(1000);
    inbox.reset();
    archive.reset();
    if (round == 2) {
      crash();
    } else {
      stop();
    }
    if (round > 0) lose_index();
    start();
    inbox = mailbox();
    archive = mailbox("Archive");
    CHECK(saved(*inbox) == here);
    CHECK(saved(*archive) == there);
  }
}

TEST_CASE_FIXTURE(OriginFixture, "SAVEDATE: a file of another program came at the time that its name says") {
  auto inbox = mailbox();
  put_file(maildir() + "/new/1600000001.1.other", letter("another program's"));
  REQUIRE(wait(inbox->poll()));
  CHECK(saved(*inbox) == std::vector<std::int64_t>{1'600'000'001});
  // One of ours that another program has copied to here came when it was found.
  deliver(letter("ours"), {bob});
  const std::string theirs = maildir(bob) + "/new/" + list(maildir(bob) + "/new").front();
  clock.advance_seconds(50);
  run_for(Milliseconds(25));
  std::filesystem::copy(theirs, maildir() + "/cur/" + theirs.substr(theirs.rfind('/') + 1) + ":2,");
  REQUIRE(wait(inbox->poll()));
  CHECK(saved(*inbox) == std::vector<std::int64_t>{1'600'000'001, clock.seconds()});
}

TEST_CASE("THREADID: what a thread is found by (RFC 8474 §5.2)") {
  const auto keys = [](std::string_view text) { return thread_keys(message::parse_summary(text)); };
  const auto own = keys("Message-ID: <a@x>\r\nSubject: One\r\n\r\n");
  REQUIRE(own.size() == 1);
  const auto reply =
      keys("Message-ID: <b@x>\r\nSubject: =?utf-8?q?Re:?= [list] one (fwd)\r\nIn-Reply-To: <a@x>\r\n\r\n");
  REQUIRE(reply.size() == 2);
  CHECK(reply[1] == own[0]);
  CHECK(reply[0] != own[0]);
  const auto later =
      keys("Message-ID: <c@x>\r\nSubject: Re: one\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\n");
  REQUIRE(later.size() == 4);
  CHECK(later[1] == reply[0]);  // the nearest first
  CHECK(later[2] == own[0]);
  CHECK(keys("Message-ID: <a@x>\r\nSubject: Two\r\n\r\n") != own);
  CHECK(keys("Message-ID: <A@x>\r\nSubject: One\r\n\r\n") != own);
  CHECK(keys("Message-ID: <a@x>\r\nSubject: ONE\r\n\r\n") == own);
  CHECK(keys("Subject: One\r\n\r\n").empty());
  CHECK(is_thread_id(thread_id_of("1700000000.x.host")));
  CHECK(thread_id_of("1700000000.x.host") != thread_id_of("1700000000.y.host"));
  // In file names, so the same for ever.
  CHECK(thread_id_of("") == "T6c62272e07bb014262b821756295c58d");
}

TEST_CASE_FIXTURE(OriginFixture, "THREADID: by References and subject; it stays, and copies have it") {
  auto inbox = mailbox();
  deliver(mail("Lunch", "a@x"));
  deliver(mail("Re: lunch", "b@x", "In-Reply-To: <a@x>\r\n"));
  deliver(mail("Other", "c@x", "In-Reply-To: <a@x>\r\n"));           // another subject
  deliver(mail("Re: Lunch", "d@x", "References: <z@x> <b@x>\r\n"));  // its parent is in the thread
  deliver(mail("Lunch", "e@x"));                                     // by chance
  deliver(mail("Re: Lunch", "f@x", "References: <z@x>\r\n"));        // a sibling of the fourth
  deliver(mail("Lunch", "z@x"));                                     // what both refer to comes last
  append(*inbox, mail("Re: Other", "g@x", "In-Reply-To: <c@x>\r\n"));
  deliver(letter("no id"));
  deliver(letter("no id"));
  const std::string expected = "0 0 2 0 4 0 0 2 8 9";
  CHECK(threads(*inbox) == expected);
  const auto before = origins(*inbox);
  CHECK(std::ranges::count_if(names(), [](const std::string& name) { return name.contains(",T=T"); }) == 5);
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(all(), archive, Missing::skip)));
  const auto copies = origins(*archive);
  for (std::size_t place = 0; place < before.size(); ++place) {
    CHECK(copies[place].thread_id == before[place].thread_id);
  }
  // The beginning of a thread may go.
  REQUIRE(wait(archive->expunge(all(), true)));
  REQUIRE(wait(inbox->expunge(uids({1}), true)));
  deliver(mail("Re: Lunch", "h@x", "In-Reply-To: <a@x>\r\n"));
  CHECK(origins(*inbox).back().thread_id == before.front().thread_id);
}

TEST_CASE_FIXTURE(OriginFixture, "THREADID: after the index is lost, threads go on once headers were read") {
  deliver(mail("Lunch", "a@x"));
  deliver(mail("Re: lunch", "b@x", "In-Reply-To: <a@x>\r\n"));
  for (int index = 0; index < 100; ++index) deliver(mail("n", std::to_string(index) + "@x"));
  const auto before = origins(*mailbox());
  stop();
  lose_index();
  start();
  auto inbox = mailbox();
  const auto after = origins(*inbox);
  REQUIRE(after.size() == before.size());
  for (std::size_t place = 0; place < before.size(); ++place) {
    CHECK(after[place].thread_id == before[place].thread_id);
  }
  run_for(Milliseconds(2500));
  deliver(mail("Re: Lunch", "c@x", "In-Reply-To: <b@x>\r\n"));
  deliver(mail("n", "m@x", "In-Reply-To: <99@x>\r\n"));
  const auto last = origins(*inbox);
  CHECK(last[102].thread_id == before[0].thread_id);
  CHECK(last[103].thread_id == before[101].thread_id);
}

TEST_CASE_FIXTURE(OriginFixture, "THREADID: files of another program join the thread that is there") {
  auto inbox = mailbox();
  deliver(mail("Lunch", "a@x"));
  run_for(Milliseconds(25));
  put_file(maildir() + "/new/1600000001.1.other",
           "Message-ID: <b@x>\nSubject: Re: lunch\nIn-Reply-To: <a@x>\n\nHello\n");
  REQUIRE(wait(inbox->poll()));
  CHECK(threads(*inbox) == "0 0");
  inbox.reset();
  stop();
  lose_index();
  start();
  CHECK(threads(*mailbox()) == "0 0");
}

TEST_CASE_FIXTURE(OriginFixture,
                  "THREADID: beyond a limit, msg-ids that no message names for longest are forgotten") {
  stop();
  settings.thread_keys = 8;
  start();
  auto inbox = mailbox();
  deliver(mail("lunch", "old@x"));
  deliver(mail("tea", "living@x"));
  for (int day = 0; day < 12; ++day) {
    clock.advance_seconds(86'400);
    deliver(mail("tea", "tea" + std::to_string(day) + "@x", "In-Reply-To: <living@x>\r\n"));
    inbox.reset();
    restart();
    inbox = mailbox();
  }
  deliver(mail("Re: lunch", "late@x", "In-Reply-To: <old@x>\r\n"));
  deliver(mail("Re: tea", "in-time@x", "In-Reply-To: <living@x>\r\n"));
  CHECK(threads(*inbox) == "0 1 1 1 1 1 1 1 1 1 1 1 1 1 14 1");
  inbox.reset();
  stop();
  auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::read_write);
  REQUIRE(index);
  const auto kept = index->integer("SELECT count(*) FROM thread");
  REQUIRE(kept);
  CHECK(*kept <= 8);
  CHECK(index->integer("SELECT thread_keys FROM account") == *kept);
}

TEST_CASE_FIXTURE(OriginFixture, "names stay below 255 octets, whatever the host and the dates are") {
  stop();
  settings.hostname = std::string(300, 'h');
  start();
  auto inbox = mailbox();
  append(*inbox, mail("Lunch", "a@x"));
  append(*inbox, mail("Re: lunch", "b@x", "In-Reply-To: <a@x>\r\n"), 31);
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(all(), archive, Missing::skip)));
  for (const char* folder : {"/cur", "/.Archive/cur"}) {
    for (const std::string& name : list(maildir() + folder)) CHECK(name.size() < 220);
  }
  inbox.reset();
  archive.reset();
  restart();
  CHECK(threads(*mailbox("Archive")) == "0 0");
}

TEST_CASE_FIXTURE(OriginFixture, "PREVIEW: made at arrival, from memory and from disk (RFC 8970 §3)") {
  auto inbox = mailbox();
  deliver("Subject: x\r\n\r\nShort  and\r\nsweet\r\n");
  deliver("Subject: x\r\n\r\nLong ago\r\n" + std::string(20'000, 'x'));
  deliver("Subject: x\r\nContent-Type: image/png\r\n\r\nno text\r\n");
  deliver("Subject: shared\r\n\r\nTo both\r\n", {alice, bob});
  CHECK(preview(*inbox, 1, Effort::look_up) == "Short and sweet");
  CHECK(preview(*inbox, 2, Effort::look_up).value().starts_with("Long ago xxx"));
  CHECK(preview(*inbox, 3, Effort::look_up) == "");
  CHECK(preview(*inbox, 4, Effort::look_up) == "To both");
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(uids({1}), archive, Missing::skip)));
  CHECK(preview(*archive, 1, Effort::look_up) == "Short and sweet");
  run_for(Milliseconds(25));
  put_file(maildir() + "/new/1600000001.1.other", "Subject: x\n\nof bare\nLFs\n");
  std::string large = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\n\n";
  for (int index = 0; index < 100'000; ++index) large += "line\n";
  large += "--b\n\nAt the\nend\n--b--\n";
  put_file(maildir() + "/new/1600000002.1.other", large);
  REQUIRE(wait(inbox->poll()));
  CHECK(preview(*inbox, 5, Effort::look_up) == "of bare LFs");
  CHECK(preview(*inbox, 6, Effort::look_up) == "At the end");
}

TEST_CASE_FIXTURE(OriginFixture,
                  "PREVIEW: worked out anew after the index is lost, but not for LAZY (RFC 8970 §4.1)") {
  deliver("Subject: x\r\n\r\nHello there\r\n");
  stop();
  lose_index();
  start();
  auto inbox = mailbox();
  CHECK_FALSE(preview(*inbox, 1, Effort::look_up));
  CHECK(preview(*inbox, 1) == "Hello there");
  run_for(Milliseconds(50));
  CHECK(preview(*inbox, 1, Effort::look_up) == "Hello there");
}

}  // namespace posthorn::storage::testing
