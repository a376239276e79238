// Rights, access control lists and the names of other users' mailboxes, as pure functions.
#include "storage/acl.h"

#include "storage/account_path.h"
#include "storage/namespaces.h"

#include <doctest/doctest.h>

#include <set>

namespace posthorn::storage {
namespace {

constexpr const char* bob = "bob@example.test";

RightsChange change(std::string_view text) { return *parse_rights_change(text); }

Acl acl_of(std::initializer_list<std::pair<const char*, const char*>> entries) {
  Acl acl;
  for (const auto& [identifier, rights] : entries) REQUIRE(acl.change(identifier, change(rights), 100));
  return acl;
}

std::string identifier(std::string_view text) {
  const auto canonical = canonical_identifier(text, "example.test");
  return canonical ? *canonical : "-";
}

}  // namespace

TEST_CASE("rights: letters, and the obsolete c and d (RFC 4314 §2.1.1)") {
  CHECK(to_string(*parse_rights("etxkpiwsrla")) == "lrswipkxtea");
  CHECK(*parse_rights("lrswipkxtea") == Rights::all());
  CHECK(to_string(*parse_rights("c")) == "kx");
  CHECK(to_string(*parse_rights("d")) == "te");
  CHECK(to_string(*parse_rights("cdk")) == "kxte");
  CHECK(parse_rights("")->empty());
  CHECK(with_obsolete(Rights::all()) == "lrswipkxtecda");
  CHECK(with_obsolete(*parse_rights("lrswik")) == "lrswikc");
  CHECK(with_obsolete(*parse_rights("te")) == "ted");
  CHECK(with_obsolete({}).empty());
}

TEST_CASE("rights: what is not known is refused, capitals and digits too (RFC 4314 §3.1)") {
  for (const char* text : {"lrQswicda", "lrqswicda", "0", "lr ", "+", "l+r", "\xc3\xa9"}) {
    CAPTURE(text);
    const auto rights = parse_rights(text);
    REQUIRE_FALSE(rights);
    CHECK(rights.error().code == Errc::malformed);
  }
}

TEST_CASE("rights: SETACL adds, removes, replaces (RFC 4314 §3.1)") {
  const Rights chris = *parse_rights("lrswi");
  CHECK(to_string(changed(chris, change("+cda"))) == "lrswikxtea");
  CHECK(to_string(changed(chris, change("-sw"))) == "lri");
  CHECK(to_string(changed(chris, change("p"))) == "p");
  CHECK(changed(chris, change("")).empty());
  CHECK(changed(chris, change("+")) == chris);
  CHECK_FALSE(parse_rights_change("*l"));
}

TEST_CASE("rights: which flags go with which (RFC 4314 §4)") {
  const auto bits = [](SystemFlag flag) { return static_cast<std::uint8_t>(flag); };
  const FlagLimits all = limits_of(Rights::all());
  CHECK(all.keywords);
  CHECK(all.system == 0xff);
  CHECK(limits_of({}) == FlagLimits{.system = 0, .keywords = false});
  CHECK(limits_of(Right::seen) == FlagLimits{.system = bits(SystemFlag::seen), .keywords = false});
  CHECK(limits_of(Right::remove_messages).system == bits(SystemFlag::deleted));
  const FlagLimits write = limits_of(Right::write);
  CHECK(write.keywords);
  CHECK((write.system & (bits(SystemFlag::seen) | bits(SystemFlag::deleted))) == 0);
  CHECK((write.system & bits(SystemFlag::draft)) != 0);
}

TEST_CASE("acl: rights of the user and of anyone together, without negative ones (RFC 4314 §2)") {
  const Acl acl = acl_of({{bob, "rs"}, {"anyone", "lw"}, {"-bob@example.test", "w"}, {"-anyone", "s"}});
  CHECK(to_string(acl.rights_of(bob)) == "lr");
  CHECK(to_string(acl.rights_of("carol@example.test")) == "lw");
  CHECK(Acl().rights_of(bob).empty());
  // A user is not his domain, nor a name that begins as his does.
  CHECK(to_string(acl.rights_of("bob@example.tes")) == "lw");
}

TEST_CASE("acl: an entry without rights goes, as does one that is deleted (RFC 4314 §3.2)") {
  Acl acl = acl_of({{bob, "lr"}, {"-bob@example.test", "r"}});
  REQUIRE(acl.change(bob, change("-lr"), 100));
  CHECK(acl.entries().size() == 1);
  REQUIRE(acl.change("-bob@example.test", {}, 100));
  CHECK(acl.entries().empty());
  // What is not there is deleted already.
  CHECK(acl.change(bob, {}, 0));
}

TEST_CASE("acl: no more entries than the limit, but those that are there change") {
  Acl acl = acl_of({{bob, "lr"}, {"anyone", "l"}});
  const auto more = acl.change("carol@example.test", change("l"), 2);
  REQUIRE_FALSE(more);
  CHECK(more.error().code == Errc::too_large);
  CHECK(acl.entries().size() == 2);
  CHECK(acl.change(bob, change("lrs"), 2));
}

TEST_CASE("acl: identifiers are prepared and canonical (RFC 4314 §3, RFC 4013)") {
  CHECK(identifier("Bob@Example.TEST") == bob);
  CHECK(identifier("bob") == bob);
  CHECK(identifier("-Bob") == "-bob@example.test");
  CHECK(identifier("anyone") == "anyone");
  CHECK(identifier("-ANYONE") == "-anyone");
  CHECK(identifier("anyone@example.test") == "anyone@example.test");
  // The examples of RFC 4013 §3.
  CHECK(identifier("I\xc2\xadX") == "ix@example.test");
  CHECK(identifier("\xc2\xaa") == "a@example.test");
  CHECK(identifier("\xe2\x85\xa8") == "ix@example.test");
  CHECK(identifier("m\xc3\xbcller@b\xc3\xbc"
                   "cher.example") == "m\xc3\xbcller@xn--bcher-kva.example");
  for (const char* text : {"", "-", "\x07", "\xd8\xa7\x31", "\xff", "a@", "@b", "a@b..c", "x\ny"}) {
    CAPTURE(text);
    const auto canonical = canonical_identifier(text, "example.test");
    REQUIRE_FALSE(canonical);
    CHECK(canonical.error().code == Errc::malformed);
  }
  CHECK_FALSE(canonical_identifier(std::string(5'000, 'a'), "example.test"));
  CHECK_FALSE(canonical_identifier(std::string(300, 'a'), "example.test"));
}

TEST_CASE("acl: the file says the same again") {
  const Acl acl = acl_of({{bob, "k"}, {"-anyone", "e"}, {"a b@example.test", "lrswipkxtea"}});
  CHECK(to_string(acl) == "posthorn-acl 1\nk bob@example.test\ne -anyone\nlrswipkxtea a b@example.test\n");
  CHECK(*parse_acl(to_string(acl)) == acl);
  CHECK(*parse_acl(to_string(Acl())) == Acl());
}

TEST_CASE("acl: a file that is cut, damaged or from a later day gives no rights") {
  for (const char* text :
       {"", "posthorn-acl 1", "posthorn-acl 1\nlr bob@example.test", "posthorn-acl 1\nlr\n",
        "posthorn-acl 1\nlr \n", "posthorn-acl 1\n bob@example.test\n",
        "posthorn-acl 1\nlQ bob@example.test\n", "posthorn-state 1\n", "posthorn-acl 1\nl a@b\nr a@b\n"}) {
    CAPTURE(text);
    const auto acl = parse_acl(text);
    REQUIRE_FALSE(acl);
    CHECK(acl.error().code == Errc::malformed);
  }
  CHECK(parse_acl("posthorn-acl 2\nlr bob@example.test\n").error().code == Errc::unavailable);
  std::string many = "posthorn-acl 1\n";
  for (std::size_t i = 0; i <= most_acl_entries; ++i) many += "l u" + std::to_string(i) + "@example.test\n";
  CHECK(parse_acl(many).error().code == Errc::too_large);
}

TEST_CASE("namespaces: whose mailbox a name means (RFC 2342 §5)") {
  using Of = NamespaceName::Of;
  struct Case {
    const char* name;
    Of of;
    const char* holder;
    const char* mailbox;
  };
  for (const Case& each : {Case{"INBOX", Of::user, "", "INBOX"},
                           {"Other Users/bob@example.test/a/b", Of::other_user, "bob@example.test", "a/b"},
                           {"Other Users/bob@example.test", Of::other_user, "bob@example.test", ""},
                           {"Other Users", Of::other_user, "", ""},
                           {"Other Users2/x", Of::user, "", "Other Users2/x"},
                           {"other users/x/y", Of::user, "", "other users/x/y"},
                           {"Shared/News/2026", Of::organisation, "", "News/2026"},
                           {"Shared", Of::organisation, "", ""},
                           {"SharedX", Of::user, "", "SharedX"}}) {
    CAPTURE(each.name);
    const NamespaceName split = split_name(each.name);
    CHECK(split.of == each.of);
    CHECK(split.holder == each.holder);
    CHECK(split.mailbox == each.mailbox);
  }
}

TEST_CASE("namespaces: an account's prefix has one level for the account") {
  CHECK(prefix_of(bob) == "Other Users/bob@example.test/");
  CHECK(prefix_of("a/b%2Fc@example.test") == "Other Users/a%2Fb%252Fc@example.test/");
  CHECK(prefix_of("+shared@example.test") == "Shared/");
  CHECK(organisation_of(bob) == "+shared@example.test");
  CHECK(is_organisation("+shared@example.test"));
  CHECK_FALSE(is_organisation("+shared2@example.test"));
  CHECK_FALSE(is_organisation("shared@example.test"));
}

TEST_CASE("namespaces: mailboxes of an organisation are its own users' alone") {
  CHECK(may_reach(bob, "alice@example.test"));
  CHECK(may_reach(bob, "alice@example.com"));
  CHECK(may_reach(bob, "+shared@example.test"));
  CHECK_FALSE(may_reach(bob, "+shared@example.com"));
  CHECK_FALSE(may_reach(bob, bob));
}

TEST_CASE("namespaces: numbers of mailboxes differ between accounts (RFC 8474 §4)") {
  std::set<MailboxId> ids;
  for (const char* account : {bob, "alice@example.test", "+shared@example.test"}) {
    for (MailboxId id = 1; id <= 100; ++id) {
      const MailboxId foreign = foreign_id(account, id);
      CHECK(foreign > 0xffffffffU);
      ids.insert(foreign);
    }
  }
  CHECK(ids.size() == 300);
  CHECK(foreign_id(bob, 7) == foreign_id(bob, 7));
}

TEST_CASE("accounts: all addresses of one path have one canonical form") {
  CHECK(*canonical_address("Bob@Example.Test") == bob);
  CHECK(*canonical_address("M\xc3\x9cLLER@B\xc3\x9c"
                           "CHER.example") == "m\xc3\xbcller@xn--bcher-kva.example");
  CHECK_FALSE(canonical_address("bob"));
  CHECK_FALSE(canonical_address("bob@"));
}

}  // namespace posthorn::storage
