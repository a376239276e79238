#pragma once

#include "tests/unit/storage/store_fixture.h"

#include <chrono>
#include <filesystem>
#include <string>

namespace posthorn::storage::testing {

// Mailboxes, and what other programs do to them.
struct OutsideFixture : StoreFixture {
  std::string index_path() const { return account_path() + "/index.sqlite"; }
  void poll(Mailbox& target) {
    auto polled = wait(target.poll());
    REQUIRE_MESSAGE(polled, (polled ? "" : polled.error().detail));
  }
  // As another program, some time after the last change of ours: a change in the same tick of the clock of
  // mtimes is seen two seconds later.
  void put_file(const std::string& path, std::string_view bytes) {
    run_for(Milliseconds(25));
    StoreFixture::put_file(path, bytes);
  }
  // As if it was written an hour ago.
  static void make_old(const std::string& path) {
    std::filesystem::last_write_time(path,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  // The one file whose name has `part`; it may be changed as by put_file().
  std::string find_file(const std::string& part, const std::string& folder = "") {
    run_for(Milliseconds(25));
    for (const char* place : {"/new/", "/cur/"}) {
      const std::string directory = maildir() + folder + place;
      for (const std::string& name : list(directory)) {
        if (name.contains(part)) return directory + name;
      }
    }
    return {};
  }
  // A mailbox's messages in words.
  std::string describe(Mailbox& target) {
    std::string text;
    const auto snapshot = target.snapshot();
    snapshot->visit(0, snapshot->size(), [&](std::uint32_t, const Message& each) {
      text += std::to_string(each.uid) + ":" + std::to_string(each.flags.system);
      for (std::size_t place = 0; place < target.keywords().size(); ++place) {
        if (each.flags.keywords.has(place)) text += "," + target.keywords()[place];
      }
      text += "," + std::to_string(each.internal_date) + "," + std::to_string(each.size) + " ";
    });
    const auto origins = wait(target.origins(all()));
    REQUIRE(origins);
    CHECK(origins->size() == snapshot->size());
    for (const Mailbox::Origin& each : *origins) {
      text += std::to_string(each.uid) + "@" + std::to_string(each.saved) + each.thread_id + " ";
    }
    return text + "next " + std::to_string(snapshot->uid_next()) + " validity " +
           std::to_string(target.info().uid_validity) + " id " + std::to_string(target.info().id);
  }
  // Two mailboxes with flags, keywords, gaps.
  void fill() {
    auto inbox = mailbox();
    // The fifth message answers the second.
    for (int index = 0; index < 6; ++index) {
      const std::string field = index == 1   ? "Message-ID: <1@x>\r\n"
                                : index == 4 ? "In-Reply-To: <1@x>\r\n"
                                             : "";
      deliver(field + letter(index == 4 ? "Re: 1" : std::to_string(index)));
    }
    clock.advance_seconds(100);
    REQUIRE(try_store(*inbox, uids({2, 3}), FlagChange::add, bit(SystemFlag::seen), {"Work", "$Junk"}));
    REQUIRE(try_store(*inbox, uids({5}), FlagChange::add, bit(SystemFlag::flagged) | bit(SystemFlag::draft)));
    REQUIRE(wait(inbox->expunge(uids({4}), true)));
    auto archive = mailbox("Archive");
    REQUIRE(wait(inbox->move(uids({1}), archive, Missing::skip)));
    REQUIRE(wait(inbox->copy(uids({2, 5}), archive, Missing::skip)));
    REQUIRE(wait(inbox->expunge(uids({6}), true)));
    REQUIRE(wait(account().create("Lists/Ärger", SpecialUse::none)));
    REQUIRE(wait(account().subscribe("Lists/Ärger", true)));
  }
};
}  // namespace posthorn::storage::testing
