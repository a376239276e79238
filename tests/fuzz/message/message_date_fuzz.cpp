// What parses, prints; what is printed, parses to the same.
#include "message/date.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto date = parse_date(as_text(data, size));
  if (!date) return 0;
  require(date->zone_minutes >= -5999 && date->zone_minutes <= 5999, "zone in range");
  require(date->local_day() * 86'400 <= date->utc_seconds + date->zone_minutes * 60,
          "day before its seconds");
  const auto printed = format_date(date->utc_seconds, date->zone_minutes);
  // A leap second or hour 24 at the very end of the year 9999 is in a year that has five digits.
  if (date->local_day() >= days_since_epoch(10'000, 1, 1)) return 0;
  const auto again = parse_date(printed);
  require(again && *again == *date, printed);
  return 0;
}
