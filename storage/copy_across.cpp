#include "storage/copy_across.h"

#include <algorithm>
#include <limits>

namespace posthorn::storage {
namespace {

// So much goes to the target in one transaction.
constexpr std::size_t messages_at_once = 64;
constexpr std::uint64_t octets_at_once = 16U << 20U;
constexpr std::size_t octets_of_read = 256U << 10U;

std::vector<Message> present(const UidSet& uids, const Snapshot& messages) {
  std::vector<Message> there;
  for (const UidSet::Range range : uids.ranges()) {
    const std::uint32_t end = range.last == std::numeric_limits<Uid>::max()
                                  ? messages.size()
                                  : messages.lower_bound(range.last + 1);
    messages.visit(messages.lower_bound(range.first), end,
                   [&](std::uint32_t, const Message& message) { there.push_back(message); });
  }
  return there;
}

// One COPY at work.
class Across {
 public:
  Across(Store& store, Mailbox& from, Mailbox& to, FlagLimits limits)
      : store_(store), from_(from), to_(to), limits_(limits) {}

  // Appends some of `messages` from `begin` on, and moves `begin` behind them. not_found where one is gone
  // that may not be missing.
  Task<Result<>> copy_piece(const std::vector<Message>& messages, std::size_t& begin, Missing missing);
  // A failure is logged by who does it; there is nothing else to do about it.
  Task<void> take_back();

  Copied copied;

 private:
  Task<Result<std::unique_ptr<Spool>>> read(Uid uid);
  std::vector<std::string> keywords_of(const Message& message) const;

  Store& store_;
  Mailbox& from_;
  Mailbox& to_;
  FlagLimits limits_;
  UidSet added_;
};

Task<Result<std::unique_ptr<Spool>>> Across::read(Uid uid) {
  auto bytes = co_await from_.bytes(uid, Octets::stored);
  if (!bytes) co_return std::unexpected(bytes.error());
  std::unique_ptr<Spool> spool = store_.spool();
  spool->accept_binary();
  std::uint64_t offset = 0;
  while (offset < (*bytes)->size()) {
    const auto octets = co_await (*bytes)->read(offset, octets_of_read);
    if (!octets) co_return std::unexpected(octets.error());
    if (octets->empty()) co_return failure(Errc::corrupt, "a message is shorter than it was");
    const auto written = co_await spool->write(*octets);
    if (!written) co_return std::unexpected(written.error());
    offset += octets->size();
  }
  const auto closed = co_await spool->close();
  if (!closed) co_return std::unexpected(closed.error());
  co_return spool;
}

// Rather a message without a keyword than one that can't be copied.
std::vector<std::string> Across::keywords_of(const Message& message) const {
  std::vector<std::string> names;
  if (!limits_.keywords) return names;
  std::size_t room = KeywordSet::capacity - std::min(KeywordSet::capacity, to_.keywords().size());
  for (std::size_t place = 0; place < from_.keywords().size(); ++place) {
    if (!message.flags.keywords.has(place)) continue;
    const std::string& name = from_.keywords()[place];
    const bool is_known = to_.find_keyword(name).has_value();
    if (!is_known && room == 0) continue;
    if (!is_known) --room;
    names.push_back(name);
  }
  return names;
}

Task<Result<>> Across::copy_piece(const std::vector<Message>& messages, std::size_t& begin, Missing missing) {
  std::vector<std::unique_ptr<Spool>> spools;
  std::vector<Arrival> arrivals;
  std::vector<Uid> sources;
  std::uint64_t octets = 0;
  for (; begin < messages.size() && spools.size() < messages_at_once && octets < octets_at_once; ++begin) {
    const Message& message = messages[begin];
    auto spool = co_await read(message.uid);
    const bool is_gone = !spool && spool.error().code == Errc::not_found;
    if (is_gone && missing == Missing::skip) continue;
    if (!spool) co_return std::unexpected(spool.error());
    arrivals.push_back({.spool = spool->get(),
                        .internal_date = message.internal_date,
                        .system_flags = static_cast<std::uint8_t>(message.flags.system & limits_.system),
                        .keywords = keywords_of(message)});
    spools.push_back(*std::move(spool));
    sources.push_back(message.uid);
    octets += message.size;
  }
  if (arrivals.empty()) co_return Result<>();
  const auto appended = co_await to_.append(std::move(arrivals));
  if (!appended) co_return std::unexpected(appended.error());
  copied.source.insert(copied.source.end(), sources.begin(), sources.end());
  for (const UidSet::Range range : appended->uids.ranges()) {
    for (Uid uid = range.first; uid <= range.last; ++uid) copied.target.push_back(uid);
    added_.append(range.first, range.last);
  }
  co_return Result<>();
}

Task<void> Across::take_back() {
  if (!added_.empty()) static_cast<void>(co_await to_.expunge(added_, true));
}

UidSet set_of(const std::vector<Uid>& ascending) {
  UidSet uids;
  for (const Uid uid : ascending) uids.append(uid);
  return uids;
}

}  // namespace

Task<Result<Copied>> copy_across(Store& store, std::shared_ptr<Mailbox> from, UidSet uids,
                                 std::shared_ptr<Mailbox> to, Missing missing, FlagLimits limits) {
  Copied none;
  none.uid_validity = to->info().uid_validity;
  const std::vector<Message> messages = present(uids, *from->snapshot());
  if (missing == Missing::refuse && messages.size() != uids.count()) co_return none;
  Across across(store, *from, *to, limits);
  across.copied = none;
  for (std::size_t begin = 0; begin < messages.size();) {
    const auto done = co_await across.copy_piece(messages, begin, missing);
    if (done) continue;
    co_await across.take_back();
    // One of them was expunged meanwhile: not so the target.
    const bool is_gone = done.error().code == Errc::not_found && !from->deleted() && !to->deleted();
    if (is_gone) co_return none;
    co_return std::unexpected(done.error());
  }
  co_return std::move(across.copied);
}

Task<Result<Copied>> move_across(Store& store, std::shared_ptr<Mailbox> from, UidSet uids,
                                 std::shared_ptr<Mailbox> to, Missing missing, FlagLimits limits) {
  auto copied = co_await copy_across(store, from, std::move(uids), std::move(to), missing, limits);
  if (!copied || copied->source.empty()) co_return copied;
  const auto expunged = co_await from->expunge(set_of(copied->source), true);
  if (!expunged) co_return std::unexpected(expunged.error());
  co_return copied;
}

Task<Result<Appended>> replace_across(std::shared_ptr<Mailbox> from, Uid uid, std::shared_ptr<Mailbox> to,
                                      Arrival arrival) {
  if (!from->snapshot()->find(uid)) co_return Appended{to->info().uid_validity, {}};
  std::vector<Arrival> arrivals;
  arrivals.push_back(std::move(arrival));
  auto appended = co_await to->append(std::move(arrivals));
  if (!appended) co_return appended;
  UidSet replaced;
  replaced.append(uid);
  const auto expunged = co_await from->expunge(std::move(replaced), true);
  if (!expunged) co_return std::unexpected(expunged.error());
  co_return appended;
}

}  // namespace posthorn::storage
