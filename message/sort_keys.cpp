#include "message/sort_keys.h"

#include "message/base_subject.h"
#include "message/encoded_word.h"
#include "message/number_codec.h"
#include "message/summary_codec.h"
#include "message/summary_form.h"
#include "message/unicode_casemap.h"

#include <algorithm>
#include <vector>

namespace posthorn::message {
namespace {

// Version 1: version, [date sent] as an optional text of a zigzag number, then the texts in their order.

// RFC 5256 §3: addr-mailbox of the first address, be it the start of a group.
std::string local_part(const std::vector<Address>& addresses) {
  if (addresses.empty() || !addresses.front().mailbox) return {};
  return decode_encoded_words(*addresses.front().mailbox);
}

// RFC 5957 §3.
std::string display(const std::vector<Address>& addresses) {
  if (addresses.empty()) return {};
  const Address& address = addresses.front();
  std::string name = decode_encoded_words(address.name.value_or(""));
  if (!name.empty() || !address.mailbox) return name;
  std::string text = decode_encoded_words(*address.mailbox);
  if (address.host) text += "@" + decode_encoded_words(*address.host);
  return text;
}

Error corrupt() { return {Errc::corrupt, "sort keys that can't be read"}; }

}  // namespace

OfSortTexts<std::string> sort_texts(const Envelope& envelope) {
  return {base_subject(envelope.subject.value_or("")).text,
          local_part(envelope.from),
          local_part(envelope.to),
          local_part(envelope.cc),
          display(envelope.from),
          display(envelope.to)};
}

std::string encode_sort_keys(const Summary& summary) {
  std::string out(1, sort_keys_version);
  append_number(out, summary.date_sent ? 1 : 0);
  if (summary.date_sent) append_number(out, zigzag(summary.date_sent->utc_seconds));
  for (const std::string& text : sort_texts(summary.envelope)) {
    std::string mapped = unicode_casemap(text);
    std::erase(mapped, '\0');
    mapped.resize(std::min(mapped.size(), max_sort_text));
    append_number(out, mapped.size());
    out += mapped;
  }
  return out;
}

Result<std::string> sort_keys_of(std::string_view encoded_summary) {
  return encode_sort_keys(TRY(decode(encoded_summary)));
}

Result<SortKeys> view_sort_keys(std::string_view encoded) {
  SummaryReader in(encoded);
  if (in.octet() != sort_keys_version) return std::unexpected(corrupt());
  SortKeys keys;
  const std::uint64_t has_date = in.number();
  if (has_date > 1) in.fail();
  if (has_date == 1) keys.sent = unzigzag(in.number());
  for (std::string_view& text : keys.texts) {
    text = in.text();
    if (text.size() > max_sort_text || text.contains('\0')) in.fail();
  }
  if (!in.ok() || !in.at_end()) return std::unexpected(corrupt());
  return keys;
}

}  // namespace posthorn::message
