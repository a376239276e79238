#include "storage/snapshot.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace posthorn::storage {
namespace {

Message message(Uid uid, std::uint8_t flags = 0, ModSeq modseq = 1) {
  Message made;
  made.uid = uid;
  made.flags.system = flags;
  made.modseq = modseq;
  return made;
}

std::vector<Message> messages_of(const Snapshot& snapshot) {
  std::vector<Message> all;
  snapshot.visit(0, snapshot.size(), [&](std::uint32_t index, const Message& each) {
    CHECK(index == all.size());
    all.push_back(each);
  });
  return all;
}

// What a Snapshot stands for, as plainly as can be.
class Model {
 public:
  void apply(const Snapshot::Change& change) {
    for (const Message& each : change.added) messages_[each.uid] = each;
    for (const Message& each : change.changed) {
      if (messages_.contains(each.uid)) messages_[each.uid] = each;
    }
    std::erase_if(messages_, [&](const auto& each) { return change.expunged.contains(each.first); });
  }
  std::vector<Message> all() const {
    std::vector<Message> list;
    for (const auto& [uid, each] : messages_) list.push_back(each);
    return list;
  }

 private:
  std::map<Uid, Message> messages_;
};

class Changes {
 public:
  explicit Changes(unsigned seed) : random_(seed) {}

  Snapshot::Change next(const Snapshot& now) {
    Snapshot::Change change;
    const unsigned kind = below(10);
    if (kind < 6) {
      for (unsigned count = below(kind == 0 ? 1500 : 20); count > 0; --count) {
        // A gap now and then, into which a foreign file may come later.
        if (below(8) == 0) ++uid_next_;
        change.added.push_back(message(uid_next_++, 0, modseq_));
      }
    }
    if (kind == 5 && now.size() > 0) insert_low(now, change);
    if (kind >= 4) {
      std::vector<Uid> chosen;
      const unsigned share = 1 + below(kind == 9 ? 3 : 200);
      for (std::uint32_t index = 0; index < now.size(); ++index) {
        if (below(share) != 0) continue;
        const Uid uid = now.at(index).uid;
        if (below(2) == 0) {
          change.changed.push_back(message(uid, static_cast<std::uint8_t>(below(32)), modseq_));
        } else {
          change.expunged.append(uid);
        }
      }
      // Of ones that are not here.
      change.changed.push_back(message(uid_next_ + 5, 1, modseq_));
    }
    change.uid_next = uid_next_;
    change.highest_modseq = ++modseq_;
    return change;
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }

  void insert_low(const Snapshot& now, Snapshot::Change& change) {
    std::vector<Message> low;
    for (Uid uid = 1 + below(20); uid < uid_next_; uid += 1 + below(300)) {
      if (!now.find(uid) && (change.added.empty() || uid < change.added.front().uid))
        low.push_back(message(uid));
    }
    change.added.insert(change.added.begin(), low.begin(), low.end());
  }

  std::mt19937 random_;
  Uid uid_next_ = 1;
  ModSeq modseq_ = 1;
};

}  // namespace

TEST_CASE("uid set: ranges join where they touch") {
  UidSet set;
  for (const Uid uid : {1U, 2U, 3U, 7U, 9U, 10U}) set.append(uid);
  set.append(11, 20);
  CHECK(set.ranges() == std::vector<UidSet::Range>{{1, 3}, {7, 7}, {9, 20}});
  CHECK(set.count() == 16);
  for (const Uid uid : {1U, 3U, 7U, 9U, 15U, 20U}) CHECK(set.contains(uid));
  for (const Uid uid : {4U, 6U, 8U, 21U}) CHECK_FALSE(set.contains(uid));
  CHECK_FALSE(UidSet().contains(1));
}

TEST_CASE("snapshot: an empty one") {
  const Snapshot snapshot;
  CHECK(snapshot.size() == 0);
  CHECK_FALSE(snapshot.find(1));
  CHECK(snapshot.lower_bound(1) == 0);
  CHECK(Snapshot::difference(snapshot, snapshot).added.empty());
}

TEST_CASE("snapshot: after() and difference() agree with a plain list, whatever happens") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Changes changes(seed);
    Model model;
    auto snapshot = std::make_shared<const Snapshot>();
    std::shared_ptr<const Snapshot> told = snapshot;  // what a session has told its client
    Model client;
    for (int step = 0; step < 60; ++step) {
      const Snapshot::Change change = changes.next(*snapshot);
      model.apply(change);
      snapshot = snapshot->after(change);
      const std::vector<Message> all = model.all();
      REQUIRE(messages_of(*snapshot) == all);
      REQUIRE(snapshot->size() == all.size());
      CHECK(snapshot->uid_next() == change.uid_next);
      CHECK(snapshot->highest_modseq() == change.highest_modseq);
      for (std::uint32_t index = 0; index < all.size(); index += 37) {
        CHECK(snapshot->at(index) == all[index]);
        CHECK(snapshot->find(all[index].uid) == index);
        CHECK(snapshot->lower_bound(all[index].uid) == index);
      }
      if (!all.empty()) CHECK(snapshot->lower_bound(all.back().uid + 1) == all.size());
      if (step % 3 == 0) {
        const Snapshot::Change news = Snapshot::difference(*told, *snapshot);
        client.apply(news);
        REQUIRE(client.all() == all);
        for (const Message& each : news.added) CHECK_FALSE(told->find(each.uid));
        told = snapshot;
      }
    }
  }
}

TEST_CASE("snapshot: a message that is removed and another that comes in its place are told apart") {
  const std::vector<Message> before{message(1), message(5), message(9)};
  const Snapshot older(before, 10, 1);
  Snapshot::Change change;
  change.expunged.append(5);
  change.added = {message(7), message(12)};
  change.changed = {message(9, 1, 3)};
  change.uid_next = 13;
  const auto newer = older.after(change);
  const auto news = Snapshot::difference(older, *newer);
  CHECK(news.added == change.added);
  CHECK(news.changed == change.changed);
  CHECK(news.expunged == change.expunged);
  CHECK(news.uid_next == 13);
}

TEST_CASE("snapshot: expunging one by one leaves no crumbs, and costs no more than a block each") {
  std::vector<Message> many;
  for (Uid uid = 1; uid <= 20'000; ++uid) many.push_back(message(uid));
  auto snapshot = std::make_shared<const Snapshot>(many, 20'001, 1);
  for (Uid uid = 1; uid <= 20'000; ++uid) {
    if (uid % 100 == 0) continue;
    Snapshot::Change change;
    change.expunged.append(uid);
    snapshot = snapshot->after(change);
  }
  CHECK(snapshot->size() == 200);
  CHECK(snapshot->at(199).uid == 20'000);
}

}  // namespace posthorn::storage
