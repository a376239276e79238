#pragma once

#include <uv.h>

#include <memory>

namespace posthorn {

// std::unique_ptr for C objects with a free function:  using Ssl = Owned<SSL, SSL_free>;
template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;

// libuv uses a handle's memory until the close callback: the deleter closes now, frees then.
template <class Handle>
struct CloseHandle {
  void operator()(Handle* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};
template <class Handle>
using UvHandle = std::unique_ptr<Handle, CloseHandle<Handle>>;

}  // namespace posthorn
