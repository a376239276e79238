#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <random>
#include <set>

// Three sessions of one mailbox do at random what clients do, beside deliveries and other programs. Each has
// a model that believes what it is told; every response has to be legal for it (RFC 3501 §5.2, §5.5, §7.4.1),
// and once all is quiet, all that it believes has to be true.
namespace posthorn::imap {
namespace {

using Flags = std::set<std::string>;
using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t limit) { return limit == 0 ? 0 : random() % limit; }

const std::vector<std::string> flag_names = {"\\Seen", "\\Flagged", "\\Deleted", "$one", "$two"};

std::uint32_t number_at(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "\Seen $one" as a set.
Flags words(std::string_view text) {
  Flags set;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) set.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return set;
}

Flags flags_of(const testing::MemoryMailbox& mailbox, const storage::Message& message) {
  Flags flags;
  if (message.flags.has(storage::SystemFlag::seen)) flags.insert("\\Seen");
  if (message.flags.has(storage::SystemFlag::flagged)) flags.insert("\\Flagged");
  if (message.flags.has(storage::SystemFlag::deleted)) flags.insert("\\Deleted");
  for (std::size_t place = 0; place < mailbox.keywords().size(); ++place) {
    if (message.flags.keywords.has(place)) flags.insert(mailbox.keywords()[place]);
  }
  return flags;
}

// What a client believes of one message.
struct Believed {
  storage::Uid uid = 0;  // 0: not told yet
  std::optional<Flags> flags;
};

// What was asked, as far as it decides what may be answered.
struct Asked {
  std::string line;
  bool holds_numbers = false;  // no EXPUNGE
  bool asks_flags = false;     // a FETCH of flags that are known already is an answer
  bool is_idle = false;
};

class Modelled {
 public:
  Modelled(Server& server, Random& random)
      : server_(server), random_(random), client_(Client::logged_in(server)) {
    select();
  }

  void select() {
    messages_.clear();
    recent_.clear();
    known_flags_ = {};
    begin({.line = "SELECT INBOX", .asks_flags = true});
    finish();
  }

  void begin(Asked asked) {
    asked_ = std::move(asked);
    tag_ = "t" + std::to_string(++tags_);
    client_->peer().send(tag_ + " " + asked_.line + "\r\n");
  }
  void begin_something();

  // Ends IDLE, and takes in what was said.
  void finish() {
    if (asked_.is_idle) {
      take(client_->listen());
      client_->peer().send("DONE\r\n");
    }
    const std::string said = client_->listen();
    CAPTURE(asked_.line);
    REQUIRE_MESSAGE(said.find(tag_ + " ") != std::string::npos, said);
    take(said);
  }

  // Asks for all news, and compares: all is quiet now.
  void verify() {
    begin({.line = "NOOP"});
    finish();
    const storage::Snapshot& real = *server_.inbox().snapshot();
    REQUIRE(messages_.size() == real.size());
    for (std::uint32_t place = 0; place < real.size(); ++place) {
      const Believed& believed = messages_[place];
      if (believed.uid != 0) REQUIRE(believed.uid == real.at(place).uid);
      if (believed.flags) REQUIRE(*believed.flags == flags_of(server_.inbox(), real.at(place)));
    }
  }

  const std::set<storage::Uid>& recent() const { return recent_; }

 private:
  std::uint32_t size() const { return static_cast<std::uint32_t>(messages_.size()); }

  std::string some_numbers() {
    std::uint32_t first = below(random_, size()) + 1;
    std::uint32_t last = std::min(size(), first + below(random_, 4));
    if (below(random_, 6) == 0) return std::to_string(first) + ":*";
    return std::to_string(last) + ":" + std::to_string(first);
  }
  std::string some_uids() {
    const std::uint32_t next = server_.inbox().snapshot()->uid_next();
    const std::uint32_t first = below(random_, next) + 1;
    return std::to_string(first) + ":" + std::to_string(first + below(random_, 6));
  }
  Flags some_flags() {
    Flags flags;
    for (const std::string& name : flag_names) {
      if (below(random_, 3) == 0) flags.insert(name);
    }
    return flags;
  }
  static std::string list(const Flags& flags) {
    std::string text = "(";
    for (const std::string& flag : flags) text += (text.size() > 1 ? " " : "") + flag;
    return text + ")";
  }

