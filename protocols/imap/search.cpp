#include "message/charset.h"
#include "message/summary_codec.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/search_text.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <utility>

// SEARCH and UID SEARCH (RFC 3501 §6.4.4).
//
// What the view holds is tested for all messages first; only those that it leaves open are looked up in the
// index, and only those that are still open then are read.
namespace posthorn::imap {
namespace {

Reply bad_charset() {
  std::string text = "[BADCHARSET ";
  {
    Spaced list(text);
    for (const std::string& name : message::charset_names()) append_astring(list.next(), name);
  }
  return no(text + "] Unknown charset");
}

class Searching {
 public:
  Searching(Connection& connection, View& view, const Criteria& criteria)
      : connection_(connection),
        view_(view),
        criteria_(criteria),
        slice_(connection),
        said_(connection.loop().now()),
        found_(view.messages().size()) {}

  Task<void> run();
  Task<void> print(Numbering numbering);
  bool some_gone() const { return some_gone_; }

 private:
  static constexpr std::uint32_t batch_size = 256;
  static constexpr Milliseconds silence{10'000};

  Task<Places> by_view();
  Task<void> by_origin(const Places& open);
  const storage::Mailbox::Origin* origin_of(storage::Uid uid) const;
  Task<void> by_index(const Places& open);
  Task<Match> by_octets(std::uint32_t place, const std::string& encoded);
  Task<void> say_something();

  Connection& connection_;
  View& view_;
  const Criteria& criteria_;
  Slice slice_;
  Milliseconds said_;                              // when the client last heard of us
  std::vector<bool> found_;                        // by place
  std::vector<storage::Mailbox::Origin> origins_;  // of the present batch, where a key wants them
  bool some_gone_ = false;
};

// Fills in what the view decides; gives the places that it leaves open.
Task<Places> Searching::by_view() {
  std::vector<Places::Range> open;
  const storage::Snapshot& messages = view_.messages();
  for (std::uint32_t begin = 0; begin < messages.size(); begin += batch_size) {
    const std::uint32_t end = std::min(messages.size(), begin + batch_size);
    messages.visit(begin, end, [&](std::uint32_t place, const storage::Message& message) {
      const Match match = criteria_.key->test({.place = place, .message = message});
      found_[place] = match == Match::yes;
      if (match == Match::unknown) open.push_back({place, place + 1});
    });
    co_await slice_;
  }
  co_return Places(std::move(open));
}

Task<void> Searching::run() {
  const Places open = co_await by_view();
  for (const Places& batch : open.in_pieces(batch_size)) {
    co_await say_something();
    if (criteria_.by_origin) {
      co_await by_origin(batch);
    } else {
      co_await by_index(batch);
    }
  }
}

Task<void> Searching::by_origin(const Places& open) {
  auto origins = co_await view_.mailbox().origins(uids_of(open, view_.messages()));
  if (!origins) {
    connection_.log(LogLevel::error, "imap.search_failed", {{"cause", origins.error().detail}});
    co_return;
  }
  origins_ = *std::move(origins);
  std::vector<Places::Range> rest;
  for (const auto& origin : origins_) {
    const auto place = view_.messages().find(origin.uid);
    if (!place) continue;
    const Match match =
        criteria_.key->test({.place = *place, .message = view_.messages().at(*place), .origin = &origin});
    found_[*place] = match == Match::yes;
    if (match == Match::unknown) rest.push_back({*place, *place + 1});
  }
  if (!rest.empty()) co_await by_index(Places(std::move(rest)));
}

const storage::Mailbox::Origin* Searching::origin_of(storage::Uid uid) const {
  const auto found = std::ranges::lower_bound(origins_, uid, {}, &storage::Mailbox::Origin::uid);
  return found != origins_.end() && found->uid == uid ? &*found : nullptr;
}

Task<void> Searching::by_index(const Places& open) {
  const auto summaries = co_await view_.mailbox().summaries(uids_of(open, view_.messages()));
  if (!summaries) {
    connection_.log(LogLevel::error, "imap.search_failed", {{"cause", summaries.error().detail}});
    co_return;
  }
  for (const auto& summary : *summaries) {
    co_await slice_;
    const auto place = view_.messages().find(summary.uid);
    if (!place) continue;
    const auto envelope = message::decode_envelope(summary.encoded);
    if (!envelope) {
      connection_.log(LogLevel::error, "imap.search_failed", {{"cause", envelope.error().detail}});
      continue;
    }
    Match match = criteria_.key->test({.place = *place,
                                       .message = view_.messages().at(*place),
                                       .envelope = &*envelope,
                                       .origin = origin_of(summary.uid)});
    if (match == Match::unknown) match = co_await by_octets(*place, summary.encoded);
    found_[*place] = match == Match::yes;
  }
}

Task<Match> Searching::by_octets(std::uint32_t place, const std::string& encoded) {
  const storage::Message& message = view_.messages().at(place);
  const auto summary = message::decode(encoded);
  if (!summary) co_return Match::no;
  co_await say_something();
  MessageSource source(view_.mailbox(), message.uid, message.size);
  const auto findings = co_await look_for(criteria_.wants, *summary, source, slice_);
  if (findings) {
    co_return criteria_.key->test({.place = place,
                                   .message = message,
                                   .envelope = &summary->envelope,
                                   .texts = &*findings,
                                   .origin = origin_of(message.uid)});
  }
  if (findings.error().code == Errc::not_found) {
    some_gone_ = true;
  } else {
    connection_.log(LogLevel::error, "imap.search_failed", {{"cause", findings.error().detail}});
  }
  co_return Match::no;
}

// A long search reads files for a client that may have gone: a word now and then finds out.
Task<void> Searching::say_something() {
  if (connection_.loop().now() - said_ < silence) co_return;
  said_ = connection_.loop().now();
  connection_.queue("* OK Still searching\r\n");
  co_await connection_.flush();
}

Task<void> Searching::print(Numbering numbering) {
  connection_.queue("* SEARCH");
  for (std::uint32_t place = 0; place < found_.size(); ++place) {
    co_await slice_;
    if (!found_[place]) continue;
    std::string& out = connection_.output();
    out += ' ';
    append_number(out, numbering == Numbering::uid ? view_.messages().at(place).uid : place + 1);
    co_await connection_.flush_if_large();
  }
  connection_.queue("\r\n");
}

}  // namespace

Task<Reply> Session::on(const Search& search) {
  // What is searched is the present, which the client is told of first: numbers of messages stay.
  co_await view_->tell(connection_, Expunges::hold, search.numbering);
  const auto criteria = compile(search, *view_);
  if (!criteria) co_return bad_charset();
  Searching searching(connection_, *view_, *criteria);
  co_await searching.run();
  co_await searching.print(search.numbering);
  const std::string name = search.numbering == Numbering::uid ? "UID SEARCH" : "SEARCH";
  co_return ok((searching.some_gone() ? "[EXPUNGEISSUED] " : "") + name + " completed");
}

}  // namespace posthorn::imap
