#include "quality/check.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"
#include "engine/ask.h"
#include "quality/parameters.h"
#include "sql/sql.h"

namespace meesh::quality {
namespace {

using base::Shape;
using yaml::Node;

constexpr std::array kKinds = {
    "not_null",  "unique",    "accepted_values", "relationships", "range",   "regex",  "expression",
    "row_count", "freshness", "schema",          "sql",           "measure", "anomaly"};

Shape column_shape() {
  Shape shape = base::text("Column.");
  shape.max_length = 255;
  return shape;
}

Shape sql_text(std::string doc) {
  Shape shape = base::text(std::move(doc));
  shape.max_length = 65536;
  return shape;
}

Shape columns_shape(std::string doc) { return base::list(std::move(doc), column_shape()); }

Shape tolerance() {
  return base::optional(
      "at_most", base::any("Failing rows that are put up with: a number (5) or a share (1%)."));
}

Shape where() {
  return base::optional("where", sql_text("SQL condition: only rows that it holds for."));
}

/// The parts of every kind, and those of one.
Shape make(const char* kind, std::string doc, std::vector<Shape> own) {
  std::vector<Shape> parts = {
      base::optional("name", base::text("Its name in results; made from kind and columns.")),
      base::optional("description", base::text("What it is for.")),
      base::optional("severity",
                     base::choice("error: the table is not published (of a model), the step "
                                  "fails. warn: it is told.",
                                  {"warn", "error"}),
                     "error")};
  for (auto& part : own) parts.push_back(std::move(part));
  Shape shape = base::object(std::move(doc), std::move(parts));
  bool plural = false, single = false;
  for (const auto& part : shape.parts) {
    plural = plural || part.key == "columns";
    single = single || part.key == "column";
  }
  if (plural && !single) shape.hints["column"] = "write columns: [NAME]";
  if (single && !plural) shape.hints["columns"] = "it is about one: write column: NAME";
  return base::kind(kind, std::move(shape));
}

Shape number(const char* key, std::string doc) {
  return base::optional(key, base::any(std::move(doc)));
}

Shape one_column() { return base::required("column", column_shape()); }

std::vector<Shape> row_kinds() {
  return {
      make("not_null", "Every row has a value.",
           {base::required("columns", columns_shape("One check each.")), where(), tolerance(),
            base::optional("also", base::list("Values that count as none, such as \"\".",
                                              base::any("Value.")))}),
      make("unique", "No two rows have the same values. Rows with a null are left out.",
           {base::required("columns", columns_shape("Together.")), where(), tolerance()}),
      make("accepted_values", "Nothing but these values (and null).",
           {one_column(), base::required("values", base::list("The values.", base::any("Value."))),
            where(), tolerance()}),
      make("relationships", "Every value (but null) is in a column of another table.",
           {one_column(), base::required("to", base::text("catalog.schema.table.column")), where(),
            tolerance()}),
      make("range", "Every value (but null) lies between two, both included.",
           {one_column(), number("min", "Least value."), number("max", "Greatest value."), where(),
            tolerance()}),
      make("regex", "A pattern is found in every value (but null); ^…$ for the whole of it.",
           {one_column(), base::required("pattern", base::text("Regular expression.")), where(),
            tolerance()}),
      make("expression", "A condition holds for every row (or is unknown, as with nulls).",
           {base::required("sql", sql_text("SQL condition over the table's columns.")), where(),
            tolerance()})};
}

std::vector<Shape> table_kinds() {
  return {
      make("row_count", "How many rows there are.",
           {number("min", "Least number (1 if neither is given)."), number("max", "Most."),
            where()}),
      make("freshness", "How old the newest row is.",
           {one_column(),
            base::required("max_age", base::matching("Oldest age.", "^[0-9]+[smhd]$",
                                                     "an age such as 30s, 10m, 24h or 7d")),
            where()}),
      make("schema", "Columns and their types.",
           {base::required("columns", base::map("Column and type (bigint, varchar, …; any = any).",
                                                "^.+$", "a column", base::text("Type."))),
            base::optional("exact", base::boolean("No other columns."), "false")}),
      make("sql", "A query returns no rows. {{ table }} stands for the table.",
           {base::required("sql", sql_text("Query.")), tolerance()}),
      make("measure", "A number lies between two. {{ table }} stands for the table.",
           {base::required("sql", sql_text("Query of one row and column.")),
            number("min", "Least."), number("max", "Most.")}),
      make("anomaly", "A metric is as it was in the last results.",
           {base::required("metric", base::choice("What is measured.",
                                                  {"row_count", "null_fraction", "mean"})),
            base::optional("column", column_shape()),
            base::optional("window", base::integer("Results looked at.", 3, 200), "30"),
            base::optional("least", base::integer("Fewer results: it passes.", 3, 200), "5"),
            number("threshold", "Robust z-score from which on it fails (3.5)."), where()})};
}

class Reader {
 public:
  Reader(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), problems_(problems) {}

