#pragma once

#include "base/result.h"
#include "protocols/imap/command.h"
#include "protocols/imap/cursor.h"

#include <cstdint>
#include <string_view>

// Days and months as IMAP writes them, for this folder's parsers and printers.
namespace posthorn::imap {

// date-text of RFC 3501 §9: "1-Feb-1994". Errors: Errc::malformed, also for a day that its month has not.
Result<Day> take_day(Cursor& in);

// "Jan" to "Dec" for 1 to 12.
std::string_view month_name(unsigned month);

// Days since 1970-01-01 in the Gregorian calendar, and back. A day outside of the years 0 to 9999, which
// four digits can't say, comes out as the nearest inside.
std::int64_t days_since_1970(Day day);
Day day_since_1970(std::int64_t days);

}  // namespace posthorn::imap
