#include "protocols/imap/printer.h"

#include "protocols/imap/calendar.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/printer_parts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace posthorn::imap {

namespace {

enum class Form : std::uint8_t { plain, escaped, literal };

// What a quoted string has to do for an octet: nothing, a backslash, or leave it to a literal. 8-bit octets
// are no TEXT-CHAR (RFC 3501 §9).
constexpr std::array<Form, 256> make_forms() {
  std::array<Form, 256> forms{};
  forms.fill(Form::plain);
  for (std::size_t c = 0x80; c < 0x100; ++c) forms[c] = Form::literal;
  forms['\0'] = forms['\r'] = forms['\n'] = Form::literal;
  forms['"'] = forms['\\'] = Form::escaped;
  return forms;
}
constexpr std::array<Form, 256> forms = make_forms();

Form form_of(std::string_view text) {
  Form form = Form::plain;
  for (const char c : text) form = std::max(form, forms[static_cast<unsigned char>(c)]);
  return form;
}

void append_literal(std::string& out, std::string_view text) {
  append_literal_header(out, text.size());
  const std::size_t begin = out.size();
  out.append(text);
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\0', '\x80');
}

void append_two_digits(std::string& out, std::int64_t value) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

void append_sequence_number(std::string& out, std::uint32_t number) {
  if (number == SequenceRange::largest) {
    out.push_back('*');
  } else {
    append_number(out, number);
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (forms[static_cast<unsigned char>(c)] == Form::escaped) out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_string(std::string& out, std::string_view text) {
  switch (form_of(text)) {
    case Form::plain:
      out.push_back('"');
      out.append(text);
      out.push_back('"');
      break;
    case Form::escaped: append_escaped(out, text); break;
    case Form::literal: append_literal(out, text); break;
  }
}

void append_nstring(std::string& out, const std::optional<std::string>& text) {
  if (text) {
    append_string(out, *text);
  } else {
    out.append("NIL");
  }
}

void append_astring(std::string& out, std::string_view text) {
  // The atom NIL would be right, but who reads it may take it for none.
  const bool is_atom =
      !text.empty() && std::ranges::all_of(text, is_astring_char) && !equal_ignoring_case(text, "NIL");
  if (is_atom) {
    out.append(text);
  } else {
    append_string(out, text);
  }
}

void append_mailbox(std::string& out, std::string_view name, Dialect dialect) {
  if (!dialect.utf8()) {
    append_astring(out, encode_mailbox_name(name));
  } else if (form_of(name) != Form::literal) {
    append_astring(out, name);
  } else if (name.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) {
    append_string(out, to_valid_utf8(name));
  } else {
    append_escaped(out, to_valid_utf8(name));
  }
}

void append_literal_header(std::string& out, std::uint64_t octets) {
  out.push_back('{');
  append_number(out, octets);
  out.append("}\r\n");
}

std::string_view name_of(SystemFlag flag) {
  switch (flag) {
    case SystemFlag::answered: return "\\Answered";
    case SystemFlag::flagged: return "\\Flagged";
    case SystemFlag::deleted: return "\\Deleted";
    case SystemFlag::seen: return "\\Seen";
    case SystemFlag::draft: return "\\Draft";
    case SystemFlag::recent: return "\\Recent";
  }
  return "";
}

void append_flags(std::string& out, const FlagList& flags) {
  Spaced list(out);
  for (const SystemFlag flag : flags.system) list.next().append(name_of(flag));
  for (const std::string& keyword : flags.keywords) list.next().append(keyword);
}

void append_internal_date(std::string& out, InternalDate date) {
  constexpr std::int64_t day_seconds = 86'400;
  const std::int64_t zone = date.zone_minutes;
  const std::int64_t least = days_since_1970({0, 1, 1}) * day_seconds;
  const std::int64_t most = days_since_1970({9999, 12, 31}) * day_seconds + day_seconds - 1;
  const std::int64_t local = std::clamp(std::clamp(date.unix_seconds, least, most) + zone * 60, least, most);
  const std::int64_t time = ((local % day_seconds) + day_seconds) % day_seconds;
  const Day day = day_since_1970((local - time) / day_seconds);

  out.push_back('"');
  append_two_digits(out, day.day);
  out.push_back('-');
  out.append(month_name(day.month));
  out.push_back('-');
  append_two_digits(out, day.year / 100);
  append_two_digits(out, day.year % 100);
  out.push_back(' ');
  append_two_digits(out, time / 3600);
  out.push_back(':');
  append_two_digits(out, time / 60 % 60);
  out.push_back(':');
  append_two_digits(out, time % 60);
  out.append(zone < 0 ? " -" : " +");
  append_two_digits(out, std::abs(zone) / 60);
  append_two_digits(out, std::abs(zone) % 60);
  out.push_back('"');
}

void append_sequence_set(std::string& out, const SequenceSet& set) {
  if (set.saved) out.push_back('$');
  const char* separator = "";
  for (const SequenceRange range : set.ranges) {
    out.append(separator);
    append_sequence_number(out, range.first);
    if (range.last != range.first) {
      out.push_back(':');
      append_sequence_number(out, range.last);
    }
    separator = ",";
  }
}

void append_sequence_set(std::string& out, std::span<const std::uint32_t> ascending) {
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t last = i;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    if (i != 0) out.push_back(',');
    append_number(out, ascending[i]);
    if (last != i) {
      out.push_back(':');
      append_number(out, ascending[last]);
    }
    i = last + 1;
  }
}

}  // namespace posthorn::imap
