// What nearly every file includes, read once a library rather than once a file (-Dprecompiled=true; ./dev
// sets it). Files still include all that they use: they build without this too.
#include <uv.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
