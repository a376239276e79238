#include "protocols/imap/calendar.h"

#include "protocols/imap/grammar.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace posthorn::imap {

namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Digits, at least `least` and at most `most` of them.
Result<int> digits(Cursor& in, std::size_t least, std::size_t most, std::string_view what) {
  const std::string_view text = in.take_digits();
  if (text.size() < least || text.size() > most) return malformed("bad " + std::string(what));
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

chrono::year_month_day calendar_day(Day day) {
  return {chrono::year(day.year), chrono::month(day.month), chrono::day(day.day)};
}

// "02:44:25" in seconds.
Result<int> take_time(Cursor& in) {
  const int hours = TRY(digits(in, 2, 2, "hour"));
  if (!in.take(':')) return malformed("':' expected after the hour");
  const int minutes = TRY(digits(in, 2, 2, "minute"));
  if (!in.take(':')) return malformed("':' expected after the minute");
  const int seconds = TRY(digits(in, 2, 2, "second"));
  if (hours > 23 || minutes > 59 || seconds > 60) return malformed("no such time of day");
  return (hours * 60 + minutes) * 60 + seconds;
}

// "-0700" in minutes.
Result<int> take_zone(Cursor& in) {
  const bool is_west = in.take('-');
  if (!is_west && !in.take('+')) return malformed("'+' or '-' expected before the zone");
  const int zone = TRY(digits(in, 4, 4, "zone"));
  if (zone % 100 > 59) return malformed("bad zone");
  const int minutes = zone / 100 * 60 + zone % 100;
  return is_west ? -minutes : minutes;
}

}  // namespace

Result<Day> take_day(Cursor& in) {
  Day day;
  day.day = static_cast<std::uint8_t>(TRY(digits(in, 1, 2, "day")));
  if (!in.take('-')) return malformed("'-' expected after the day");

  const std::string_view name = in.take_word();
  const auto* month = std::ranges::find_if(months, [&](auto m) { return equal_ignoring_case(m, name); });
  if (month == months.end()) return malformed("bad month");
  day.month = static_cast<std::uint8_t>(month - months.begin() + 1);
  if (!in.take('-')) return malformed("'-' expected after the month");

  day.year = static_cast<std::uint16_t>(TRY(digits(in, 4, 4, "year")));
  if (!calendar_day(day).ok()) return malformed("no such day in its month");
  return day;
}

Result<InternalDate> parse_internal_date(std::string_view text) {
  Cursor in(text);
  in.take(' ');  // date-day-fixed
  const Day day = TRY(take_day(in));
  TRY(in.space("time"));
  const int time = TRY(take_time(in));
  TRY(in.space("zone"));
  const int zone = TRY(take_zone(in));
  if (!in.at_end()) return malformed("unexpected text after the zone");
  const std::int64_t local = days_since_1970(day) * 86'400 + time;
  return InternalDate{local - std::int64_t{zone} * 60, static_cast<std::int16_t>(zone)};
}

std::string_view month_name(unsigned month) { return months[month - 1]; }

std::int64_t days_since_1970(Day day) {
  return chrono::sys_days(calendar_day(day)).time_since_epoch().count();
}

Day day_since_1970(std::int64_t days) {
  constexpr Day first{0, 1, 1};
  constexpr Day last{9999, 12, 31};
  if (days <= days_since_1970(first)) return first;
  if (days >= days_since_1970(last)) return last;
  const chrono::year_month_day found{chrono::sys_days(chrono::days(days))};
  return {static_cast<std::uint16_t>(static_cast<int>(found.year())),
          static_cast<std::uint8_t>(static_cast<unsigned>(found.month())),
          static_cast<std::uint8_t>(static_cast<unsigned>(found.day()))};
}

}  // namespace posthorn::imap
