// Decoded text is UTF-8, and text without "=?" in UTF-8 stays as it is; parameters decode one by one as
// together.
#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/mime_fields.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text(data, size);
  const auto decoded = decode_encoded_words(text);
  require(is_valid_utf8(decoded), "UTF-8");
  if (!text.contains("=?")) require(decoded == guess_utf8(text), "plain text");

  const auto content = parse_content_type(text);
  if (!content) return 0;
  require(!content->type.empty() && !content->subtype.empty(), "type and subtype");
  const auto parameters = decode_parameters(content->parameters);
  for (const auto& parameter : parameters) {
    require(is_valid_utf8(parameter.value), "UTF-8 in parameters");
    require(parameter_value(content->parameters, parameter.name) == parameter.value, "one by one");
  }
  return 0;
}
