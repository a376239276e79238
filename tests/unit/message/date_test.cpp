#include "message/date.h"

#include <doctest/doctest.h>

using namespace posthorn;
using namespace posthorn::message;

namespace {

struct Case {
  std::string_view in;
  std::string_view out;  // as format_date writes it; empty: malformed
};

std::string shown(std::string_view value) {
  const auto date = parse_date(value);
  return date ? format_date(date->utc_seconds, date->zone_minutes) : std::string();
}

}  // namespace

TEST_CASE("dates: the examples of RFC 5322 appendix A") {
  const Case cases[] = {
      {"Fri, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"Tue, 1 Jul 2003 10:52:37 +0200", "Tue, 01 Jul 2003 10:52:37 +0200"},
      {"Thu, 13 Feb 1969 23:32:54 -0330", "Thu, 13 Feb 1969 23:32:54 -0330"},
      {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
       "(Newfoundland Time)",
       "Thu, 13 Feb 1969 23:32:00 -0330"},
      {"21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000"},
      {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
  CHECK(parse_date("Fri, 21 Nov 1997 09:55:06 -0600")->utc_seconds == 880'127'706);
}

TEST_CASE("dates: obsolete years and zones (RFC 5322 §4.3)") {
  const Case cases[] = {
      {"1 Jan 49 00:00:00 GMT", "Fri, 01 Jan 2049 00:00:00 +0000"},
      {"1 Jan 50 00:00:00 GMT", "Sun, 01 Jan 1950 00:00:00 +0000"},
      {"1 Jan 99 00:00:00 UT", "Fri, 01 Jan 1999 00:00:00 +0000"},
      {"1 Jan 00 00:00 Z", "Sat, 01 Jan 2000 00:00:00 +0000"},
      {"1 Jan 103 00:00 GMT", "Wed, 01 Jan 2003 00:00:00 +0000"},
      {"1 Jan 2000 00:00 EST", "Sat, 01 Jan 2000 00:00:00 -0500"},
      {"1 Jan 2000 00:00 EDT", "Sat, 01 Jan 2000 00:00:00 -0400"},
      {"1 Jan 2000 00:00 CST", "Sat, 01 Jan 2000 00:00:00 -0600"},
      {"1 Jan 2000 00:00 CDT", "Sat, 01 Jan 2000 00:00:00 -0500"},
      {"1 Jan 2000 00:00 MST", "Sat, 01 Jan 2000 00:00:00 -0700"},
      {"1 Jan 2000 00:00 MDT", "Sat, 01 Jan 2000 00:00:00 -0600"},
      {"1 Jan 2000 00:00 PST", "Sat, 01 Jan 2000 00:00:00 -0800"},
      {"1 Jan 2000 00:00 PDT", "Sat, 01 Jan 2000 00:00:00 -0700"},
      {"1 Jan 2000 00:00 A", "Sat, 01 Jan 2000 00:00:00 +0000"},  // military zones are UTC
      {"1 Jan 2000 00:00 XYZ", "Sat, 01 Jan 2000 00:00:00 +0000"},
      {"1 Jan 2000 00:00 -0000", "Sat, 01 Jan 2000 00:00:00 +0000"},
      {"Tue, 28 May 1996 12:24:23 cst", "Tue, 28 May 1996 12:24:23 -0600"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("dates: what real mail has besides") {
  const Case cases[] = {
      {"Fri Nov 21 09:55:06 1997", "Fri, 21 Nov 1997 09:55:06 +0000"},
      {"Fri Nov 21 09:55:06 EST 1997", "Fri, 21 Nov 1997 09:55:06 -0500"},
      {"Fri Nov 21 09:55:06 +0100 1997", "Fri, 21 Nov 1997 09:55:06 +0100"},
      {"1997-11-21T09:55:06-06:00", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"1997-11-21T09:55:06.123Z", "Fri, 21 Nov 1997 09:55:06 +0000"},
      {"1997-11-21 09:55", "Fri, 21 Nov 1997 09:55:00 +0000"},
      {"21-Nov-1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"21-Nov-97 09:55:06 PST", "Fri, 21 Nov 1997 09:55:06 -0800"},
      {"11/21/1997 09:55", "Fri, 21 Nov 1997 09:55:00 +0000"},
      {"21/11/1997 09:55", "Fri, 21 Nov 1997 09:55:00 +0000"},
      {"21.11.1997 09:55", "Fri, 21 Nov 1997 09:55:00 +0000"},
      {"21-11-1997", "Fri, 21 Nov 1997 00:00:00 +0000"},
      {"May 8, 2005 1:17 PM", "Sun, 08 May 2005 13:17:00 +0000"},
      {"May 8, 2005 12:17 AM", "Sun, 08 May 2005 00:17:00 +0000"},
      {"Friday, 21 November 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"Fri 21 Nov 1997 9:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"Mon, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},  // the weekday is wrong
      {"Fri, 21 Nov 1997", "Fri, 21 Nov 1997 00:00:00 +0000"},
      {"Fri, 21 Nov 1997 09:55:06 GMT+0200", "Fri, 21 Nov 1997 09:55:06 +0200"},
      {"Fri, 21 Nov 1997 09:55:06 UTC+2", "Fri, 21 Nov 1997 09:55:06 +0200"},
      {"Fri, 21 Nov 1997 09:55:06 +02:30", "Fri, 21 Nov 1997 09:55:06 +0230"},
      {"Fri, 21 Nov 1997 09:55:06 -600", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"Fri, 21 Nov 1997 09:55:06 +0199", "Fri, 21 Nov 1997 09:55:06 +0000"},
      {"Fri, 21 Nov 1997 09:55:06 -0600 (CST)", "Fri, 21 Nov 1997 09:55:06 -0600"},
      {"Wed, 20 Sep 1995 00:19:00 (EDT) -0400", "Wed, 20 Sep 1995 00:19:00 -0400"},
      {"Wed, 15 Dec 2010 59:10 -0500", "Wed, 15 Dec 2010 00:00:00 -0500"},  // the time can't be
      {"Fri, 21 Nov 1997 24:00:00 +0000", "Sat, 22 Nov 1997 00:00:00 +0000"},
      {"Sat, 31 Dec 2016 23:59:60 +0000", "Sun, 01 Jan 2017 00:00:00 +0000"},  // a leap second
      {"Tue, 29 Feb 2000 00:00:00 +0000", "Tue, 29 Feb 2000 00:00:00 +0000"},
      {"Mon, 30 Jun 3609 15:33:50 +0600", "Tue, 30 Jun 3609 15:33:50 +0600"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("dates: what is none") {
  for (const std::string_view in :
       {"", "hello", "Fri, 21 Nov", "Nov 1997", "Pn, 29 paX 2007 21:13:00 +0100",
        "31 Feb 2000 00:00:00 +0000", "29 Feb 1900 00:00:00 +0000", "0 Jan 2000", "32 Jan 2000",
        "1 Jan 99999", "2000-13-01", "(Fri, 21 Nov 1997 09:55:06 -0600", "1 Jan 99999999999999999999",
        "::::", "- - - 1 1 1"}) {
    CAPTURE(in);
    const auto date = parse_date(in);
    REQUIRE_FALSE(date);
    CHECK(date.error().code == Errc::malformed);
  }
}

TEST_CASE("dates: the writer's calendar day, whatever the zone (RFC 3501 §6.4.4)") {
  CHECK(parse_date("1 Jan 2000 23:30:00 -0500")->local_day() == days_since_epoch(2000, 1, 1));
  CHECK(parse_date("1 Jan 2000 00:30:00 +0500")->local_day() == days_since_epoch(2000, 1, 1));
  CHECK(parse_date("31 Dec 1969 23:30:00 +0000")->local_day() == -1);
  CHECK(days_since_epoch(1970, 1, 1) == 0);
  CHECK(days_since_epoch(2000, 3, 1) == 11'017);
}

TEST_CASE("dates: printing") {
  CHECK(format_date(0) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(format_date(-1) == "Wed, 31 Dec 1969 23:59:59 +0000");
  CHECK(format_date(0, -210) == "Wed, 31 Dec 1969 20:30:00 -0330");
  CHECK(format_date(0, 5999) == "Mon, 05 Jan 1970 03:59:00 +9959");
}

TEST_CASE("dates: hostile ones end fast") {
  for (const std::string_view piece : {"(", "()", "1 ", "a ", ":", "+1 ", "9"}) {
    std::string value;
    while (value.size() < 1024 * 1024) value += piece;
    CHECK_FALSE(parse_date(value));
  }
}
