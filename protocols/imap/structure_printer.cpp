#include "protocols/imap/structure_printer.h"

#include "message/encoded_word.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/text_printer.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::imap {

namespace {

using message::Parameter;

constexpr int max_depth = 1000;

template <class Addresses>
void append_addresses(std::string& out, const Addresses& addresses, Dialect dialect) {
  if (addresses.empty()) {
    out.append("NIL");
    return;
  }
  // 1*address: none stands between two.
  out.push_back('(');
  for (const auto& address : addresses) {
    Spaced list(out);
    append_nstring(list.next(), address.name, dialect);
    append_nstring(list.next(), address.route, dialect);
    append_nstring(list.next(), address.mailbox, dialect);
    append_nstring(list.next(), address.host, dialect);
  }
  out.push_back(')');
}

template <class Envelope>
void print_envelope(std::string& out, const Envelope& envelope, Dialect dialect) {
  Spaced list(out);
  append_nstring(list.next(), envelope.date, dialect);
  append_nstring(list.next(), envelope.subject, dialect);
  append_addresses(list.next(), envelope.from, dialect);
  append_addresses(list.next(), envelope.sender, dialect);
  append_addresses(list.next(), envelope.reply_to, dialect);
  append_addresses(list.next(), envelope.to, dialect);
  append_addresses(list.next(), envelope.cc, dialect);
  append_addresses(list.next(), envelope.bcc, dialect);
  append_nstring(list.next(), envelope.in_reply_to, dialect);
  append_nstring(list.next(), envelope.message_id, dialect);
}

template <class Part>
class BodyPrinter {
 public:
  BodyPrinter(std::string& out, Extension extension, Dialect dialect)
      : out_(out), extension_(extension), dialect_(dialect) {}

  void print(const Part& part, int depth) {
    if (part.is_multipart() && depth < max_depth) {
      print_multipart(part, depth);
    } else if (is_opened_message(part) && depth < max_depth) {
      print_message(part, depth);
    } else {
      print_leaf(part);
    }
  }

 private:
  // Has a grammar of its own: media-message of RFC 3501 §9, or of RFC 9051 §9 (RFC 9755 §6).
  bool is_message(const Part& part) const {
    return dialect_.utf8() ? part.is_message() : part.is("message", "rfc822");
  }

  bool is_opened_message(const Part& part) const {
    return is_message(part) && part.envelope && part.children.size() == 1;
  }

  // number is of 32 bits in RFC 3501 §9.
  void append_size(std::uint64_t size) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    append_number(out_, dialect_.rev2 ? size : std::min(size, most));
  }

  // body-type-mpart.
  void print_multipart(const Part& part, int depth) {
    out_.push_back('(');
    for (const Part& child : part.children) print(child, depth + 1);
    if (part.children.empty()) append_empty_text();
    out_.push_back(' ');
    append_string(out_, part.subtype, dialect_);
    if (extension_ == Extension::full) {
      out_.push_back(' ');
      append_parameters(part.parameters);
      append_common_extension(part);
    }
    out_.push_back(')');
  }

  // body-type-msg.
  void print_message(const Part& part, int depth) {
    out_.push_back('(');
    append_type("MESSAGE", part.is("message", "rfc822") ? "RFC822" : "GLOBAL");
    append_fields(part);
    out_.push_back(' ');
    append_envelope(out_, *part.envelope, dialect_);
    out_.push_back(' ');
    print(part.children.front(), depth + 1);
    out_.push_back(' ');
    append_size(part.body_lines);
    append_extension(part);
    out_.push_back(')');
  }

  // body-type-text and body-type-basic.
  void print_leaf(const Part& part) {
    out_.push_back('(');
    const bool is_text = equal_ignoring_case(part.type, "text");
    const bool is_basic = !part.type.empty() && !part.is_multipart() && !is_message(part);
    if (is_basic) {
      append_type(part.type, part.subtype);
    } else {
      append_type("application", "octet-stream");
    }
    append_fields(part);
    if (is_text) {
      out_.push_back(' ');
      append_size(part.body_lines);
    }
    append_extension(part);
    out_.push_back(')');
  }

