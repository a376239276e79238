#include "protocols/imap/message_source.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

constexpr std::size_t longest_head = MessageSource::longest_read;

}  // namespace

Task<Result<>> MessageSource::open(std::uint64_t end) {
  storage::ReadAhead alone({.each = longest_head, .all = 0});
  co_return co_await open(end, alone, {});
}

Task<Result<>> MessageSource::open(std::uint64_t end, storage::ReadAhead& ahead,
                                   const storage::UidSet& next) {
  const std::uint64_t wanted = size_ <= longest_head ? size_ : std::min(end, size_);
  if (wanted <= longest_head && octets_ == storage::Octets::seen) {
    auto head = co_await ahead.head(mailbox_, uid_, next);
    if (!head) co_return std::unexpected(std::move(head).error());
    head_ = *std::move(head);
    if (head_.size() < wanted) size_ = head_.size();
    co_return Result<>();
  }
  auto bytes = co_await mailbox_.bytes(uid_, octets_);
  if (!bytes) co_return std::unexpected(std::move(bytes).error());
  bytes_ = *std::move(bytes);
  size_ = bytes_->size();
  co_return Result<>();
}

Task<Result<std::string>> MessageSource::read(std::uint64_t offset, std::size_t count) {
  if (offset >= size_) co_return std::string();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  if (offset + wanted <= head_.size()) co_return head_.substr(static_cast<std::size_t>(offset), wanted);
  if (!bytes_) {
    auto bytes = co_await mailbox_.bytes(uid_, octets_);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    bytes_ = *std::move(bytes);
  }
  co_return co_await bytes_->read(offset, wanted);
}

}  // namespace posthorn::imap
