#include "protocols/imap/search_keys.h"

#include "message/charset.h"
#include "protocols/imap/calendar.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/flags.h"
#include "protocols/imap/grammar.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

using Keys = std::vector<std::unique_ptr<Key>>;

Match match_if(bool matches) { return matches ? Match::yes : Match::no; }

class AllKey final : public Key {
 public:
  Match test(const Candidate&) const override { return Match::yes; }
};

class SystemFlagKey final : public Key {
 public:
  SystemFlagKey(std::uint8_t bit, bool set) : bit_(bit), set_(set) {}
  Match test(const Candidate& candidate) const override {
    return match_if(((candidate.message.flags.system & bit_) != 0) == set_);
  }

 private:
  std::uint8_t bit_;
  bool set_;
};

class RecentKey final : public Key {
 public:
  RecentKey(const View& view, bool set) : view_(view), set_(set) {}
  Match test(const Candidate& candidate) const override {
    return match_if(view_.is_recent(candidate.message.uid) == set_);
  }

 private:
  const View& view_;
  bool set_;
};

class KeywordKey final : public Key {
 public:
  // `place` in the mailbox's table; none: no message has it.
  KeywordKey(std::optional<std::size_t> place, bool set) : place_(place), set_(set) {}
  Match test(const Candidate& candidate) const override {
    return match_if((place_ && candidate.message.flags.keywords.has(*place_)) == set_);
  }

 private:
  std::optional<std::size_t> place_;
  bool set_;
};

class PlacesKey final : public Key {
 public:
  explicit PlacesKey(Places places) : PlacesKey(std::make_shared<const Places>(std::move(places))) {}
  explicit PlacesKey(std::shared_ptr<const Places> places) : places_(std::move(places)) {}
  Match test(const Candidate& candidate) const override {
    return match_if(places_->contains(candidate.place));
  }

 private:
  std::shared_ptr<const Places> places_;
};

class SizeKey final : public Key {
 public:
  explicit SizeKey(const SearchSize& key) : key_(key) {}
  Match test(const Candidate& candidate) const override {
    const bool larger = key_.relation == SearchSize::Relation::larger;
    const std::uint64_t size = candidate.message.size;
    return match_if(larger ? size > key_.octets : size < key_.octets);
  }

 private:
  SearchSize key_;
};

// A mailbox keeps one mod-sequence a message, for all of its flags together: the entry that a client names
// is passed over (RFC 7162 §3.1.5).
class ModSequenceKey final : public Key {
 public:
  explicit ModSequenceKey(std::uint64_t least) : least_(least) {}
  Match test(const Candidate& candidate) const override {
    return match_if(candidate.message.modseq >= least_);
  }

 private:
  std::uint64_t least_;
};

// Days are compared without time and zone. INTERNALDATE and SAVEDATE are shown in UTC, so that their day is
// UTC's; the day of the Date field is that of its own zone. Without a Date field that can be read, no SENT
// key matches.
class DateKey final : public Key {
 public:
  explicit DateKey(const SearchDate& key) : key_(key), day_(days_since_1970(key.day)) {}

  Match test(const Candidate& candidate) const override {
    if (key_.of == SearchDate::Of::internal) return compare_time(candidate.message.internal_date);
    if (key_.of == SearchDate::Of::saved) {
      return candidate.origin == nullptr ? Match::unknown : compare_time(candidate.origin->saved);
    }
    if (candidate.envelope == nullptr) return Match::unknown;
    return candidate.envelope->sent ? compare(*candidate.envelope->sent) : Match::no;
  }

 private:
  Match compare_time(std::int64_t seconds) const {
    constexpr std::int64_t day_seconds = 86'400;
    return compare((seconds - (seconds % day_seconds + day_seconds) % day_seconds) / day_seconds);
  }

  Match compare(std::int64_t day) const {
    switch (key_.relation) {
      case SearchDate::Relation::before: return match_if(day < day_);
      case SearchDate::Relation::on: return match_if(day == day_);
      case SearchDate::Relation::since: return match_if(day >= day_);
    }
    return Match::no;
  }

