#include "message/date.h"

#include "message/header.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>

namespace posthorn::message {
namespace {

constexpr std::array<std::string_view, 12> months = {"january",   "february", "march",    "april",
                                                     "may",       "june",     "july",     "august",
                                                     "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> weekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                      "thursday", "friday", "saturday"};
constexpr std::int64_t seconds_per_day = 86'400;

struct Zone {
  std::string_view name;
  int minutes;
};
// RFC 5322 §4.3, and those European and Asian ones whose meaning nobody disputes. Single letters and all
// other names are UTC, as the RFC asks.
constexpr auto zones = std::to_array<Zone>({
    {"edt", -240},
    {"est", -300},
    {"cdt", -300},
    {"cst", -360},
    {"mdt", -360},
    {"mst", -420},
    {"pdt", -420},
    {"pst", -480},
    {"wet", 0},
    {"west", 60},
    {"cet", 60},
    {"cest", 120},
    {"met", 60},
    {"mest", 120},
    {"eet", 120},
    {"eest", 180},
    {"jst", 540},
});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A number, a word in lower case, or one other character. Nothing at the end of the text.
struct Token {
  enum class Kind : unsigned char { number, word, mark, end } kind = Kind::end;
  std::string word;
  int value = 0;  // of a number; 999'999 for longer ones
  int digits = 0;
  char mark = 0;
  bool after_space = false;

  bool is(char c) const { return kind == Kind::mark && mark == c; }
  bool is_number() const { return kind == Kind::number; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    Token token;
    token.after_space = skip_blank();
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (is_digit(c)) {
      token.kind = Token::Kind::number;
      for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
        if (++token.digits <= 6) token.value = token.value * 10 + (text_[at_] - '0');
      }
      if (token.digits > 6) token.value = 999'999;
    } else if (is_letter(c)) {
      token.kind = Token::Kind::word;
      const auto start = at_;
      while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
      token.word = to_lower_ascii(text_.substr(start, at_ - start));
    } else {
      token.kind = Token::Kind::mark;
      token.mark = c;
      ++at_;
    }
    return token;
  }

 private:
  // White space, commas and comments; a comment that nothing closes goes on to the end.
  bool skip_blank() {
    const auto start = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '(') {
        ++depth;
      } else if (depth > 0) {
        if (c == '\\' && at_ + 1 < text_.size()) {
          ++at_;
        } else if (c == ')') {
          --depth;
        }
      } else if (!std::string_view(" \t\r\n,\0", 6).contains(c)) {
        break;
      }
    }
    return at_ > start;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The number of the name that `word` is, or abbreviates with three letters or more.
template <std::size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  if (word.size() < 3) return std::nullopt;
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i].starts_with(word)) return static_cast<int>(i);
  }
  return std::nullopt;
}

// RFC 5322 §4.3: a year of two or three digits.
int full_year(const Token& token) {
  if (token.digits >= 4) return token.value;
  if (token.digits == 3 || token.value >= 50) return token.value + 1900;
  return token.value + 2000;
}