  void append_type(std::string_view type, std::string_view subtype) {
    append_string(out_, type, dialect_);
    out_.push_back(' ');
    append_string(out_, subtype, dialect_);
    out_.push_back(' ');
  }

  // body-fields.
  void append_fields(const Part& part) {
    append_parameters(part.parameters);
    out_.push_back(' ');
    append_nstring(out_, part.id, dialect_);
    out_.push_back(' ');
    append_nstring(out_, part.description, dialect_);
    out_.push_back(' ');
    append_string(out_, part.encoding ? std::string_view(*part.encoding) : "7BIT", dialect_);
    out_.push_back(' ');
    append_size(part.body_size);
  }

  // body-ext-1part.
  void append_extension(const Part& part) {
    if (extension_ == Extension::none) return;
    out_.push_back(' ');
    append_nstring(out_, part.md5, dialect_);
    append_common_extension(part);
  }

  // What body-ext-1part and body-ext-mpart end in.
  void append_common_extension(const Part& part) {
    out_.push_back(' ');
    if (part.disposition) {
      Spaced list(out_);
      append_string(list.next(), part.disposition->type, dialect_);
      list.next();
      append_parameters(part.disposition->parameters);
    } else {
      out_.append("NIL");
    }
    out_.push_back(' ');
    append_languages(part.languages);
    out_.push_back(' ');
    append_nstring(out_, part.location, dialect_);
  }

  template <class Parameters>
  void append_parameters(const Parameters& given) {
    if (given.empty()) {
      out_.append("NIL");
    } else if (dialect_.rev2 && std::ranges::any_of(given, has_star)) {
      std::vector<Parameter> sections;
      sections.reserve(given.size());
      for (const auto& each : given) sections.push_back({std::string(each.name), std::string(each.value)});
      append_pairs(message::join_parameters(sections));
    } else {
      append_pairs(given);
    }
  }

  // Sections of a value, and a charset, are told by it (RFC 2231 §3, §4).
  static constexpr auto has_star = [](const auto& parameter) { return parameter.name.contains('*'); };

  template <class Parameters>
  void append_pairs(const Parameters& parameters) {
    Spaced list(out_);
    for (const auto& parameter : parameters) {
      append_string(list.next(), parameter.name, dialect_);
      append_string(list.next(), parameter.value, dialect_);
    }
  }

  template <class Languages>
  void append_languages(const Languages& languages) {
    if (languages.empty()) {
      out_.append("NIL");
      return;
    }
    if (languages.size() == 1) {
      append_string(out_, *languages.begin(), dialect_);
      return;
    }
    Spaced list(out_);
    for (const auto& language : languages) append_string(list.next(), language, dialect_);
  }

  // What stands for the parts of a multipart that has none: 1*body is asked for.
  void append_empty_text() {
    out_.append(R"(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 0 0)");
    if (extension_ == Extension::full) out_.append(" NIL NIL NIL NIL");
    out_.push_back(')');
  }

  std::string& out_;
  Extension extension_;
  Dialect dialect_;
};

}  // namespace

void append_envelope(std::string& out, const message::Envelope& envelope, Dialect dialect) {
  print_envelope(out, envelope, dialect);
}

void append_envelope(std::string& out, const message::EnvelopeView& envelope, Dialect dialect) {
  print_envelope(out, envelope, dialect);
}

void append_body_structure(std::string& out, const message::BodyPart& root, Extension extension,
                           Dialect dialect) {
  BodyPrinter<message::BodyPart>(out, extension, dialect).print(root, 1);
}

void append_body_structure(std::string& out, const message::BodyPartView& root, Extension extension,
                           Dialect dialect) {
  BodyPrinter<message::BodyPartView>(out, extension, dialect).print(root, 1);
}

}  // namespace posthorn::imap
