#pragma once

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// What a configuration is made of: keys with a type, a default, a unit and a text, in sections.
namespace posthorn::server {

// A value as it stands in a file, whatever the file's notation.
struct Value {
  struct Other {
    std::string name;  // "a table", "a date": what no key takes
  };
  std::variant<std::string, std::int64_t, bool, std::vector<Value>, Other> data;
  unsigned line = 0;

  // As it is shown in a complaint: `"text"`, `7`, `a list`.
  std::string shown() const;
};

// Why a key does not take a value. `got` is the value itself or the list's item that is wrong.
struct Mismatch {
  std::string expected;
  const Value* got;
};

class Section;

class Key {
 public:
  Key(Section& section, std::string_view name, std::string_view unit, std::string_view text);
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  virtual ~Key() = default;

  virtual std::optional<Mismatch> accept(const Value& value) = 0;
  // The present value in TOML's notation.
  virtual std::string toml() const = 0;

  std::string_view section() const { return section_; }
  std::string_view name() const { return name_; }
  std::string_view unit() const { return unit_; }  // "seconds", "octets"; empty where there is none
  std::string_view text() const { return text_; }
  unsigned line() const { return line_; }  // where the file sets it; 0: it has its default
  void set_line(unsigned line) { line_ = line; }

 private:
  std::string_view section_;
  std::string_view name_;
  std::string_view unit_;
  std::string_view text_;
  unsigned line_ = 0;
};

// All keys, in the order of their declaration.
class KeyList {
 public:
  const std::vector<Key*>& all() const { return keys_; }
  Key* find(std::string_view section, std::string_view name) const;
  bool has_section(std::string_view section) const;

 private:
  friend class Section;
  std::vector<Key*> keys_;
};

class Section {
 public:
  Section(KeyList& keys, std::string_view name) : keys_(keys), name_(name) {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  std::string_view name() const { return name_; }
  void add(Key& key) { keys_.keys_.push_back(&key); }

 private:
  KeyList& keys_;
  std::string_view name_;
};

// `text` as a TOML basic string.
std::string toml_string(std::string_view text);

// A string; `check`, where there is one, says what was expected of a string that it refuses.
class TextKey final : public Key {
 public:
  using Check = std::optional<std::string> (*)(std::string_view value);
  TextKey(Section& section, std::string_view name, std::string value, std::string_view text,
          Check check = nullptr)
      : Key(section, name, {}, text), value(std::move(value)), check_(check) {}
  std::optional<Mismatch> accept(const Value& given) override;
  std::string toml() const override { return toml_string(value); }

  std::string value;

 private:
  Check check_;
};

class NumberKey final : public Key {
 public:
  struct Range {
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
  };
  NumberKey(Section& section, std::string_view name, std::int64_t value, std::string_view unit, Range range,
            std::string_view text)
      : Key(section, name, unit, text), value(value), range_(range) {}
  std::optional<Mismatch> accept(const Value& given) override;
  std::string toml() const override { return std::to_string(value); }

  std::int64_t value;

 private:
  Range range_;
};

// true or false.
class FlagKey final : public Key {
 public:
  FlagKey(Section& section, std::string_view name, bool value, std::string_view text)
      : Key(section, name, {}, text), value(value) {}
  std::optional<Mismatch> accept(const Value& given) override;
  std::string toml() const override { return value ? "true" : "false"; }

  bool value;
};

// One of a few words, each standing for an enumerator.
template <class Enum, std::size_t Count>
class ChoiceKey final : public Key {
 public:
  using Words = std::array<std::pair<std::string_view, Enum>, Count>;
  ChoiceKey(Section& section, std::string_view name, Enum value, Words words, std::string_view text)
      : Key(section, name, {}, text), value(value), words_(words) {}
  std::optional<Mismatch> accept(const Value& given) override {
    const auto* word = std::get_if<std::string>(&given.data);
    std::string expected;
    for (const auto& [name, enumerator] : words_) {
      if (word != nullptr && *word == name) {
        value = enumerator;
        return {};
      }
      expected += (expected.empty() ? "one of " : ", ") + toml_string(name);
    }
    return Mismatch{expected, &given};
  }
  std::string toml() const override {
    for (const auto& [name, enumerator] : words_) {
      if (value == enumerator) return toml_string(name);
    }
    return {};
  }

  Enum value;

 private:
  Words words_;
};

// A list. An Item is made by Item::read(Value), or from a string by Item::parse, and printed by Item::toml()
// or Item::text(). `item` says in words what one is.
template <class Item>
class ListKey final : public Key {
 public:
  ListKey(Section& section, std::string_view name, std::vector<Item> value, std::string_view item,
          std::string_view text)
      : Key(section, name, {}, text), value(std::move(value)), item_(item) {}
  std::optional<Mismatch> accept(const Value& given) override {
    const auto* list = std::get_if<std::vector<Value>>(&given.data);
    if (list == nullptr) return Mismatch{"a list of " + std::string(item_), &given};
    std::vector<Item> items;
    for (const Value& entry : *list) {
      auto item = read(entry);
      if (!item) return Mismatch{std::string(item_), &entry};
      items.push_back(*std::move(item));
    }
    value = std::move(items);
    return {};
  }
  std::string toml() const override {
    std::string list = "[";
    for (const Item& item : value) list += (list.size() > 1 ? ", " : "") + print(item);
    return list + "]";
  }

  std::vector<Item> value;

 private:
  static Result<Item> read(const Value& entry) {
    if constexpr (requires { Item::read(entry); }) {
      return Item::read(entry);
    } else {
      const auto* text = std::get_if<std::string>(&entry.data);
      return text != nullptr ? Item::parse(*text) : Result<Item>(malformed("not a string"));
    }
  }
  static std::string print(const Item& item) {
    if constexpr (requires { item.toml(); }) {
      return item.toml();
    } else {
      return toml_string(item.text());
    }
  }

  std::string_view item_;
};

}  // namespace posthorn::server
