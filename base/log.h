#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace posthorn {

// error: the server cannot do its job; warning: the administrator should act; info: sessions and
// deliveries, so bounded per peer; debug; trace: the dialogue, credentials and bodies left out.
enum class LogLevel { trace, debug, info, warning, error };
enum class LogFormat { text, json };

// One key=value of a log line.
struct Field {
  std::string_view key;
  std::string value;
  bool is_number = false;  // JSON has it without quotes

  Field(std::string_view name, std::string text) : key(name), value(std::move(text)) {}
  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(text) {}
  Field(std::string_view name, bool flag) : key(name), value(flag ? "yes" : "no") {}
  template <std::integral Number>
  Field(std::string_view name, Number number) : key(name), value(std::to_string(number)), is_number(true) {}
};

// The log: one line an event, on standard error. Values are quoted and bounded here, whatever a peer sent.
// Safe from any thread.
class Log {
 public:
  // Longer values are cut, and end in "...".
  static constexpr std::size_t value_limit = 512;

  Log(LogLevel level, LogFormat format);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log();

  // Used at SIGHUP.
  void configure(LogLevel level, LogFormat format);
  bool enabled(LogLevel level) const;

  // `event` is a dotted name such as "smtp.accepted".
  void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(level)) write(level, event, {}, fields);
  }
  // The same with the id of the session that it belongs to.
  void write(LogLevel level, std::string_view event, std::string_view session,
             std::initializer_list<Field> fields);

  void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(LogLevel::error, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(LogLevel::warning, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(LogLevel::info, event, fields);
  }
  void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(LogLevel::debug, event, fields);
  }

 protected:
  // Where a finished line goes, without its line end; tests collect them.
  virtual void emit(LogLevel level, const std::string& line);

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

// One line without its time and level: `event session=… key=value`, values quoted where they must be.
std::string format_event(LogFormat format, std::string_view event, std::string_view session,
                         std::initializer_list<Field> fields);

}  // namespace posthorn
