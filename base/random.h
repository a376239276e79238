#pragma once

#include <cstddef>
#include <string>

namespace posthorn {

// Unpredictable octets, injected so that tests can repeat themselves. Safe from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* bytes, std::size_t size) = 0;

  // `octets` random octets as lower-case hexadecimal, twice as many characters.
  std::string hex(std::size_t octets);
};

class SystemRandom final : public Random {
 public:
  void fill(void* bytes, std::size_t size) override;
};

}  // namespace posthorn
