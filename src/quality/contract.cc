#include "quality/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "engine/ask.h"
#include "quality/contract_schema.h"
#include "quality/parameters.h"
#include "sql/sql.h"

namespace meesh::quality {
namespace {

using engine::quote_name;
using yaml::Node;

std::string text(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found && found->is_scalar() ? found->text : "";
}

bool flag(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found && found->boolean();
}

const std::vector<Node>& items(const Node& node, std::string_view key) {
  static const std::vector<Node> none;
  const Node* found = node.find(key);
  return found ? found->items : none;
}

double number(const Node& node) {
  double value = 0;
  std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  return value;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string column_name(const Node& property) {
  const std::string physical = text(property, "physicalName");
  return lower(physical.empty() ? text(property, "name") : physical);
}

Literal literal(const Node& node) {
  return {node.text, node.kind == Node::Kind::kInteger || node.kind == Node::Kind::kNumber};
}

class Reader {
 public:
  Reader(const yaml::Document& document, std::string suite, const mesh::Mesh& mesh,
         std::vector<Error>& problems)
      : document_(document),
        root_(document.root),
        suite_(std::move(suite)),
        mesh_(mesh),
        problems_(problems) {}

  Contract read() {
    contract_.id = text(root_, "id");
    contract_.name = text(root_, "name");
    contract_.version = text(root_, "version");
    contract_.status = text(root_, "status");
    contract_.product = text(root_, "dataProduct");
    contract_.domain = text(root_, "domain");
    for (const Node& object : items(root_, "schema")) add_object(object);
    for (const Node& sla : items(root_, "slaProperties")) add_sla(sla);
    for (auto& suite : contract_.suites) name_checks(suite.checks);
    return std::move(contract_);
  }

 private:
  void problem(const Node& node, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), node.line, node.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  /// "catalog.schema." of the first server that is one of the mesh's; "" if none is.
  std::string prefix() const {
    for (const Node& server : items(root_, "servers")) {
      const std::string type = text(server, "type"), schema = text(server, "schema");
      std::string catalog = text(server, "catalog");
      if (type == "postgres" || type == "postgresql") {
        for (const auto& domain : mesh_.domains)
          if (domain.database.name == text(server, "database")) catalog = domain.catalog;
      } else if (type != "trino" && type != "custom") {
        continue;
      }
      if (!catalog.empty() && !schema.empty()) return lower(catalog + "." + schema + ".");
    }
    return "";
  }

  std::optional<std::string> table_of(const Node& object) {
    const std::string physical = text(object, "physicalName");
    const std::string name = lower(physical.empty() ? text(object, "name") : physical);
    if (table_sql(name)) return name;
    const std::string before = prefix();
    const bool dotted = std::ranges::count(name, '.') == 1 && !before.empty();
    const std::string full = dotted ? before.substr(0, before.find('.') + 1) + name : before + name;
    if (table_sql(full)) return full;
    problem(object, fmt::format("it is not told which table '{}' is", name),
            "write physicalName: catalog.schema.table, or a server of type trino with catalog and "
            "schema");
    return std::nullopt;
  }

  void add_object(const Node& object) {
    const auto table = table_of(object);
    if (!table) return;
    Suite suite{suite_, *table, {}};
    objects_.emplace_back(text(object, "name"), *table);
    checks_ = &suite.checks;
    Check schema;
    schema.kind = CheckKind::kSchema;
    std::map<std::pair<int64_t, size_t>, std::string> keys;  // by position, then as written
    for (const Node& property : items(object, "properties")) {
      const std::string column = column_name(property);
      schema.expected.emplace_back(column, type_of(property));
      if (flag(property, "primaryKey")) {
        const Node* position = property.find("primaryKeyPosition");
        keys[{position ? position->integer().value_or(0) : 0, keys.size()}] = column;
      }
      add_property(property, column);
    }
    if (!schema.expected.empty()) add(object, std::move(schema));
    Check key;
    key.kind = CheckKind::kUnique;
    for (const auto& [position, column] : keys) {
      key.columns.push_back(column);
      not_null(object, column);
    }
    if (!keys.empty()) add(object, std::move(key));
    for (const Node& rule : items(object, "quality")) add_rule(rule, "");
    contract_.suites.push_back(std::move(suite));
  }

  /// physicalType as a type of SQL if it is one; else any, as logical types name no exact one.
  static std::string type_of(const Node& property) {
    const std::string type = lower(text(property, "physicalType"));
    if (type.empty()) return "any";
    try {
      return sql::Type::parse(type).display();
    } catch (const Error&) {
      return "any";
    }
  }

  void add(const Node& node, Check check) {
    check.location = {node.line, node.column, document_.file};
    checks_->push_back(std::move(check));
  }

  void not_null(const Node& node, const std::string& column) {
    for (const auto& check : *checks_)
      if (check.kind == CheckKind::kNotNull && check.columns[0] == column && check.values.empty())
        return;
    Check check;
    check.kind = CheckKind::kNotNull;
    check.columns = {column};
    add(node, std::move(check));
  }

  void add_property(const Node& property, const std::string& column) {
    if (flag(property, "required")) not_null(property, column);
    if (flag(property, "unique")) {
      Check check;
      check.kind = CheckKind::kUnique;
      check.columns = {column};
      add(property, std::move(check));
    }
    if (const Node* options = property.find("logicalTypeOptions"))
      add_options(*options, column, text(property, "logicalType"));
    for (const Node& rule : items(property, "quality")) add_rule(rule, column);
  }

  void add_options(const Node& options, const std::string& column, const std::string& logical) {
    Check range;
    range.kind = CheckKind::kRange;
    range.columns = {column};
    const auto bound = [&](const char* key, std::optional<Literal>& to, bool& open,
                           bool exclusive) {
      if (const Node* value = options.find(key)) {
        to = literal(*value);
        open = exclusive;
      }
    };
    bound("minimum", range.min, range.min_open, false);
    bound("exclusiveMinimum", range.min, range.min_open, true);
    bound("maximum", range.max, range.max_open, false);
    bound("exclusiveMaximum", range.max, range.max_open, true);
    if (range.min || range.max) add(options, std::move(range));
    if (const Node* pattern = options.find("pattern")) {
      Check regex;
      regex.kind = CheckKind::kRegex;
      regex.columns = {column};
      regex.pattern = pattern->text;
      add(options, std::move(regex));
    }
    const std::string name = quote_name(column);
    const auto expression = [&](const char* key, const char* form) {
      const Node* value = options.find(key);
      if (!value || logical == "object" || logical == "array") return;
      Check check;
      check.kind = CheckKind::kExpression;
      check.columns = {column};
      check.name = fmt::format("{}({})", key, column);
      check.sql = fmt::format(fmt::runtime(form), name, value->text);
      add(options, std::move(check));
    };
    expression("minLength", "length({}) >= {}");
    expression("maxLength", "length({}) <= {}");
    expression("multipleOf", "{} % {} = 0");
  }

  /// The operator of a rule; without one, nothing may be found.
  static Bound bound_of(const Node& rule) {
    Bound bound;
    const double none = Bound::kNone;
    const auto take = [&](const char* key, auto&& set) {
      if (const Node* value = rule.find(key)) set(*value);
    };
    take("mustBe", [&](const Node& n) { bound = Bound::between(number(n), number(n)); });
    take("mustNotBe", [&](const Node& n) {
      bound = Bound::between(number(n), number(n));
      bound.negated = true;
    });
    take("mustBeGreaterThan", [&](const Node& n) {
      bound = Bound::between(number(n), none);
      bound.low_open = true;
    });
    take("mustBeGreaterOrEqualTo", [&](const Node& n) { bound = Bound::between(number(n), none); });
    take("mustBeLessThan", [&](const Node& n) {
      bound = Bound::between(-none, number(n));
      bound.high_open = true;
    });
    take("mustBeLessOrEqualTo", [&](const Node& n) { bound = Bound::between(-none, number(n)); });
    for (const char* key : {"mustBeBetween", "mustNotBeBetween"})
      take(key, [&](const Node& n) {
        bound = Bound::between(number(n.items[0]), number(n.items[1]));
        bound.negated = std::string_view(key) == "mustNotBeBetween";
      });
    bound.percent = text(rule, "unit") == "percent";
    return bound;
  }

  void add_rule(const Node& rule, const std::string& column) {
    Check check;
    check.name = text(rule, "name");
    check.description = text(rule, "description");
    const std::string severity = text(rule, "severity");
    check.severity = severity == "warning" || severity == "warn" || severity == "info"
                         ? Severity::kWarn
                         : Severity::kError;
    check.bound = bound_of(rule);
    if (!column.empty()) check.columns = {column};
    const std::string type = text(rule, "type"), metric = text(rule, "metric");
    if (type == "sql") return sql_rule(rule, std::move(check), column);
    if (metric.empty()) {
      contract_.unchecked.push_back(
          fmt::format("{}:{}: {}", document_.file, rule.line,
                      check.description.empty()
                          ? fmt::format("a rule of type {}", type.empty() ? "library" : type)
                          : check.description));
      return;
    }
    if (metric == "rowCount") {
      check.kind = CheckKind::kRowCount;
      check.columns.clear();
      check.bound.percent = false;
      return add(rule, std::move(check));
    }
    library_rule(rule, std::move(check), metric);
  }

  void library_rule(const Node& rule, Check check, const std::string& metric) {
    const Node* arguments = rule.find("arguments");
    const auto argument = [&](const char* key) {
      return arguments ? arguments->find(key) : nullptr;
    };
    if (metric == "duplicateValues") {
      check.kind = CheckKind::kUnique;
      if (const Node* properties = argument("properties")) {
        check.columns.clear();
        for (const Node& property : properties->items)
          check.columns.push_back(lower(property.text));
      }
    } else if (metric == "nullValues") {
      check.kind = CheckKind::kNotNull;
    } else if (metric == "missingValues") {
      check.kind = CheckKind::kNotNull;
      if (const Node* values = argument("missingValues"))
        for (const Node& value : values->items)
          if (value.is_scalar() && value.kind != Node::Kind::kNull)
            check.values.push_back(literal(value));
    } else if (const Node* pattern = argument("pattern")) {
      check.kind = CheckKind::kRegex;
      check.pattern = pattern->text;
    } else if (const Node* values = argument("validValues"); values && !values->items.empty()) {
      check.kind = CheckKind::kAcceptedValues;
      for (const Node& value : values->items)
        if (value.is_scalar()) check.values.push_back(literal(value));
    } else {
      return problem(rule, "invalidValues does not say which values are valid",
                     "write arguments: { validValues: […] } or { pattern: … }");
    }
    if (check.columns.empty())
      return problem(rule, fmt::format("{} is about a column", metric),
                     "write it at the property, or arguments: { properties: […] }");
    add(rule, std::move(check));
  }

  void sql_rule(const Node& rule, Check check, const std::string& column) {
    const Node& query = *rule.find("query");
    check.kind = CheckKind::kMeasure;
    check.sql = query.text;
    for (const char* word : {"${table}", "${object}", "{table}", "{object}"})
      check.sql = replaced(check.sql, word, "\x01");
    check.sql = replaced(check.sql, "\x01", "{{ table }}");
    for (const char* word : {"${column}", "${property}", "{property}", "{column}"})
      check.sql = replaced(check.sql, word, quote_name(column));
    try {
      sql::parse(without_parameters(check.sql));
    } catch (const Error& e) {
      return problem(query, e.sql_message(), e.hint());
    }
    add(rule, std::move(check));
  }

  /// Freshness and latency of a column that tells times: `element: orders.updated_at`.
  void add_sla(const Node& sla) {
    const std::string property = lower(text(sla, "property")), element = text(sla, "element");
    const bool freshness = property == "latency" || property == "freshness" || property == "ly";
    const auto dot = element.rfind('.');
    const auto age = freshness ? age_of(sla) : std::nullopt;
    if (!age || element.empty()) {
      contract_.unchecked.push_back(
          fmt::format("{}:{}: {}", document_.file, sla.line, text(sla, "property")));
      return;
    }
    const std::string object = dot == std::string::npos ? "" : element.substr(0, dot);
    for (size_t i = 0; i < objects_.size(); ++i) {
      if (!object.empty() && objects_[i].first != object && objects_[i].second != lower(object))
        continue;
      Check check;
      check.kind = CheckKind::kFreshness;
      check.columns = {lower(dot == std::string::npos ? element : element.substr(dot + 1))};
      check.bound = Bound::between(-Bound::kNone, *age);
      check.description = text(sla, "description");
      checks_ = &contract_.suites[i].checks;
      return add(sla, std::move(check));
    }
    problem(*sla.find("element"), fmt::format("'{}' is no object of this contract", object));
  }

  static std::optional<double> age_of(const Node& sla) {
    const Node& value = *sla.find("value");
    if (value.kind != Node::Kind::kInteger && value.kind != Node::Kind::kNumber)
      return std::nullopt;
    const std::string unit = lower(text(sla, "unit"));
    const double seconds = unit == "d" || unit == "day" || unit == "days"         ? 86400
                           : unit == "h" || unit == "hour" || unit == "hours"     ? 3600
                           : unit == "m" || unit == "minute" || unit == "minutes" ? 60
                           : unit == "s" || unit == "second" || unit == "seconds" ? 1
                           : unit == "y" || unit == "yr" || unit == "years"       ? 365.25 * 86400
                                                                                  : 0;
    if (seconds == 0) return std::nullopt;
    return number(value) * seconds;
  }

  const yaml::Document& document_;
  const Node& root_;
  const std::string suite_;
  const mesh::Mesh& mesh_;
  std::vector<Error>& problems_;
  Contract contract_;
  std::vector<std::pair<std::string, std::string>> objects_;  // name, table: as contract_.suites
  std::vector<Check>* checks_ = nullptr;                      // of the object being read
};

}  // namespace

std::optional<Contract> parse_contract(std::string text, const std::string& file,
                                       const std::string& suite, const mesh::Mesh& mesh,
                                       std::vector<Error>& problems) {
  const size_t before = problems.size();
  try {
    const yaml::Document document = yaml::parse(std::move(text), file);
    check_schema(contract_schema(), document, problems);
    if (problems.size() > before) return std::nullopt;
    auto contract = Reader(document, suite, mesh, problems).read();
    if (problems.size() > before) return std::nullopt;
    return contract;
  } catch (const Error& e) {
    problems.push_back(e);
    return std::nullopt;
  }
}

std::optional<Contract> load_contract(mesh::MeshFiles& files, const std::filesystem::path& relative,
                                      const mesh::Mesh& mesh) {
  try {
    return parse_contract(files.text(relative), files.shown(relative), relative.string(), mesh,
                          files.problems());
  } catch (const Error& e) {
    files.problems().push_back(e);
    return std::nullopt;
  }
}

}  // namespace meesh::quality
