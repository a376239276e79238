#pragma once

#include "client.h"

#include <functional>
#include <initializer_list>

namespace load {

struct Figure {
  template <class Number>
  Figure(const char* called, Number number) : name(called), value(static_cast<double>(number)) {}
  const char* name;
  double value;
};

// One line of JSON on standard output: {"name": number, ...}.
void tell(std::initializer_list<Figure> figures);

// The sample that a share of all (0.5, 0.99) don't exceed; 0 without samples. Puts them in order.
double quantile(std::vector<double>& samples, double share);

// Runs `client` in so many threads, with their numbers; how long all of them took.
Seconds together(unsigned count, const std::function<void(unsigned)>& client);

}  // namespace load
