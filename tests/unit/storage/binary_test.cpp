// Messages with binary parts: stored as they came, shown in base64 (message/binary_view.h).
#include "message/binary_view.h"
#include "message/summary_codec.h"
#include "message/transfer_encoding.h"
#include "storage/file_spool.h"
#include "storage/maildir_name.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

using namespace std::string_literals;

struct BinaryFixture : StoreFixture {
  // A message with a binary part of `size` octets, and what is shown of it.
  static std::string letter_with(std::size_t size) {
    std::string body(size, '\0');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 7);
    return head + "binary\r\n\r\n" + body;
  }
  static std::string shown(const std::string& stored) {
    message::Base64Encoder encoder;
    std::string encoded;
    encoder.feed(std::string_view(stored).substr(stored.find("\r\n\r\n") + 4), encoded);
    encoder.finish(encoded);
    return head + "base64\r\n\r\n" + encoded;
  }

  Result<std::unique_ptr<Spool>> binary_spool(const std::string& text) {
    auto spool = store->spool();
    spool->accept_binary();
    TRY(wait(spool->write(text)));
    TRY(wait(spool->close()));
    return spool;
  }
  Uid append_binary(Mailbox& target, const std::string& text) {
    const auto spool = binary_spool(text);
    REQUIRE_MESSAGE(spool, (spool ? "" : spool.error().detail));
    std::vector<Arrival> arrivals{{.spool = spool->get(), .internal_date = 1'600'000'000, .keywords = {}}};
    const auto appended = wait(target.append(std::move(arrivals)));
    REQUIRE(appended);
    return appended->uids.ranges().front().first;
  }
  std::string stored(Mailbox& mailbox, Uid uid) {
    const auto bytes = wait(mailbox.bytes(uid, Octets::stored));
    REQUIRE(bytes);
    std::string whole;
    while (whole.size() < (*bytes)->size()) whole += *wait((*bytes)->read(whole.size(), 200'000));
    return whole;
  }
  message::Summary summary(Mailbox& mailbox, Uid uid) {
    const auto found = wait(mailbox.summaries(uids({uid}), Effort::full));
    REQUIRE(found);
    REQUIRE(found->list.size() == 1);
    return message::decode(found->list.front().encoded).value();
  }
  void check(Mailbox& mailbox, Uid uid, const std::string& text) {
    const auto snapshot = mailbox.snapshot();
    const std::string seen = shown(text);
    CHECK(snapshot->at(*snapshot->find(uid)).size == seen.size());
    CHECK(read(mailbox, uid) == seen);
    CHECK(wait(mailbox.head(uid, 60)) == seen.substr(0, 60));
    CHECK(wait(mailbox.head(uid, 100'000)) == seen.substr(0, 100'000));
    CHECK(stored(mailbox, uid) == text);
    const message::Summary now = summary(mailbox, uid);
    message::Summary expected = message::parse_summary(seen);
    expected.preview = now.preview;
    expected.edits = now.edits;
    CHECK(now == expected);
    CHECK_FALSE(now.edits.empty());
  }
  // The names of the files in INBOX.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const char* place : {"/new", "/cur"}) {
      for (const auto& entry : std::filesystem::directory_iterator(maildir() + place)) {
        names.push_back(entry.path().filename());
      }
    }
    return names;
  }
  std::string maildir() const { return settings.data + "/mail/example.test/alice/Maildir"; }
  std::string index_path() const { return settings.data + "/mail/example.test/alice/index.sqlite"; }

  inline static const std::string head =
      "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: "
      "application/octet-stream\r\nContent-Transfer-Encoding: ";
};

}  // namespace

TEST_CASE_FIXTURE(BinaryFixture, "binary: stored as it came, shown in base64, in memory and in a file") {
  const auto inbox = mailbox();
  for (const std::size_t size : {1, 3'000, 200'000, 1'000'000}) {
    CAPTURE(size);
    const std::string text = letter_with(size);
    check(*inbox, append_binary(*inbox, text), text);
  }
  const Counts now = counts();
  std::uint64_t octets = 0;
  for (const std::size_t size : {1, 3'000, 200'000, 1'000'000}) octets += shown(letter_with(size)).size();
  CHECK(now.octets == octets);
}

TEST_CASE_FIXTURE(BinaryFixture,
                  "binary: what it gains with the line ends of POP3 is that of what is shown") {
  const std::string open_end =
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
      "Content-Transfer-Encoding: binary\r\n\r\n\0\n\n\r\n--b--"s;
  auto inbox = mailbox();
  append_binary(*inbox, letter_with(100));
  append_binary(*inbox, open_end);
  append_binary(*inbox, letter_with(200'000));
  const auto check = [&] {
    const auto gains = wait(inbox->gains());
    REQUIRE(gains);
    REQUIRE(gains->size() == 1);
    CHECK(gains->front().uid == 2);
    CHECK(gains->front().octets == 2);
  };
  check();
  inbox.reset();
  stop();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  start();
  inbox = mailbox();
  check();
}

TEST_CASE_FIXTURE(BinaryFixture, "binary: without a NUL it is as any other") {
  const auto inbox = mailbox();
  const std::string text = head + "binary\r\n\r\nno NUL";
  const Uid uid = append_binary(*inbox, text);
  CHECK(read(*inbox, uid) == text);
  CHECK(inbox->snapshot()->at(0).size == text.size());
  CHECK(summary(*inbox, uid).edits.empty());
  CHECK_FALSE(parse_maildir_name(names().front()).encoded_size);
}

TEST_CASE_FIXTURE(BinaryFixture,
                  "binary: a NUL that no part can have is refused, and nothing is left of it") {
  const auto inbox = mailbox();
  for (const std::string& text : {"A: \0\r\n\r\nx"s, "A: \0\r\n\r\n"s + std::string(10'000, 'x')}) {
    const auto spool = binary_spool(text);
    REQUIRE_FALSE(spool);
    CHECK(spool.error().code == Errc::not_allowed);
  }
  CHECK(std::filesystem::is_empty(settings.data + "/spool"));
  CHECK(names().empty());
}

TEST_CASE_FIXTURE(BinaryFixture,
                  "binary: only where the spool was told so; another's NULs are left as they are") {
  const auto inbox = mailbox();
  const std::string text = letter_with(100);
  const Uid uid = append(*inbox, text);
  CHECK(read(*inbox, uid) == text);
}

TEST_CASE_FIXTURE(BinaryFixture, "binary: the name of the file says so, and the Maildir alone suffices") {
  auto inbox = mailbox();
  const std::string text = letter_with(5'000);
  append_binary(*inbox, text);
  const MaildirName name = parse_maildir_name(names().front());
  CHECK(name.stored_size == text.size());
  CHECK(name.wire_size == text.size());
  CHECK(name.encoded_size == shown(text).size());
  inbox.reset();
  for (const bool is_clean : {true, false}) {
    if (is_clean) {
      stop();
    } else {
      crash();
    }
    std::filesystem::remove(index_path());
    start();
    inbox = mailbox();
    // Read before its summary has been worked out again, and after.
    CHECK(read(*inbox, 1) == shown(text));
    check(*inbox, 1, text);
    inbox.reset();
  }
}

TEST_CASE_FIXTURE(BinaryFixture, "binary: COPY, MOVE and flags keep it") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  const std::string text = letter_with(5'000);
  append_binary(*inbox, text);
  REQUIRE(wait(inbox->copy(uids({1}), archive, Missing::skip)));
  check(*archive, 1, text);
  REQUIRE(wait(inbox->move(uids({1}), archive, Missing::skip)));
  check(*archive, 2, text);
  REQUIRE(try_store(*archive, uids({2}), FlagChange::add, static_cast<std::uint8_t>(SystemFlag::seen)));
  inbox.reset();
  archive.reset();
  restart();
  check(*mailbox("Archive"), 2, text);
}

TEST_CASE_FIXTURE(BinaryFixture,
                  "binary: a file that another program renamed, and names that say what is not so") {
  auto inbox = mailbox();
  const std::string text = letter_with(300);
  const std::string path = maildir() + "/new/";
  const auto put = [&](const std::string& name, const std::string& octets) {
    std::ofstream(path + name, std::ios::binary) << octets;
  };
  const auto sizes = [](const std::string& octets) {
    return ",S=" + std::to_string(octets.size()) + ",W=" + std::to_string(octets.size());
  };
  put("1600000001.1.other" + sizes(text) + ",B=1", text);
  put("1600000002.2.other" + sizes("\r\nno NUL") + ",B=1", "\r\nno NUL");
  put("1600000003.3.other" + sizes("A: \0\r\n\r\nx"s) + ",B=1", "A: \0\r\n\r\nx"s);
  REQUIRE(wait(inbox->poll()));
  REQUIRE(uids_of(*inbox) == std::vector<Uid>{1, 2, 3});
  check(*inbox, 1, text);
  CHECK(read(*inbox, 2) == "\r\nno NUL");
  CHECK(inbox->snapshot()->at(1).size == 8);
  CHECK(read(*inbox, 3) == "A: \0\r\n\r\nx"s);
}

TEST_CASE_FIXTURE(BinaryFixture, "storage: messages that were put aside arrive as others do") {
  const std::string small = "Message-ID: <a@b>\r\n" + letter("small");
  const std::string large = "Message-ID: <c@d>\r\n" + letter("large") + std::string(200'000, 'x');
  const std::string binary = letter_with(5'000);
  auto inbox = mailbox();
  append(*inbox, small);
  append(*inbox, large);
  append_binary(*inbox, binary);
  std::vector<std::unique_ptr<Spool>> spools;
  spools.push_back(spool(small));
  spools.push_back(spool(large));
  spools.push_back(binary_spool(binary).value());
  std::vector<Arrival> arrivals;
  for (const auto& each : spools) {
    REQUIRE(wait(each->put_aside()));
    CHECK(static_cast<FileSpool&>(*each).bytes().empty());
    arrivals.push_back({.spool = each.get(), .internal_date = 1'600'000'000, .keywords = {}});
  }
  REQUIRE(wait(inbox->append(std::move(arrivals))));
  spools.clear();
  CHECK(list(settings.data + "/spool").empty());
  for (Uid uid = 1; uid <= 3; ++uid) {
    CHECK(read(*inbox, uid + 3) == read(*inbox, uid));
    CHECK(summary(*inbox, uid + 3) == summary(*inbox, uid));
    CHECK(inbox->snapshot()->at(uid + 2).size == inbox->snapshot()->at(uid - 1).size);
  }
  check(*inbox, 6, binary);
  const auto origins = wait(inbox->origins(all()));
  REQUIRE(origins);
  for (std::size_t i = 0; i < 2; ++i) CHECK(origins->at(i + 3).thread_id == origins->at(i).thread_id);
}

}  // namespace posthorn::storage::testing
