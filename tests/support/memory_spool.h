#pragma once

#include "message/binary_view.h"
#include "message/structure.h"
#include "tests/support/memory_store.h"

#include <algorithm>

namespace posthorn::testing {

inline message::ReadStored reader_of(const std::string& octets) {
  return [&octets](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return octets.substr(static_cast<std::size_t>(offset), size);
  };
}

inline Result<std::vector<message::BinaryEdit>> edits_of(const std::string& octets) {
  return message::find_binary_edits(message::parse_summary(octets).root, octets.size(), reader_of(octets));
}
// A message on its way into a MemoryStore.
class MemorySpool final : public storage::Spool {
 public:
  explicit MemorySpool(MemoryStore& store) : store_(store) { ++store_.live_spools; }
  ~MemorySpool() override {
    --store_.live_spools;
    if (!is_aside_) store_.spooled -= octets_.size();
  }

  Task<Result<>> write(std::string_view bytes) override {
    const auto hopped = co_await store_.hop();
    if (!hopped) co_return hopped;
    if (octets_.size() + bytes.size() > store_.message_size) co_return too_large("message");
    octets_ += bytes;
    store_.spooled += bytes.size();
    store_.most_spooled = std::max(store_.most_spooled, store_.spooled);
    co_return Result<>();
  }
  void accept_binary() override { accepts_binary_ = true; }
  Task<Result<>> close() override {
    const auto hopped = co_await store_.hop();
    if (!hopped) co_return hopped;
    if (!is_binary()) co_return Result<>();
    const auto edits = edits_of(octets_);
    if (!edits) co_return std::unexpected(edits.error());
    co_return Result<>();
  }
  Task<Result<>> put_aside() override {
    const auto hopped = co_await store_.hop();
    if (!hopped) co_return hopped;
    store_.spooled -= octets_.size();
    is_aside_ = true;
    co_return Result<>();
  }
  std::uint64_t size() const override { return octets_.size(); }
  const std::string& octets() const { return octets_; }
  bool is_binary() const { return accepts_binary_ && octets_.contains('\0'); }

 private:
  MemoryStore& store_;
  std::string octets_;
  bool accepts_binary_ = false;
  bool is_aside_ = false;
};

}  // namespace posthorn::testing
