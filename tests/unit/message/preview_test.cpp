#include "message/preview.h"

#include "tests/unit/message/preview_check.h"
#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace posthorn::message;

namespace {

// Of a message given with bare LF.
std::string preview_of_message(std::string_view text) {
  const auto wire = wire_form(text);
  auto preview = preview_of(parse_summary(wire), wire);
  CHECK(broken_preview(preview) == "");
  return preview;
}

std::string preview_of_text(std::string_view text) { return preview_of_message("\n" + std::string(text)); }

std::string preview_of_html(std::string_view html) {
  return preview_of_message("Content-Type: text/html; charset=utf-8\n\n" + std::string(html));
}

std::string part(std::string_view header, std::string_view body) {
  return "--b\n" + std::string(header) + "\n\n" + std::string(body) + "\n";
}

std::string multipart(std::string_view subtype, std::string_view parts) {
  return "Content-Type: multipart/" + std::string(subtype) + "; boundary=b\n\n" + std::string(parts) +
         "--b--\n";
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (; times > 0; --times) out += piece;
  return out;
}

constexpr std::string_view plain = "Content-Type: text/plain";
constexpr std::string_view html = "Content-Type: text/html";

}  // namespace

TEST_CASE("preview: one line of UTF-8, transfer encoding and charset undone (RFC 8970 §3.3)") {
  CHECK(preview_of_text("  Hello,\n\n\tthis   is\na preview. \n") == "Hello, this is a preview.");
  CHECK(preview_of_message("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
                           "quoted-printable\n\nSch=F6ne Gr=\n=FC=DFe\n") ==
        "Sch\xc3\xb6ne Gr\xc3\xbc\xc3\x9f"
        "e");
  CHECK(preview_of_message("Content-Type: text/plain; charset=utf-16be\nContent-Transfer-Encoding: "
                           "base64\n\nAEgAaQAgIKw=\n") == "Hi \xe2\x82\xac");
  CHECK(preview_of_message("Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B$9$_$^$;$s\x1b(B\n") ==
        "\xe3\x81\x99\xe3\x81\xbf\xe3\x81\xbe\xe3\x81\x9b\xe3\x82\x93");
  CHECK(preview_of_message("Content-Type: text/plain; charset=no-such\n\nJ\xf6rg J\xc3\xb6rg") ==
        "J\xc3\xb6rg J\xc3\xb6rg");
  CHECK(preview_of_message("Content-Type: text/html\n\n<meta http-equiv=Content-Type content=\"text/html; "
                           "charset=koi8-r\"><p>\xf0\xd2\xc9\xd7\xc5\xd4") ==
        "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
  CHECK(preview_of_message("Content-Type: text/html\n\n<meta charset='utf-16'><p>J\xf6rg") == "J\xc3\xb6rg");
}

TEST_CASE("preview: controls, directions and invisible fillers vanish, joiners between letters stay") {
  CHECK(preview_of_text("a\x01\x1b[31m\x7f b\xc2\x85 c") == "a[31m b c");
  CHECK(preview_of_html("<div style=\"display:none\">Teaser &zwnj;&nbsp;&zwnj;&nbsp;&#847;&shy;&#8203; "
                        "&#8199;&#65279;</div><p>Text") == "Teaser Text");
  CHECK(preview_of_html("&#x202e;abc&#x2066;") == "abc");
  const std::string family = "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa7";
  CHECK(preview_of_html(family + " \xe2\x80\x8d"
                                 "x") == family + " x");
  CHECK(preview_of_text("a\xe2\x80\xa8"
                        "b\xe3\x80\x80"
                        "c") == "a b c");
}

TEST_CASE("preview: at most 200 characters, cut between words or visible characters (RFC 8970 §3.3)") {
  CHECK(preview_of_text(repeated("x", 200)) == repeated("x", 200));
  CHECK(preview_of_text(repeated("x", 300)) == repeated("x", 200));
  CHECK(preview_of_text(repeated("ten chars ", 100)) == repeated("ten chars ", 20).substr(0, 199));
  CHECK(preview_of_text(repeated("x", 195) + " abcdefgh") == repeated("x", 195));
  CHECK(preview_of_text("x " + repeated("y", 300)) == "x " + repeated("y", 198));
  const std::string kanji = "\xe6\xbc\xa2";
  CHECK(preview_of_text(repeated(kanji, 300)) == repeated(kanji, 200));
  const std::string accented = "e\xcc\x81";
  CHECK(preview_of_text("x" + repeated(accented, 150)) == "x" + repeated(accented, 99));
  const std::string flag = "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa";
  CHECK(preview_of_text("x" + repeated(flag, 150)) == "x" + repeated(flag, 99));
  CHECK(preview_of_text("x" + repeated("\xcc\x81", 300)) == "x" + repeated("\xcc\x81", 199));
}

TEST_CASE("preview: quotations, who wrote them, and signatures stand back") {
  struct Case {
    std::string_view text;
    std::string_view preview;
  };
  for (const auto& [text, preview] : std::initializer_list<Case>{
           {"Yes.\n\nOn Mon, 1 Jan 2024 at 10:00, Ann wrote:\n> Really?\n", "Yes."},
           {"Yes.\nOn Mon, 1 Jan 2024 at 10:00, Ann Other\n<ann@example.org> wrote:\n\n> Really?\n", "Yes."},
           {"Am 01.01.2024 um 10:00 schrieb Ann:\n> Wirklich?\n\nJa.\n> Und?\nNein.", "Ja. Nein."},
           {"Ann schrieb:\n>Wirklich?\nJa.", "Ja."},
           {"2024\xe5\xb9\xb4"
            "1\xe6\x9c\x88 <ann@example.org>:\n> ?\n!",
            "!"},
           {"I like what you said:\n> Really?\nMuch.", "I like what you said: Much."},
           {">From here on.\n> quoted", ">From here on."},
           {"Text\n-- \nAnn\nSales", "Text"},
           {"Text\n--\nAnn", "Text"},
           {"Text\n--- \nmore", "Text more"},
           {"Text\n=====\nmore", "Text more"},
           {"Yes\n-----Original Message-----\nFrom: Ann\n\nReally?", "Yes"},
           {"FYI\n\n---------- Forwarded message ---------\nFrom: Ann\n\nReally?", "FYI"},
           {"Yes\n________________________________\nFrom: Ann <a@b>\nReally?", "Yes"},
           {"Yes\n________________________________\nNext", "Yes Next"},
           // Nothing else.
           {"> Really?\n>> Yes.\n>\n", "Really? Yes."},
           {"On Mon, 1 Jan 2024, Ann wrote:\n> Really?\n", "On Mon, 1 Jan 2024, Ann wrote: Really?"},
           {"-- \nAnn\nSales", "Ann Sales"},
           {"---------- Forwarded message ---------\nFrom: Ann\n\nReally?", "From: Ann Really?"},
       }) {
    CAPTURE(text);
    CHECK(preview_of_text(text) == preview);
  }
  CHECK(preview_of_html(
            "Yes.<br><br><div class=\"gmail_quote\"><div class=gmail_attr>Ann wrote:</div><blockquote>"
            "Really?</blockquote></div>") == "Yes.");
  CHECK(preview_of_html(
            "<div class=\"moz-cite-prefix\">Am 1.1. schrieb Ann:</div><blockquote type=cite><p>Wirklich?"
            "</blockquote><p>Ja.</p><div class=\"moz-signature\">-- <br>Bert</div>") == "Ja.");
  CHECK(preview_of_html("<blockquote>Quotes alone") == "Quotes alone");
}

TEST_CASE("preview: a long line before a quotation is text, wherever it was cut off") {
  // Octet 300 of the line is a letter, or a space.
  for (const std::size_t length : {297U, 296U}) {
    const std::string line = "On " + std::string(length, 'x') + " and so on 2024 Ann\n";
    CHECK(preview_of_text(line + "<a@b> wrote:\n> Really?\n").starts_with("On xx"));
  }
}

TEST_CASE("preview: a quotation of megabytes, one line of megabytes (RFC 8970 §8)") {
  CHECK(preview_of_text(repeated("> x\n", 500'000)).size() == 199);
  CHECK(preview_of_text(repeated("x ", 500'000)).size() == 199);
  CHECK(preview_of_text(repeated("a:\n", 500'000)).size() == 200);
  CHECK(preview_of_text(repeated("\n", 500'000)) == "");
  CHECK(preview_of_text(repeated("2024 a@b:\n> x\n", 100'000)).size() <= 200);
  CHECK(preview_of_html(repeated("<b>", 500'000)) == "");
  // Beyond the first 128 KiB nothing is looked at.
  CHECK(preview_of_html("<style>" + repeated("p { }\n", 15'000) + "</style>x") == "x");
  CHECK(preview_of_html("<style>" + repeated("p { }\n", 30'000) + "</style>x") == "");
}

TEST_CASE("preview: which part of a multipart (RFC 2046 §5.1, RFC 2387)") {
  CHECK(preview_of_message(multipart("mixed", part(plain, "one") + part(plain, "two"))) == "one");
  CHECK(preview_of_message(multipart("mixed", part(html, "one") + part(plain, "footer"))) == "one");
  CHECK(preview_of_message(multipart("alternative", part(html, "rich") + part(plain, "plain"))) == "plain");
  CHECK(preview_of_message(multipart("alternative", part(plain, " \n") + part(html, "rich"))) == "rich");
  CHECK(preview_of_message(multipart("x-unknown", part(plain, "one"))) == "one");
  CHECK(preview_of_message(multipart("report", part(plain, "bounced") + part("Content-Type: message/rfc822",
                                                                             "Subject: x\n\ninner"))) ==
        "bounced");
  CHECK(preview_of_message(multipart(
            "mixed", part("Content-Type: text/plain\nContent-Disposition: attachment", "file") +
                         part("Content-Type: text/plain\nContent-Disposition: inline", "text"))) == "text");
  CHECK(preview_of_message("Content-Type: multipart/related; start=\"<r@x>\"; boundary=b\n\n" +
                           part(plain, "first") + part("Content-Type: text/html\nContent-ID: <r@x>", "root") +
                           "--b--\n") == "root");
  CHECK(preview_of_message(multipart("related", part(html, "root") + part(plain, "other"))) == "root");
  const std::string nested =
      "Content-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/plain\n\nplain\n--c\n"
      "Content-Type: text/html\n\nrich\n--c--\n";
  CHECK(preview_of_message(multipart("mixed", "--b\n" + nested + part(plain, "footer"))) == "plain");
}

TEST_CASE("preview: none without text, or with text that is encrypted or signed (RFC 8970 §3.2)") {
  CHECK(preview_of_message("") == "");
  CHECK(preview_of_message("Subject: x\n") == "");
  CHECK(preview_of_text("") == "");
  CHECK(preview_of_message("Content-Type: image/png\n\nx") == "");
  CHECK(preview_of_message("Content-Type: text/calendar\n\nBEGIN:VCALENDAR") == "");
  CHECK(preview_of_message("Content-Type: message/rfc822\n\nSubject: x\n\ninner") == "");
  const std::string_view octets = "Content-Type: application/octet-stream";
  CHECK(preview_of_message(multipart(
            "encrypted",
            part("Content-Type: application/pgp-encrypted", "Version: 1") + part(octets, "x"))) == "");
  CHECK(preview_of_message(multipart("encrypted", part(plain, "x"))) == "");
  CHECK(preview_of_message(multipart("signed", part(plain, "x"))) == "");
  CHECK(preview_of_message("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx") == "");
  CHECK(
      preview_of_message(multipart("mixed", "--b\nContent-Type: multipart/encrypted; boundary=c\n\n--c--\n" +
                                                part(plain, "list footer"))) == "");
  CHECK(preview_of_text("-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n-----END PGP MESSAGE-----\n") == "");
  CHECK(preview_of_text("See below.\n-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n") == "See below.");
  CHECK(preview_of_text(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nText\n-----BEGIN PGP SIGNATURE-----\n"
            "\niQ\n") == "Text");
}

TEST_CASE("preview: few ranges of bounded size, whatever a message has (RFC 8970 §8)") {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 2000; ++i) message += "--b\r\n\r\n" + std::string(i == 0 ? 1'000'000 : 1, ' ') + "\r\n";
  const auto summary = parse_summary(message);
  const auto ranges = preview_ranges(summary);
  REQUIRE(ranges.size() == 4);
  CHECK(ranges[0].size == 128 * 1024);
  CHECK(preview_of(summary, message) == "");

  std::string nesting;
  for (int i = 0; i < 200; ++i) {
    const auto boundary = std::to_string(i);
    nesting += "Content-Type: multipart/alternative; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  nesting += "\r\n" + repeated("\r\n--50\r\n\r\n", 3000);
  CHECK(preview_ranges(parse_summary(nesting)).size() <= 4);
}

TEST_CASE("preview: real and broken mail") {
  constexpr const char* folder = "../shared/mail";
  if (!std::filesystem::is_directory(folder)) {
    std::printf("skipped: no real mail at %s\n", folder);
    return;
  }
  const auto preview_of_file = [](const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return preview_of_message(
        std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
  };
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    CAPTURE(entry.path().string());
    preview_of_file(entry.path());
  }
  const auto in_folder = [&](const char* name) {
    return preview_of_file(std::filesystem::path(folder) / name);
  };
  CHECK(in_folder("ruby-mail/mime_emails/raw_email2.eml") ==
        "We should not include these files or vcards as attachments.");
  CHECK(in_folder("ruby-mail/plain_emails/raw_email_reply.eml") == "Message body");
  CHECK(in_folder("ruby-mail/multi_charset/japanese_iso_2022.eml") ==
        "\xe3\x81\x99\xe3\x81\xbf\xe3\x81\xbe\xe3\x81\x9b\xe3\x82\x93\xe3\x80\x82");
  CHECK(in_folder("ruby-mail/mime_emails/raw_email_with_illegal_boundary.eml") ==
        "Hello This is an outlook test So there. Me.");
  CHECK(in_folder("mimekit/messages/body.9.txt") == "This is an html body.");
  CHECK(in_folder("mimekit/messages/missing-subtype.txt") == "");
}
