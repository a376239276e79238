#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace posthorn {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// A peer's octets must neither break the line nor reach a terminal: controls, quotes, backslashes and all
// beyond ASCII are written as \xHH (JSON: \u00HH).
void append_escaped(std::string& line, std::string_view value, LogFormat format) {
  constexpr char digits[] = "0123456789abcdef";
  const bool cut = value.size() > Log::value_limit;
  for (const char octet : value.substr(0, Log::value_limit)) {
    const auto code = static_cast<unsigned char>(octet);
    if (octet == '"' || octet == '\\') {
      line += '\\';
      line += octet;
    } else if (code < 0x20 || code > 0x7e) {
      line += format == LogFormat::json ? "\\u00" : "\\x";
      line += digits[code >> 4U];
      line += digits[code & 15U];
    } else {
      line += octet;
    }
  }
  if (cut) line += "...";
}

bool is_plain(std::string_view value) {
  if (value.empty() || value.size() > Log::value_limit) return false;
  for (const char octet : value) {
    const auto code = static_cast<unsigned char>(octet);
    if (code <= 0x20 || code > 0x7e || octet == '"' || octet == '\\' || octet == '=') return false;
  }
  return true;
}

void append_pair(std::string& line, std::string_view key, std::string_view value, LogFormat format) {
  if (format == LogFormat::json) {
    line += ",\"";
    line += key;
    line += "\":\"";
    append_escaped(line, value, format);
    line += '"';
    return;
  }
  line += ' ';
  line += key;
  line += '=';
  if (is_plain(value)) {
    line += value;
  } else {
    line += '"';
    append_escaped(line, value, format);
    line += '"';
  }
}

}  // namespace

std::string format_event(LogFormat format, std::string_view event, std::string_view session,
                         std::initializer_list<Field> fields) {
  std::string line;
  if (format == LogFormat::json) {
    line += "\"event\":\"";
    line += event;
    line += '"';
  } else {
    line += event;
  }
  if (!session.empty()) append_pair(line, "session", session, format);
  for (const Field& field : fields) {
    if (format == LogFormat::json && field.is_number) {
      line += ",\"" + std::string(field.key) + "\":" + field.value;
    } else {
      append_pair(line, field.key, field.value, format);
    }
  }
  return line;
}

struct Log::Sink {
  spdlog::logger logger{"posthorn", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  std::atomic<LogFormat> format{LogFormat::text};
};

Log::Log(LogLevel level, LogFormat format) : sink_(std::make_unique<Sink>()) { configure(level, format); }

Log::~Log() = default;

void Log::configure(LogLevel level, LogFormat format) {
  sink_->format = format;
  sink_->logger.set_level(level_of(level));
  sink_->logger.set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                      : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                            spdlog::pattern_time_type::utc);
  sink_->logger.flush_on(spdlog::level::trace);
}

bool Log::enabled(LogLevel level) const { return sink_->logger.should_log(level_of(level)); }

void Log::write(LogLevel level, std::string_view event, std::string_view session,
                std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  emit(level, format_event(sink_->format, event, session, fields));
}

void Log::emit(LogLevel level, const std::string& line) {
  sink_->logger.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace posthorn
