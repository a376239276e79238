#pragma once

#include <string>

namespace posthorn::tls {

// The reasons in this thread's OpenSSL error queue, "no shared cipher; …"; the queue is empty afterwards.
std::string openssl_error();

}  // namespace posthorn::tls
