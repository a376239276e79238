#include "message/trigrams.h"

#include "message/charset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using posthorn::message::Trigrams;
using posthorn::message::trigrams_of;

namespace {

using Texts = std::vector<std::string>;

Texts all_of(const Trigrams& trigrams) {
  Texts texts;
  trigrams.each([&](std::string_view text) { texts.emplace_back(text); });
  return texts;
}

}  // namespace

TEST_CASE("trigrams: three characters that follow each other, each once") {
  CHECK(trigrams_of("").empty());
  CHECK(trigrams_of("ab").empty());
  CHECK(trigrams_of("abc") == Texts{"abc"});
  CHECK(trigrams_of("abcabca") == Texts{"abc", "bca", "cab"});
  CHECK(trigrams_of("äöü") == Texts{"äöü"});
  CHECK(trigrams_of("東京都に") == Texts{"東京都", "京都に"});
  CHECK(trigrams_of("a😀é") == Texts{"a😀é"});
}

TEST_CASE("trigrams: none spans two ranges, or an octet that is no character") {
  Trigrams trigrams;
  trigrams.feed("ab");
  trigrams.next_range();
  trigrams.feed("cde");
  CHECK(all_of(trigrams) == Texts{"cde"});
  CHECK(trigrams_of(std::string_view("ab\0cd\0efg\0", 10)) == Texts{"efg"});
  for (const char* broken : {"ab\xff"
                             "cd",
                             "ab\xc3"
                             "cd",
                             "ab\xe4\xb8"
                             "cd",
                             "ab\xc0\x80"
                             "cd",
                             "ab\xed", "\x80\x80\x80"})
    CHECK_MESSAGE(trigrams_of(broken).empty(), broken);
  CHECK(trigrams_of("\xe4"
                    "abc") == Texts{"abc"});
  CHECK(trigrams_of("\xf0\x9f"
                    "xyz") == Texts{"xyz"});
}

TEST_CASE("trigrams: the same, however the text is cut") {
  const std::string text =
      posthorn::message::fold_for_search("Grüße aus 東京 und Москва 😀😀 zum 3.\x01\x02");
  const Texts whole = trigrams_of(text);
  for (std::size_t step = 1; step < 7; ++step) {
    Trigrams trigrams;
    for (std::size_t at = 0; at < text.size(); at += step)
      trigrams.feed(std::string_view(text).substr(at, step));
    CHECK(all_of(trigrams) == whole);
  }
}

TEST_CASE("trigrams: those of any piece of a text are among the text's") {
  const std::string text =
      posthorn::message::fold_for_search("Straße, ÅNGSTRÖM ﬁle naïve ελλάδα 한국어 mm mm mmm");
  const Texts listed = trigrams_of(text);
  const std::set<std::string> whole(listed.begin(), listed.end());
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    for (std::size_t size = 1; begin + size <= text.size(); ++size) {
      const std::string piece = text.substr(begin, size);
      if (!posthorn::message::is_valid_utf8(piece)) continue;
      for (const std::string& trigram : trigrams_of(piece)) CHECK(whole.contains(trigram));
    }
  }
}

TEST_CASE("trigrams: beyond the limit it says so; what is cleared is forgotten") {
  Trigrams trigrams(10);
  trigrams.feed("abcdefghijkl");
  CHECK(trigrams.count() == 10);
  CHECK_FALSE(trigrams.overflowed());
  trigrams.feed("mn");
  CHECK(trigrams.count() == 10);
  CHECK(trigrams.overflowed());
  trigrams.clear();
  CHECK(trigrams.count() == 0);
  CHECK_FALSE(trigrams.overflowed());
  trigrams.feed("opq");
  CHECK(all_of(trigrams) == Texts{"opq"});
}

TEST_CASE("trigrams: very many, more than once") {
  std::string text;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      for (char c = 'a'; c <= 'z'; ++c) text += {a, b, c};
    }
  }
  Trigrams trigrams;
  for (int round = 0; round < 3; ++round) {
    trigrams.clear();
    trigrams.feed(text);
    trigrams.feed(text);
    Texts texts = all_of(trigrams);
    std::ranges::sort(texts);
    CHECK(texts.size() == 26 * 26 * 26);
    CHECK(std::ranges::adjacent_find(texts) == texts.end());
  }
}
