#pragma once

#include <cstdint>
#include <string>

// Numbers as the forms of summaries have them; summary_form.h reads them.
namespace posthorn::message {

// Little-endian, base 128, in the shortest form.
inline void append_number(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

// Numbers near 0 of either sign as small ones.
inline std::uint64_t zigzag(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1U ^ static_cast<std::uint64_t>(number >> 63U);
}
inline std::int64_t unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1U) ^ -static_cast<std::int64_t>(number & 1U);
}

}  // namespace posthorn::message
