#include "message/structure.h"
#include "message/summary_codec.h"
#include "message/summary_view.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/structure_printer.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

namespace {

// Reads what structure_printer.h writes, by the grammar of RFC 3501 §9, and aborts where it is not so.
class Reader {
 public:
  explicit Reader(std::string_view text) : in_(text) {}

  void envelope() {
    expect('(');
    nstring(), space(), nstring();
    for (int list = 0; list < 6; ++list) space(), addresses();
    space(), nstring(), space(), nstring();
    expect(')');
  }

  void body(imap::Extension extension) {
    expect('(');
    if (in_.peek() == '(') {
      while (in_.peek() == '(') body(extension);
      space(), string();
      if (extension == imap::Extension::full) {
        space(), parameters();
        common_extension();
      }
    } else {
      part(extension);
    }
    expect(')');
  }

  void end() {
    if (!in_.at_end()) std::abort();
  }

 private:
  void part(imap::Extension extension) {
    const std::string type = string();
    space();
    const std::string subtype = string();
    space(), parameters(), space(), nstring(), space(), nstring(), space(), string(), space(), number();
    if (imap::equal_ignoring_case(type, "text")) space(), number();
    if (imap::equal_ignoring_case(type, "message") && imap::equal_ignoring_case(subtype, "rfc822")) {
      space(), envelope(), space(), body(extension), space(), number();
    }
    if (imap::equal_ignoring_case(type, "multipart")) std::abort();
    if (extension == imap::Extension::none) return;
    space(), nstring();
    common_extension();
  }

  void common_extension() {
    space();
    if (in_.take('(')) {
      string(), space(), parameters(), expect(')');
    } else {
      nil();
    }
    space();
    if (in_.take('(')) {
      string();
      while (in_.take(' ')) string();
      expect(')');
    } else {
      nstring();
    }
    space(), nstring();
  }

  void parameters() {
    if (!in_.take('(')) return nil();
    string(), space(), string();
    while (in_.take(' ')) string(), space(), string();
    expect(')');
  }

  void addresses() {
    if (!in_.take('(')) return nil();
    do {
      expect('(');
      nstring(), space(), nstring(), space(), nstring(), space(), nstring();
      expect(')');
    } while (in_.peek() == '(');
    expect(')');
  }

  void expect(char c) {
    if (!in_.take(c)) std::abort();
  }
  void space() { expect(' '); }
  void nil() {
    if (in_.take_atom() != "NIL") std::abort();
  }
  void number() {
    if (in_.take_digits().empty()) std::abort();
  }
  std::string string() {
    auto text = in_.string("text");
    if (!text) std::abort();
    return *std::move(text);
  }
  void nstring() {
    if (!in_.nstring("text")) std::abort();
  }

  imap::Cursor in_;
};

}  // namespace

// ENVELOPE, BODY and BODYSTRUCTURE of any bytes are what RFC 3501 §9 allows, and what lies encoded is shown
// the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto summary = message::parse_summary({reinterpret_cast<const char*>(data), size});
  const std::string encoded = message::encode(summary);
  std::string out;
  std::string of_view;
  imap::append_envelope(out, summary.envelope);
  imap::append_envelope(of_view, message::view_envelope(encoded).value());
  if (of_view != out) std::abort();
  Reader envelope(out);
  envelope.envelope();
  envelope.end();
  for (const auto extension : {imap::Extension::none, imap::Extension::full}) {
    out.clear();
    of_view.clear();
    imap::append_body_structure(out, summary.root, extension);
    imap::append_body_structure(of_view, message::view_structure(encoded).value(), extension);
    if (of_view != out) std::abort();
    Reader body(out);
    body.body(extension);
    body.end();
  }
  return 0;
}
