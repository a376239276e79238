#pragma once

#include "message/address.h"
#include "message/structure.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What SEARCH by header fields looks into (RFC 3501 §6.4.4, FROM, SUBJECT, HEADER and so on): the texts as a
// person reads them, in UTF-8, not folded for search yet. Pure.
namespace posthorn::message {

// The fields that the envelope has.
enum class EnvelopeField : std::uint8_t { bcc, cc, from, to, subject, message_id, in_reply_to, date };
template <class Value>
using OfEnvelopeFields = std::array<Value, 8>;

// Of a field, this many octets are looked into; of addresses, all.
constexpr std::size_t longest_searched_field = 65'536;

// Of the fields with addresses; null for others.
const std::vector<Address>* addresses_of(EnvelopeField field, const Envelope& envelope);
// Of the other fields, as it is in the header; null where the message has none.
const std::string* value_of(EnvelopeField field, const Envelope& envelope);

// An address as "Name <mailbox@host>", a group's start as "Name:", its end as nothing.
std::string readable(const Address& address);
// A value of the envelope, which is on one line, without its encoded words.
std::string readable_value(std::string_view value);
// The same of a field's value as HeaderReader gives it.
std::string readable_field_value(std::string_view value);

}  // namespace posthorn::message
