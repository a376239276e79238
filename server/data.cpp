#include "server/data.h"

#include "protocols/imap/printed_forms.h"

namespace posthorn::server {
namespace {

// Accounts has one lock.
constexpr unsigned accounts_threads = 1;
// Waiting jobs beyond these are refused: the clients are told to come back later.
constexpr std::size_t disk_queue = 4096;
constexpr std::size_t accounts_queue = 4096;
constexpr std::size_t hashing_queue = 256;

// Octets that Return-Path and Received may add to a message.
constexpr std::uint64_t trace_allowance = 65536;

}  // namespace

Data::Data(Loop& loop, const Settings& settings)
    : disk_(loop, "disk", static_cast<unsigned>(settings.storage.disk_threads.value), disk_queue),
      accounts_lane_(loop, "accounts", accounts_threads, accounts_queue),
      hashing_(loop, "hashing", static_cast<unsigned>(settings.auth.hash_threads.value), hashing_queue) {}

Result<std::unique_ptr<Data>> Data::open(Loop& loop, Log& log, const Settings& settings) {
  std::unique_ptr<Data> data(new Data(loop, settings));
  storage::StoreSettings store;
  store.data = settings.resolved(settings.server.data.value);
  store.hostname = settings.hostname();
  store.spool_memory = static_cast<std::size_t>(settings.storage.spool_memory.value);
  store.remembered_expunges = static_cast<std::size_t>(settings.storage.remembered_expunges.value);
  store.thread_keys = static_cast<std::size_t>(settings.storage.thread_keys.value);
  store.acl_entries = static_cast<std::size_t>(settings.storage.acl_entries.value);
  store.open_indexes = static_cast<std::size_t>(settings.storage.open_indexes.value);
  store.search_index = settings.search.index.value;
  store.mailboxes_per_account = static_cast<std::size_t>(settings.storage.mailboxes_per_account.value);
  // Sessions hold their clients to the limit; what the server puts above a message is not counted (RFC 1870
  // §5).
  store.message_size = static_cast<std::uint64_t>(settings.limits.message_size.value) + trace_allowance;
  store.forms = imap::printed_forms();
  // The store first: it holds the lock.
  data->store_ = TRY(storage::open_store(data->disk_, data->files_, data->clock_, data->random_, log, store));
  data->accounts_ = TRY(auth::Accounts::open(store.data + "/accounts.sqlite"));
  return data;
}

}  // namespace posthorn::server
