#include "message/charset.h"
#include "message/summary_codec.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/saved_search.h"
#include "protocols/imap/search_answer.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/search_text.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <utility>

// SEARCH and UID SEARCH (RFC 3501 §6.4.4), with RETURN (RFC 4731) and what it saves (RFC 5182).
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

// How many messages are tested for so many keys between two looks at the time.
std::uint32_t step_of(std::size_t keys) {
  constexpr std::size_t tests = 4'096;
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(tests / std::max<std::size_t>(1, keys), 1, 256));
}

class Searching {
 public:
  // Of the messages of `view`, those at `places`.
  Searching(Connection& connection, View& view, const Criteria& criteria, Places places)
      : connection_(connection),
        view_(view),
        criteria_(criteria),
        places_(std::move(places)),
        slice_(connection),
        lookup_(criteria.wants, slice_),
        said_(connection.loop().now()),
        found_(view.messages().size()) {}

  Task<void> run();
  Places found() const;
  // "* SEARCH 2 84 882"
  Task<void> print(Numbering numbering);
  // "* ESEARCH (TAG "A282") MIN 2 COUNT 3"
  Task<void> print(const Places& found, std::string_view tag, Numbering numbering,
                   const SearchReturn& returned);
  bool some_gone() const { return some_gone_; }
  // Whether messages were left out because they could not be read.
  bool failed() const { return failed_; }

 private:
  static constexpr std::uint32_t batch_size = 256;
  static constexpr Milliseconds silence{10'000};

  Task<Places> by_view();
  Task<void> by_origin(const Places& open);
  const storage::Mailbox::Origin* origin_of(storage::Uid uid) const;
  Task<void> by_index(Places open);
  Task<void> test_all(const std::vector<storage::Mailbox::CachedSummary>& summaries);
  Task<Match> by_octets(const Candidate& known, const std::string& encoded);
  Task<void> say_something();
  Task<void> print_set(const Places& places, Numbering numbering);
  void append_mod_sequence(std::string_view before, const Places& places, std::string_view behind);
  void fail(const Error& error);

  Connection& connection_;
  View& view_;
  const Criteria& criteria_;
  Places places_;
  Slice slice_;
  TextLookup lookup_;
  Milliseconds said_;                              // when the client last heard of us
  std::vector<bool> found_;                        // by place
  std::vector<storage::Mailbox::Origin> origins_;  // of the present batch, where a key wants them
  bool some_gone_ = false;
  bool failed_ = false;
};

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
    fail(origins.error());
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
  for (const auto& summary : summaries) {
    co_await slice_;
    const auto place = view_.messages().find(summary.uid);
    if (!place) continue;
    const auto envelope = message::decode_envelope(summary.encoded);
    if (!envelope) {
      fail(envelope.error());
      continue;
    }
    const EnvelopeFindings findings = co_await lookup_.in_envelope(*envelope);
    const Candidate candidate{.place = *place,
                              .message = view_.messages().at(*place),
                              .envelope = &findings,
                              .origin = origin_of(summary.uid)};
    Match match = criteria_.key->test(candidate);
    if (match == Match::unknown) match = co_await by_octets(candidate, summary.encoded);
    found_[*place] = match == Match::yes;
  }
}

// `known` is all that is known without them.
Task<Match> Searching::by_octets(const Candidate& known, const std::string& encoded) {
  const auto summary = message::decode(encoded);
  if (!summary) {
    fail(summary.error());
    co_return Match::no;
  }
  co_await say_something();
  MessageSource source(view_.mailbox(), known.message.uid, known.message.size);
  const auto findings = co_await lookup_.in_message(*summary, source);
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
  // RFC 7162 §3.1.5.
  append_mod_sequence(" (MODSEQ ", found(), ")");
  connection_.queue("\r\n");
}

