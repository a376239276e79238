#include "base/bug.h"

namespace posthorn {

void log_bug(Log& log, std::string_view where, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    log.error("bug", {{"where", where}, {"reason", error.what()}});
  } catch (...) {
    log.error("bug", {{"where", where}, {"reason", "an unknown exception"}});
  }
}

std::function<void(std::exception_ptr)> logs_bugs(Log& log, std::string_view where) {
  return [&log, where](const std::exception_ptr& exception) { log_bug(log, where, exception); };
}

}  // namespace posthorn
