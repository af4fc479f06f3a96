// The checking half of json_schema.h.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "base/json_schema.h"
#include "base/text.h"

namespace meesh::base {
namespace {

using Type = Shape::Type;
using Kind = yaml::Node::Kind;

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_match(text, std::regex(pattern, std::regex::ECMAScript));
}

std::vector<std::string> keys_of(const Shape& object, bool with_kind) {
  std::vector<std::string> keys;
  if (with_kind) keys.push_back("kind");
  for (const Shape& part : object.parts) keys.push_back(part.key);
  return keys;
}

class Checker {
 public:
  Checker(yaml::Document& document, std::vector<Error>& problems)
      : document_(document), problems_(problems) {}

  void check(const Shape& shape, yaml::Node& node, const std::string& path) {
    if (node.unresolved) return;
    switch (shape.type) {
      case Type::kText:
        return check_text(shape, node, path);
      case Type::kInteger:
        return check_integer(shape, node, path);
      case Type::kBoolean:
        if (node.kind != Kind::kBoolean)
          expected("true or false", shape, node, path, boolean_hint(node));
        return;
      case Type::kChoice:
        return check_choice(shape, node, path);
      case Type::kSize:
        return check_size(shape, node, path);
      case Type::kList:
        if (node.kind != Kind::kSequence)
          return expected("a list", shape, node, path, list_hint(node));
        for (size_t i = 0; i < node.items.size(); ++i) {
          check(shape.parts[0], node.items[i], fmt::format("{}[{}]", path, i));
        }
        return;
      case Type::kMap:
        return check_map(shape, node, path);
      case Type::kObject:
        if (node.kind != Kind::kMap)
          return expected("a mapping", shape, node, path, mapping_hint(shape));
        return check_keys(shape, node, path, false);
      case Type::kKinds:
        return check_kinds(shape, node, path);
      case Type::kAny:
        return;
    }
  }

