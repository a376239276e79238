#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace posthorn::server {

// Who a process becomes.
struct Identity {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
};

bool is_root();

// The user by name or number; an empty `group` is the user's own. Errors: not_found, in words; not_allowed
// for root, as user or as group, and for a member of the group root; io.
Result<Identity> find_identity(const std::string& user, const std::string& group);

// Who owns `path`; nothing if that is root or if it does not exist. Where its group is root's, which chown
// without a group leaves so, the group is the user's own; 0 for a user that the machine does not know.
std::optional<Identity> owner_of(const std::string& path);

// Gives up root for good, with all groups but those of the user, and checks that there is no way back.
// Errors: not_allowed for the group root and its members; io.
Result<> become(const Identity& identity);

// From here on no program that this process starts can gain rights either (no_new_privs).
void forbid_new_privileges();

// Makes the data directory (0700, its parents 0755 where they are missing) or closes an open one. With
// `owner`, as root: gives it to that user; one that root owned goes over with all that is in it. One that is
// there already must be empty or hold our files: a slip of the pen is not to cost a machine its /var. The
// last part of `path` may not be a symbolic link. Errors: io; denied when it belongs to a third user;
// not_allowed for a directory that is something else.
Result<> prepare_data_directory(const std::string& path, const std::optional<Identity>& owner);

// What prepare_data_directory() would say of `path`, as far as this process can see; it changes nothing.
// `owners`: the users that the directory may belong to. One that does not exist is nothing wrong.
Result<> examine_data_directory(const std::string& path, const std::vector<uid_t>& owners);

// Makes a directory (0700, its parents 0755 where they are missing), or closes one that is there. Errors: io.
Result<> make_private_directory(const std::string& path);

// Raises the limit of open files to the most that is allowed; gives the limit.
std::size_t raise_descriptor_limit();

}  // namespace posthorn::server