  void add(const Node& node, std::vector<Check>& to) {
    Check check;
    check.location = {node.line, node.column, document_.file};
    const std::string word = text(node, "kind");
    for (size_t i = 0; i < kKinds.size(); ++i)
      if (word == kKinds[i]) check.kind = static_cast<CheckKind>(i);
    check.name = text(node, "name");
    check.description = text(node, "description");
    check.severity = text(node, "severity") == "warn" ? Severity::kWarn : Severity::kError;
    check.where = condition(node, "where");
    if (const Node* most = node.find("at_most")) check.bound = tolerance(*most);
    if (const Node* column = node.find("column")) check.columns = {column->text};
    specific(node, check);
    const Node* columns = node.find("columns");
    if (!columns || check.kind == CheckKind::kSchema) return to.push_back(std::move(check));
    if (columns->items.empty()) return problem(*columns, "at least one column is needed");
    for (const Node& one : columns->items) check.columns.push_back(one.text);
    if (check.kind == CheckKind::kUnique || columns->items.size() == 1)
      return to.push_back(std::move(check));
    const auto all = std::move(check.columns);
    const std::string name = check.name;
    for (const auto& one : all) {
      check.columns = {one};
      if (!name.empty()) check.name = fmt::format("{} ({})", name, one);
      to.push_back(check);
    }
  }

 private:
  static std::string text(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    return found ? found->text : "";
  }

  void problem(const Node& node, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), node.line, node.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  void specific(const Node& node, Check& check) {
    switch (check.kind) {
      case CheckKind::kNotNull:
        return literals(node.find("also"), check.values);
      case CheckKind::kAcceptedValues:
        literals(node.find("values"), check.values);
        if (check.values.empty()) problem(*node.find("values"), "at least one value is needed");
        return;
      case CheckKind::kRelationships:
        return relationship(*node.find("to"), check);
      case CheckKind::kRange:
        check.min = literal(node.find("min"));
        check.max = literal(node.find("max"));
        if (!check.min && !check.max) problem(node, "a range has 'min', 'max' or both");
        return;
      case CheckKind::kRegex:
        check.pattern = text(node, "pattern");
        return;
      case CheckKind::kExpression:
        check.sql = condition(node, "sql");
        return;
      case CheckKind::kRowCount:
        check.bound = bound(node, 1);
        return;
      case CheckKind::kFreshness:
        return freshness(*node.find("max_age"), check);
      case CheckKind::kSchema:
        return schema(node, check);
      case CheckKind::kSql:
        check.sql = query(*node.find("sql"));
        return;
      case CheckKind::kMeasure:
        check.sql = query(*node.find("sql"));
        check.bound = bound(node, std::nullopt);
        return;
      case CheckKind::kAnomaly:
        return anomaly(node, check);
      default:
        return;
    }
  }

  std::optional<Literal> literal(const Node* node) {
    if (!node) return std::nullopt;
    if (!node->is_scalar() || node->kind == Node::Kind::kNull) {
      problem(*node, fmt::format("expected a value, found {}", yaml::describe(*node)));
      return std::nullopt;
    }
    return Literal{node->text,
                   node->kind == Node::Kind::kInteger || node->kind == Node::Kind::kNumber};
  }

