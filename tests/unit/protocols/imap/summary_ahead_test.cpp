#include "protocols/imap/summary_ahead.h"

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace posthorn::imap {
namespace {

using storage::Uid;
using storage::UidSet;

UidSet run_of(Uid first, Uid last) {
  UidSet uids;
  uids.append(first, last);
  return uids;
}

// An INBOX of `count` messages, of whose summaries so many are a batch.
void fill(Server& server, int count, std::size_t batch, const std::string& text = "text") {
  for (int i = 0; i < count; ++i) server.inbox().put(simple_message("m", text));
  std::size_t octets = 0;
  server.group.start([](Server& of, std::size_t& size) -> Task<void> {
    size = (co_await of.inbox().summaries(run_of(1, 1), storage::Effort::full, storage::Form::summary))
               ->list.front()
               .encoded.size();
  }(server, octets));
  REQUIRE(testing::run_until(server.loop, [&] { return octets > 0; }));
  server.store.summary_octets = octets * batch;
  server.store.summary_reads.clear();
}

// The UIDs that the next take() gives, or its error.
struct Taken {
  std::vector<Uid> uids;
  std::string error;
};
Taken take(Server& server, SummaryAhead& ahead, const UidSet& uids) {
  std::optional<Result<SummaryAhead::Summaries>> taken;
  server.group.start([](SummaryAhead& from, UidSet of, auto& into) -> Task<void> {
    into = co_await from.take(std::move(of));
  }(ahead, uids, taken));
  REQUIRE(testing::run_until(server.loop, [&] { return taken.has_value(); }));
  if (!*taken) return {.uids = {}, .error = taken->error().detail};
  Taken found;
  for (const auto& summary : (*taken)->list) found.uids.push_back(summary.uid);
  return found;
}

bool has(const std::string& text, std::string_view part) { return text.contains(part); }

}  // namespace

TEST_CASE("imap: what was begun is what is taken, and is read once") {
  Server server;
  fill(server, 4, 4);
  SummaryAhead ahead(server.inbox(), storage::Effort::full, storage::Form::summary);
  CHECK(take(server, ahead, run_of(1, 2)).uids == std::vector<Uid>{1, 2});
  ahead.begin(run_of(3, 4));
  CHECK(server.store.summary_reads_under_way == 1);
  SUBCASE("while it is under way") {}
  SUBCASE("or long after") {
    REQUIRE(testing::run_until(server.loop, [&] { return server.store.summary_reads_under_way == 0; }));
  }
  CHECK(take(server, ahead, run_of(3, 4)).uids == std::vector<Uid>{3, 4});
  CHECK(server.store.summary_reads == std::vector{run_of(1, 2), run_of(3, 4)});
  CHECK(take(server, ahead, run_of(3, 4)).uids == std::vector<Uid>{3, 4});
  CHECK(server.store.summary_reads.size() == 3);
}

TEST_CASE("imap: where others are taken than were begun, those are read") {
  Server server;
  fill(server, 4, 4);
  SummaryAhead ahead(server.inbox(), storage::Effort::full, storage::Form::summary);
  ahead.begin(run_of(3, 4));
  CHECK(take(server, ahead, run_of(1, 2)).uids == std::vector<Uid>{1, 2});
  CHECK(take(server, ahead, run_of(3, 4)).uids == std::vector<Uid>{3, 4});
  CHECK(server.store.most_summary_reads_under_way == 1);
}

TEST_CASE("imap: a read ahead that fails is told to who takes it, and to nobody else") {
  Server server;
  fill(server, 4, 4);
  SummaryAhead ahead(server.inbox(), storage::Effort::full, storage::Form::summary);
  server.store.fail({Errc::io, "bad disk"});
  ahead.begin(run_of(1, 2));
  CHECK(take(server, ahead, run_of(1, 2)).error == "bad disk");
  CHECK(take(server, ahead, run_of(3, 4)).uids == std::vector<Uid>{3, 4});
}

TEST_CASE("imap: what was begun is over before its reader is") {
  Server server;
  fill(server, 4, 4);
  SummaryAhead ahead(server.inbox(), storage::Effort::full, storage::Form::summary);
  Signal go;
  server.store.let_summaries_go = &go;
  ahead.begin(run_of(1, 2));
  bool ended = false;
  server.group.start([](SummaryAhead& each, bool& has_ended) -> Task<void> {
    co_await each.end();
    has_ended = true;
  }(ahead, ended));
  REQUIRE(testing::run_until(server.loop, [&] { return go.has_waiter(); }));
  CHECK_FALSE(ended);
  go.notify();
  CHECK(ended);
}

TEST_CASE("imap: FETCH reads the next summaries while it tells those that it has") {
  Server server;
  fill(server, 10, 4);
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a FETCH 1:* (ENVELOPE BODY)");
  CHECK(said.ends_with("a OK FETCH completed\r\n"));
  for (int number = 1; number <= 10; ++number) {
    CHECK(has(said, "* " + std::to_string(number) + " FETCH (ENVELOPE ("));
  }
  // The next begin where the octets that a call gives end; nothing is read behind the last.
  CHECK(server.store.summary_reads == std::vector{run_of(1, 10), run_of(5, 10), run_of(9, 10)});
  CHECK(server.store.most_summary_reads_under_way == 1);
}

TEST_CASE("imap: FETCH reads ahead from one batch of 256 into the next") {
  Server server;
  for (int i = 0; i < 600; ++i) server.inbox().put(simple_message("m", "text"));
  auto client = Client::with_inbox(server);
  Signal go;
  server.store.let_summaries_go = &go;
  client->peer().send("a FETCH 1:* (ENVELOPE BODY)\r\n");
  REQUIRE(testing::run_until(server.loop, [&] { return go.has_waiter(); }));
  go.notify();
  // The first are told while the second are read.
  REQUIRE(testing::run_until(server.loop, [&] { return has(client->peer().output(), "* 100 FETCH "); }));
  CHECK(server.store.summary_reads == std::vector{run_of(1, 256), run_of(257, 512)});
  CHECK(server.store.summary_reads_under_way == 1);
  CHECK_FALSE(has(client->peer().output(), "* 257 FETCH "));
  server.store.let_summaries_go = nullptr;
  go.notify();
  CHECK(client->listen().ends_with("a OK FETCH completed\r\n"));
  CHECK(server.store.summary_reads.back() == run_of(513, 600));
  CHECK(server.store.summary_reads.size() == 3);
}

TEST_CASE("imap: a read ahead that fails costs the messages that it was of (RFC 5530)") {
  Server server;
  fill(server, 10, 4);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::io, "bad disk"}, 1);
  const std::string said = client->say("a FETCH 1:* (ENVELOPE BODY)");
  CHECK(has(said, "* 4 FETCH (ENVELOPE "));
  CHECK_FALSE(has(said, "* 5 FETCH "));
  CHECK(has(said, "a NO [UNAVAILABLE] "));
  CHECK(server.log.contains("bad disk"));
}

