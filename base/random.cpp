#include "base/random.h"

#include <cerrno>
#include <cstdlib>
#include <sys/random.h>

namespace posthorn {

std::string Random::hex(std::size_t octets) {
  constexpr char digits[] = "0123456789abcdef";
  std::string raw(octets, '\0');
  fill(raw.data(), raw.size());
  std::string text;
  text.reserve(octets * 2);
  for (const char octet : raw) {
    const auto value = static_cast<unsigned char>(octet);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

void SystemRandom::fill(void* bytes, std::size_t size) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    // Without randomness there are no safe names or salts to be had: better to end than to guess.
    if (got < 0 && errno != EINTR) std::abort();
    if (got <= 0) continue;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace posthorn
