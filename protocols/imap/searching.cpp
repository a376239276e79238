#include "protocols/imap/searching.h"

#include "message/summary_codec.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

// How many messages are tested for so many keys between two looks at the time.
std::uint32_t step_of(std::size_t keys) {
  constexpr std::size_t tests = 4'096;
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(tests / std::max<std::size_t>(1, keys), 1, 256));
}

}  // namespace

Searching::Searching(Connection& connection, View& view, const Criteria& criteria, Places places)
    : connection_(connection),
      view_(view),
      criteria_(criteria),
      places_(std::move(places)),
      slice_(connection),
      lookup_(criteria.wants, slice_),
      said_(connection.loop().now()),
      found_(view.messages().size()),
      ahead_({.each = MessageSource::longest_head, .all = MessageSource::longest_heads}) {}

// Fills in what the view decides; gives the places that it leaves open.
Task<Places> Searching::by_view() {
  std::vector<Places::Range> open;
  const storage::Snapshot& messages = view_.messages();
  const std::uint32_t step = step_of(criteria_.keys);
  for (const Places::Range range : places_.ranges()) {
    std::uint32_t begin = range.begin;
    while (begin < range.end) {
      const std::uint32_t end = begin + std::min(step, range.end - begin);
      messages.visit(begin, end, [&](std::uint32_t place, const storage::Message& message) {
        const Match match = criteria_.key->test({.place = place, .message = message});
        found_[place] = match == Match::yes;
        if (match == Match::unknown) open.push_back({place, place + 1});
      });
      begin = end;
      co_await slice_;
    }
  }
  co_return Places(std::move(open));
}

void Searching::fail(const Error& error) {
  connection_.log(LogLevel::error, "imap.search_failed", {{"cause", error.detail}});
  failed_ = true;
}

// Where texts are looked for in messages that the view leaves open; gives those that it leaves open too.
Task<Places> Searching::by_search_index(Places open) {
  if (open.empty() || criteria_.wants.patterns.empty()) co_return open;
  hits_ = co_await view_.mailbox().text_hits(criteria_.wants.patterns);
  if (hits_.known.empty()) co_return open;
  const storage::Snapshot& messages = view_.messages();
  std::vector<Places::Range> rest;
  const std::uint32_t step = step_of(criteria_.keys);
  for (const Places::Range range : open.ranges()) {
    for (std::uint32_t begin = range.begin; begin < range.end;) {
      const std::uint32_t end = begin + std::min(step, range.end - begin);
      messages.visit(begin, end, [&](std::uint32_t place, const storage::Message& message) {
        const Match match = criteria_.key->test({.place = place, .message = message, .hits = &hits_});
        found_[place] = match == Match::yes;
        if (match == Match::unknown) rest.push_back({place, place + 1});
      });
      begin = end;
      co_await slice_;
    }
  }
  co_return Places(std::move(rest));
}

Task<void> Searching::run() {
  const Places open = co_await by_search_index(co_await by_view());
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
    fail(origins.error());
    co_return;
  }
  origins_ = *std::move(origins);
  std::vector<Places::Range> rest;
  for (const auto& origin : origins_) {
    const auto place = view_.messages().find(origin.uid);
    if (!place) continue;
    const Match match = criteria_.key->test(
        {.place = *place, .message = view_.messages().at(*place), .origin = &origin, .hits = &hits_});
    found_[*place] = match == Match::yes;
    if (match == Match::unknown) rest.push_back({*place, *place + 1});
  }
  if (!rest.empty()) co_await by_index(Places(std::move(rest)));
}

const storage::Mailbox::Origin* Searching::origin_of(storage::Uid uid) const {
  const auto found = std::ranges::lower_bound(origins_, uid, {}, &storage::Mailbox::Origin::uid);
  return found != origins_.end() && found->uid == uid ? &*found : nullptr;
}

Task<void> Searching::by_index(Places open) {
  while (!open.empty()) {
    const auto summaries = co_await view_.mailbox().summaries(uids_of(open, view_.messages()));
    if (!summaries) {
      fail(summaries.error());
      co_return;
    }
    if (summaries->why) fail(*summaries->why);
    co_await test_all(summaries->list);
    open = summaries->rest ? open.from(view_.messages().lower_bound(*summaries->rest)) : Places();
  }
}

Task<void> Searching::test_all(const std::vector<storage::Mailbox::CachedSummary>& summaries) {
  std::vector<Unread> unread;
  for (const auto& summary : summaries) {
    co_await slice_;
    const auto place = view_.messages().find(summary.uid);
    if (!place) continue;
    const auto envelope = message::decode_envelope(summary.encoded);
    if (!envelope) {
      fail(envelope.error());
      continue;
    }
    Unread each{summary, *place, co_await lookup_.in_envelope(*envelope)};
    const Match match = criteria_.key->test(candidate_of(each, hits_));
    found_[*place] = match == Match::yes;
    if (match == Match::unknown) unread.push_back(std::move(each));
  }
  co_await read_all(unread);
}

Candidate Searching::candidate_of(const Unread& each, const storage::Mailbox::TextHits& hits) const {
  return {.place = each.place,
          .message = view_.messages().at(each.place),
          .envelope = &each.findings,
          .origin = origin_of(each.summary.uid),
          .hits = &hits};
}

// Where there are several, the pool looks into them first: few of them are left then, commonly.
Task<void> Searching::read_all(const std::vector<Unread>& unread) {
  storage::UidSet uids;
  for (const Unread& each : unread) uids.append(each.summary.uid);
  storage::Mailbox::TextHits scanned;
  if (unread.size() > 1 && !criteria_.wants.patterns.empty()) {
    scanned = co_await view_.mailbox().scan(uids, criteria_.wants.patterns);
  }
  for (const Unread& each : unread) {
    co_await slice_;
    const Candidate candidate = candidate_of(each, scanned);
    Match match = criteria_.key->test(candidate);
    if (match == Match::unknown) match = co_await by_octets(candidate, each.summary.encoded, uids);
    found_[each.place] = match == Match::yes;
  }
}

// `known` is all that is known without them.
Task<Match> Searching::by_octets(const Candidate& known, const std::string& encoded,
                                 const storage::UidSet& next) {
  const auto summary = message::decode(encoded);
  if (!summary) {
    fail(summary.error());
    co_return Match::no;
  }
  co_await say_something();
  MessageSource source(view_.mailbox(), known.message.uid, known.message.size);
  const auto findings = co_await lookup_.in_message(*summary, source, ahead_, next);
  if (findings) {
    Candidate candidate = known;
    candidate.texts = &*findings;
    co_return criteria_.key->test(candidate);
  }
  if (findings.error().code == Errc::not_found) {
    some_gone_ = true;
  } else {
    fail(findings.error());
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

Places Searching::found() const {
  std::vector<Places::Range> ranges;
  for (std::uint32_t place = 0; place < found_.size(); ++place) {
    if (!found_[place]) continue;
    if (ranges.empty() || ranges.back().end != place) ranges.push_back({place, place});
    ranges.back().end = place + 1;
  }
  return Places(std::move(ranges));
}

}  // namespace posthorn::imap
