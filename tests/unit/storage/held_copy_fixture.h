#pragma once

#include "tests/unit/storage/store_fixture.h"

#include <atomic>

namespace posthorn::storage::testing {

// A COPY of many messages from INBOX to Archive that can be held at its first link.
struct HeldCopyFixture : StoreFixture {
  static constexpr std::uint32_t many = 300;

  HeldCopyFixture() {
    inbox = mailbox();
    for (std::uint32_t each = 0; each < many; ++each) append(*inbox, letter(std::to_string(each)));
    archive = mailbox("Archive");
  }
  ~HeldCopyFixture() { release(); }
  void release() {
    held = false;
    held.notify_all();
  }
  static UidSet first_many() {
    UidSet uids;
    uids.append(1, many);
    return uids;
  }
  void copy(Missing missing = Missing::skip) {
    group.start(keep_value(inbox->copy(first_many(), archive, missing), copied));
  }
  // It comes as far as its first link; what is begun meanwhile has its turn after the piece.
  void begin_copy(Missing missing = Missing::skip) {
    files.fail_if([this](std::string_view call) {
      if (call.starts_with("link")) held.wait(true);
      return false;
    });
    copy(missing);
  }
  template <class T>
  void run_until(const std::optional<T>& value) {
    while (!value) uv_run(loop.raw(), UV_RUN_ONCE);
  }

  std::atomic<bool> held = true;
  std::shared_ptr<Mailbox> inbox;
  std::shared_ptr<Mailbox> archive;
  std::optional<Result<Copied>> copied;
};

}  // namespace posthorn::storage::testing