Task<void> Searching::print(const Places& found, std::string_view tag, Numbering numbering,
                            const SearchReturn& returned) {
  const auto number = [&](std::uint32_t place) {
    return numbering == Numbering::uid ? view_.messages().at(place).uid : place + 1;
  };
  std::string& out = connection_.output();
  out += "* ESEARCH (TAG \"";
  out += tag;
  out += numbering == Numbering::uid ? "\") UID" : "\")";
  if (returned.min && !found.empty()) {
    out += " MIN ";
    append_number(out, number(found.ranges().front().begin));
  }
  if (returned.max && !found.empty()) {
    out += " MAX ";
    append_number(out, number(found.ranges().back().end - 1));
  }
  if (returned.count) {
    out += " COUNT ";
    append_number(out, found.count());
  }
  if (returned.all && !found.empty()) {
    out += " ALL ";
    co_await print_set(found, numbering);
  }
  if (returned.partial) {
    connection_.queue(" PARTIAL (");
    append_partial_range(connection_.output(), *returned.partial);
    connection_.queue(" ");
    co_await print_set(found.partial(*returned.partial), numbering);
    connection_.queue(")");
  }
  // RFC 7162 §3.1.10.
  append_mod_sequence(" MODSEQ ", spoken_of(found, returned), "");
  connection_.queue("\r\n");
}

Task<void> Searching::print_set(const Places& places, Numbering numbering) {
  if (places.empty()) connection_.queue("NIL");
  bool is_first = true;
  for (const SequenceRange range : numbers_of(places, numbering, view_.messages())) {
    co_await slice_;
    std::string& out = connection_.output();
    if (!std::exchange(is_first, false)) out += ',';
    append_number(out, range.first);
    if (range.last != range.first) {
      out += ':';
      append_number(out, range.last);
    }
    co_await connection_.flush_if_large();
  }
}

void Searching::append_mod_sequence(std::string_view before, const Places& places, std::string_view behind) {
  if (!criteria_.by_mod_sequence || places.empty()) return;
  std::string& out = connection_.output();
  out += before;
  append_number(out, highest_mod_sequence(places, view_.messages()));
  out += behind;
}

}  // namespace

Task<Reply> Session::on(const Search& search) {
  const std::string name = search.numbering == Numbering::uid ? "UID SEARCH" : "SEARCH";
  const bool saves = search.returned && search.returned->save;
  // What is searched is the present, which the client is told of first: numbers of messages stay.
  co_await view_->tell(connection_, Expunges::hold, search.numbering);
  auto saved = std::make_shared<const Places>();
  if (names_saved(search.key)) saved = co_await saved_places(connection_, *view_);
  const auto criteria = compile(search, *view_, saved, enabled_.dialect.utf8() ? "UTF-8" : "US-ASCII",
                                environment_.clock.seconds());
  const Limited limited =
      newest(searched(search.key, view_->messages(), *saved), settings_.message_limit, view_->messages());
  // RFC 5182 §2.1: a SEARCH that was to save and is refused leaves nothing saved.
  if (saves) view_->save_search({});
  if (!criteria) co_return bad_charset();
  // RFC 9738 §3.4: what is saved is what was found among these.
  Searching searching(connection_, *view_, *criteria, limited.places);
  co_await searching.run();
  if (saves && searching.failed()) co_return no("[NOTSAVED] " + name + " could not read all messages");
  limited_to_ = limited.lowest;

  // In IMAP4rev2 there is no other answer than ESEARCH (RFC 9051 §6.4.4, appendix E).
  if (!search.returned && !enabled_.rev2()) {
    co_await searching.print(search.numbering);
  } else {
    const SearchReturn returned = search.returned.value_or(SearchReturn{.all = true});
    const Places found = searching.found();
    if (saves) view_->save_search(uids_of(spoken_of(found, returned), view_->messages()));
    if (is_answered(returned)) co_await searching.print(found, tag_, search.numbering, returned);
  }
  if (searching.failed()) co_return no("[UNAVAILABLE] " + name + " could not read all messages");
  co_return ok((searching.some_gone() ? "[EXPUNGEISSUED] " : "") + name + " completed");
}

}  // namespace posthorn::imap
