#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::message {

// A moment, and the clock that it was written by.
struct ParsedDate {
  std::int64_t utc_seconds = 0;  // since 1970-01-01T00:00:00Z, negative before
  int zone_minutes = 0;          // east of UTC; -5999 to 5999

  // Days since 1970-01-01 on the writer's calendar: what SENTON, SENTBEFORE and SENTSINCE compare
  // (RFC 3501 §6.4.4, "disregarding time and timezone").
  std::int64_t local_day() const;
  bool operator==(const ParsedDate&) const = default;
};

// The value of a Date field (RFC 5322 §3.3, obsolete forms of §4.3 included), and what real mail has besides:
// asctime ("Fri Nov 21 09:55:06 1997"), ISO 8601, numbers alone (11/21/1997, 21.11.1997), "-" between day,
// month and year, 1:17 PM, month names in full, a weekday that is missing or wrong, "GMT+0200". Without
// seconds they are 0, without a zone that is known it is UTC, without a time that can be it is midnight; a
// leap second is the next second.
//
// Errors: Errc::malformed where no day, month and year can be found, or the month lacks that day.
Result<ParsedDate> parse_date(std::string_view value);

// "Fri, 21 Nov 1997 09:55:06 -0600" (RFC 5322 §3.3), for Date and Received. `zone_minutes` is east of UTC,
// -5999 to 5999; years 0 to 9999.
std::string format_date(std::int64_t utc_seconds, int zone_minutes = 0);

// Days since 1970-01-01 of a day in the Gregorian calendar; month 1 to 12, day 1 to 31.
std::int64_t days_since_epoch(std::int64_t year, int month, int day);

}  // namespace posthorn::message
