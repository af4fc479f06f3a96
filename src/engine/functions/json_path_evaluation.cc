// Finding items by a path. In lax mode arrays are opened and values wrapped where the path wants
// the other, and what is not there is no failure.
#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include "engine/functions/json_path.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

namespace json = boost::json;
using Kind = PathNode::Kind;
using Items = std::vector<const json::value*>;

[[noreturn]] void fail(const std::string& message) {
  throw PathFailure{"path evaluation failed: " + message};
}
[[noreturn]] void fail_structure(const std::string& message) {
  fail("structural error: " + message);
}

/// The types as Trino names them in its errors.
std::string item_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "NULL";
    case json::kind::bool_:
      return "boolean";
    case json::kind::string:
      return "varchar";
    case json::kind::array:
      return "ARRAY";
    case json::kind::object:
      return "OBJECT";
    case json::kind::double_:
      return "double";
    default:
      return "bigint";
  }
}
[[noreturn]] void wrong_type(const char* expected, const json::value& met, bool structural) {
  const std::string text =
      std::string("invalid item type. Expected: ") + expected + ", actual: " + item_type(met);
  structural ? fail_structure(text) : fail(text);
}

bool is_number(const json::value& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}
double as_double(const json::value& value) {
  return value.is_int64()    ? static_cast<double>(value.get_int64())
         : value.is_uint64() ? static_cast<double>(value.get_uint64())
                             : value.get_double();
}

enum class Truth { kFalse, kTrue, kUnknown };

/// One run of a path over one input.
class Finder {
 public:
  Finder(const JsonPath& path, const json::value& input, const json::object& variables)
      : path_(path), input_(input), variables_(variables) {}

  Items items(const PathNode& node);

 private:
  /// A value that only this run has.
  const json::value* keep(json::value value) { return &made_.emplace_back(std::move(value)); }

  /// The operand's items; in lax mode arrays are replaced by their elements.
  Items opened(const PathNode& node) {
    Items out;
    for (const auto* item : items(node)) {
      if (path_.lax && item->is_array())
        for (const auto& element : item->get_array()) out.push_back(&element);
      else
        out.push_back(item);
    }
    return out;
  }

  Items members(const PathNode& node);
  void descend(const json::value& value, const std::string& name, Items& out);
  Items elements(const PathNode& node);
  std::pair<int64_t, int64_t> bounds(const PathNode& from, const PathNode* to);
  int64_t index(const PathNode& node, const char* which);
  Items filtered(const PathNode& node);
  Items method(const PathNode& node);
  json::value number_method(const std::string& name, const json::value& item);
  Items signs(const PathNode& node);
  json::value arithmetic(const PathNode& node);
  json::value whole_arithmetic(char op, int64_t a, int64_t b);

  Truth test(const PathNode& node);
  Truth compare(const PathNode& node);
  Truth starts_with(const PathNode& node);

  const JsonPath& path_;
  const json::value& input_;
  const json::object& variables_;
  const json::value* current_ = nullptr;
  std::optional<int64_t> last_;
  int64_t next_id_ = 0;
  std::deque<json::value> made_;
};

Items Finder::items(const PathNode& node) {
  switch (node.kind) {
    case Kind::kContext:
      return {&input_};
    case Kind::kVariable:
      return {&variables_.at(node.text)};
    case Kind::kCurrent:
      if (!current_) fail("accessing current filter item with no enclosing filter");
      return {current_};
    case Kind::kLast:
      if (!last_) fail("accessing the last array index with no enclosing array");
      return {keep(*last_)};
    case Kind::kLiteral:
      return {&node.literal};
    case Kind::kMember:
    case Kind::kAnyMember:
      return members(node);
    case Kind::kDescendant: {
      Items out;
      for (const auto* item : items(*node.left)) descend(*item, node.text, out);
      return out;
    }
    case Kind::kSubscript:
    case Kind::kAnyElement:
      return elements(node);
    case Kind::kFilter:
      return filtered(node);
    case Kind::kMethod:
      return method(node);
    case Kind::kPlus:
    case Kind::kMinus:
      return signs(node);
    case Kind::kArithmetic:
      return {keep(arithmetic(node))};
    default:
      fail("a predicate is no value");
  }
}

