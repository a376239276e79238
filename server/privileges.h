#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace posthorn::server {

// Who a process becomes.
struct Identity {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
};

bool is_root();

// The user by name or number; an empty `group` is the user's own. Errors: not_found, in words; not_allowed
// for root.
Result<Identity> find_identity(const std::string& user, const std::string& group);

// Who owns `path`; nothing if that is root or if it does not exist.
std::optional<Identity> owner_of(const std::string& path);

// Gives up root for good, with all groups but those of the user, and checks that there is no way back.
Result<> become(const Identity& identity);

// From here on no program that this process starts can gain rights either (no_new_privs).
void forbid_new_privileges();

// Makes the data directory (0700, its parents 0755 where they are missing) or closes an open one. With
// `owner`, as root: gives it to that user; one that root owned goes over with all that is in it. Errors: io;
// denied when it belongs to a third user.
Result<> prepare_data_directory(const std::string& path, const std::optional<Identity>& owner);

// Raises the limit of open files to the most that is allowed; gives the limit.
std::size_t raise_descriptor_limit();

}  // namespace posthorn::server
