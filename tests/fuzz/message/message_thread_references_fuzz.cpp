// Message ids are in normal form, bounded, and read again as themselves; lists hold each id once.
#include "message/thread_references.h"
#include "tests/fuzz/message/require.h"

#include <algorithm>

using namespace posthorn::message;

namespace {

void check(std::vector<std::string> ids, const std::optional<std::string>& own) {
  require(ids.size() <= first_references_kept + last_references_kept, "few");
  require(std::ranges::find(ids, own) == ids.end(), "not its own");
  std::ranges::sort(ids);
  require(std::ranges::adjacent_find(ids) == ids.end(), "each once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = as_text(data, size);
  for (const auto& id : parse_message_ids(value)) {
    require(!id.empty() && id.size() <= 998, "size");
    require(std::ranges::none_of(id, [](char c) { return (c >= '\0' && c <= ' ') || c == '\x7f'; }),
            "one word");
    const bool plain = id.find_first_of("<>\"()") == std::string::npos;
    if (plain) require(parse_message_ids("<" + id + ">") == std::vector{id}, "normal form");
  }
  for (const auto& header : {std::string(value), "References: " + std::string(value)}) {
    const auto links = thread_references(parse_summary(header));
    check(links.in_reply_to, links.message_id);
    check(links.references, links.message_id);
    require(links.ancestors().size() <= first_references_kept + last_references_kept, "few ancestors");
  }
  return 0;
}
