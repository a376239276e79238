// What a name says, its printed form says too; only our own notation prints to itself.
#include "storage/maildir_name.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::storage;
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  const MaildirName parsed = parse_maildir_name(name);
  const std::string printed = to_string(parsed);
  if (parse_maildir_name(printed) != parsed) std::abort();
  if (parsed.is_ours(name) && printed != name) std::abort();
  if (parsed.uid && (*parsed.uid == 0 || *parsed.uid > 0x7fffffff)) std::abort();
  // Letters to flags and back keep what the letters mean.
  const std::string letters = parsed.info.value_or("");
  const Flags flags = flags_of_letters(letters);
  const std::string again = letters_of_flags(flags, letters);
  if (flags_of_letters(again) != flags || letters_of_flags(flags, again) != again) std::abort();
  return 0;
}
