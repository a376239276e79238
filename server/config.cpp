#include "server/config.h"

#include "base/file_system.h"

#include <algorithm>
#include <array>
#include <unistd.h>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace posthorn::server {
namespace {

constexpr std::size_t file_limit = 1U << 20U;
// Texts in a printed configuration are folded here.
constexpr std::size_t text_width = 100;

unsigned line_of(const toml::source_region& source) { return static_cast<unsigned>(source.begin.line); }

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table: return "a table";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    default: return "something else";
  }
}

Value value_of(const toml::node& node) {
  Value value;
  value.line = line_of(node.source());
  if (const auto* text = node.as_string()) {
    value.data = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.data = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.data = flag->get();
  } else if (const auto* array = node.as_array()) {
    std::vector<Value> list;
    for (const toml::node& item : *array) list.push_back(value_of(item));
    value.data = std::move(list);
  } else {
    value.data = Value::Other{std::string(name_of(node.type()))};
  }
  return value;
}

// A name as TOML has it: bare, or quoted where it must be.
std::string shown(std::string_view name) {
  const bool bare = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string(name) : toml_string(name);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

// "[section] key: " of a line that TOML does not understand, as far as it can be told.
std::string place_of(std::string_view content, unsigned line) {
  std::string section;
  std::string key;
  for (unsigned number = 1; number <= line; ++number) {
    const std::string_view text = trimmed(content.substr(0, content.find('\n')));
    const std::size_t equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    key.clear();
    if (text.starts_with('[') && text.ends_with(']') && equals == std::string_view::npos) {
      section = shown(trimmed(text.substr(1, text.size() - 2)));
    } else if (equals != std::string_view::npos && shown(name) == name) {
      key = name;
    }
    const std::size_t end = content.find('\n');
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
  }
  if (section.empty() || key.empty()) return {};
  return "[" + section + "] " + key + ": ";
}

class Reader {
 public:
  explicit Reader(Loaded& loaded) : loaded_(loaded) {}

  void read(const toml::table& root) {
    for (const auto& [name, node] : root) {
      const toml::table* section = node.as_table();
      if (section == nullptr) {
        complain(line_of(name.source()), shown(name.str()) + ": expected a key inside a [section]");
      } else if (!loaded_.settings->keys().has_section(name.str())) {
        complain(line_of(section->source()), "[" + shown(name.str()) + "]: unknown section; " + sections());
      } else {
        read_section(name.str(), *section);
      }
    }
  }

  void complain(unsigned line, const std::string& text) {
    problems_.emplace_back(line, loaded_.settings->file() + ":" + std::to_string(line) + ": " + text);
  }

  // All problems in the order of the file's lines.
  void finish() {
    std::ranges::sort(problems_);
    for (auto& [line, text] : problems_) loaded_.problems.push_back(std::move(text));
  }

 private:
  void read_section(std::string_view section, const toml::table& table) {
    for (const auto& [name, node] : table) {
      Key* key = loaded_.settings->keys().find(section, name.str());
      const unsigned line = line_of(name.source());
      const std::string where = "[" + std::string(section) + "] " + shown(name.str()) + ": ";
      if (key == nullptr) {
        complain(line, where + "unknown key" + likely(section, name.str()));
        continue;
      }
      const Value value = value_of(node);
      key->set_line(line);
      if (const auto wrong = key->accept(value)) {
        const unsigned at = wrong->got->line != 0 ? wrong->got->line : line;
        complain(at, where + "expected " + wrong->expected + ", got " + wrong->got->shown());
      }
    }
  }

  std::string sections() const {
    std::string list = "expected one of";
    std::string_view last;
    for (const Key* key : loaded_.settings->keys().all()) {
      if (key->section() != last) list += " [" + std::string(key->section()) + "]";
      last = key->section();
    }
    return list;
  }

  // A key of this name may stand in another section.
  std::string likely(std::string_view section, std::string_view name) const {
    std::string keys;
    for (const Key* key : loaded_.settings->keys().all()) {
      if (key->name() == name) return "; it belongs in [" + std::string(key->section()) + "]";
      if (key->section() == section) keys += (keys.empty() ? "" : ", ") + std::string(key->name());
    }
    return "; expected one of " + keys;
  }

  Loaded& loaded_;
  std::vector<std::pair<unsigned, std::string>> problems_;
};

void append_comment(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t end = text.size();
    if (end > text_width) end = text.rfind(' ', text_width);
    if (end == std::string_view::npos) end = text.size();
    out += "# " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

}  // namespace

std::optional<std::string> check_hostname(std::string_view value) {
  std::size_t label = 0;
  bool good = value.size() <= 253;
  char last = '.';
  for (const char octet : value) {
    const bool letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
    const bool digit = octet >= '0' && octet <= '9';
    if (octet == '.') {
      good = good && label > 0 && last != '-';
      label = 0;
    } else {
      good = good && (letter || digit || (octet == '-' && label > 0)) && label < 63;
      ++label;
    }
    last = octet;
  }
  if (value.empty() || (good && label > 0 && last != '-')) return {};
  return "a host's name such as \"mail.example.org\"";
}

bool read_at_start_only(const Key& key) {
  constexpr std::array<std::string_view, 7> others{
      "data",        "user", "group", "hash_threads", "logins_waiting", "logins_waiting_per_address",
      "message_size"};
  return key.section() == "listen" || key.section() == "storage" || key.section() == "search" ||
         std::ranges::find(others, key.name()) != others.end();
}

Result<CertificatePair> CertificatePair::read(const Value& value) {
  const auto* pair = std::get_if<std::vector<Value>>(&value.data);
  if (pair == nullptr || pair->size() != 2) return malformed("not a pair");
  const auto* certificate = std::get_if<std::string>(&pair->front().data);
  const auto* key = std::get_if<std::string>(&pair->back().data);
  if (certificate == nullptr || key == nullptr) return malformed("not a pair of paths");
  return CertificatePair{*certificate, *key};
}

std::string CertificatePair::toml() const {
  return "[" + toml_string(certificate) + ", " + toml_string(key) + "]";
}

std::string Settings::resolved(const std::string& path) const {
  if (path.empty() || path.starts_with('/')) return path;
  const std::size_t slash = file_.rfind('/');
  if (slash == std::string::npos) return path;
  return file_.substr(0, slash + 1) + path;
}

std::string Settings::hostname() const {
  if (!server.hostname.value.empty()) return server.hostname.value;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || check_hostname(name.data())) return "localhost";
  return name[0] != '\0' ? name.data() : "localhost";
}

