#include "server/control.h"

#include <nlohmann/json.hpp>

namespace posthorn::server::control {
namespace {

using nlohmann::json;

std::string line_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// An object of our version.
Result<json> parse(std::string_view line) {
  json value = json::parse(line, nullptr, false);
  if (!value.is_object()) return malformed("not a JSON object");
  const auto found = value.find("version");
  if (found == value.end() || !found->is_number_integer()) return malformed("no version");
  if (*found != version) {
    return failure(Errc::unavailable,
                   "the server speaks another version of the control protocol; restart it");
  }
  return value;
}

// A list of strings; none where it is missing.
Result<std::vector<std::string>> texts(const json& value, const char* name) {
  std::vector<std::string> list;
  const auto found = value.find(name);
  if (found == value.end()) return list;
  if (!found->is_array()) return malformed(std::string(name) + " are not a list");
  for (const json& entry : *found) {
    if (!entry.is_string()) return malformed(std::string("one of the ") + name + " is not a string");
    list.push_back(entry.get<std::string>());
  }
  return list;
}

}  // namespace

std::string Request::argument(const std::string& name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::string() : found->second;
}

std::optional<std::string> Request::given(const std::string& name) const {
  const auto found = arguments.find(name);
  if (found == arguments.end()) return {};
  return found->second;
}

std::string print(const Request& request) {
  return line_of({{"version", version}, {"command", request.command}, {"arguments", request.arguments}});
}

std::string print(const Reply& reply) {
  if (!reply.ok) return line_of({{"version", version}, {"ok", false}, {"error", reply.error}});
  json value{{"version", version}, {"ok", true}, {"lines", reply.lines}};
  if (!reply.warnings.empty()) value["warnings"] = reply.warnings;
  return line_of(value);
}

Result<Request> parse_request(std::string_view line) {
  const json value = TRY(parse(line));
  Request request;
  const auto command = value.find("command");
  if (command == value.end() || !command->is_string()) return malformed("no command");
  request.command = command->get<std::string>();
  const auto arguments = value.find("arguments");
  if (arguments == value.end()) return request;
  if (!arguments->is_object()) return malformed("arguments are not an object");
  for (const auto& [name, argument] : arguments->items()) {
    if (!argument.is_string()) return malformed("an argument is not a string");
    request.arguments[name] = argument.get<std::string>();
  }
  return request;
}

Result<Reply> parse_reply(std::string_view line) {
  const json value = TRY(parse(line));
  Reply reply;
  const auto ok = value.find("ok");
  if (ok == value.end() || !ok->is_boolean()) return malformed("no outcome");
  reply.ok = ok->get<bool>();
  if (const auto error = value.find("error"); error != value.end() && error->is_string()) {
    reply.error = error->get<std::string>();
  }
  reply.lines = TRY(texts(value, "lines"));
  reply.warnings = TRY(texts(value, "warnings"));
  return reply;
}

}  // namespace posthorn::server::control
