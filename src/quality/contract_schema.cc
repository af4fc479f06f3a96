#include "quality/contract_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <regex>
#include <set>
#include <string_view>
#include <tuple>

#include "base/text.h"

namespace meesh::quality {

extern const unsigned char kOdcsSchema[];
extern const unsigned long kOdcsSchemaSize;

namespace {

namespace json = boost::json;
using yaml::Node;

struct Mistake {
  const Node* node = nullptr;
  std::string message, hint;
  int line = 0, column = 0;
};

/// What a schema makes of a node: mistakes, and the keys that it had a say on.
struct Verdict {
  std::vector<Mistake> mistakes;
  std::set<size_t> evaluated;
  bool good() const { return mistakes.empty(); }
};

double number_of(const Node& node) {
  double value = 0;
  std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  return value;
}

bool is_number(const Node& node) {
  return node.kind == Node::Kind::kInteger || node.kind == Node::Kind::kNumber;
}

bool is_type(const Node& node, std::string_view type) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return type == "null";
    case Node::Kind::kBoolean:
      return type == "boolean";
    case Node::Kind::kInteger:
      return type == "integer" || type == "number";
    case Node::Kind::kNumber:
      return type == "number" ||
             (type == "integer" && number_of(node) == std::floor(number_of(node)));
    case Node::Kind::kText:
      return type == "string";
    case Node::Kind::kSequence:
      return type == "array";
    case Node::Kind::kMap:
      return type == "object";
  }
  return false;
}

bool equals(const Node& node, const json::value& value) {
  if (value.is_string()) return node.kind == Node::Kind::kText && node.text == value.get_string();
  if (value.is_bool())
    return node.kind == Node::Kind::kBoolean && node.boolean() == value.get_bool();
  if (value.is_number()) return is_number(node) && number_of(node) == value.to_number<double>();
  return value.is_null() && node.kind == Node::Kind::kNull;
}

bool same(const Node& a, const Node& b) {
  if (is_number(a) && is_number(b)) return number_of(a) == number_of(b);
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (a.kind == Node::Kind::kMap) {
      const Node* other = b.find(a.keys[i].name);
      if (!other || !same(a.items[i], *other)) return false;
    } else if (!same(a.items[i], b.items[i])) {
      return false;
    }
  }
  return true;
}

std::string_view article(std::string_view type) {
  return type == "array"     ? "a list"
         : type == "object"  ? "a mapping"
         : type == "string"  ? "text"
         : type == "integer" ? "an integer"
         : type == "number"  ? "a number"
         : type == "boolean" ? "true or false"
                             : "nothing";
}

class Checker {
 public:
  explicit Checker(const json::value& root) : root_(root) {}

  Verdict check(const json::value& schema, const Node& node) {
    Verdict verdict;
    if (schema.is_bool()) {
      if (!schema.get_bool())
        verdict.mistakes.push_back({&node, "nothing may stand here", "", 0, 0});
      return verdict;
    }
    const json::object& keywords = schema.as_object();
    if (const auto* reference = keywords.if_contains("$ref"))
      merge(verdict, check(resolve(std::string_view(reference->as_string())), node));
    value(keywords, node, verdict);
    if (node.kind == Node::Kind::kSequence) items(keywords, node, verdict);
    if (node.kind == Node::Kind::kMap) properties(keywords, node, verdict);
    applicators(keywords, node, verdict);
    if (node.kind == Node::Kind::kMap) leftovers(keywords, node, verdict);
    return verdict;
  }

 private:
  static void merge(Verdict& to, Verdict from) {
    for (auto& mistake : from.mistakes) to.mistakes.push_back(std::move(mistake));
    to.evaluated.merge(from.evaluated);
  }

  const json::value& resolve(std::string_view reference) const {
    if (!reference.starts_with("#")) internal_error("a schema refers to another file");
    return root_.at_pointer(reference.substr(1));
  }

  static void add(Verdict& verdict, const Node& node, std::string message, std::string hint = "") {
    verdict.mistakes.push_back(
        {&node, std::move(message), std::move(hint), node.line, node.column});
  }

