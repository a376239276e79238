#include "protocols/imap/message_source.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

// What is worth having of a message for which a hop is made anyway.
constexpr std::size_t least_head = 16'384;

}  // namespace

Task<Result<>> MessageSource::open(std::uint64_t end) {
  const std::uint64_t wanted = std::min<std::uint64_t>(size_, std::max<std::uint64_t>(end, least_head));
  if (wanted <= longest_head && octets_ == storage::Octets::seen) {
    co_return hold(wanted, co_await mailbox_.head(uid_, static_cast<std::size_t>(wanted)));
  }
  co_return co_await open_file();
}

Task<Result<>> MessageSource::open(std::uint64_t end, storage::ReadAhead& ahead,
                                   const storage::UidSet& next) {
  const std::uint64_t wanted = size_ <= ahead.each() ? size_ : std::min(end, size_);
  if (wanted <= ahead.each() && octets_ == storage::Octets::seen) {
    co_return hold(wanted, co_await ahead.head(mailbox_, uid_, next));
  }
  co_return co_await open(end);
}

Result<> MessageSource::hold(std::uint64_t wanted, Result<std::string> head) {
  head_ = TRY(std::move(head));
  if (head_.size() < wanted) size_ = head_.size();
  return {};
}

Task<Result<>> MessageSource::open_file() {
  auto bytes = co_await mailbox_.bytes(uid_, octets_);
  if (!bytes) co_return std::unexpected(std::move(bytes).error());
  bytes_ = *std::move(bytes);
  size_ = bytes_->size();
  co_return Result<>();
}

std::optional<std::string_view> MessageSource::held(std::uint64_t offset, std::uint64_t count) const {
  if (offset > head_.size() || count > head_.size() - offset) return std::nullopt;
  return std::string_view(head_).substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
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
