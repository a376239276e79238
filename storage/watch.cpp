#include "storage/watch.h"

namespace posthorn::storage {
namespace {

constexpr Milliseconds burst{50};

}  // namespace

Watch::Watch(Loop& loop, const std::vector<std::string>& directories, std::function<void()> callback)
    : timer_(loop, std::move(callback)) {
  timer_.unreference();
  for (const std::string& directory : directories) {
    auto* raw = new uv_fs_event_t;
    if (uv_fs_event_init(loop.raw(), raw) != 0) {
      delete raw;
      continue;
    }
    UvHandle<uv_fs_event_t> handle(raw);
    handle->data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(raw));
    const auto on_event = [](uv_fs_event_t* event, const char*, int, int) {
      auto* watch = static_cast<Watch*>(event->data);
      if (!watch->timer_.active()) watch->timer_.start(burst);
    };
    if (uv_fs_event_start(raw, on_event, directory.c_str(), 0) == 0) handles_.push_back(std::move(handle));
  }
}

}  // namespace posthorn::storage