  static void value(const json::object& keywords, const Node& node, Verdict& verdict) {
    if (const auto* type = keywords.if_contains("type");
        type && !is_type(node, std::string_view(type->as_string())))
      add(verdict, node,
          fmt::format("expected {}, found {}", article(std::string_view(type->as_string())),
                      yaml::describe(node)));
    if (const auto* wanted = keywords.if_contains("const"); wanted && !equals(node, *wanted))
      add(verdict, node, fmt::format("expected {}", json::serialize(*wanted)));
    if (const auto* choices = keywords.if_contains("enum"))
      choice(choices->as_array(), node, verdict);
    if (const auto* pattern = keywords.if_contains("pattern");
        pattern && node.kind == Node::Kind::kText &&
        !matches(node.text, std::string(pattern->as_string())))
      add(verdict, node,
          fmt::format("{} does not match {}", yaml::describe(node),
                      std::string_view(pattern->as_string())));
    if (is_number(node)) bounds(keywords, node, verdict);
  }

  /// No pattern of the schema is about long texts; std::regex takes stack for each character.
  static bool matches(const std::string& text, const std::string& pattern) {
    return text.size() <= 1000 && std::regex_search(text, std::regex(pattern));
  }

  static void choice(const json::array& choices, const Node& node, Verdict& verdict) {
    std::vector<std::string> words;
    for (const auto& one : choices) {
      if (equals(node, one)) return;
      words.push_back(one.is_string() ? std::string(one.get_string()) : json::serialize(one));
    }
    add(verdict, node, fmt::format("{} is not one of those that are known", yaml::describe(node)),
        base::did_you_mean(node.text, words, "one of "));
  }

  static void bounds(const json::object& keywords, const Node& node, Verdict& verdict) {
    if (const auto* least = keywords.if_contains("minimum");
        least && number_of(node) < least->to_number<double>())
      add(verdict, node, fmt::format("it is less than {}", json::serialize(*least)));
    if (const auto* least = keywords.if_contains("exclusiveMinimum");
        least && number_of(node) <= least->to_number<double>())
      add(verdict, node, fmt::format("it is not more than {}", json::serialize(*least)));
  }

  void items(const json::object& keywords, const Node& node, Verdict& verdict) {
    if (const auto* schema = keywords.if_contains("items"))
      for (const Node& item : node.items) {
        auto mistakes = check(*schema, item).mistakes;
        std::ranges::move(mistakes, std::back_inserter(verdict.mistakes));
      }
    if (const auto* least = keywords.if_contains("minItems");
        least && node.items.size() < least->to_number<size_t>())
      add(verdict, node, fmt::format("at least {} items are needed", json::serialize(*least)));
    if (const auto* most = keywords.if_contains("maxItems");
        most && node.items.size() > most->to_number<size_t>())
      add(verdict, node, fmt::format("at most {} items may stand here", json::serialize(*most)));
    if (const auto* unique = keywords.if_contains("uniqueItems"); unique && unique->as_bool())
      for (size_t i = 0; i < node.items.size(); ++i)
        for (size_t j = 0; j < i; ++j)
          if (same(node.items[i], node.items[j]))
            return add(verdict, node.items[i], "it stands in the list twice");
  }

  void properties(const json::object& keywords, const Node& node, Verdict& verdict) {
    if (const auto* properties = keywords.if_contains("properties"))
      for (size_t i = 0; i < node.keys.size(); ++i)
        if (const auto* schema = properties->as_object().if_contains(node.keys[i].name)) {
          verdict.evaluated.insert(i);
          auto mistakes = check(*schema, node.items[i]).mistakes;
          std::ranges::move(mistakes, std::back_inserter(verdict.mistakes));
        }
    if (const auto* required = keywords.if_contains("required"))
      for (const auto& key : required->as_array())
        if (!node.find(std::string_view(key.as_string())))
          add(verdict, node,
              fmt::format("the key '{}' is missing", std::string_view(key.as_string())));
  }

