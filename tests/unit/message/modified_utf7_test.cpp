#include "message/modified_utf7.h"

#include <doctest/doctest.h>

namespace posthorn::message {

TEST_CASE("message: modified UTF-7, of printable characters in a shift too (RFC 3501 §5.1.3)") {
  struct Case {
    std::string_view text;
    std::string_view encoded;
    std::string_view with_dot;
  };
  for (const Case each : {Case{"", "", ""}, Case{"a.b", "a.b", "a&AC4-b"}, Case{"...", "...", "&AC4ALgAu-"},
                          Case{"R&D", "R&-D", "R&-D"}, Case{"\u00fc.", "&APw-.", "&APwALg-"},
                          Case{"\U0001f600", "&2D3eAA-", "&2D3eAA-"}}) {
    CAPTURE(each.text);
    CHECK(encode_modified_utf7(each.text) == each.encoded);
    CHECK(encode_modified_utf7(each.text, ".") == each.with_dot);
    CHECK(decode_modified_utf7(each.encoded) == each.text);
    CHECK(decode_modified_utf7(each.with_dot, ".") == each.text);
  }
  // One encoding each.
  CHECK_FALSE(decode_modified_utf7("&AC4-"));
  CHECK_FALSE(decode_modified_utf7("a.b", "."));
  CHECK_FALSE(decode_modified_utf7("&AGE-", "."));
}

}  // namespace posthorn::message