  SearchDate key_;
  std::int64_t day_;
};

// Both sides have the second that lies between them (RFC 5032 §2).
class WithinKey final : public Key {
 public:
  WithinKey(SearchWithin::Side side, std::int64_t time) : side_(side), time_(time) {}
  Match test(const Candidate& candidate) const override {
    const std::int64_t date = candidate.message.internal_date;
    return match_if(side_ == SearchWithin::Side::older ? date <= time_ : date >= time_);
  }

 private:
  SearchWithin::Side side_;
  std::int64_t time_;  // seconds since 1970
};

// EMAILID and THREADID, RFC 8474 §5.4.
class ObjectIdKey final : public Key {
 public:
  ObjectIdKey(std::string storage::Mailbox::Origin::* which, std::string id)
      : which_(which), id_(std::move(id)) {}
  Match test(const Candidate& candidate) const override {
    if (candidate.origin == nullptr) return Match::unknown;
    return match_if(candidate.origin->*which_ == id_);
  }

 private:
  std::string storage::Mailbox::Origin::* which_;
  std::string id_;
};

// The `index`th text that is looked for in a field of the envelope.
class EnvelopeKey final : public Key {
 public:
  EnvelopeKey(EnvelopeField field, std::size_t index, std::size_t pattern)
      : field_(field), index_(index), pattern_(pattern) {}
  Match test(const Candidate& candidate) const override {
    if (candidate.envelope == nullptr) return candidate.by_hits(pattern_);
    return match_if(candidate.envelope->found[static_cast<std::size_t>(field_)][index_]);
  }

 private:
  EnvelopeField field_;
  std::size_t index_;
  std::size_t pattern_;
};

// The same in a field that the envelope has not: the `field`th of those.
class FieldKey final : public Key {
 public:
  FieldKey(std::size_t field, std::size_t index, std::size_t pattern)
      : field_(field), index_(index), pattern_(pattern) {}
  Match test(const Candidate& candidate) const override {
    if (candidate.texts == nullptr) return candidate.by_hits(pattern_);
    return match_if(candidate.texts->fields[field_][index_]);
  }

 private:
  std::size_t field_;
  std::size_t index_;
  std::size_t pattern_;
};

// BODY and TEXT: the `index`th of what is looked for in the octets.
class TextKey final : public Key {
 public:
  TextKey(std::vector<bool> TextFindings::* findings, std::size_t index, std::size_t pattern)
      : findings_(findings), index_(index), pattern_(pattern) {}
  Match test(const Candidate& candidate) const override {
    if (candidate.texts == nullptr) return candidate.by_text_hits(pattern_);
    return match_if((candidate.texts->*findings_)[index_]);
  }

 private:
  std::vector<bool> TextFindings::* findings_;
  std::size_t index_;
  std::size_t pattern_;
};

// All of several keys, or any: `decisive` is what one of them has to say to settle it.
class JoinedKey final : public Key {
 public:
  JoinedKey(Keys keys, Match decisive) : keys_(std::move(keys)), decisive_(decisive) {}
  Match test(const Candidate& candidate) const override {
    Match result = decisive_ == Match::no ? Match::yes : Match::no;
    for (const auto& key : keys_) {
      const Match match = key->test(candidate);
      if (match == decisive_) return match;
      if (match == Match::unknown) result = Match::unknown;
    }
    return result;
  }

 private:
  Keys keys_;
  Match decisive_;
};

class NotKey final : public Key {
 public:
  explicit NotKey(std::unique_ptr<Key> key) : key_(std::move(key)) {}
  Match test(const Candidate& candidate) const override {
    switch (key_->test(candidate)) {
      case Match::no: return Match::yes;
      case Match::yes: return Match::no;
      case Match::unknown: break;
    }
    return Match::unknown;
  }

 private:
  std::unique_ptr<Key> key_;
};

