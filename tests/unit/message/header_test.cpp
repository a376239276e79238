#include "message/header.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

TEST_CASE("unfold removes line ends and outer white space (RFC 5322 §2.2.3)") {
  CHECK(unfold(" This\r\n is a test\r\n") == "This is a test");
}
