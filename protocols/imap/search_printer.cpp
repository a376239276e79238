#include "protocols/imap/calendar.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

#include <array>

namespace posthorn::imap {

namespace {

void append_day(std::string& out, Day day) {
  append_number(out, day.day);
  out.push_back('-');
  out.append(month_name(day.month));
  out.push_back('-');
  const std::string year = std::to_string(day.year);
  out.append(4 - year.size(), '0');
  out.append(year);
}

// A search tree as its keys; lists in parentheses but at the top.
class SearchPrinter {
 public:
  explicit SearchPrinter(std::string& out) : out_(out) {}

  void print_top(const SearchKey& key) {
    if (const auto* all = std::get_if<SearchAnd>(&key.key)) {
      print_keys(all->keys);
    } else {
      print(key);
    }
  }

 private:
  void print(const SearchKey& key) {
    std::visit([this](const auto& kind) { print(kind); }, key.key);
  }
  void print_keys(const std::vector<SearchKey>& keys) {
    const char* separator = "";
    for (const SearchKey& key : keys) {
      out_.append(separator);
      print(key);
      separator = " ";
    }
  }

  void print(const SearchAll&) { out_.append("ALL"); }
  void print(const SearchFlag& key) {
    static constexpr std::array<std::string_view, 6> names = {"ANSWERED", "FLAGGED", "DELETED",
                                                              "SEEN",     "DRAFT",   "RECENT"};
    if (key.flag == SystemFlag::recent) {
      out_.append(key.set ? "RECENT" : "OLD");
      return;
    }
    if (!key.set) out_.append("UN");
    out_.append(names[static_cast<std::size_t>(key.flag)]);
  }
  void print(const SearchKeyword& key) {
    out_.append(key.set ? "KEYWORD " : "UNKEYWORD ");
    out_.append(key.keyword);
  }
  void print(const SearchNumbers& key) {
    if (key.numbering == Numbering::uid) out_.append("UID ");
    append_sequence_set(out_, key.set);
  }
  void print(const SearchUidBound& key) {
    out_.append(key.side == SearchUidBound::Side::before ? "UIDBEFORE " : "UIDAFTER ");
    append_number(out_, key.uid);
  }
  void print(const SearchDate& key) {
    static constexpr std::array<std::string_view, 3> names = {"BEFORE ", "ON ", "SINCE "};
    static constexpr std::array<std::string_view, 3> kinds = {"", "SENT", "SAVED"};
    out_.append(kinds[static_cast<std::size_t>(key.of)]);
    out_.append(names[static_cast<std::size_t>(key.relation)]);
    append_day(out_, key.day);
  }
  void print(const SearchWithin& key) {
    out_.append(key.side == SearchWithin::Side::older ? "OLDER " : "YOUNGER ");
    append_number(out_, key.seconds);
  }
  void print(const SearchSize& key) {
    out_.append(key.relation == SearchSize::Relation::larger ? "LARGER " : "SMALLER ");
    append_number(out_, key.octets);
  }
  void print(const SearchText& key) {
    static constexpr std::array<std::string_view, 7> names = {"BCC ",     "BODY ", "CC ", "FROM ",
                                                              "SUBJECT ", "TEXT ", "TO "};
    out_.append(names[static_cast<std::size_t>(key.in)]);
    append_astring(out_, key.text);
  }
  void print(const SearchHeader& key) {
    out_.append("HEADER ");
    append_astring(out_, key.field);
    out_.push_back(' ');
    append_astring(out_, key.text);
  }
  void print(const SearchModSequence& key) {
    static constexpr std::array<std::string_view, 3> types = {" priv ", " shared ", " all "};
    out_.append("MODSEQ ");
    if (key.entry) {
      append_string(out_, key.entry->name);
      out_.append(types[static_cast<std::size_t>(key.entry->of)]);
    }
    append_number(out_, key.least);
  }
  void print(const SearchObjectId& key) {
    out_.append(key.of == SearchObjectId::Of::email ? "EMAILID " : "THREADID ");
    append_astring(out_, key.id);
  }
  void print(const SearchSaveDateSupported&) { out_.append("SAVEDATESUPPORTED"); }
  void print(const SearchAnd& key) {
    out_.push_back('(');
    print_keys(key.keys);
    out_.push_back(')');
  }
  void print(const SearchOr& key) {
    for (std::size_t i = 0; i + 1 < key.keys.size(); ++i) {
      out_.append("OR ");
      print(key.keys[i]);
      out_.push_back(' ');
    }
    print(key.keys.back());
  }
  void print(const SearchNot& key) {
    out_.append("NOT ");
    print(key.keys.front());
  }

  std::string& out_;
};

}  // namespace

void append_search_key(std::string& out, const SearchKey& key) { SearchPrinter(out).print_top(key); }

}  // namespace posthorn::imap
