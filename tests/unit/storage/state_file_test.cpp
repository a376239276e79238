#include "storage/state_file.h"

#include <doctest/doctest.h>

namespace posthorn::storage {

TEST_CASE("state file: what is printed, parses") {
  FolderState state;
  state.uid_validity = 1'700'000'000;
  state.id = 1'700'000'001;
  state.special_use = SpecialUse::archive;
  state.settled = false;
  state.uid_next = 0x80000000;
  state.modseq = 1ULL << 62U;
  state.keywords = {"$Forwarded", "Work"};
  state.others = {"acl bob lrs", "", "comment with  spaces "};
  const auto again = parse_folder_state(to_string(state));
  REQUIRE(again);
  CHECK(*again == state);
}

TEST_CASE("state file: what it looks like does not change from version to version unnoticed") {
  FolderState state;
  state.uid_validity = 7;
  state.id = 8;
  state.uid_next = 3;
  state.modseq = 4;
  state.keywords = {"Work"};
  CHECK(to_string(state) ==
        "posthorn-mailbox 1\nuid-validity 7\nmailbox-id 8\nsettled yes\nuid-next 3\nmodseq 4\nkeyword 0 "
        "Work\n");
}

TEST_CASE("state file: rubbish is refused, a newer version is told apart") {
  const std::string good =
      "posthorn-mailbox 1\nuid-validity 7\nmailbox-id 8\nsettled yes\nuid-next 3\nmodseq 4\n";
  const auto without = [&](std::string_view line) {
    std::string text = good;
    return text.erase(text.find(line), line.size());
  };
  CHECK(parse_folder_state(good));
  for (const std::string& text : {std::string(),
                                  std::string("posthorn-mailbox 1\n"),
                                  std::string("posthorn-mailbox 1"),
                                  good.substr(0, good.size() - 1),
                                  std::string("posthorn-account 1\nuid-validity 7\nmailbox-id 8\n"),
                                  std::string("posthorn-mailbox 0\nuid-validity 7\nmailbox-id 8\n"),
                                  without("settled yes\n"),
                                  without("uid-next 3\n"),
                                  without("modseq 4\n"),
                                  good + "uid-next 0\n",
                                  good + "uid-next 4294967296\n",
                                  good + "uid-next 1x\n",
                                  good + "modseq -1\n",
                                  good + "settled perhaps\n",
                                  good + "keyword 1 Work\n",
                                  good + "keyword 0\n",
                                  good + "keyword 0 two words\n",
                                  good + "uid-validity 0\n",
                                  good + "uid-validity 2147483648\n",
                                  std::string(100, '\0')}) {
    CAPTURE(text);
    const auto state = parse_folder_state(text);
    REQUIRE_FALSE(state);
    CHECK(state.error().code == Errc::malformed);
  }
  const auto newer = parse_folder_state("posthorn-mailbox 2\nsomething else\n");
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == Errc::unavailable);
}

TEST_CASE("account file, further keywords, subscriptions: there and back") {
  AccountState account{17, true, true, {"later thing"}};
  const auto account_again = parse_account_state(to_string(account));
  REQUIRE(account_again);
  CHECK(*account_again == account);

  FurtherKeywords keywords;
  keywords[3].add(26);
  keywords[3].add(255);
  keywords[9].add(30);
  CHECK(to_string(keywords) == "posthorn-keywords 1\n3 26 255\n9 30\n");
  const auto keywords_again = parse_further_keywords(to_string(keywords));
  REQUIRE(keywords_again);
  CHECK(*keywords_again == keywords);
  CHECK_FALSE(parse_further_keywords("posthorn-keywords 1\n3 256\n"));
  CHECK_FALSE(parse_further_keywords("posthorn-keywords 1\n0 26\n"));

  const auto names = parse_subscriptions("posthorn-subscriptions 1\nb\na/ä\nb\n");
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"a/ä", "b"});
  CHECK(parse_subscriptions(subscriptions_to_string(*names)) == *names);
}

TEST_CASE("keywords: atoms alone (RFC 3501 §9), found in any case") {
  for (const char* keyword : {"$Forwarded", "NonJunk", "a", "x.y-z"}) CHECK(is_keyword(keyword));
  for (const char* keyword :
       {"", "a b", "\\Seen", "(x", "x)", "{1}", "a*", "50%", "\"q\"", "x]", "ä", "\n"}) {
    CHECK_FALSE(is_keyword(keyword));
  }
  CHECK_FALSE(is_keyword(std::string(256, 'a')));
  CHECK(find_keyword({"Work", "$junk"}, "$JUNK") == 1);
  CHECK_FALSE(find_keyword({"Work"}, "wor"));
}

TEST_CASE("special use: names of RFC 6154 §2") {
  CHECK(name_of(SpecialUse::sent) == "\\Sent");
  CHECK(special_use_of("\\sent") == SpecialUse::sent);
  CHECK(special_use_of("\\Other") == SpecialUse::none);
  CHECK(name_of(SpecialUse::none).empty());
}

}  // namespace posthorn::storage
