#include "message/search_fields.h"

#include "message/encoded_word.h"
#include "message/header.h"

#include <optional>

namespace posthorn::message {

const std::vector<Address>* addresses_of(EnvelopeField field, const Envelope& envelope) {
  switch (field) {
    case EnvelopeField::bcc: return &envelope.bcc;
    case EnvelopeField::cc: return &envelope.cc;
    case EnvelopeField::from: return &envelope.from;
    case EnvelopeField::to: return &envelope.to;
    default: return nullptr;
  }
}

const std::string* value_of(EnvelopeField field, const Envelope& envelope) {
  const auto there = [](const std::optional<std::string>& value) { return value ? &*value : nullptr; };
  switch (field) {
    case EnvelopeField::subject: return there(envelope.subject);
    case EnvelopeField::message_id: return there(envelope.message_id);
    case EnvelopeField::in_reply_to: return there(envelope.in_reply_to);
    case EnvelopeField::date: return there(envelope.date);
    default: return nullptr;
  }
}

std::string readable(const Address& address) {
  if (address.is_group_end()) return {};
  if (address.is_group_start()) return decode_encoded_words(*address.mailbox) + ":";
  std::string text;
  if (address.name) text = decode_encoded_words(*address.name) + " ";
  text += "<" + address.mailbox.value_or("");
  if (address.host && !address.host->empty()) text += "@" + *address.host;
  return text + ">";
}

std::string readable_value(std::string_view value) {
  return decode_encoded_words(value.substr(0, longest_searched_field));
}

std::string readable_field_value(std::string_view value) {
  return decode_encoded_words(unfold(value.substr(0, longest_searched_field)));
}

}  // namespace posthorn::message
