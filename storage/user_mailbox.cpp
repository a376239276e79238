#include "storage/user_mailbox.h"

#include "storage/copy_across.h"

#include <algorithm>
#include <cassert>

namespace posthorn::storage {
namespace {

template <class Value>
Task<Result<Value>> refused(Error error) {
  co_return std::unexpected(std::move(error));
}

Arrival limited(Arrival arrival, FlagLimits limits) {
  arrival.system_flags = static_cast<std::uint8_t>(arrival.system_flags & limits.system);
  if (!limits.keywords) arrival.keywords.clear();
  return arrival;
}

// Whether any of the flags that a STORE names may be changed; where it names none, whether any at all may.
bool changes_any(const StoreRequest& request, FlagLimits limits) {
  const bool names_any = request.system_flags != 0 || !request.keywords.empty();
  if (!names_any) return request.how != FlagChange::replace || limits.system != 0 || limits.keywords;
  return (request.system_flags & limits.system) != 0 || (limits.keywords && !request.keywords.empty());
}

}  // namespace

UserMailbox::UserMailbox(std::shared_ptr<UserAccount> account, std::shared_ptr<Account> holder,
                         std::shared_ptr<Mailbox> mailbox, bool own, Right purpose)
    : account_(std::move(account)),
      holder_(std::move(holder)),
      mailbox_(std::move(mailbox)),
      own_(own),
      purpose_(purpose),
      readable_(std::make_shared<const Snapshot>()) {}

Rights UserMailbox::rights() const { return own_ ? Rights::all() : account_->rights_on(mailbox_->info()); }

// Lacking a right in a mailbox that the user reads, or knows of, is told.
Result<> UserMailbox::needs(Rights needed) const {
  const Rights present = rights();
  if (needed.without(present).empty()) return {};
  if (present.has(Right::read)) return failure(Errc::denied, "a right is missing");
  return refusal(present);
}

const MailboxInfo& UserMailbox::info() const {
  const MailboxInfo& now = mailbox_->info();
  if (own_) return now;
  if (info_.name.empty() || now.name != made_from_.name || now.acl != made_from_.acl) {
    made_from_ = now;
    info_ = account_->seen(*holder_, now);
  }
  return info_;
}

bool UserMailbox::deleted() const { return mailbox_->deleted() || !may(purpose_); }

std::shared_ptr<const Snapshot> UserMailbox::snapshot() const {
  if (own_) return mailbox_->snapshot();
  if (may(Right::read)) readable_ = mailbox_->snapshot();
  return readable_;
}

const std::vector<std::string>& UserMailbox::keywords() const {
  return readable_->size() > 0 || may(Right::read) ? mailbox_->keywords() : no_keywords_;
}

std::optional<std::size_t> UserMailbox::find_keyword(std::string_view keyword) const {
  if (!may(Right::read)) return std::nullopt;
  return mailbox_->find_keyword(keyword);
}

Uid UserMailbox::claim_recent() { return own_ ? mailbox_->claim_recent() : snapshot()->uid_next(); }

Uid UserMailbox::first_recent() const { return own_ ? mailbox_->first_recent() : snapshot()->uid_next(); }

Task<Result<>> UserMailbox::poll() {
  if (auto may = needs(Right::read); !may) return refused<void>(may.error());
  return mailbox_->poll();
}

Task<Result<Appended>> UserMailbox::append(std::vector<Arrival> arrivals) {
  if (const auto may = needs(Right::insert); !may) return refused<Appended>(may.error());
  const FlagLimits limits = limits_of(rights());
  for (Arrival& arrival : arrivals) arrival = limited(std::move(arrival), limits);
  return mailbox_->append(std::move(arrivals));
}

// RFC 4314 §4, STORE: flags that may not be changed stay, and are no error where others may.
Task<Result<Stored>> UserMailbox::store(StoreRequest request) {
  if (const auto may = needs(Right::read); !may) return refused<Stored>(may.error());
  request.limits = limits_of(rights());
  if (!changes_any(request, request.limits)) {
    return refused<Stored>({Errc::denied, "none of the flags may be changed"});
  }
  return mailbox_->store(std::move(request));
}

Task<Result<UidSet>> UserMailbox::expunge(UidSet uids, bool all) {
  if (const auto may = needs(Right::read | Right::expunge); !may) return refused<UidSet>(may.error());
  return mailbox_->expunge(std::move(uids), all);
}

// What it takes to bring messages from here, where `here` is needed, to `target`.
Result<> UserMailbox::may_take_from(const UserMailbox& target, Rights here) const {
  TRY(needs(here));
  return target.needs(Right::insert);
}

namespace {

UserMailbox& user_mailbox(Mailbox& target) {
  assert(dynamic_cast<UserMailbox*>(&target) != nullptr);
  return static_cast<UserMailbox&>(target);
}

constexpr Rights rights_to_move = Right::read | Right::remove_messages | Right::expunge;

}  // namespace

Task<Result<Copied>> UserMailbox::copy(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                       FlagLimits /*limits*/) {
  UserMailbox& to = user_mailbox(*target);
  if (const auto may = may_take_from(to, Right::read); !may) return refused<Copied>(may.error());
  const FlagLimits limits = limits_of(to.rights());
  if (is_of_one_account(to)) return mailbox_->copy(std::move(uids), to.mailbox_, missing, limits);
  return copy_across(account_->store(), mailbox_, std::move(uids), to.mailbox_, missing, limits);
}

// RFC 6851 §4.2: what STORE, COPY and EXPUNGE take together.
Task<Result<Copied>> UserMailbox::move(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                       FlagLimits /*limits*/) {
  UserMailbox& to = user_mailbox(*target);
  if (const auto may = may_take_from(to, rights_to_move); !may) return refused<Copied>(may.error());
  const FlagLimits limits = limits_of(to.rights());
  if (is_of_one_account(to)) return mailbox_->move(std::move(uids), to.mailbox_, missing, limits);
  return move_across(account_->store(), mailbox_, std::move(uids), to.mailbox_, missing, limits);
}

// RFC 8508 §4.1: the same rights.
Task<Result<Appended>> UserMailbox::replace(Uid uid, std::shared_ptr<Mailbox> target, Arrival arrival) {
  UserMailbox& to = user_mailbox(*target);
  if (const auto may = may_take_from(to, rights_to_move); !may) return refused<Appended>(may.error());
  arrival = limited(std::move(arrival), limits_of(to.rights()));
  if (is_of_one_account(to)) return mailbox_->replace(uid, to.mailbox_, std::move(arrival));
  return replace_across(mailbox_, uid, to.mailbox_, std::move(arrival));
}

Task<Result<Mailbox::Summaries>> UserMailbox::summaries(UidSet uids, Effort effort, Form form) {
  if (const auto may = needs(Right::read); !may) return refused<Summaries>(may.error());
  return mailbox_->summaries(std::move(uids), effort, form);
}

Task<Result<std::vector<Mailbox::Gain>>> UserMailbox::gains() {
  if (const auto may = needs(Right::read); !may) return refused<std::vector<Gain>>(may.error());
  return mailbox_->gains();
}

Task<Result<std::vector<Mailbox::Origin>>> UserMailbox::origins(UidSet uids) {
  if (const auto may = needs(Right::read); !may) return refused<std::vector<Origin>>(may.error());
  return mailbox_->origins(std::move(uids));
}

Task<Result<UidSet>> UserMailbox::vanished_since(ModSeq since, UidSet within) {
  if (const auto may = needs(Right::read); !may) return refused<UidSet>(may.error());
  return mailbox_->vanished_since(since, std::move(within));
}

Task<Result<std::vector<Mailbox::EmailId>>> UserMailbox::email_ids(UidSet uids) {
  if (const auto may = needs(Right::read); !may) return refused<std::vector<EmailId>>(may.error());
  return mailbox_->email_ids(std::move(uids));
}

// Who may not read has no patterns that anything could have.
Task<Mailbox::TextHits> UserMailbox::text_hits(std::vector<TextPattern> patterns) {
  if (!may(Right::read)) patterns.clear();
  return mailbox_->text_hits(std::move(patterns));
}

Task<Mailbox::TextHits> UserMailbox::scan(UidSet uids, std::vector<TextPattern> patterns) {
  if (!may(Right::read)) uids = {};
  return mailbox_->scan(std::move(uids), std::move(patterns));
}

Task<Result<std::unique_ptr<MessageBytes>>> UserMailbox::bytes(Uid uid, Octets octets) {
  if (const auto may = needs(Right::read); !may) return refused<std::unique_ptr<MessageBytes>>(may.error());
  return mailbox_->bytes(uid, octets);
}

Task<Result<std::string>> UserMailbox::head(Uid uid, std::size_t limit) {
  if (const auto may = needs(Right::read); !may) return refused<std::string>(may.error());
  return mailbox_->head(uid, limit);
}

Task<std::vector<Mailbox::Head>> UserMailbox::heads(UidSet uids, HeadLimits limits) {
  if (!may(Right::read)) uids = {};
  return mailbox_->heads(std::move(uids), limits);
}

}  // namespace posthorn::storage
