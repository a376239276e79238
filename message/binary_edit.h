#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace posthorn::message {

// A stretch of a stored message with binary parts that clients see in another form, since no NUL may reach
// them (RFC 3516 §6; binary_view.h).
struct BinaryEdit {
  std::uint64_t offset = 0;         // among the stored octets
  std::uint64_t size = 0;           // of the stretch; may be 0 where there is a text
  std::optional<std::string> text;  // what stands in its place; none: the stretch in base64

  bool operator==(const BinaryEdit&) const = default;
};

}  // namespace posthorn::message
