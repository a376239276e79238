#pragma once

#include "base/result.h"
#include "message/structure.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

// An envelope or a structure looked at where it lies, in what encode() made (summary_codec.h): texts and
// lists are views into those octets, which have to outlive them. The members are those of Envelope and
// BodyPart.
namespace posthorn::message {

struct AddressView {
  std::optional<std::string_view> name;
  std::optional<std::string_view> route;
  std::optional<std::string_view> mailbox;
  std::optional<std::string_view> host;
};

struct ParameterView {
  std::string_view name;
  std::string_view value;
};

// A list in encoded form, whose elements are read as one goes through it.
template <class Element>
class EncodedList {
 public:
  class Iterator {
   public:
    using value_type = Element;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(const EncodedList& list) : left_(list.size_), rest_(list.octets_) { read(); }
    const Element& operator*() const { return element_; }
    Iterator& operator++() {
      --left_;
      read();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return left_ == 0; }

   private:
    void read();  // for the elements that are lists here

    std::size_t left_;
    std::string_view rest_;
    Element element_{};
  };

  EncodedList() = default;
  // `octets` are those of `size` elements, and sound.
  EncodedList(std::size_t size, std::string_view octets) : size_(size), octets_(octets) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const Element front() const { return *begin(); }
  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const { return std::default_sentinel; }
  // Of the same elements, which have one form only.
  bool operator==(const EncodedList&) const = default;

 private:
  std::size_t size_ = 0;
  std::string_view octets_;
};

struct EnvelopeView {
  std::optional<std::string_view> date;
  std::optional<std::string_view> subject;
  EncodedList<AddressView> from;
  EncodedList<AddressView> sender;
  EncodedList<AddressView> reply_to;
  EncodedList<AddressView> to;
  EncodedList<AddressView> cc;
  EncodedList<AddressView> bcc;
  std::optional<std::string_view> in_reply_to;
  std::optional<std::string_view> message_id;
};

struct DispositionView {
  std::string_view type;
  EncodedList<ParameterView> parameters;
};

struct BodyPartView {
  std::string_view type;
  std::string_view subtype;
  EncodedList<ParameterView> parameters;
  std::optional<std::string_view> id;
  std::optional<std::string_view> description;
  std::optional<std::string_view> encoding;
  std::optional<std::string_view> md5;
  std::optional<DispositionView> disposition;
  EncodedList<std::string_view> languages;
  std::optional<std::string_view> location;

  std::uint64_t header_offset = 0;
  std::uint64_t header_size = 0;
  std::uint64_t body_offset = 0;
  std::uint64_t body_size = 0;
  std::uint64_t header_lines = 0;
  std::uint64_t body_lines = 0;

  std::vector<BodyPartView> children;
  std::unique_ptr<EnvelopeView> envelope;  // few have one

  bool is(std::string_view lower_type, std::string_view lower_subtype) const;
  bool is_multipart() const;
  bool is_message() const;
};

// The envelope alone, or the structure alone, of what encode() made. The rest of the octets is not looked at.
// Errors: as decode().
Result<EnvelopeView> view_envelope(std::string_view encoded);
Result<BodyPartView> view_structure(std::string_view encoded);

// The same with octets of its own.
Envelope to_envelope(const EnvelopeView& view);
BodyPart to_body_part(const BodyPartView& view);

}  // namespace posthorn::message
