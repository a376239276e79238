#include "storage/state_file.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace posthorn::storage {
namespace {

constexpr int present_version = 1;
constexpr Uid highest_uid_next = 0x80000000;
constexpr ModSeq highest_modseq = (ModSeq{1} << 63U) - 1;

constexpr std::array<std::pair<SpecialUse, std::string_view>, 8> special_uses{{
    {SpecialUse::all, "\\All"},
    {SpecialUse::archive, "\\Archive"},
    {SpecialUse::drafts, "\\Drafts"},
    {SpecialUse::flagged, "\\Flagged"},
    {SpecialUse::junk, "\\Junk"},
    {SpecialUse::sent, "\\Sent"},
    {SpecialUse::trash, "\\Trash"},
    {SpecialUse::important, "\\Important"},
}};

char lower(char each) { return each >= 'A' && each <= 'Z' ? static_cast<char>(each + ('a' - 'A')) : each; }

bool equal_in_any_case(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

template <class Number>
Result<Number> number(std::string_view text, Number lowest, Number highest) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest) {
    return malformed("number in a state file");
  }
  return value;
}

struct Line {
  std::string_view key;
  std::string_view value;
  std::string_view whole;
};

// The lines after the first, which must be `kind` and a version that is known here. What follows the last
// line end does not count: a file is written whole, so there is nothing.
Result<std::vector<Line>> lines_of(std::string_view text, std::string_view kind) {
  std::vector<Line> lines;
  bool first = true;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t space = whole.find(' ');
    Line line{whole.substr(0, space), {}, whole};
    if (space != std::string_view::npos) line.value = whole.substr(space + 1);
    if (!first) {
      lines.push_back(line);
      continue;
    }
    first = false;
    if (line.key != kind) return malformed("not a " + std::string(kind) + " file");
    const int version = TRY(number<int>(line.value, 1, 1'000'000));
    if (version > present_version) {
      return failure(Errc::unavailable, std::string(kind) + " file of version " + std::to_string(version) +
                                            ": written by a newer Posthorn");
    }
  }
  if (first || !text.empty()) return malformed("cut " + std::string(kind) + " file");
  return lines;
}

std::string heading(std::string_view kind) {
  return std::string(kind) + " " + std::to_string(present_version) + "\n";
}

void add_line(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append(" ").append(value).append("\n");
}

Result<> take_keyword(std::vector<std::string>& keywords, std::string_view value) {
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos) return malformed("keyword line");
  const auto place = TRY(number<std::size_t>(value.substr(0, space), 0, KeywordSet::capacity - 1));
  if (place != keywords.size() || !is_keyword(value.substr(space + 1))) return malformed("keyword line");
  keywords.emplace_back(value.substr(space + 1));
  return {};
}

}  // namespace

std::string_view name_of(SpecialUse use) {
  const auto found = std::ranges::find(special_uses, use, &std::pair<SpecialUse, std::string_view>::first);
  return found == special_uses.end() ? std::string_view() : found->second;
}

SpecialUse special_use_of(std::string_view name) {
  for (const auto& [use, text] : special_uses) {
    if (equal_in_any_case(text, name)) return use;
  }
  return SpecialUse::none;
}

bool is_keyword(std::string_view keyword) {
  if (keyword.empty() || keyword.size() > 255) return false;
  return std::ranges::all_of(keyword, [](char each) {
    return each > 0x20 && each < 0x7f && std::string_view("(){%*\"\\]").find(each) == std::string_view::npos;
  });
}

std::optional<std::size_t> find_keyword(const std::vector<std::string>& keywords, std::string_view keyword) {
  for (std::size_t place = 0; place < keywords.size(); ++place) {
    if (equal_in_any_case(keywords[place], keyword)) return place;
  }
  return std::nullopt;
}

