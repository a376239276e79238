#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// What the load generator can do: each takes its arguments (main.cpp has their list) and prints what it
// measured as JSON.
namespace load {

using Arguments = std::span<const std::string>;

void deliver(Arguments given);
void log_in_often(Arguments given);
void download(Arguments given);
void run_script(Arguments given);
void append(Arguments given);
void push(Arguments given);
void open_idle(Arguments given);
void work_beside(Arguments given);
void mix(Arguments given);

std::uint64_t number(const std::string& text);

}  // namespace load
