#include "message/envelope.h"

#include "message/header.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace posthorn::message {
namespace {

struct Field {
  std::string_view name;
  std::optional<std::string> Envelope::* text = nullptr;
  std::vector<Address> Envelope::* addresses = nullptr;
  bool joined = false;  // all fields of that name count, not the first alone
};

constexpr auto fields = std::to_array<Field>({
    {"date", &Envelope::date},
    {"subject", &Envelope::subject},
    {"from", nullptr, &Envelope::from},
    {"sender", nullptr, &Envelope::sender},
    {"reply-to", nullptr, &Envelope::reply_to},
    {"to", nullptr, &Envelope::to, true},
    {"cc", nullptr, &Envelope::cc, true},
    {"bcc", nullptr, &Envelope::bcc, true},
    {"in-reply-to", &Envelope::in_reply_to},
    {"message-id", &Envelope::message_id},
});

}  // namespace

Envelope parse_envelope(std::string_view block, std::size_t max_addresses) {
  Envelope envelope;
  std::size_t left = max_addresses;
  HeaderReader reader(block);
  while (const auto field = reader.next()) {
    const auto known = std::ranges::find_if(
        fields, [&](const Field& f) { return equal_ignoring_case(f.name, field->name); });
    if (known == fields.end()) continue;
    if (known->text) {
      auto& text = envelope.*known->text;
      if (!text || text->empty()) text = unfold(field->value);
      continue;
    }
    auto& addresses = envelope.*known->addresses;
    if (!addresses.empty() && !known->joined) continue;
    auto more = parse_addresses(field->value, left);
    left -= std::min(left, more.size());
    std::ranges::move(more, std::back_inserter(addresses));
  }
  if (envelope.sender.empty()) envelope.sender = envelope.from;
  if (envelope.reply_to.empty()) envelope.reply_to = envelope.from;
  return envelope;
}

}  // namespace posthorn::message