Result<FolderState> parse_folder_state(std::string_view text) {
  FolderState state;
  // Of lines that are missing nobody knows what they said: a lower UIDNEXT must not be made up.
  bool has_settled = false;
  bool has_uid_next = false;
  bool has_modseq = false;
  for (const Line& line : TRY(lines_of(text, "posthorn-mailbox"))) {
    if (line.key == "uid-validity") {
      state.uid_validity = TRY(number<std::uint32_t>(line.value, 1, highest_uid_next - 1));
    } else if (line.key == "mailbox-id") {
      state.id = TRY(number<MailboxId>(line.value, 1, highest_uid_next - 1));
    } else if (line.key == "special-use") {
      state.special_use = special_use_of(line.value);
    } else if (line.key == "settled") {
      if (line.value != "yes" && line.value != "no") return malformed("settled line");
      state.settled = line.value == "yes";
      has_settled = true;
    } else if (line.key == "uid-next") {
      state.uid_next = TRY(number<Uid>(line.value, 1, highest_uid_next));
      has_uid_next = true;
    } else if (line.key == "modseq") {
      state.modseq = TRY(number<ModSeq>(line.value, 1, highest_modseq));
      has_modseq = true;
    } else if (line.key == "keyword") {
      TRY(take_keyword(state.keywords, line.value));
    } else {
      state.others.emplace_back(line.whole);
    }
  }
  const bool whole = state.uid_validity != 0 && state.id != 0 && has_settled && has_uid_next && has_modseq;
  if (!whole) return malformed("state file without all of its lines");
  return state;
}

std::string to_string(const FolderState& state) {
  std::string text = heading("posthorn-mailbox");
  add_line(text, "uid-validity", std::to_string(state.uid_validity));
  add_line(text, "mailbox-id", std::to_string(state.id));
  if (state.special_use != SpecialUse::none) add_line(text, "special-use", name_of(state.special_use));
  add_line(text, "settled", state.settled ? "yes" : "no");
  add_line(text, "uid-next", std::to_string(state.uid_next));
  add_line(text, "modseq", std::to_string(state.modseq));
  for (std::size_t place = 0; place < state.keywords.size(); ++place) {
    add_line(text, "keyword", std::to_string(place) + " " + state.keywords[place]);
  }
  for (const std::string& line : state.others) text += line + "\n";
  return text;
}

Result<AccountState> parse_account_state(std::string_view text) {
  AccountState state;
  for (const Line& line : TRY(lines_of(text, "posthorn-account"))) {
    if (line.key == "counter") {
      state.counter = TRY(number<std::uint32_t>(line.value, 0, highest_uid_next - 1));
    } else if (line.key == "mailboxes-made") {
      state.mailboxes_made = line.value == "yes";
    } else if (line.key == "shared") {
      state.shared = line.value == "yes";
    } else {
      state.others.emplace_back(line.whole);
    }
  }
  return state;
}

std::string to_string(const AccountState& state) {
  std::string text = heading("posthorn-account");
  add_line(text, "counter", std::to_string(state.counter));
  add_line(text, "mailboxes-made", state.mailboxes_made ? "yes" : "no");
  if (state.shared) add_line(text, "shared", "yes");
  for (const std::string& line : state.others) text += line + "\n";
  return text;
}

Result<FurtherKeywords> parse_further_keywords(std::string_view text) {
  FurtherKeywords keywords;
  for (const Line& line : TRY(lines_of(text, "posthorn-keywords"))) {
    const auto uid = TRY(number<Uid>(line.key, 1, highest_uid_next - 1));
    KeywordSet& set = keywords[uid];
    std::string_view rest = line.value;
    while (true) {
      const std::size_t space = rest.find(' ');
      set.add(TRY(number<std::size_t>(rest.substr(0, space), 0, KeywordSet::capacity - 1)));
      if (space == std::string_view::npos) break;
      rest.remove_prefix(space + 1);
    }
  }
  return keywords;
}

std::string to_string(const FurtherKeywords& keywords) {
  std::string text = heading("posthorn-keywords");
  for (const auto& [uid, set] : keywords) {
    if (set.empty()) continue;
    text += std::to_string(uid);
    for (std::size_t place = 0; place < KeywordSet::capacity; ++place) {
      if (set.has(place)) text += " " + std::to_string(place);
    }
    text += "\n";
  }
  return text;
}

Result<std::vector<std::string>> parse_subscriptions(std::string_view text) {
  std::vector<std::string> names;
  for (const Line& line : TRY(lines_of(text, "posthorn-subscriptions"))) {
    if (!line.whole.empty()) names.emplace_back(line.whole);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string subscriptions_to_string(const std::vector<std::string>& names) {
  std::string text = heading("posthorn-subscriptions");
  for (const std::string& name : names) text += name + "\n";
  return text;
}

}  // namespace posthorn::storage
