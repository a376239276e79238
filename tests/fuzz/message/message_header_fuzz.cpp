// Fields are pieces of the block, in order; ONLY and EXCEPT share the fields between them, and filtering what
// was filtered changes nothing.
#include "message/header.h"
#include "tests/fuzz/message/require.h"

#include <array>

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto block = as_text(data, size);
  HeaderReader reader(block);
  const char* at = block.data();
  std::size_t fields = 0;
  while (const auto field = reader.next()) {
    require(field->raw.data() >= at, "fields in order");
    at = field->raw.data() + field->raw.size();
    require(at <= block.data() + block.size(), "field inside the block");
    require(field->raw.starts_with(field->name) && !field->name.empty(), "name begins the field");
    require(field->raw.contains(field->value), "value inside the field");
    require(unfold(field->value).find_first_of(std::string_view("\n\0", 2)) == std::string::npos, "one line");
    ++fields;
  }
  const std::array<std::string, 2> names = {"to", "subject"};
  const auto only = filter_fields(block, names, FieldFilter::only);
  const auto except = filter_fields(block, names, FieldFilter::except);
  const auto count = [](std::string_view text) {
    std::size_t number = 0;
    for (HeaderReader each(text); each.next();) ++number;
    return number;
  };
  require(count(only) + count(except) == fields, "each field in one of both");
  require(filter_fields(only, names, FieldFilter::only) == only, "filtering twice is filtering once");
  require(filter_fields(except, names, FieldFilter::except) == except, "filtering twice is filtering once");
  return 0;
}
