#include "message/html_text.h"

#include "message/html_entity.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

std::string text_of(std::string_view html, std::size_t chunk = std::string_view::npos) {
  HtmlText reader;
  std::string out;
  for (; !html.empty(); html.remove_prefix(std::min(chunk, html.size())))
    reader.feed(html.substr(0, chunk), out);
  reader.finish(out);
  return out;
}

std::string repeated(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

}  // namespace

TEST_CASE("HTML entities: names, numbers, windows-1252 numbers") {
  struct Case {
    std::string_view name;
    std::optional<std::string> text;
  };
  for (const auto& [name, text] : std::initializer_list<Case>{
           {"amp", "&"},
           {"apos", "'"},
           {"auml", "\xc3\xa4"},
           {"nbsp", "\xc2\xa0"},
           {"yuml", "\xc3\xbf"},
           {"Auml", "\xc3\x84"},
           {"AUML", std::nullopt},
           {"euro", "\xe2\x82\xac"},
           {"zwnj", "\xe2\x80\x8c"},
           {"lt", "<"},
           {"#65", "A"},
           {"#x41", "A"},
           {"#X1F600", "\xf0\x9f\x98\x80"},
           {"#128", "\xe2\x82\xac"},
           {"#x92", "\xe2\x80\x99"},
           {"#0", "\xef\xbf\xbd"},
           {"#xD800", "\xef\xbf\xbd"},
           {"#x110000", "\xef\xbf\xbd"},
           {"#99999999999999999999", "\xef\xbf\xbd"},
           {"#", std::nullopt},
           {"#x", std::nullopt},
           {"#-1", std::nullopt},
           {"#1a", std::nullopt},
           {"", std::nullopt},
           {"nosuch", std::nullopt},
       }) {
    CAPTURE(name);
    CHECK(decode_html_entity(name) == text);
  }
}

TEST_CASE("HTML as text: tags, entities, what nobody reads, quotations; in chunks of any size") {
  struct Case {
    std::string_view html;
    std::string_view text;
  };
  for (const auto& [html, text] : std::initializer_list<Case>{
           {"", ""},
           {"a <b>bold</b> word", "a bold word"},
           {"<p>one</p><p>two<br>three<BR/>four</p>", "one\ntwo\nthree\nfour\n"},
           {"<table><tr><td>a</td><td>b</td></tr></table>", "a b\n"},
           {"a\r\n  b", "a    b"},
           {"<pre>a\n b</pre>c\nd", "a\nb\nc d"},
           {"&lt;b&gt; &amp;amp; &Auml;&#x20AC;", "<b> &amp; \xc3\x84\xe2\x82\xac"},
           {"a&amp b&nosuch;&", "a& b&nosuch;&"},
           {"1 < 2 <3 << <b>x", "1 < 2 <3 << x"},
           {"<html><head><title>t</title><style>s</style> x <meta name=a></head><body>b", "b"},
           {"<head><title>t</title><p>b", "b"},
           {"a<style type=\"text/css\">p > q { } </styl </stylex></STYLE >b", "ab"},
           {"a<script>if (1 < 2) '</p>'</script>b", "ab"},
           {"a<script><</script>b", "ab"},
           {"a<!-- <b> -- > --->b<!-->c<!--->d<!doctype html>e<?php ?>f<![if !mso]>g<![endif]>h", "abcdefgh"},
           {"a<!--[if mso]><p>x</p><![endif]-->b", "ab"},
           {"<a title='>' href=\">\" b=it's>x</a>", "x"},
           {"<a title=\"unended>x", ""},
           {"<p style=\"display:none\">teaser</p>hello", "teaser\nhello"},
           {"yes<blockquote>a<p>b<blockquote>c</blockquote>d</blockquote>e", "yes\n> a\n> b\n> c\n> d\ne"},
           {"yes<div class=\"x gmail_quote y\">a<div>b</div>c</div>d", "yes\n> a\n> b\n> c\nd"},
           {"yes<div id='divRplyFwdMsg'>From</div><p>b</div>c", "yes\n> From\n> b\n> c"},
           {"yes<div class=moz-signature>a", "yes\n--\na"},
       }) {
    CAPTURE(html);
    CHECK(text_of(html) == text);
    CHECK(text_of(html, 1) == text);
    CHECK(text_of(html, 3) == text);
  }
}

TEST_CASE("HTML as text: linear time, however long and broken") {
  constexpr std::size_t much = 256 * 1024;
  for (const std::string_view piece : {"<",
                                       "</",
                                       "<!",
                                       "<!-",
                                       "<!--",
                                       "&",
                                       "&a",
                                       "&#",
                                       "<a b='",
                                       "<style>",
                                       "</style",
                                       "<blockquote>",
                                       "</blockquote>",
                                       "<div class=gmail_quote>",
                                       "<p class=",
                                       "<pre>",
                                       ">",
                                       "<style></",
                                       "&nbsp;",
                                       "<td>"}) {
    CAPTURE(piece);
    CHECK(text_of(repeated(piece, much)).size() <= 3 * much);
    CHECK(text_of("<style>" + repeated(piece, much)).size() <= 3 * much);
    CHECK(text_of("<a " + repeated(piece, much)).size() <= 3 * much);
  }
}
