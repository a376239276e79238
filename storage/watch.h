#pragma once

#include "base/handle.h"
#include "base/loop.h"

#include <uv.h>

#include <functional>
#include <string>
#include <vector>

namespace posthorn::storage {

// Calls back when something happens in one of some directories, a short while after the first of a burst.
// Where the system can't watch (its number of watches is used up), nothing is called.
class Watch {
 public:
  Watch(Loop& loop, const std::vector<std::string>& directories, std::function<void()> callback);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Timer timer_;
  std::vector<UvHandle<uv_fs_event_t>> handles_;
};

}  // namespace posthorn::storage