  void begin_store();
  void take(const std::string& said);
  void take_line(std::string_view line);
  void take_fetch(std::uint32_t number, std::string_view items);

  Server& server_;
  Random& random_;
  std::unique_ptr<Client> client_;
  std::vector<Believed> messages_;
  Flags known_flags_;  // by FLAGS
  std::set<storage::Uid> recent_;
  Asked asked_;
  std::string tag_;
  int tags_ = 0;
};

void Modelled::begin_store() {
  const Flags flags = some_flags();
  const char* const modes[] = {"", "+", "-"};
  const std::uint32_t mode = below(random_, 3);
  const bool silent = below(random_, 2) == 0;
  const bool by_uid = below(random_, 2) == 0;
  const std::uint32_t first = below(random_, size()) + 1;
  const std::uint32_t last = std::min(size(), first + below(random_, 3));
  const std::string set = by_uid ? some_uids() : std::to_string(first) + ":" + std::to_string(last);
  if (silent && !by_uid) {
    // What the client reckons by itself; an answer that says otherwise comes after it.
    for (std::uint32_t number = first; number <= last; ++number) {
      auto& believed = messages_[number - 1].flags;
      if (mode == 0) believed = flags;
      if (!believed) continue;
      for (const std::string& flag : flags) {
        if (mode == 1) believed->insert(flag);
        if (mode == 2) believed->erase(flag);
      }
    }
  }
  if (silent && by_uid) {
    // Which messages it touches is not known for sure to a client that has not asked for all UIDs.
    for (Believed& believed : messages_) believed.flags.reset();
  }
  begin({.line = std::string(by_uid ? "UID " : "") + "STORE " + set + " " + modes[mode] + "FLAGS" +
                 (silent ? ".SILENT " : " ") + list(flags),
         .holds_numbers = !by_uid,
         .asks_flags = true});
}

void Modelled::begin_something() {
  const std::uint32_t what = below(random_, 20);
  const bool is_empty = messages_.empty();
  if (what < 2) return begin({.line = "NOOP"});
  if (what < 3) return begin({.line = "IDLE", .is_idle = true});
  if (what < 5) return begin({.line = "APPEND INBOX {2+}\r\nxy"});
  if (what < 6) return begin({.line = "EXPUNGE"});
  if (what < 7) return begin({.line = "UID EXPUNGE " + some_uids()});
  if (what < 8) return begin({.line = "UID SEARCH UNSEEN"});
  if (what < 10) return begin({.line = "UID FETCH " + some_uids() + " FLAGS", .asks_flags = true});
  if (what < 11) return begin({.line = "SEARCH UNDELETED SUBJECT x", .holds_numbers = true});
  if (is_empty) return begin({.line = "CHECK"});
  if (what < 13)
    return begin(
        {.line = "FETCH " + some_numbers() + " (UID FLAGS)", .holds_numbers = true, .asks_flags = true});
  if (what < 14) return begin({.line = "FETCH " + some_numbers() + " BODYSTRUCTURE", .holds_numbers = true});
  if (what < 15) return begin({.line = "COPY " + some_numbers() + " INBOX"});
  if (what < 16 && below(random_, 3) == 0) return begin({.line = "MOVE " + some_numbers() + " other"});
  begin_store();
}

void Modelled::take(const std::string& said) {
  std::string_view rest = said;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    REQUIRE(end != std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    CAPTURE(said);
    take_line(line);
    rest.remove_prefix(end + 2);
  }
}

void Modelled::take_line(std::string_view line) {
  if (!line.starts_with("* ")) return;
  line.remove_prefix(2);
  if (line.starts_with("FLAGS (")) {
    known_flags_ = words(line.substr(7, line.size() - 8));
    return;
  }
  if (line.starts_with("SEARCH")) return;
  const std::uint32_t number = number_at(line);
  const std::size_t space = line.find(' ');
  if (number == 0 && !line.starts_with("0 ")) return;
  const std::string_view what = line.substr(space + 1);
  if (what == "EXISTS") {
    REQUIRE(number >= size());
    messages_.resize(number);
  } else if (what == "EXPUNGE") {
    REQUIRE_FALSE(asked_.holds_numbers);
    REQUIRE(number >= 1);
    REQUIRE(number <= size());
    messages_.erase(messages_.begin() + (number - 1));
  } else if (what.starts_with("FETCH (")) {
    REQUIRE(number >= 1);
    REQUIRE(number <= size());
    take_fetch(number, what.substr(7, what.size() - 8));
  }
}

void Modelled::take_fetch(std::uint32_t number, std::string_view items) {
  Believed& believed = messages_[number - 1];
  if (const std::size_t at = items.find("UID "); at != std::string_view::npos) {
    const storage::Uid uid = number_at(items.substr(at + 4));
    if (believed.uid != 0) REQUIRE(believed.uid == uid);
    believed.uid = uid;
  }
  const std::size_t at = items.find("FLAGS (");
  if (at == std::string_view::npos) return;
  const std::string_view list = items.substr(at + 7);
  Flags flags = words(list.substr(0, list.find(')')));
  if (flags.erase("\\Recent") > 0 && believed.uid != 0) recent_.insert(believed.uid);
  for (const std::string& flag : flags) REQUIRE(known_flags_.contains(flag));
  // Nobody is told twice of what has not changed.
  if (!asked_.asks_flags && believed.flags) REQUIRE(*believed.flags != flags);
  believed.flags = std::move(flags);
}

void something_from_outside(Server& server, Random& random) {
  testing::MemoryMailbox& inbox = server.inbox();
  const storage::Snapshot& messages = *inbox.snapshot();
  const std::uint32_t what = below(random, 6);
  if (messages.size() < 3 || what < 2) {
    inbox.put("Subject: x\r\n\r\ny\r\n");
    return;
  }
  const storage::Uid uid = messages.at(below(random, messages.size())).uid;
  if (what == 2) inbox.expunge_now(testing::uid_set({uid}), true);
  if (what == 3) inbox.change_flags({.uids = testing::uid_set({uid}), .system_flags = 4});
  if (what == 4) inbox.change_flags({.uids = testing::uid_set({uid}), .how = storage::FlagChange::replace});
  if (what == 5 && uid > 1 && !messages.find(uid - 1)) inbox.put_back(uid - 1, "Subject: back\r\n\r\n");
}

void run_model(std::uint32_t seed, int steps) {
  CAPTURE(seed);
  Random random(seed);
  Server server;
  server.store.account().mailbox("other");
  for (int i = 0; i < 8; ++i) server.inbox().put("Subject: x\r\n\r\ny\r\n");
  std::vector<std::unique_ptr<Modelled>> sessions;
  for (int i = 0; i < 3; ++i) sessions.push_back(std::make_unique<Modelled>(server, random));
  // In the middle of any operation of any session, too.
  server.store.meanwhile = [&] {
    if (below(random, 12) == 0) something_from_outside(server, random);
  };
  for (int step = 0; step < steps; ++step) {
    if (below(random, 3) == 0) something_from_outside(server, random);
    // One, two or all at once: their operations mix.
    const std::uint32_t count = below(random, 3) + 1;
    for (std::uint32_t i = 0; i < count; ++i) sessions[i]->begin_something();
    for (std::uint32_t i = 0; i < count; ++i) sessions[i]->finish();
    if (below(random, 40) == 0) sessions[below(random, 3)]->select();
    std::ranges::rotate(sessions, sessions.begin() + 1);
    if (step % 10 != 9) continue;
    const auto outside = std::exchange(server.store.meanwhile, {});
    for (const auto& session : sessions) session->verify();
    server.store.meanwhile = outside;
    std::set<storage::Uid> recent;
    for (const auto& session : sessions) {
      for (const storage::Uid uid : session->recent()) CHECK(recent.insert(uid).second);
    }
    if (server.inbox().snapshot()->size() > 40) {
      storage::UidSet most;
      most.append(1, server.inbox().snapshot()->at(30).uid);
      server.inbox().expunge_now(most, true);
    }
  }
}

}  // namespace

TEST_CASE("imap: whatever three sessions do, each hears what is legal and believes what is true") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) run_model(seed, 200);
}

}  // namespace posthorn::imap
