#include "message/base_subject.h"

#include "tests/unit/message/base_subject_check.h"

#include <doctest/doctest.h>

#include <random>

using namespace posthorn::message;

namespace {

struct Case {
  std::string_view subject;
  std::string_view base;
  bool is_reply_or_forward;
};

std::string repeated(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

}  // namespace

TEST_CASE("base subject: what replies, forwards and lists add is removed (RFC 5256 §2.1)") {
  for (const auto& [subject, base, is_reply_or_forward] : std::initializer_list<Case>{
           {"", "", false},
           {"Hello", "Hello", false},
           // (1)
           {"  a \t b\r\n  c  ", "a b c", false},
           {"=?utf-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=",
            "Gr\xc3\xbc\xc3\x9f"
            "e",
            true},
           {"=?utf-8?B?UmU6IA==?= =?iso-8859-1?Q?=FCber?=",
            "\xc3\xbc"
            "ber",
            true},
           // (2)
           {"a (fwd)", "a", true},
           {"a (FWD) (fwd)  ", "a", true},
           {"(fwd)", "", true},
           {"a (fwd) b", "a (fwd) b", false},
           // (3)
           {"Re: a", "a", true},
           {"RE: re: fw: Fwd: a", "a", true},
           {"Re:", "", true},
           {"re : a", "a", true},
           {"Re[2]: a", "a", true},
           {"Re [2] : a", "a", true},
           {"[list] Re: a", "a", true},
           {"[x] [y]Re[3]:[z] Fwd: a", "a", true},
           {"Fwd2: a", "Fwd2: a", false},
           {"Re a", "Re a", false},
           {"Fw\xc3\xbcr: a", "Fw\xc3\xbcr: a", false},
           {"AW: a", "AW: a", false},
           // (4)
           {"[list] a", "a", false},
           {"[a] [b] c", "c", false},
           {"[a]", "[a]", false},
           {"[a] [b]", "[b]", false},
           {"Re: [a]", "[a]", true},
           {"[] a", "a", false},
           {"[a [b] c", "[a [b] c", false},
           {"[a]] c", "] c", false},
           // (6)
           {"[fwd: a]", "a", true},
           {"[Fwd: Re: [list] a (fwd)]", "a", true},
           {"Fwd: [fwd: [FWD: a]]", "a", true},
           {"[fwd: [a]]", "[a]", true},
           {"[fwd:]", "", true},
           {"[fwd: a] b", "b", false},
           {"[fwd: a", "[fwd: a", false},
       }) {
    CAPTURE(subject);
    CHECK(base_subject(subject).text == base);
    CHECK(base_subject(subject).is_reply_or_forward == is_reply_or_forward);
    CHECK(SlowBaseSubject::of(subject) == base_subject(subject));
  }
}

TEST_CASE("base subject: the same as the procedure done literally (RFC 5256 §2.1)") {
  std::mt19937 random(5256);
  const auto pieces = std::to_array<std::string_view>(
      {"re", "Fw", "fwd", ":", "[", "]", "[x]", " ", "\t", "(fwd)", "[fwd:", "a", "=?utf-8?Q?Re=3A?="});
  for (int i = 0; i < 5000; ++i) {
    std::string subject;
    for (auto count = random() % 12; count > 0; --count) subject += pieces[random() % pieces.size()];
    CAPTURE(subject);
    REQUIRE(base_subject(subject) == SlowBaseSubject::of(subject));
  }
}

TEST_CASE("base subject: linear time, however long and broken") {
  constexpr std::size_t much = 128 * 1024;
  for (const std::string_view piece :
       {"Re: ", "[x]", "[", "]", "re[", "[re", "[fwd:", "Re: [x][y]", "re [x] ", "[x]re", "(fwd)", " ",
        "[fwd: [x]", "=?", "=?utf-8?Q?Re=3A?= "}) {
    CAPTURE(piece);
    const auto subject = repeated(piece, much);
    CHECK(base_subject(subject).text.size() <= subject.size());
    CHECK(base_subject(subject + " end").text.size() <= subject.size() + 4);
    CHECK(base_subject(subject + repeated("]", much)).text.size() <= 2 * subject.size());
  }
  CHECK(base_subject(repeated("Re: ", much) + "a") == BaseSubject{"a", true});
  CHECK(base_subject(repeated("[x]", much) + "a") == BaseSubject{"a", false});
  CHECK(base_subject(repeated("[x]", much)) == BaseSubject{"[x]", false});
}