 private:
  void add(Code code, std::string message, int line, int column, std::string hint = "") {
    Error error = document_.error(code, std::move(message), line, column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  void expected(std::string_view what, const Shape& shape, const yaml::Node& node,
                const std::string& path, std::string hint = "") {
    const std::string place = path.empty() ? "" : fmt::format(" for '{}'", path);
    add(Code::kConfigInvalid,
        fmt::format("expected {}{}, found {}", what, place, yaml::describe(node, shape.secret)),
        node.line, node.column, std::move(hint));
  }

  static std::string boolean_hint(const yaml::Node& node) {
    std::string word = node.text;
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (word == "yes" || word == "on") return "write true";
    if (word == "no" || word == "off") return "write false";
    return "";
  }

  static std::string list_hint(const yaml::Node& node) {
    return node.is_scalar() && node.kind != Kind::kNull
               ? "write [value], or '- value' on a line of its own"
               : "";
  }

  static std::string mapping_hint(const Shape& shape) {
    return fmt::format("its keys are {}", join(keys_of(shape, false), ", "));
  }

  void check_text(const Shape& shape, const yaml::Node& node, const std::string& path) {
    const std::string what = shape.pattern_means.empty() ? "text" : shape.pattern_means;
    // A ${NAME} in plain style may have become a number; it is text where text is wanted.
    const bool is_text = node.kind == Kind::kText || (node.substituted && node.is_scalar());
    if (!is_text) {
      const bool quotable = node.is_scalar() && node.kind != Kind::kNull;
      return expected(what, shape, node, path,
                      !quotable      ? ""
                      : shape.secret ? "put it in quotes"
                                     : fmt::format("put it in quotes: \"{}\"", node.text));
    }
    const size_t length = code_points(node.text);
    if (length < shape.min_length) return expected(what + " that is not empty", shape, node, path);
    if (length > shape.max_length) {
      return expected(fmt::format("at most {} characters", shape.max_length), shape, node, path);
    }
    if (!shape.pattern.empty() && !matches(node.text, shape.pattern))
      expected(what, shape, node, path);
  }

  void check_integer(const Shape& shape, const yaml::Node& node, const std::string& path) {
    const std::optional<int64_t> value = node.integer();
    if (value && *value >= shape.least && *value <= shape.most) return;
    const std::string what = shape.most == INT64_MAX
                                 ? fmt::format("an integer of at least {}", shape.least)
                                 : fmt::format("an integer from {} to {}", shape.least, shape.most);
    const bool quoted = node.kind == Kind::kText && yaml::plain_kind(node.text) == Kind::kInteger;
    expected(what, shape, node, path, quoted ? "leave out the quotes" : "");
  }

  void check_choice(const Shape& shape, const yaml::Node& node, const std::string& path) {
    if (node.kind == Kind::kText || node.kind == Kind::kInteger) {
      if (std::ranges::find(shape.choices, node.text) != shape.choices.end()) return;
      if (std::ranges::find(shape.not_yet, node.text) != shape.not_yet.end()) {
        return add(Code::kNotSupported,
                   fmt::format("'{}: {}' is not supported yet", path, node.text), node.line,
                   node.column, fmt::format("supported: {}", join(shape.choices, ", ")));
      }
    }
    const auto meant = closest(node.text, shape.choices);
    expected(
        fmt::format("{}{}", shape.choices.size() > 1 ? "one of " : "", join(shape.choices, ", ")),
        shape, node, path, meant ? fmt::format("did you mean '{}'?", *meant) : "");
  }

  void check_size(const Shape& shape, const yaml::Node& node, const std::string& path) {
    const std::string_view text = node.text;
    if (node.kind == Kind::kInteger || node.kind == Kind::kText) {
      const auto bytes = parse_size(text);
      if (bytes && *bytes > 0) return;
      if (shape.percent && matches(node.text.substr(0, 8), "^([1-9][0-9]?|100)%$")) return;
    }
    expected(shape.percent ? "a size such as 4GB, 512MB or 60%" : "a size such as 4GB or 512MB",
             shape, node, path);
  }

  void check_map(const Shape& shape, yaml::Node& node, const std::string& path) {
    if (node.kind != Kind::kMap) return expected("a mapping", shape, node, path);
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const yaml::Key& key = node.keys[i];
      const bool good = key.name.size() <= shape.max_length && matches(key.name, shape.pattern);
      if (!good) {
        add(Code::kConfigInvalid,
            fmt::format("the key '{}' is not {}", key.name.substr(0, 80), shape.pattern_means),
            key.line, key.column);
      }
      check_twice(node, i);
      check(shape.parts[0], node.items[i], path.empty() ? key.name : path + "." + key.name);
    }
  }

  void check_twice(const yaml::Node& node, size_t i) {
    for (size_t earlier = 0; earlier < i && earlier < 1000; ++earlier) {
      if (node.keys[earlier].name != node.keys[i].name) continue;
      return add(Code::kConfigInvalid,
                 fmt::format("the key '{}' is given twice", node.keys[i].name), node.keys[i].line,
                 node.keys[i].column, fmt::format("first on line {}", node.keys[earlier].line));
    }
  }

  void check_kinds(const Shape& shape, yaml::Node& node, const std::string& path) {
    std::vector<std::string> words;
    for (const Shape& part : shape.parts) words.push_back(part.key);
    if (node.kind != Kind::kMap) {
      return expected("a mapping", shape, node, path,
                      fmt::format("kind: one of {}", join(words, ", ")));
    }
    yaml::Node* kind = node.find("kind");
    if (kind == nullptr && !shape.default_kind.empty()) {
      add_fallback(node, "kind", shape.default_kind);
      kind = node.find("kind");
    }
    if (kind == nullptr) {
      return add(Code::kConfigInvalid, missing("kind", path), node.line, node.column,
                 fmt::format("one of {}", join(words, ", ")));
    }
    if (kind->unresolved) return;
    const size_t before = problems_.size();
    check_choice(choice("", words, shape.not_yet), *kind, path.empty() ? "kind" : path + ".kind");
    if (problems_.size() > before) return;
    const auto chosen = std::ranges::find(shape.parts, kind->text, &Shape::key);
    check_keys(*chosen, node, path, true, &shape);  // adds to the node: `kind` points nowhere now
  }

  static std::string missing(const std::string& key, const std::string& path) {
    return path.empty() ? fmt::format("the key '{}' is missing", key)
                        : fmt::format("the key '{}' is missing in '{}'", key, path);
  }

  void add_fallback(yaml::Node& node, const std::string& key, const std::string& text) {
    yaml::Node value;
    value.text = text;
    value.kind = yaml::plain_kind(text);
    value.line = node.line;
    value.column = node.column;
    node.keys.push_back({key, node.line, node.column});
    node.items.push_back(std::move(value));
  }

  void check_keys(const Shape& shape, yaml::Node& node, const std::string& path, bool with_kind,
                  const Shape* siblings = nullptr) {
    const size_t given = node.keys.size();
    for (size_t i = 0; i < given; ++i) {
      const std::string name = node.keys[i].name;
      check_twice(node, i);
      if (with_kind && name == "kind") continue;
      const auto part = std::ranges::find(shape.parts, name, &Shape::key);
      if (part == shape.parts.end()) {
        add(Code::kConfigInvalid,
            path.empty() ? fmt::format("unknown key '{}'", name.substr(0, 80))
                         : fmt::format("unknown key '{}' in '{}'", name.substr(0, 80), path),
            node.keys[i].line, node.keys[i].column, unknown_hint(shape, name, with_kind, siblings));
        continue;
      }
      check(*part, node.items[i], path.empty() ? name : path + "." + name);
    }
    for (const Shape& part : shape.parts) {
      if (node.find(part.key) != nullptr) continue;
      if (part.is_required) {
        add(Code::kConfigInvalid, missing(part.key, path), node.line, node.column, part.doc);
      } else if (part.fallback) {
        add_fallback(node, part.key, *part.fallback);
      } else if (all_optional(part)) {
        add_fallback(node, part.key, "");
        node.items.back().kind = Kind::kMap;
        check(part, node.items.back(), path.empty() ? part.key : path + "." + part.key);
      }
    }
  }

  // An absent part that could as well be an empty mapping is one, so that its defaults are there.
  static bool all_optional(const Shape& part) {
    const Shape* object = part.type == Type::kObject ? &part : nullptr;
    if (part.type == Type::kKinds && !part.default_kind.empty()) {
      object = &*std::ranges::find(part.parts, part.default_kind, &Shape::key);
    }
    return object != nullptr && std::ranges::none_of(object->parts, &Shape::is_required);
  }

  static std::string unknown_hint(const Shape& shape, const std::string& name, bool with_kind,
                                  const Shape* siblings) {
    if (const auto hint = shape.hints.find(name); hint != shape.hints.end()) return hint->second;
    if (siblings != nullptr) {
      for (const Shape& other : siblings->parts) {
        if (std::ranges::find(other.parts, name, &Shape::key) == other.parts.end()) continue;
        return fmt::format("'{}' belongs to kind {}", name, other.key);
      }
    }
    return did_you_mean(name, keys_of(shape, with_kind), "known keys: ");
  }

  yaml::Document& document_;
  std::vector<Error>& problems_;
};

}  // namespace

void check(const Shape& shape, yaml::Document& document, std::vector<Error>& problems) {
  // An empty file is an empty mapping: what is missing is then named key by key.
  yaml::Node& root = document.root;
  if (root.kind == Kind::kNull) root.kind = Kind::kMap;
  std::vector<Error> found;
  Checker(document, found).check(shape, root, "");
  std::multimap<std::pair<int, int>, Error> ordered;
  for (Error& error : found) {
    ordered.emplace(std::pair(error.location().line, error.location().column), std::move(error));
  }
  for (auto& [position, error] : ordered) problems.push_back(std::move(error));
}

std::optional<uint64_t> parse_size(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
  const std::string number(text.substr(0, end));
  if (number.empty() || number.size() > 15 || number.front() == '.' || number.back() == '.')
    return std::nullopt;
  if (std::ranges::count(number, '.') > 1) return std::nullopt;
  std::string_view unit = text.substr(end);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.ends_with('B')) unit.remove_suffix(1);
  double factor = 1;
  if (!unit.empty()) {
    const double base = unit.size() == 2 && unit[1] == 'i' ? 1024 : 1000;
    if (unit.size() > 2 || (unit.size() == 2 && unit[1] != 'i')) return std::nullopt;
    const size_t power = std::string_view("kMGT").find(unit[0] == 'K' ? 'k' : unit[0]);
    if (power == std::string_view::npos) return std::nullopt;
    factor = std::pow(base, static_cast<double>(power) + 1);
  } else if (number.find('.') != std::string::npos) {
    return std::nullopt;
  }
  const double bytes = std::stod(number) * factor;
  if (bytes > 9e18) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

}  // namespace meesh::base
