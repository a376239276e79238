#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

namespace posthorn::imap {

namespace {

void append_part(std::string& out, const std::vector<std::uint32_t>& part) {
  const char* separator = "";
  for (const std::uint32_t number : part) {
    out.append(separator);
    append_number(out, number);
    separator = ".";
  }
}

}  // namespace

void append_section(std::string& out, const Section& section) {
  using enum Section::Text;
  out.push_back('[');
  append_part(out, section.part);
  if (section.text != all && !section.part.empty()) out.push_back('.');
  switch (section.text) {
    case all: break;
    case header: out.append("HEADER"); break;
    case header_fields: out.append("HEADER.FIELDS "); break;
    case header_fields_not: out.append("HEADER.FIELDS.NOT "); break;
    case text: out.append("TEXT"); break;
    case mime: out.append("MIME"); break;
  }
  if (!section.fields.empty()) {
    Spaced list(out);
    for (const std::string& field : section.fields) append_astring(list.next(), field);
  }
  out.push_back(']');
}

namespace {

void append_section(std::string& out, const std::vector<std::uint32_t>& part) {
  out.push_back('[');
  append_part(out, part);
  out.push_back(']');
}

// An item of FETCH: as the client asks for it, or as the response names it.
class ItemPrinter {
 public:
  enum class As { request, response };
  ItemPrinter(std::string& out, As as) : out_(out), as_(as) {}

  void operator()(FetchAttribute attribute) {
    out_.append(name_of(attribute));
    if (attribute == FetchAttribute::preview_lazy && as_ == As::request) out_.append(" (LAZY)");
  }
  void operator()(const FetchBody& body) {
    name("BODY", body.seen);
    append_section(out_, body.section);
    partial(body.partial);
  }
  void operator()(const FetchBinary& binary) {
    name("BINARY", binary.seen);
    append_section(out_, binary.part);
    partial(binary.partial);
  }
  void operator()(const FetchBinarySize& size) {
    out_.append("BINARY.SIZE");
    append_section(out_, size.part);
  }

 private:
  void name(std::string_view name, FetchBody::Seen seen) {
    out_.append(name);
    if (seen == FetchBody::Seen::peek && as_ == As::request) out_.append(".PEEK");
  }
  void partial(const std::optional<Partial>& partial) {
    if (!partial) return;
    out_.push_back('<');
    append_number(out_, partial->first);
    if (as_ == As::request) {
      out_.push_back('.');
      append_number(out_, partial->count);
    }
    out_.push_back('>');
  }

  std::string& out_;
  As as_;
};

}  // namespace

std::string_view name_of(FetchAttribute attribute) {
  switch (attribute) {
    case FetchAttribute::body: return "BODY";
    case FetchAttribute::body_structure: return "BODYSTRUCTURE";
    case FetchAttribute::envelope: return "ENVELOPE";
    case FetchAttribute::flags: return "FLAGS";
    case FetchAttribute::internal_date: return "INTERNALDATE";
    case FetchAttribute::rfc822: return "RFC822";
    case FetchAttribute::rfc822_header: return "RFC822.HEADER";
    case FetchAttribute::rfc822_size: return "RFC822.SIZE";
    case FetchAttribute::rfc822_text: return "RFC822.TEXT";
    case FetchAttribute::uid: return "UID";
    case FetchAttribute::mod_sequence: return "MODSEQ";
    case FetchAttribute::email_id: return "EMAILID";
    case FetchAttribute::thread_id: return "THREADID";
    case FetchAttribute::save_date: return "SAVEDATE";
    case FetchAttribute::preview:
    case FetchAttribute::preview_lazy: return "PREVIEW";
  }
  return "";
}

void append_request(std::string& out, const FetchItem& item) {
  std::visit(ItemPrinter(out, ItemPrinter::As::request), item);
}

void append_response_name(std::string& out, const FetchItem& item) {
  std::visit(ItemPrinter(out, ItemPrinter::As::response), item);
}

}  // namespace posthorn::imap
