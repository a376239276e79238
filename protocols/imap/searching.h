#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/places.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/search_text.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/view.h"
#include "storage/read_ahead.h"

#include <cstdint>
#include <string>
#include <vector>

namespace posthorn::imap {

// Looks for the messages that SEARCH, SORT and THREAD speak of (RFC 3501 §6.4.4).
//
// What the view holds is tested for all messages first; then what the search index says of those that it
// leaves open. Only what is still open is looked up in the index, and only what that leaves open is read. The
// client gets a word now and then.
class Searching {
 public:
  // Of the messages of `view`, those at `places`. All but those outlive this, and the view's messages do not
  // change meanwhile.
  Searching(Connection& connection, View& view, const Criteria& criteria, Places places);

  Searching(const Searching&) = delete;
  Searching& operator=(const Searching&) = delete;

  Task<void> run();

  Places found() const;
  // Whether messages were left out because they are gone.
  bool some_gone() const { return some_gone_; }
  // Whether messages were left out because they could not be read.
  bool failed() const { return failed_; }

 private:
  static constexpr std::uint32_t batch_size = 256;
  static constexpr Milliseconds silence{10'000};

  Task<Places> by_view();
  Task<Places> by_search_index(Places open);
  Task<void> by_origin(const Places& open);
  const storage::Mailbox::Origin* origin_of(storage::Uid uid) const;
  Task<void> by_index(Places open);
  Task<void> test_all(const std::vector<storage::Mailbox::CachedSummary>& summaries);
  // A message that has to be looked into.
  struct Unread {
    const storage::Mailbox::CachedSummary& summary;
    std::uint32_t place;
    EnvelopeFindings findings;
  };
  Candidate candidate_of(const Unread& each, const storage::Mailbox::TextHits& hits) const;
  Task<void> read_all(const std::vector<Unread>& unread);
  Task<Match> by_octets(const Candidate& known, const std::string& encoded, const storage::UidSet& next);
  Task<void> say_something();
  void fail(const Error& error);

  Connection& connection_;
  View& view_;
  const Criteria& criteria_;
  Places places_;
  Slice slice_;
  TextLookup lookup_;
  Milliseconds said_;                // when the client last heard of us
  std::vector<bool> found_;          // by place
  storage::Mailbox::TextHits hits_;  // what the search index says
  storage::ReadAhead ahead_;
  std::vector<storage::Mailbox::Origin> origins_;  // of the present batch, where a key wants them
  bool some_gone_ = false;
  bool failed_ = false;
};

}  // namespace posthorn::imap
