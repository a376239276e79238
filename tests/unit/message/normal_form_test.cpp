#include "message/normal_form.h"

#include <doctest/doctest.h>

namespace posthorn::message {

TEST_CASE("message: text in Normalization Form C (RFC 5198 §3)") {
  struct Case {
    std::string_view given;
    std::string_view normal;
  };
  for (const Case each : {Case{"", ""}, Case{"Sent", "Sent"}, Case{"u\u0308", "\u00fc"},
                          Case{"\u00fc", "\u00fc"}, Case{"A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"},
                          // Singletons, Hangul, marks in the wrong order.
                          Case{"\u212b", "\u00c5"}, Case{"\u1112\u1161\u11ab", "\ud55c"},
                          Case{"q\u0307\u0323", "q\u0323\u0307"}, Case{"\U0001f4ec", "\U0001f4ec"},
                          // Compatibility forms stay.
                          Case{"\ufb01", "\ufb01"}, Case{"u\u0308\xff", "\u00fc\xff"}}) {
    CAPTURE(each.given);
    CHECK(to_nfc(each.given) == each.normal);
    CHECK(to_nfc(each.normal) == each.normal);
  }
}

}  // namespace posthorn::message
