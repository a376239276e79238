#include "protocols/imap/printed_forms.h"

#include "message/summary_form.h"
#include "message/summary_view.h"
#include "protocols/imap/structure_printer.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace posthorn::imap {
namespace {

// To be raised with each change of what is printed (structure_printer.cpp and what it calls); with the
// version of summaries, as what is read from messages changes with that.
constexpr char printed_version = 1;
constexpr char version = printed_version << 4 | message::summary_version;
static_assert(message::summary_version < 16);

// The dialects that differ in what they print.
constexpr std::array<Dialect, 3> dialects = {
    {{}, {.utf8_accept = true, .rev2 = false}, {.utf8_accept = false, .rev2 = true}}};

std::size_t place_of(Dialect dialect) { return dialect.rev2 ? 2 : dialect.utf8_accept ? 1 : 0; }

constexpr std::size_t size_octets = 4;

void append_size(std::string& out, std::size_t size) {
  for (std::size_t i = size_octets; i-- > 0;) out += static_cast<char>(size >> 8 * i);
}

std::size_t read_size(std::string_view octets) {
  std::size_t size = 0;
  for (const char octet : octets) size = size << 8U | static_cast<unsigned char>(octet);
  return size;
}

// The version, the number of texts that follow: one for all dialects or one for each; the size of each but
// the last; the texts.
template <class Print>
std::string form_of(const Print& print) {
  std::array<std::string, dialects.size()> texts;
  for (std::size_t i = 0; i < dialects.size(); ++i) print(texts[i], dialects[i]);
  std::string form{version};
  if (std::ranges::all_of(texts, [&](const std::string& text) { return text == texts.front(); })) {
    form += '\1';
    return form + texts.front();
  }
  form += static_cast<char>(texts.size());
  for (const std::string& text : std::span(texts).first(texts.size() - 1)) append_size(form, text.size());
  for (const std::string& text : texts) form += text;
  return form;
}

Result<std::string> envelope_form(std::string_view summary) {
  const message::EnvelopeView envelope = TRY(message::view_envelope(summary));
  return form_of([&](std::string& out, Dialect dialect) { append_envelope(out, envelope, dialect); });
}

Result<std::string> structure_form(std::string_view summary) {
  const message::BodyPartView root = TRY(message::view_structure(summary));
  return form_of(
      [&](std::string& out, Dialect dialect) { append_body_structure(out, root, Extension::full, dialect); });
}

}  // namespace

storage::FormMakers printed_forms() {
  return {.envelope = {version, envelope_form}, .structure = {version, structure_form}};
}

Result<std::string_view> printed(std::string_view form, Dialect dialect) {
  const auto corrupt = failure(Errc::corrupt, "printed form of a summary");
  if (form.size() < 2 || form.front() != version) return corrupt;
  const auto texts = static_cast<std::size_t>(form[1]);
  form.remove_prefix(2);
  if (texts == 1) return form;
  constexpr std::size_t sizes = dialects.size() - 1;
  if (texts != dialects.size() || form.size() < sizes * size_octets) return corrupt;
  std::string_view rest = form.substr(sizes * size_octets);
  for (std::size_t i = 0; i < sizes; ++i) {
    const std::size_t size = read_size(form.substr(i * size_octets, size_octets));
    if (size > rest.size()) return corrupt;
    if (i == place_of(dialect)) return rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return rest;
}

}  // namespace posthorn::imap