auth::PasswordCost Settings::password_cost() const {
  return {static_cast<unsigned>(auth.hash_ops.value), static_cast<std::size_t>(auth.hash_memory_kib.value),
          static_cast<unsigned>(auth.scram_iterations.value)};
}

Loaded parse_settings(std::string_view content, std::string file) {
  Loaded loaded{std::make_shared<Settings>(std::move(file)), {}};
  Reader reader(loaded);
  try {
    reader.read(toml::parse(content));
  } catch (const toml::parse_error& error) {
    const unsigned line = line_of(error.source());
    reader.complain(line, place_of(content, line) + std::string(error.description()));
  }
  reader.finish();
  return loaded;
}

Loaded load_settings(const std::string& file) {
  SystemFileSystem files;
  const auto content = files.read_whole(file, file_limit);
  if (content) return parse_settings(*content, file);
  return {std::make_shared<Settings>(file), {file + ": cannot be read: " + content.error().detail}};
}

std::string problem_with(const Settings& settings, const Key& key, std::string_view complaint) {
  std::string where = settings.file();
  if (key.line() != 0) where += ":" + std::to_string(key.line());
  return where + ": [" + std::string(key.section()) + "] " + std::string(key.name()) + ": " +
         std::string(complaint);
}

std::string print_settings(const Settings& settings) {
  const Settings defaults(settings.file());
  std::string out =
      "# Configuration of Posthorn. Every key stands here; one that is left out has its default.\n"
      "# `posthorn check` says what is wrong with this file; SIGHUP makes a running server read it again.\n";
  std::string_view section;
  for (const Key* key : settings.keys().all()) {
    if (key->section() != section) {
      section = key->section();
      out += "\n[" + std::string(section) + "]\n";
    } else {
      out += "\n";
    }
    append_comment(out, key->text());
    std::string unit = "Default: " + defaults.keys().find(section, key->name())->toml();
    if (!key->unit().empty()) unit += " (" + std::string(key->unit()) + ")";
    if (read_at_start_only(*key)) unit += ". Read at the start only.";
    append_comment(out, unit);
    out += std::string(key->name()) + " = " + key->toml() + "\n";
  }
  return out;
}

}  // namespace posthorn::server