// The fields that stand in a message once: what the envelope has of them is all there is.
std::optional<EnvelopeField> envelope_field(std::string_view name) {
  static constexpr std::pair<std::string_view, EnvelopeField> fields[] = {
      {"Subject", EnvelopeField::subject},
      {"Message-ID", EnvelopeField::message_id},
      {"In-Reply-To", EnvelopeField::in_reply_to},
      {"Date", EnvelopeField::date},
  };
  const auto* found =
      std::ranges::find_if(fields, [&](auto& f) { return equal_ignoring_case(f.first, name); });
  if (found == std::end(fields)) return std::nullopt;
  return found->second;
}

class Compiler {
 public:
  Compiler(const View& view, std::string charset, std::shared_ptr<const Places> saved, std::int64_t now,
           Criteria& criteria)
      : view_(view),
        charset_(std::move(charset)),
        saved_(std::move(saved)),
        now_(now),
        criteria_(criteria),
        wants_(criteria.wants) {}

  Result<std::unique_ptr<Key>> operator()(const SearchKey& key) {
    ++criteria_.keys;
    return std::visit([this](const auto& alternative) { return compile_key(alternative); }, key.key);
  }

 private:
  using Compiled = Result<std::unique_ptr<Key>>;
  using Pattern = storage::TextPattern;

  Compiled compile_key(const SearchAll&) const { return std::make_unique<AllKey>(); }

  Compiled compile_key(const SearchFlag& key) const {
    if (key.flag == SystemFlag::recent) return std::make_unique<RecentKey>(view_, key.set);
    return std::make_unique<SystemFlagKey>(system_bit(key.flag), key.set);
  }

  Compiled compile_key(const SearchKeyword& key) const {
    return std::make_unique<KeywordKey>(view_.mailbox().find_keyword(key.keyword), key.set);
  }

  Compiled compile_key(const SearchNumbers& key) {
    if (key.set.saved) return std::make_unique<PlacesKey>(saved_);
    return std::make_unique<PlacesKey>(places_there(key.set, key.numbering, view_.messages()));
  }
  Compiled compile_key(const SearchUidBound& key) const {
    return std::make_unique<PlacesKey>(places_there(key, view_.messages()));
  }

  Compiled compile_key(const SearchDate& key) const {
    if (key.of == SearchDate::Of::saved) criteria_.by_origin = true;
    if (key.of == SearchDate::Of::sent) wants_.sent = true;
    return std::make_unique<DateKey>(key);
  }
  // All mailboxes keep them (RFC 8514 §4.3).
  Compiled compile_key(const SearchSaveDateSupported&) const { return std::make_unique<AllKey>(); }
  Compiled compile_key(const SearchObjectId& key) const {
    using Origin = storage::Mailbox::Origin;
    criteria_.by_origin = true;
    const bool of_message = key.of == SearchObjectId::Of::email;
    return std::make_unique<ObjectIdKey>(of_message ? &Origin::email_id : &Origin::thread_id, key.id);
  }
  Compiled compile_key(const SearchWithin& key) const {
    return std::make_unique<WithinKey>(key.side, now_ - key.seconds);
  }
  Compiled compile_key(const SearchSize& key) const { return std::make_unique<SizeKey>(key); }

  Compiled compile_key(const SearchModSequence& key) const {
    criteria_.by_mod_sequence = true;
    return std::make_unique<ModSequenceKey>(key.least);
  }

  Compiled compile_key(const SearchText& key) const {
    std::string text = TRY(message::to_utf8(key.text, charset_));
    switch (key.in) {
      case SearchText::In::bcc: return in_envelope(EnvelopeField::bcc, std::move(text));
      case SearchText::In::cc: return in_envelope(EnvelopeField::cc, std::move(text));
      case SearchText::In::from: return in_envelope(EnvelopeField::from, std::move(text));
      case SearchText::In::to: return in_envelope(EnvelopeField::to, std::move(text));
      case SearchText::In::subject: return in_envelope(EnvelopeField::subject, std::move(text));
      case SearchText::In::body: return in_text(Pattern::In::body, std::move(text));
      case SearchText::In::text: break;
    }
    return in_text(Pattern::In::anywhere, std::move(text));
  }

