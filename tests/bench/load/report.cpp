#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

namespace load {

void tell(std::initializer_list<Figure> figures) {
  const char* before = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.6f", before, name, value);
    before = ", ";
  }
  std::puts("}");
  std::fflush(stdout);
}

double quantile(std::vector<double>& samples, double share) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(samples.size())));
  return samples[std::max<std::size_t>(rank, 1) - 1];
}

Seconds together(unsigned count, const std::function<void(unsigned)>& client) {
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (unsigned number = 0; number < count; ++number) threads.emplace_back(client, number);
  for (std::thread& thread : threads) thread.join();
  return Clock::now() - began;
}

}  // namespace load