Items Finder::members(const PathNode& node) {
  Items out;
  for (const auto* item : opened(*node.left)) {
    if (!item->is_object()) {
      if (!path_.lax) wrong_type("OBJECT", *item, true);
      continue;
    }
    const auto& object = item->get_object();
    if (node.kind == Kind::kAnyMember) {
      for (const auto& member : object) out.push_back(&member.value());
    } else if (const auto* found = object.if_contains(node.text)) {
      out.push_back(found);
    } else if (!path_.lax) {
      fail_structure("missing member '" + node.text + "' in JSON object");
    }
  }
  return out;
}

/// Members of the name at every depth, outer ones first.
void Finder::descend(const json::value& value, const std::string& name, Items& out) {
  if (value.is_array())
    for (const auto& element : value.get_array()) descend(element, name, out);
  if (!value.is_object()) return;
  if (const auto* found = value.get_object().if_contains(name)) out.push_back(found);
  for (const auto& member : value.get_object()) descend(member.value(), name, out);
}

int64_t Finder::index(const PathNode& node, const char* which) {
  const auto found = opened(node);
  if (found.size() != 1 || !is_number(*found[0]))
    fail(std::string("array subscript '") + which + "' value must be singleton numeric");
  const double value = std::trunc(as_double(*found[0]));
  if (!(std::abs(value) < 0x1p62))
    fail("cannot convert value " + json_text(*found[0]) + " to long");
  return static_cast<int64_t>(value);
}

std::pair<int64_t, int64_t> Finder::bounds(const PathNode& from, const PathNode* to) {
  const int64_t first = index(from, "from");
  return {first, to ? index(*to, "to") : first};
}

Items Finder::elements(const PathNode& node) {
  Items out;
  for (const auto* item : items(*node.left)) {
    if (!item->is_array() && !path_.lax) wrong_type("ARRAY", *item, true);
    const Items all = [&] {
      if (!item->is_array()) return Items{item};
      Items each;
      for (const auto& element : item->get_array()) each.push_back(&element);
      return each;
    }();
    if (node.kind == Kind::kAnyElement) {
      out.insert(out.end(), all.begin(), all.end());
      continue;
    }
    const auto size = static_cast<int64_t>(all.size());
    const auto outer = last_;
    last_ = size - 1;
    for (const auto& [from, to] : node.ranges) {
      if (size == 0 && !path_.lax) fail_structure("invalid array subscript for empty array");
      if (size == 0) continue;
      const auto [first, final] = bounds(*from, to.get());
      if (!path_.lax && (first < 0 || final >= size || first > final))
        fail_structure("invalid array subscript: [" + std::to_string(first) + ", " +
                       std::to_string(final) + "] for array of size " + std::to_string(size));
      for (int64_t i = std::max<int64_t>(first, 0); i <= std::min(final, size - 1); ++i)
        out.push_back(all[static_cast<size_t>(i)]);
    }
    last_ = outer;
  }
  return out;
}

Items Finder::filtered(const PathNode& node) {
  Items out;
  const auto* outer = current_;
  for (const auto* item : opened(*node.left)) {
    current_ = item;
    if (test(*node.right) == Truth::kTrue) out.push_back(item);
  }
  current_ = outer;
  return out;
}

// ---------------------------------------------------------------- methods and arithmetic

const char* type_name(const json::value& value) {
  if (is_number(value)) return "number";
  if (value.is_string()) return "string";
  if (value.is_bool()) return "boolean";
  return value.is_array() ? "array" : value.is_object() ? "object" : "null";
}

json::value Finder::number_method(const std::string& name, const json::value& item) {
  if (name == "double" && item.is_string()) {
    const auto& text = item.get_string();
    const auto value = read_double({text.data(), text.size()});
    if (!value) fail("Cannot cast '" + std::string(text) + "' to DOUBLE");
    return *value;
  }
  if (!is_number(item)) wrong_type(name == "double" ? "NUMBER or TEXT" : "NUMBER", item, false);
  if (name == "double") return as_double(item);
  if (item.is_double()) {
    const double value = item.get_double();
    return name == "abs" ? std::abs(value) : name == "floor" ? std::floor(value) : std::ceil(value);
  }
  if (name == "abs" && item.is_int64())
    return item.get_int64() < 0 ? -item.get_int64() : item.get_int64();
  return item;
}