// Gathers day, month, year, time and zone in whatever order they come.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {
    for (auto& token : ahead_) token = lexer_.next();
  }

  Result<ParsedDate> run() {
    // A date has no more than some twenty tokens; what comes after is not its business.
    for (int i = 0; i < 64 && ahead_[0].kind != Token::Kind::end; ++i) {
      if (ahead_[0].is_number()) {
        take_number();
      } else if (ahead_[0].kind == Token::Kind::word) {
        take_word();
      } else {
        take_mark();
      }
    }
    return result();
  }

 private:
  Token advance() {
    Token token = std::move(ahead_[0]);
    for (std::size_t i = 0; i + 1 < ahead_.size(); ++i) ahead_[i] = std::move(ahead_[i + 1]);
    ahead_.back() = lexer_.next();
    return token;
  }

  void take_number() {
    if (ahead_[1].is(':') && !hour_) return take_time();
    if (!month_ && ahead_[2].is_number() && ahead_[4].is_number() && !ahead_[1].after_space) {
      if (ahead_[1].is('-') && ahead_[3].is('-')) {
        return ahead_[0].digits == 4 ? take_three(2, 1, 0) : take_three(0, 1, 2);
      }
      if (ahead_[1].is('/') && ahead_[3].is('/')) {
        if (ahead_[0].digits == 4) return take_three(2, 1, 0);
        return ahead_[0].value > 12 ? take_three(0, 1, 2) : take_three(1, 0, 2);
      }
      if (ahead_[1].is('.') && ahead_[3].is('.')) return take_three(0, 1, 2);
    }
    const Token number = advance();
    if (!day_ && number.digits <= 2) {
      day_ = number.value;
    } else if (!year_ && number.digits <= 6) {
      year_ = full_year(number);
    } else if (!zone_ && hour_ && number.digits == 4) {
      set_zone(1, number.value / 100, number.value % 100);
    }
  }

  // Three numbers with a character between them; which of them is what.
  void take_three(std::size_t day, std::size_t month, std::size_t year) {
    std::array<Token, 3> numbers;
    for (std::size_t i = 0; i < 3; ++i) {
      if (i > 0) advance();
      numbers[i] = advance();
    }
    if (!day_) day_ = numbers[day].value;
    month_ = numbers[month].value;
    if (!year_) year_ = full_year(numbers[year]);
  }

  void take_time() {
    hour_ = advance().value;
    minute_ = take_sixtieth().value_or(0);
    if (!ahead_[0].is(':')) return;
    second_ = take_sixtieth().value_or(0);
    if (ahead_[0].is('.') && ahead_[1].is_number()) {
      advance();
      advance();
    }
  }

  std::optional<int> take_sixtieth() {
    advance();
    if (!ahead_[0].is_number()) return std::nullopt;
    return advance().value;
  }

  void take_word() {
    const Token word = advance();
    if (const auto month = index_of(months, word.word); month && !month_) {
      month_ = *month + 1;
      if (ahead_[0].is('-') || ahead_[0].is('/') || ahead_[0].is('.')) advance();
      return;
    }
    if (index_of(weekdays, word.word) || word.word == "dst") return;
    if (hour_ && (word.word == "pm" || word.word == "am")) {
      if (*hour_ <= 12) hour_ = *hour_ % 12 + (word.word == "pm" ? 12 : 0);
      return;
    }
    if (!hour_ || zone_) return;
    for (const auto& zone : zones) {
      if (zone.name == word.word) zone_ = zone.minutes;
    }
  }

  void take_mark() {
    const Token mark = advance();
    const bool sign = mark.is('+') || mark.is('-');
    if (!sign || !hour_ || zone_ || !ahead_[0].is_number()) return;
    const Token number = advance();
    const int direction = mark.is('-') ? -1 : 1;
    if (number.digits <= 2) {
      const bool minutes = ahead_[0].is(':') && ahead_[1].is_number();
      if (minutes) advance();
      set_zone(direction, number.value, minutes ? advance().value : 0);
    } else if (number.digits <= 4) {
      set_zone(direction, number.value / 100, number.value % 100);
    }
  }

  void set_zone(int direction, int hours, int minutes) {
    if (minutes < 60) zone_ = direction * (hours * 60 + minutes);
  }

  Result<ParsedDate> result() const {
    if (!day_ || !month_ || !year_) return malformed("date without day, month and year");
    if (*year_ > 9999) return malformed("date with an impossible year");
    const std::chrono::year_month_day date(std::chrono::year(*year_),
                                           std::chrono::month(static_cast<unsigned>(*month_)),
                                           std::chrono::day(static_cast<unsigned>(*day_)));
    if (*month_ > 12 || *day_ > 31 || !date.ok()) return malformed("date with a day that does not exist");
    ParsedDate parsed;
    parsed.zone_minutes = zone_.value_or(0);
    parsed.utc_seconds = std::chrono::sys_days(date).time_since_epoch().count() * seconds_per_day +
                         seconds() - std::int64_t{parsed.zone_minutes} * 60;
    return parsed;
  }

  // Of the day; a time that can't be counts as midnight, for the day is what matters most.
  std::int64_t seconds() const {
    const int hour = hour_.value_or(0);
    if (hour > 24 || minute_ > 59 || second_ > 60 || (hour == 24 && minute_ + second_ > 0)) return 0;
    return hour * 3600 + minute_ * 60 + second_;
  }

  Lexer lexer_;
  std::array<Token, 5> ahead_;
  std::optional<int> day_;
  std::optional<int> month_;
  std::optional<int> year_;
  std::optional<int> hour_;
  int minute_ = 0;
  int second_ = 0;
  std::optional<int> zone_;
};

std::int64_t floor_divide(std::int64_t number, std::int64_t divisor) {
  return number / divisor - (number % divisor < 0 ? 1 : 0);
}

}  // namespace

std::int64_t ParsedDate::local_day() const {
  return floor_divide(utc_seconds + std::int64_t{zone_minutes} * 60, seconds_per_day);
}

Result<ParsedDate> parse_date(std::string_view value) { return Parser(value).run(); }

std::int64_t days_since_epoch(std::int64_t year, int month, int day) {
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string format_date(std::int64_t utc_seconds, int zone_minutes) {
  const std::int64_t local = utc_seconds + std::int64_t{zone_minutes} * 60;
  const std::int64_t days = floor_divide(local, seconds_per_day);
  const int seconds = static_cast<int>(local - days * seconds_per_day);
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year_month_day date(day);
  const auto name = [](std::string_view full) {
    return std::string(1, static_cast<char>(full[0] - 32)) + std::string(full.substr(1, 2));
  };
  const int zone = std::abs(zone_minutes);
  char text[64];
  std::snprintf(
      text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d %c%02d%02d",
      name(weekdays[std::chrono::weekday(day).c_encoding()]).c_str(), static_cast<unsigned>(date.day()),
      name(months[static_cast<unsigned>(date.month()) - 1]).c_str(), static_cast<int>(date.year()),
      seconds / 3600, seconds / 60 % 60, seconds % 60, zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
  return text;
}

}  // namespace posthorn::message
