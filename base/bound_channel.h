#pragma once

#include <string>
#include <string_view>

namespace posthorn {

// What a Stream is besides when an authentication inside it can be bound to it (RFC 5056), so that nobody in
// between can pass it on.
class BoundChannel {
 public:
  // The binding of a registered type, "tls-exporter" say; empty where this channel has none of it.
  virtual std::string channel_binding(std::string_view type) const = 0;

 protected:
  ~BoundChannel() = default;
};

}  // namespace posthorn