Items Finder::method(const PathNode& node) {
  Items out;
  if (node.text == "type" || node.text == "size") {
    for (const auto* item : items(*node.left)) {
      if (node.text == "type") {
        out.push_back(keep(type_name(*item)));
      } else {
        if (!item->is_array() && !path_.lax) wrong_type("ARRAY", *item, true);
        out.push_back(keep(item->is_array() ? static_cast<int64_t>(item->get_array().size()) : 1));
      }
    }
    return out;
  }
  for (const auto* item : opened(*node.left)) {
    if (node.text != "keyvalue") {
      out.push_back(keep(number_method(node.text, *item)));
      continue;
    }
    if (!item->is_object()) wrong_type("OBJECT", *item, false);
    const int64_t id = next_id_++;
    for (const auto& member : item->get_object()) {
      json::object pair;
      pair["name"] = member.key();
      pair["value"] = member.value();
      pair["id"] = id;
      out.push_back(keep(std::move(pair)));
    }
  }
  return out;
}

Items Finder::signs(const PathNode& node) {
  Items out;
  for (const auto* item : opened(*node.left)) {
    if (!is_number(*item)) wrong_type("NUMBER", *item, false);
    if (node.kind == Kind::kPlus) {
      out.push_back(item);
    } else if (item->is_int64() && item->get_int64() != INT64_MIN) {
      out.push_back(keep(-item->get_int64()));
    } else {
      out.push_back(keep(-as_double(*item)));
    }
  }
  return out;
}

json::value Finder::whole_arithmetic(char op, int64_t a, int64_t b) {
  int64_t out = 0;
  if ((op == '/' || op == '%') && b == 0) fail("Division by zero");
  const bool overflow = op == '+'   ? __builtin_add_overflow(a, b, &out)
                        : op == '-' ? __builtin_sub_overflow(a, b, &out)
                        : op == '*' ? __builtin_mul_overflow(a, b, &out)
                                    : a == INT64_MIN && b == -1;
  if (overflow) fail("bigint overflow: " + std::to_string(a) + " " + op + " " + std::to_string(b));
  if (op == '/') out = a / b;
  if (op == '%') out = a % b;
  return out;
}

json::value Finder::arithmetic(const PathNode& node) {
  const auto left = opened(*node.left), right = opened(*node.right);
  if (left.size() != 1 || right.size() != 1)
    fail("arithmetic binary expression requires singleton operands");
  const auto &a = *left[0], &b = *right[0];
  if (!is_number(a) || !is_number(b))
    fail("invalid operand types to " + node.text + " operator (" + item_type(a) + ", " +
         item_type(b) + ")");
  const char op = node.text[0];
  if (a.is_int64() && b.is_int64()) return whole_arithmetic(op, a.get_int64(), b.get_int64());
  const double x = as_double(a), y = as_double(b);
  return op == '+'   ? x + y
         : op == '-' ? x - y
         : op == '*' ? x * y
         : op == '/' ? x / y
                     : std::fmod(x, y);
}

// ---------------------------------------------------------------- predicates