  void literals(const Node* list, std::vector<Literal>& to) {
    if (!list) return;
    for (const Node& item : list->items)
      if (auto value = literal(&item)) to.push_back(std::move(*value));
  }

  std::optional<double> a_number(const Node& node) {
    double value = 0;
    const auto end = node.text.data() + node.text.size();
    if ((node.kind == Node::Kind::kInteger || node.kind == Node::Kind::kNumber) &&
        std::from_chars(node.text.data(), end, value).ptr == end && std::isfinite(value))
      return value;
    problem(node, fmt::format("expected a number, found {}", yaml::describe(node)));
    return std::nullopt;
  }

  /// Without `otherwise`, one of the two is needed.
  Bound bound(const Node& node, std::optional<double> otherwise) {
    const Node *min = node.find("min"), *max = node.find("max");
    Bound bound = Bound::between(-Bound::kNone, Bound::kNone);
    if (min) bound.low = a_number(*min).value_or(0);
    if (max) bound.high = a_number(*max).value_or(0);
    if (!min && !max) {
      if (otherwise)
        bound.low = *otherwise;
      else
        problem(node, "'min', 'max' or both are needed");
    } else if (bound.low > bound.high) {
      problem(node, "'min' is greater than 'max'");
    }
    return bound;
  }

  Bound tolerance(const Node& node) {
    std::string_view text = node.text;
    Bound bound;
    bound.percent = text.ends_with('%');
    if (bound.percent) text.remove_suffix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    double value = -1;
    const auto end = text.data() + text.size();
    const bool good = node.is_scalar() && !text.empty() &&
                      std::from_chars(text.data(), end, value).ptr == end && value >= 0 &&
                      (!bound.percent || value <= 100) && std::isfinite(value);
    if (!good)
      problem(node, fmt::format("expected failing rows such as 5 or 1% for 'at_most', found {}",
                                yaml::describe(node)));
    bound.high = good ? value : 0;
    return bound;
  }

  void relationship(const Node& to, Check& check) {
    const size_t dot = to.text.rfind('.');
    const auto table = dot == std::string::npos
                           ? std::nullopt
                           : table_sql(std::string_view(to.text).substr(0, dot));
    if (!table)
      return problem(to, fmt::format("'{}' is no column of a table", to.text),
                     "write catalog.schema.table.column");
    check.to_table = *table;
    check.to_column = to.text.substr(dot + 1);
  }

  void freshness(const Node& age, Check& check) {
    const auto seconds = parse_age(age.text);
    if (!seconds) problem(age, fmt::format("the age {} is out of range", age.text));
    check.bound = Bound::between(-Bound::kNone, static_cast<double>(seconds.value_or(0)));
  }

  void schema(const Node& node, Check& check) {
    const Node& columns = *node.find("columns");
    check.exact = node.find("exact")->boolean();
    for (size_t i = 0; i < columns.keys.size(); ++i) {
      std::string type = columns.items[i].text;
      try {
        if (type != "any") type = sql::Type::parse(type).display();
      } catch (const Error& e) {
        problem(columns.items[i], e.message(), "a type of SQL, such as bigint or varchar, or any");
      }
      check.expected.emplace_back(columns.keys[i].name, std::move(type));
    }
    if (check.expected.empty()) problem(columns, "at least one column is needed");
  }

  void anomaly(const Node& node, Check& check) {
    check.metric = text(node, "metric");
    check.window = static_cast<int>(*node.find("window")->integer());
    check.least = static_cast<int>(*node.find("least")->integer());
    const Node* threshold = node.find("threshold");
    check.bound = Bound::between(0, threshold ? a_number(*threshold).value_or(3.5) : 3.5);
    const bool of_column = check.metric != "row_count";
    if (of_column && check.columns.empty())
      problem(node, fmt::format("{} is a metric of a column: 'column' is missing", check.metric));
    if (!of_column && !check.columns.empty())
      problem(*node.find("column"), "row_count is no metric of a column");
  }

