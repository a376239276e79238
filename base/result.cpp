#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace posthorn {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::malformed: return "malformed";
    case Errc::too_large: return "too_large";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::over_quota: return "over_quota";
    case Errc::denied: return "denied";
    case Errc::not_allowed: return "not_allowed";
    case Errc::unavailable: return "unavailable";
    case Errc::busy: return "busy";
    case Errc::in_use: return "in_use";
    case Errc::disk_full: return "disk_full";
    case Errc::corrupt: return "corrupt";
    case Errc::io: return "io";
  }
  return "unknown";
}

std::unexpected<Error> system_failure(std::string_view what) {
  const int number = errno;
  Errc code = Errc::io;
  if (number == ENOSPC || number == EDQUOT) code = Errc::disk_full;
  if (number == ENOENT) code = Errc::not_found;
  if (number == EEXIST) code = Errc::already_exists;
  return failure(code, std::string(what) + ": " + std::strerror(number));
}

}  // namespace posthorn