  void applicators(const json::object& keywords, const Node& node, Verdict& verdict) {
    if (const auto* all = keywords.if_contains("allOf"))
      for (const auto& one : all->as_array()) merge(verdict, check(one, node));
    if (const auto* any = keywords.if_contains("anyOf"))
      alternatives(any->as_array(), node, verdict, false);
    if (const auto* one = keywords.if_contains("oneOf"))
      alternatives(one->as_array(), node, verdict, true);
    if (const auto* no = keywords.if_contains("not"); no && check(*no, node).good()) {
      const auto* why = no->is_object() ? no->get_object().if_contains("required") : nullptr;
      add(verdict, node,
          why ? fmt::format("the key {} may not stand here", json::serialize(why->as_array().at(0)))
              : "this may not stand here");
    }
    if (const auto* condition = keywords.if_contains("if")) {
      auto tested = check(*condition, node);
      const bool good = tested.good();
      if (good) verdict.evaluated.merge(tested.evaluated);
      if (const auto* then = keywords.if_contains(good ? "then" : "else"))
        merge(verdict, check(*then, node));
    }
  }

  /// If none fits, the mistakes of the one that came nearest.
  void alternatives(const json::array& schemas, const Node& node, Verdict& verdict, bool only_one) {
    int fitting = 0;
    Verdict nearest;
    bool first = true;
    for (const auto& schema : schemas) {
      auto tried = check(schema, node);
      if (tried.good()) {
        ++fitting;
        verdict.evaluated.merge(tried.evaluated);
      } else if (first || tried.mistakes.size() < nearest.mistakes.size()) {
        nearest = std::move(tried);
        first = false;
      }
    }
    if (fitting > 1 && only_one)
      add(verdict, node, "only one of several keys or forms may stand here");
    if (fitting > 0) return;
    std::set<std::string> needed;
    for (const auto& schema : schemas)
      if (const auto* required =
              schema.is_object() ? schema.get_object().if_contains("required") : nullptr)
        for (const auto& key : required->as_array()) needed.emplace(key.as_string());
    if (node.kind == Node::Kind::kMap && needed.size() == schemas.size()) {
      const std::vector<std::string> words(needed.begin(), needed.end());
      return add(verdict, node,
                 fmt::format("one of the keys {} is needed", base::join(words, ", ")));
    }
    for (auto& mistake : nearest.mistakes) verdict.mistakes.push_back(std::move(mistake));
  }

  static void leftovers(const json::object& keywords, const Node& node, Verdict& verdict) {
    const auto forbids = [&](const char* keyword) {
      const auto* found = keywords.if_contains(keyword);
      return found && found->is_bool() && !found->get_bool();
    };
    const bool additional = forbids("additionalProperties");
    if (!additional && !forbids("unevaluatedProperties")) {
      if (keywords.contains("additionalProperties"))
        for (size_t i = 0; i < node.keys.size(); ++i) verdict.evaluated.insert(i);
      return;
    }
    const auto* properties = keywords.if_contains("properties");
    std::vector<std::string> known;
    if (properties)
      for (const auto& [key, schema] : properties->as_object()) known.emplace_back(key);
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const auto& key = node.keys[i];
      const bool named = properties && properties->as_object().contains(key.name);
      if (named || (!additional && verdict.evaluated.contains(i))) continue;
      const auto meant = base::closest(key.name, known);
      verdict.mistakes.push_back({&node, fmt::format("unknown key '{}'", key.name),
                                  meant ? fmt::format("did you mean '{}'?", *meant) : "", key.line,
                                  key.column});
      verdict.evaluated.insert(i);
    }
  }

  const json::value& root_;
};

}  // namespace

const json::value& contract_schema() {
  static const json::value schema =
      json::parse(std::string_view(reinterpret_cast<const char*>(kOdcsSchema), kOdcsSchemaSize));
  return schema;
}

void check_schema(const json::value& schema, const yaml::Document& document,
                  std::vector<Error>& problems) {
  auto verdict = Checker(schema).check(schema, document.root);
  std::set<std::tuple<int, int, std::string>> told;
  for (auto& mistake : verdict.mistakes) {
    if (!told.emplace(mistake.line, mistake.column, mistake.message).second) continue;
    Error error = document.error(Code::kConfigInvalid, std::move(mistake.message), mistake.line,
                                 mistake.column);
    if (!mistake.hint.empty()) error.with_hint(std::move(mistake.hint));
    problems.push_back(std::move(error));
  }
}

}  // namespace meesh::quality
