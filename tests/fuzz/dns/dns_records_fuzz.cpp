// Hosts' names are what a host's name can be; texts are no longer than what they came in.
#include "dns/records.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn::dns;

namespace {

void check_host(const std::string& host) {
  require(host.size() <= 253, "a name's length");
  require(!host.starts_with('.') && !host.ends_with('.') && !host.contains(".."), "no empty label");
  require(host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos,
          "characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rdata = as_text(data, size);
  if (const auto host = parse_host(rdata)) check_host(*host);
  if (const auto exchange = parse_mx(rdata)) check_host(exchange->host);
  if (const auto text = parse_txt(rdata)) require(text->size() < size, "a TXT's size");
  if (const auto association = parse_tlsa(rdata))
    require(association->data.size() + 3 == size, "a TLSA's size");
  if (const auto address = parse_address(rdata)) require(size == 4 || size == 16, "an address's size");
  return 0;
}