Truth truth(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

Truth ordered(const std::string& op, int order) {
  if (op == "==") return truth(order == 0);
  if (op == "<>") return truth(order != 0);
  if (op == "<") return truth(order < 0);
  if (op == "<=") return truth(order <= 0);
  return truth(op == ">" ? order > 0 : order >= 0);
}

/// Unknown for what cannot be compared. NULL equals itself alone.
Truth compare_items(const std::string& op, const json::value& a, const json::value& b) {
  if (a.is_null() || b.is_null()) {
    if (a.is_object() || a.is_array() || b.is_object() || b.is_array()) return Truth::kUnknown;
    const bool same = a.is_null() && b.is_null();
    if (op == "==" || op == "<=" || op == ">=") return truth(same);
    return truth(op == "<>" && !same);
  }
  if (is_number(a) && is_number(b)) {
    if (a.is_int64() && b.is_int64()) {
      const int64_t x = a.get_int64(), y = b.get_int64();
      return ordered(op, (x > y) - (x < y));
    }
    const double x = as_double(a), y = as_double(b);
    return ordered(op, (x > y) - (x < y));
  }
  if (a.is_string() && b.is_string()) return ordered(op, a.get_string().compare(b.get_string()));
  if (a.is_bool() && b.is_bool()) return ordered(op, int{a.get_bool()} - int{b.get_bool()});
  return Truth::kUnknown;
}

Truth Finder::compare(const PathNode& node) {
  const auto left = opened(*node.left), right = opened(*node.right);
  bool found = false, unknown = false;
  for (const auto* a : left) {
    for (const auto* b : right) {
      const Truth one = compare_items(node.text, *a, *b);
      found = found || one == Truth::kTrue;
      unknown = unknown || one == Truth::kUnknown;
    }
  }
  // Strict mode looks at every pair, lax mode only until it knows.
  if (unknown && (!path_.lax || !found)) return Truth::kUnknown;
  return truth(found);
}

Truth Finder::starts_with(const PathNode& node) {
  const auto texts = opened(*node.left), starts = opened(*node.right);
  if (starts.size() != 1 || !starts[0]->is_string()) return Truth::kUnknown;
  bool found = false, unknown = false;
  for (const auto* text : texts) {
    if (text->is_string())
      found = found || text->get_string().starts_with(starts[0]->get_string());
    else
      unknown = true;
  }
  if (unknown && (!path_.lax || !found)) return Truth::kUnknown;
  return truth(found);
}

Truth Finder::test(const PathNode& node) {
  try {
    switch (node.kind) {
      case Kind::kAnd: {
        const Truth a = test(*node.left), b = test(*node.right);
        if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
        return a == Truth::kTrue && b == Truth::kTrue ? Truth::kTrue : Truth::kUnknown;
      }
      case Kind::kOr: {
        const Truth a = test(*node.left), b = test(*node.right);
        if (a == Truth::kTrue || b == Truth::kTrue) return Truth::kTrue;
        return a == Truth::kFalse && b == Truth::kFalse ? Truth::kFalse : Truth::kUnknown;
      }
      case Kind::kNot: {
        const Truth a = test(*node.left);
        return a == Truth::kUnknown ? a : truth(a == Truth::kFalse);
      }
      case Kind::kIsUnknown:
        return truth(test(*node.left) == Truth::kUnknown);
      case Kind::kExists:
        return truth(!items(*node.left).empty());
      case Kind::kStartsWith:
        return starts_with(node);
      default:
        return compare(node);
    }
  } catch (const PathFailure&) {
    return Truth::kUnknown;
  }
}

void write(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::double_:
      out += json_number(value.get_double());
      return;
    case json::kind::string:
      out += json_quoted({value.get_string().data(), value.get_string().size()});
      return;
    case json::kind::array: {
      const char* before = "[";
      for (const auto& element : value.get_array()) {
        out += before;
        write(element, out);
        before = ",";
      }
      out += value.get_array().empty() ? "[]" : "]";
      return;
    }
    case json::kind::object: {
      const char* before = "{";
      for (const auto& member : value.get_object()) {
        out += before + json_quoted({member.key().data(), member.key().size()}) + ":";
        write(member.value(), out);
        before = ",";
      }
      out += value.get_object().empty() ? "{}" : "}";
      return;
    }
    default:
      out += json::serialize(value);
  }
}

}  // namespace

std::vector<json::value> find_items(const JsonPath& path, const json::value& input,
                                    const json::object& variables) {
  Finder finder(path, input, variables);
  std::vector<json::value> out;
  for (const auto* item : finder.items(*path.root)) out.push_back(*item);
  return out;
}

std::string json_text(const json::value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string json_number(double value) {
  return std::isfinite(value) ? java_double(value) : json_quoted(java_double(value));
}

std::string json_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const size_t known = std::string_view("\"\\\b\f\n\r\t").find(c);
    if (known != std::string_view::npos) {
      out += {'\\', "\"\\bfnrt"[known]};
    } else if (byte < 0x20) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::optional<json::value> read_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 1000;
  boost::system::error_code error;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

}  // namespace meesh::engine
