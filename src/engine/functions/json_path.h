// The path language of SQL/JSON ("lax $.a[*] ? (@.b > 1).c"): what JSON_VALUE, JSON_QUERY and
// JSON_EXISTS look for.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::engine {

struct PathNode {
  enum class Kind {
    // Sequences of items. `left` is what an accessor is applied to.
    kContext,     // $
    kVariable,    // $name: text
    kCurrent,     // @
    kLast,        // last
    kLiteral,     // literal
    kMember,      // .name: text
    kAnyMember,   // .*
    kDescendant,  // ..name: text
    kSubscript,   // [a, b to c]: ranges
    kAnyElement,  // [*]
    kFilter,      // ? (predicate): right
    kMethod,      // .size(): text
    kPlus,        // + as a sign
    kMinus,
    kArithmetic,  // text is + - * / %
    // Predicates.
    kAnd,
    kOr,
    kNot,
    kCompare,  // text is == <> < <= > >=
    kExists,
    kStartsWith,
    kIsUnknown,
  };
  Kind kind;
  std::string text;
  boost::json::value literal;
  std::unique_ptr<PathNode> left, right;
  /// From and to; `to` is null for a single index.
  std::vector<std::pair<std::unique_ptr<PathNode>, std::unique_ptr<PathNode>>> ranges;
};

struct JsonPath {
  bool lax = true;
  std::unique_ptr<PathNode> root;
  /// The names of the variables used, as written.
  std::vector<std::string> variables;
};

/// Throws meesh::Error: SYNTAX_ERROR, NOT_SUPPORTED for like_regex and datetime().
JsonPath parse_json_path(std::string_view text);

/// Why a path found nothing, in Trino's words.
struct PathFailure {
  std::string message;
};

/// The items the path finds. Throws PathFailure. `variables` holds a value for every variable.
std::vector<boost::json::value> find_items(const JsonPath& path, const boost::json::value& input,
                                           const boost::json::object& variables);

/// JSON as Trino writes it: members in their order, numbers as Java writes them.
std::string json_text(const boost::json::value& value);
std::string json_quoted(std::string_view text);
/// As Java writes it; what JSON has no number for is a string: "NaN", "Infinity".
std::string json_number(double value);
/// nullopt when the text is no JSON or nests deeper than a thousand levels.
std::optional<boost::json::value> read_json(std::string_view text);

}  // namespace meesh::engine
