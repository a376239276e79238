#include "protocols/imap/message_limit.h"

#include "protocols/imap/grammar.h"
#include "tests/support/memory_store.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace posthorn;
using namespace posthorn::imap;

// RFC 9738.
namespace {

// UIDs 10, 20, ... 100.
storage::Snapshot ten() {
  std::vector<storage::Message> messages;
  for (storage::Uid uid = 10; uid <= 100; uid += 10) {
    messages.push_back({.uid = uid, .flags = {}, .modseq = 1, .internal_date = 0, .size = 1});
  }
  return storage::Snapshot(messages, 101, 1);
}

Places searched_by(std::string_view keys) {
  const auto command = parse_command("a SEARCH " + std::string(keys));
  REQUIRE(command);
  return searched(std::get<Search>(command->body).key, ten(),
                  places_there(testing::uid_set({30, 40, 90}), ten()));
}

std::string words(const Places& places) {
  std::string text;
  for (const Places::Range range : places.ranges()) {
    text += (text.empty() ? "" : ",") + std::to_string(range.begin) + "-" + std::to_string(range.end);
  }
  return text;
}

}  // namespace

TEST_CASE("imap: a command works on the newest messages, and says from which on (RFC 9738 §3.1)") {
  const auto messages = ten();
  const Places some({{0, 3}, {5, 8}});
  CHECK_FALSE(newest(some, 6, messages).lowest);
  CHECK(words(newest(some, 6, messages).places) == "0-3,5-8");
  CHECK(newest(some, 6, messages).order() == Order::ascending);
  const Limited limited = newest(some, 4, messages);
  CHECK(words(limited.places) == "2-3,5-8");
  CHECK(limited.lowest == 30);
  CHECK(limited.order() == Order::descending);
  CHECK(in_order(limited.places, limited.order()) == std::vector<std::uint32_t>{7, 6, 5, 2});
  const auto pieces = pieces_in_order(limited.places, 3, limited.order());
  REQUIRE(pieces.size() == 2);
  CHECK(words(pieces[0]) == "7-8");
  CHECK(words(pieces[1]) == "2-3,5-7");
  CHECK(in_order(limited.places, Order::ascending) == std::vector<std::uint32_t>{2, 5, 6, 7});
  CHECK(words(newest(some, 1, messages).places) == "7-8");
  CHECK(newest({}, 1, messages).places.empty());
}

TEST_CASE("imap: what does all or nothing is refused beyond the limit (RFC 9738 §3.1)") {
  const auto messages = ten();
  CHECK_FALSE(refusal_beyond(3, Places({{0, 3}}), messages));
  const auto refusal = refusal_beyond(2, Places({{0, 3}}), messages);
  REQUIRE(refusal);
  CHECK(refusal->status == Reply::Status::no);
  CHECK(refusal->text == "[MESSAGELIMIT 2 20] Too many messages for one command");
  CHECK(message_limit_code(1000) == "[MESSAGELIMIT 1000]");
}

TEST_CASE("imap: a search looks at what the numbers at the top of its keys leave (RFC 9738 §3.1, §3.2)") {
  struct Case {
    std::string_view keys;
    std::string_view places;
  };
  for (const Case each : {Case{"ALL", "0-10"},
                          Case{"SEEN", "0-10"},
                          Case{"2:4", "1-4"},
                          Case{"8:99", "7-10"},
                          Case{"UID 20:49", "1-4"},
                          Case{"UID 20:49 3:* SEEN", "2-4"},
                          Case{"(UID 20:49 (3:*)) FROM x", "2-4"},
                          Case{"UIDBEFORE 30", "0-2"},
                          Case{"UIDBEFORE 31", "0-3"},
                          Case{"UIDBEFORE 1", ""},
                          Case{"UIDAFTER 30", "3-10"},
                          Case{"UIDAFTER 29", "2-10"},
                          Case{"UIDAFTER 100", ""},
                          Case{"UIDAFTER 4294967295", ""},
                          Case{"UIDAFTER 20 UIDBEFORE 60 SEEN", "2-5"},
                          Case{"NOT 2:4", "0-10"},
                          Case{"OR 2 3", "0-10"},
                          Case{"99", ""},
                          Case{"$", "2-4,8-9"},
                          Case{"$ $ 4:* ($)", "3-4,8-9"},
                          Case{"NOT $", "0-10"}}) {
    CAPTURE(each.keys);
    CHECK(words(searched_by(each.keys)) == each.places);
  }
}

TEST_CASE("imap: what many sets have in common") {
  const auto both = [](const Places& one, const Places& other) {
    return words(common(std::vector{one, other}));
  };
  CHECK(words(common(std::vector{Places({{1, 3}, {5, 6}})})) == "1-3,5-6");
  CHECK(both(Places({{0, 10}}), Places({{1, 3}, {5, 6}})) == "1-3,5-6");
  CHECK(both(Places({{0, 3}, {5, 8}}), Places({{2, 6}, {7, 9}})) == "2-3,5-6,7-8");
  CHECK(both(Places({{0, 3}}), Places({{3, 6}})).empty());
  CHECK(both(Places(), Places({{3, 6}})).empty());
  const std::vector<Places> many(1'000, Places({{0, 5}, {7, 9}}));
  CHECK(words(common(many)) == "0-5,7-9");
}

TEST_CASE("imap: UIDBEFORE and UIDAFTER take one UID (RFC 9738 §3.2)") {
  for (const std::string_view keys : {"UIDBEFORE", "UIDBEFORE 0", "UIDAFTER *", "UIDAFTER 1:2",
                                      "UIDAFTER 1,2", "UIDAFTER $", "UIDAFTER 4294967296"}) {
    CAPTURE(keys);
    CHECK_FALSE(parse_command("a SEARCH " + std::string(keys)));
  }
  CHECK(parse_command("a SEARCH uidbefore 5 UIDAFTER 4294967295"));
}

TEST_CASE("imap: how many messages a PARTIAL names") {
  CHECK(count_of({.from = PartialRange::From::oldest, .first = 1, .last = 1}) == 1);
  CHECK(count_of({.from = PartialRange::From::newest, .first = 100, .last = 51}) == 50);
  CHECK(count_of({.from = PartialRange::From::newest, .first = 1, .last = 4294967295}) == 4294967295);
}
