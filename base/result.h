#pragma once

#include <cassert>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace posthorn {

// What went wrong, as far as a caller decides by it. Each protocol maps these to its own replies.
enum class Errc {
  malformed,       // the input breaks its grammar
  too_large,       // a limit on size, length, depth or number was passed
  not_found,       // what was named does not exist
  already_exists,  // what was to be made is there already
  over_quota,      // the owner's quota does not allow it
  denied,          // the credentials or rights do not allow it
  not_allowed,     // no one may do this (deleting INBOX, a name that can't be)
  unavailable,     // a known feature that is switched off, or not offered here
  busy,            // too much of this kind of work is waiting; try later
  in_use,          // another session holds it
  disk_full,       // no space or no inodes
  corrupt,         // stored data is not what was written
  io,              // the operating system refused
};

// Why there is no value. `code` decides the reply; `detail` is for the log, never for the peer.
struct Error {
  Errc code;
  std::string detail;
};

template <class T = void>
using Result = std::expected<T, Error>;

// An error of `code`, ready to be returned from a function with a Result.
inline std::unexpected<Error> failure(Errc code, std::string detail) {
  return std::unexpected(Error{code, std::move(detail)});
}
inline std::unexpected<Error> malformed(std::string detail) {
  return failure(Errc::malformed, std::move(detail));
}
inline std::unexpected<Error> too_large(std::string detail) {
  return failure(Errc::too_large, std::move(detail));
}
inline std::unexpected<Error> not_found(std::string detail) {
  return failure(Errc::not_found, std::move(detail));
}

// "malformed", "io", ...: for the log.
std::string_view name_of(Errc code);

// An error from errno after a failed system call; ENOSPC and EDQUOT are disk_full, ENOENT not_found,
// EEXIST already_exists, the rest io. `what` names the call and its object ("rename tmp/x").
std::unexpected<Error> system_failure(std::string_view what);

// The value of `expression`, or leaves the function with its Error. For plain functions only: in a
// coroutine, name the Result and test it.
#define TRY(expression)                                               \
  ({                                                                  \
    auto result_ = (expression);                                      \
    if (!result_) return std::unexpected(std::move(result_).error()); \
    *std::move(result_);                                              \
  })

}  // namespace posthorn