  template <class F>
  void parses(const Node& node, F&& parse) {
    try {
      parse(without_parameters(node.text));
    } catch (const Error& e) {
      problem(node, e.sql_message(), e.hint());
    }
  }

  std::string condition(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    if (!found) return "";
    parses(*found, [](const std::string& text) { sql::parse_expression(text); });
    return found->text;
  }

  std::string query(const Node& node) {
    parses(node, [](const std::string& text) { sql::parse(text); });
    return node.text;
  }

  const yaml::Document& document_;
  std::vector<Error>& problems_;
};

}  // namespace

std::string_view kind_name(CheckKind kind) { return kKinds[static_cast<size_t>(kind)]; }

std::string_view severity_name(Severity severity) {
  return severity == Severity::kWarn ? "warn" : "error";
}

bool Bound::holds(double value) const {
  const bool inside =
      (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  return inside != negated;
}

std::string Bound::words() const {
  const std::string unit = percent ? " %" : "";
  const bool below = std::isfinite(high), above = std::isfinite(low);
  std::string words;
  if (low == high)
    words = fmt::format("{}{}", low, unit);
  else if (above && below && !(low == 0 && !low_open))
    words = fmt::format("between {} and {}{}", low, high, unit);
  else if (below)
    words = fmt::format("{} {}{}", high_open ? "less than" : "at most", high, unit);
  else if (above)
    words = fmt::format("{} {}{}", low_open ? "more than" : "at least", low, unit);
  else
    words = "anything";
  return negated ? "not " + words : words;
}

base::Shape check_shape() {
  std::vector<Shape> kinds = row_kinds();
  for (auto& kind : table_kinds()) kinds.push_back(std::move(kind));
  return base::kinds("One check.", std::move(kinds), "");
}

base::Shape checks_shape() { return base::list("What must be true of the table.", check_shape()); }

std::vector<Check> parse_checks(const yaml::Document& document, const yaml::Node& sequence,
                                std::vector<Error>& problems) {
  std::vector<Check> checks;
  Reader reader(document, problems);
  for (const Node& item : sequence.items) reader.add(item, checks);
  name_checks(checks);
  return checks;
}

std::optional<int64_t> parse_age(std::string_view text) {
  int64_t number = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || stop + 1 != end || number < 0) return std::nullopt;
  const int64_t unit = *stop == 's'   ? 1
                       : *stop == 'm' ? 60
                       : *stop == 'h' ? 3600
                       : *stop == 'd' ? 86400
                                      : 0;
  if (unit == 0 || number > INT64_MAX / unit / 1000) return std::nullopt;
  return number * unit;
}

std::string age_words(double seconds) {
  const auto whole = static_cast<int64_t>(std::min(seconds, 1e15));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min", whole / 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

void name_checks(std::vector<Check>& checks) {
  std::map<std::string, int> seen;
  for (auto& check : checks) {
    if (check.name.empty()) {
      std::string about = check.kind == CheckKind::kAnomaly ? check.metric : "";
      for (const auto& column : check.columns) about += (about.empty() ? "" : ", ") + column;
      check.name = std::string(kind_name(check.kind));
      if (!about.empty()) check.name += fmt::format("({})", about);
    }
    if (const int number = ++seen[check.name]; number > 1)
      check.name += fmt::format(" #{}", number);
  }
}

std::optional<std::string> table_sql(std::string_view name) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '"') {
      if (quoted && i + 1 < name.size() && name[i + 1] == '"')
        parts.back() += name[++i];
      else
        quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (quoted || parts.size() != 3) return std::nullopt;
  std::string sql;
  for (const auto& part : parts) {
    if (part.empty()) return std::nullopt;
    sql += (sql.empty() ? "" : ".") + engine::quote_name(part);
  }
  return sql;
}

}  // namespace meesh::quality