  Compiled compile_key(const SearchHeader& key) const {
    std::string text = TRY(message::to_utf8(key.text, charset_));
    if (const auto field = envelope_field(key.field)) return in_envelope(*field, std::move(text));
    const auto is_it = [&](const TextWants::Field& field) {
      return equal_ignoring_case(field.name, key.field);
    };
    auto field = std::ranges::find_if(wants_.fields, is_it);
    if (field == wants_.fields.end()) field = wants_.fields.insert(field, {key.field, {}});
    const auto place = static_cast<std::size_t>(field - wants_.fields.begin());
    const std::size_t pattern = pattern_of(Pattern::In::header, text);
    return std::make_unique<FieldKey>(place, index_of(std::move(text), field->texts), pattern);
  }

  Compiled compile_key(const SearchAnd& key) {
    return std::make_unique<JoinedKey>(TRY(compile_all(key.keys)), Match::no);
  }
  Compiled compile_key(const SearchOr& key) {
    return std::make_unique<JoinedKey>(TRY(compile_all(key.keys)), Match::yes);
  }
  Compiled compile_key(const SearchNot& key) {
    return std::make_unique<NotKey>(TRY((*this)(key.keys.front())));
  }

  Compiled in_envelope(EnvelopeField field, std::string text) const {
    TextWants::Texts& texts = wants_.envelope[static_cast<std::size_t>(field)];
    const std::size_t pattern = pattern_of(Pattern::In::header, text);
    return std::make_unique<EnvelopeKey>(field, index_of(std::move(text), texts), pattern);
  }

  Compiled in_text(Pattern::In in, std::string text) const {
    const bool in_body = in == Pattern::In::body;
    const std::size_t pattern = pattern_of(in, text);
    return std::make_unique<TextKey>(in_body ? &TextFindings::body : &TextFindings::message,
                                     index_of(std::move(text), in_body ? wants_.body : wants_.message),
                                     pattern);
  }

  // Which of wants_.patterns it is: none, where that has no room for it.
  std::size_t pattern_of(Pattern::In in, std::string_view text) const {
    std::string folded = message::fold_for_search(text);
    auto& patterns = wants_.patterns;
    if (folded.empty()) return storage::Mailbox::patterns_limit;
    const auto known = std::ranges::find_if(
        patterns, [&](const Pattern& each) { return each.in == in && each.folded == folded; });
    const auto place = static_cast<std::size_t>(known - patterns.begin());
    if (known == patterns.end() && place < storage::Mailbox::patterns_limit) {
      patterns.push_back({in, std::move(folded)});
    }
    return place;
  }

  static std::size_t index_of(std::string text, TextWants::Texts& texts) {
    texts.push_back(std::move(text));
    return texts.size() - 1;
  }

  Result<Keys> compile_all(const std::vector<SearchKey>& keys) {
    Keys compiled;
    for (const SearchKey& key : keys) compiled.push_back(TRY((*this)(key)));
    return compiled;
  }

  const View& view_;
  std::string charset_;
  std::shared_ptr<const Places> saved_;
  std::int64_t now_;
  Criteria& criteria_;
  TextWants& wants_;
};

}  // namespace

Match Candidate::by_hits(std::size_t pattern) const {
  return by_text_hits(pattern) == Match::no ? Match::no : Match::unknown;
}

Match Candidate::by_text_hits(std::size_t pattern) const {
  if (hits == nullptr || pattern >= hits->hits.size() || !hits->hits[pattern]) return Match::unknown;
  if (!hits->known.contains(message.uid)) return Match::unknown;
  if (!hits->hits[pattern]->contains(message.uid)) return Match::no;
  return hits->exact ? Match::yes : Match::unknown;
}

Result<Criteria> compile(const Search& search, const View& view, std::shared_ptr<const Places> saved,
                         std::string_view default_charset, std::int64_t now) {
  const auto charset = message::canonical_charset(search.charset.empty() ? default_charset : search.charset);
  if (!charset) return not_found("charset");
  Criteria criteria;
  criteria.key = TRY(Compiler(view, *charset, std::move(saved), now, criteria)(search.key));
  return criteria;
}

}  // namespace posthorn::imap
