#pragma once

#include "base/log.h"

#include <exception>
#include <functional>
#include <string_view>

namespace posthorn {

// Logs an exception that came where none may come: event "bug", with the place that saw it.
void log_bug(Log& log, std::string_view where, const std::exception_ptr& exception);

// What a TaskGroup does with such a one: the log has it, and all else goes on. `log` and `where` outlive it.
std::function<void(std::exception_ptr)> logs_bugs(Log& log, std::string_view where);

}  // namespace posthorn
