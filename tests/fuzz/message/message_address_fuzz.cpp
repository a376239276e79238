// Lists keep their limit, groups are closed, texts have neither NUL nor line ends; and what is printed in the
// plain form parses to the same.
#include "message/address.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn::message;

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_plain_host(const std::string& host) {
  return !host.empty() &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
             std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = as_text(data, size);
  const auto addresses = parse_addresses(value);
  bool in_group = false;
  for (const auto& address : addresses) {
    for (const auto* piece : {&address.name, &address.route, &address.mailbox, &address.host}) {
      require(piece->value_or("").find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos,
              "one line");
    }
    require(!address.name || !address.name->empty(), "no empty name");
    if (address.is_group_start()) {
      require(!in_group && !address.mailbox->empty(), "groups do not nest and have names");
      in_group = true;
    } else if (address.is_group_end()) {
      require(in_group && address == Address{}, "a group's end has its start");
      in_group = false;
    } else {
      require(address.mailbox && address.host, "a mailbox has both parts");
      if (!is_plain_host(*address.host)) continue;
      const auto printed =
          quoted(address.name.value_or("")) + " <" + quoted(*address.mailbox) + '@' + *address.host + '>';
      auto expected = address;
      expected.route.reset();
      require(parse_addresses(printed) == std::vector{expected}, "printed and parsed");
    }
  }
  require(!in_group, "every group ends");
  require(parse_addresses(value, 2).size() <= 3, "limit");
  return 0;
}
