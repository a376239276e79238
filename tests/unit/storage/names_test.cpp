#include "storage/account_path.h"
#include "storage/folder_name.h"
#include "storage/maildir_name.h"

#include <doctest/doctest.h>

#include <string>

namespace posthorn::storage {

TEST_CASE("mailbox names: to directories and back (modified UTF-7, RFC 3501 §5.1.3)") {
  struct Case {
    std::string name;
    std::string canonical;
    std::string directory;
  };
  const Case cases[] = {
      {"INBOX", "INBOX", ""},
      {"inbox", "INBOX", ""},
      {"InBox/Lists", "INBOX/Lists", ".INBOX.Lists"},
      {"Archive/2023", "Archive/2023", ".Archive.2023"},
      {"a.b", "a.b", ".a&AC4-b"},
      {"v1.2/x", "v1.2/x", ".v1&AC4-2.x"},
      {"...", "...", ".&AC4ALgAu-"},
      {".hidden", ".hidden", ".&AC4-hidden"},
      {"~root", "~root", ".&AH4-root"},
      {"a:b", "a:b", ".a&ADo-b"},
      {"R&D", "R&D", ".R&-D"},
      {"&AC4-", "&AC4-", ".&-AC4-"},
      // RFC 3501 §5.1.3's own example.
      {"~peter/mail/台北/日本語", "~peter/mail/台北/日本語", ".&AH4-peter.mail.&U,BTFw-.&ZeVnLIqe-"},
      {"Entwürfe", "Entwürfe", ".Entw&APw-rfe"},
      {"😀", "😀", ".&2D3eAA-"},
      {"two words", "two words", ".two words"},
      {"star*%\"\\", "star*%\"\\", ".star*%\"\\"},
      {"inboxes", "inboxes", ".inboxes"},
      {"Lists/inbox", "Lists/inbox", ".Lists.inbox"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const auto canonical = canonical_mailbox_name(each.name);
    REQUIRE(canonical);
    CHECK(*canonical == each.canonical);
    CHECK(folder_directory(*canonical) == each.directory);
    if (!each.directory.empty()) CHECK(mailbox_of_directory(each.directory) == each.canonical);
  }
}

TEST_CASE("mailbox names: what can't be is refused") {
  using namespace std::string_literals;
  const std::string refused[] = {"",
                                 "/",
                                 "/etc",
                                 "a//b",
                                 "a/",
                                 ".",
                                 "..",
                                 "../x",
                                 "a/../b",
                                 "a/./b",
                                 "a\0b"s,
                                 "a\nb",
                                 "a\rb",
                                 "\x7f",
                                 "\xff",
                                 "\xc0\xaf",
                                 "\xc3",
                                 "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80",
                                 "\xc2\x85",
                                 "\xe2\x80\xa8",
                                 "\xe2\x80\xa9",
                                 "\t",
                                 "INBOX/",
                                 "a/\x1b"};
  for (const std::string& name : refused) {
    CAPTURE(name);
    const auto canonical = canonical_mailbox_name(name);
    REQUIRE_FALSE(canonical);
    CHECK(canonical.error().code == Errc::not_allowed);
  }
}

TEST_CASE("mailbox names: too long a directory is a limit, not a mistake (design, decision 6)") {
  CHECK(canonical_mailbox_name(std::string(239, 'a')));
  auto refused = canonical_mailbox_name(std::string(240, 'a'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  std::string wide;
  for (int index = 0; index < 100; ++index) wide += "ä";
  refused = canonical_mailbox_name(wide);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK_FALSE(canonical_mailbox_name(std::string(10'000'000, 'a')));
}

TEST_CASE("mailbox names: a directory that we would name otherwise is no mailbox of ours") {
  for (const std::string name :
       {"cur", "new", "tmp", "", ".", "..", ".a..b", ".a.", ".INBOX", ".inbox.x", ".&AGE-", ".&", ".&x",
        ".R&D", ".&2D0-", ".\xff", ".&AC4", ".&AAA-", ".&AC4-&AC4-"}) {
    CAPTURE(name);
    CHECK_FALSE(mailbox_of_directory(name));
  }
}

TEST_CASE("maildir names: taken apart and printed") {
  struct Case {
    std::string name;
    MaildirName parsed;
    bool ours;
  };
  const Case cases[] = {
      {"1700000000.x.host,S=10,W=12,U=7:2,FS", {"1700000000.x.host", 10, 12, 7, "FS"}, true},
      {"1700000000.x.host,S=10,W=12,U=7", {"1700000000.x.host", 10, 12, 7, std::nullopt}, true},
      {"1700000000.x.host,S=10,W=12,U=7:2,", {"1700000000.x.host", 10, 12, 7, ""}, true},
      {"-5.x.host,S=10,W=12,U=7", {"-5.x.host", 10, 12, 7, std::nullopt}, true},
      {"1700000000.x.host,S=10,W=12,D=1700000009,U=7:2,S",
       {"1700000000.x.host", 10, 12, 7, "S", 1'700'000'009, std::nullopt},
       true},
      {"1700000000.x.host,S=10,W=12,D=1,T=T0123456789abcdef0123456789abcdef,U=7",
       {"1700000000.x.host", 10, 12, 7, std::nullopt, 1, "T0123456789abcdef0123456789abcdef"},
       true},
      {"1700000000.x.host,S=10,W=10,B=14,D=1,U=7",
       {"1700000000.x.host", 10, 10, 7, std::nullopt, 1, std::nullopt, 14},
       true},
      {"1.x.h,S=1,W=1,U=1,B=2", {"1.x.h", 1, 1, 1, {}, {}, {}, 2}, false},
      {"1.x.h,S=1,W=1,B=-2,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,U=1,D=1", {"1.x.h", 1, 1, 1, {}, 1, {}}, false},
      {"1.x.h,S=1,W=1,D=-1,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,D=100000000000,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,T=T0123456789ABCDEF0123456789ABCDEF,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,T=T0,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,T=,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      // Dovecot, mbsync, Courier, qmail.
      {"1700000000.M1P2.host,S=10,W=12:2,S", {"1700000000.M1P2.host", 10, 12, std::nullopt, "S"}, false},
      {"1700000000.2_1.host,U=7:2,S", {"1700000000.2_1.host", std::nullopt, std::nullopt, 7, "S"}, false},
      {"1700000000.H1P2.host,S=10",
       {"1700000000.H1P2.host", 10, std::nullopt, std::nullopt, std::nullopt},
       false},
      {"1700000000.123.host", {"1700000000.123.host", {}, {}, {}, {}}, false},
      {"letter", {"letter", {}, {}, {}, {}}, false},
      {"1.x.h,S=1,W=1,U=1:1,exp", {"1.x.h", 1, 1, 1, {}}, false},
      // Numbers that are none count as not there.
      {"1.x.h,S=x,W=-1,U=0", {"1.x.h", {}, {}, {}, {}}, false},
      {"1.x.h,U=2147483648", {"1.x.h", {}, {}, {}, {}}, false},
      {"1.x.h,U=2147483647", {"1.x.h", {}, {}, 2147483647, {}}, false},
      {"1.x.h,W=1,S=1,U=1", {"1.x.h", 1, 1, 1, {}}, false},
      {"1.x.h,S=1,W=1,U=01", {"1.x.h", 1, 1, 1, {}}, false},
      {"", {"", {}, {}, {}, {}}, false},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const MaildirName parsed = parse_maildir_name(each.name);
    CHECK(parsed == each.parsed);
    CHECK(parsed.is_ours(each.name) == each.ours);
    CHECK(parse_maildir_name(to_string(parsed)) == parsed);
  }
  // A colon in another program's name is no beginning of flags in ours.
  CHECK(parse_maildir_name("a:b,S=4:2,S").email_id == "a_b");
  CHECK(parse_maildir_name("a:b:,S=4").email_id == "a_b");
  CHECK(parse_maildir_name("1700000000.x.host,S=1").time() == 1'700'000'000);
  CHECK(parse_maildir_name("1700000000").time() == 1'700'000'000);
  CHECK_FALSE(parse_maildir_name("letter.1.2").time());
}

TEST_CASE("maildir names: letters for flags and keywords") {
  Flags flags;
  flags.add(SystemFlag::seen);
  flags.add(SystemFlag::draft);
  flags.keywords.add(0);
  flags.keywords.add(25);
  flags.keywords.add(26);
  CHECK(letters_of_flags(flags, "") == "DSaz");
  CHECK(letters_of_flags(flags, "PFb") == "DPSaz");
  const Flags back = flags_of_letters("DSaz");
  CHECK(back.system == flags.system);
  CHECK(back.keywords.has(25));
  CHECK_FALSE(back.keywords.has(26));
  CHECK(flags_of_letters("FRSTD").system == 31);
  CHECK(flags_of_letters("PXYZ-9") == Flags{});
  CHECK(has_further_keywords(flags));
  CHECK_FALSE(has_further_keywords(back));
}

TEST_CASE("maildir names: a host name can't break out of its part") {
  CHECK(make_email_id(5, "ab", "mail.example.test") == "5.ab.mail.example.test");
  CHECK(make_email_id(5, "ab", "../x,y:z") == "5.ab...xyz");
}

TEST_CASE("account paths: domain and user, encoded") {
  struct Case {
    std::string address;
    std::string path;
  };
  const Case cases[] = {
      {"alice@example.test", "example.test/alice"},
      {"Alice@Example.TEST", "example.test/alice"},
      {"o'hara+x_y-z.b@example.test", "example.test/o%27hara+x_y-z.b"},
      {".dot@example.test", "example.test/%2Edot"},
      {"..@example.test", "example.test/%2E."},
      {"a/../../b@example.test", "example.test/a%2F..%2F..%2Fb"},
      {"\"a b\"@example.test", "example.test/%22a%20b%22"},
      {"50%@example.test", "example.test/50%25"},
      {"a@b@example.test", "example.test/a%40b"},
      {"jörg@example.test", "example.test/j%C3%B6rg"},
      {"JO\u0308RG@example.test", "example.test/j%C3%B6rg"},
      {"x@bücher.example", "xn--bcher-kva.example/x"},
      {"x@BÜCHER.example", "xn--bcher-kva.example/x"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.address);
    const auto path = account_path(each.address);
    REQUIRE(path);
    CHECK(*path == each.path);
  }
  for (const std::string address : {"", "alice", "@example.test", "a@", "a@..", "a@.", "a@../x", "a@a..b",
                                    "a@a/b", "a@.a", "a@a.", "a@[127.0.0.1]", "a@a b"}) {
    CAPTURE(address);
    CHECK_FALSE(account_path(address));
  }
  CHECK_FALSE(account_path(std::string(300, 'a') + "@example.test"));
}

}  // namespace posthorn::storage