TEST_CASE("imap: a client that goes while summaries are read ahead leaves when that is over") {
  Server server;
  fill(server, 10, 4, std::string(40'000, 'x'));
  auto client = Client::with_inbox(server);
  Signal go;
  server.store.let_summaries_go = &go;
  client->peer().send("a FETCH 1:* (ENVELOPE BODY.PEEK[])\r\n");
  REQUIRE(testing::run_until(server.loop, [&] { return go.has_waiter(); }));
  client->peer().hold_writes(true);
  go.notify();
  REQUIRE(testing::run_until(server.loop, [&] { return client->peer().write_waits(); }));
  client->connection().close(CloseReason::peer);
  for (int turns = 0; turns < 5; ++turns) server.loop.run_once();
  CHECK_FALSE(client->ended());
  server.store.let_summaries_go = nullptr;
  go.notify();
  CHECK(testing::run_until(server.loop, [&] { return client->ended(); }));
  CHECK(server.store.summary_reads.size() == 2);
}

TEST_CASE("imap: what is told from the highest UID down is not read ahead (RFC 9738 §3.1)") {
  Server server;
  server.settings.message_limit = 9;
  fill(server, 10, 4);
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a FETCH 1:* (ENVELOPE BODY)");
  CHECK(has(said, "* 2 FETCH (ENVELOPE "));
  CHECK_FALSE(has(said, "* 1 FETCH "));
  CHECK(server.store.most_summary_reads_under_way == 1);
  CHECK(server.store.summary_reads.front() == run_of(2, 10));
}

}  // namespace posthorn::imap
