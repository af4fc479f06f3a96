#include "quality/check_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/ask.h"
#include "quality/parameters.h"
#include "sql/sql.h"

namespace meesh::quality {
namespace {

using engine::quote_name;
using engine::quote_text;

constexpr int kSampleRows = 5;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class Compiler {
 public:
  Compiler(const Check& check, const Target& target) : check_(check), target_(target) {
    for (const auto& column : check.columns) find(column);
    if (!check.where.empty()) where_ = condition(check.where);
  }

  Measure compile() {
    switch (check_.kind) {
      case CheckKind::kUnique:
        return unique();
      case CheckKind::kRelationships:
        return relationship();
      case CheckKind::kRowCount:
        return number(fmt::format("count_if({})", where_));
      case CheckKind::kFreshness:
        return freshness();
      case CheckKind::kSql:
        return rows_of_query();
      case CheckKind::kMeasure: {
        Measure measure;
        measure.query = fill(check_.sql);
        return measure;
      }
      case CheckKind::kAnomaly:
        return anomaly();
      case CheckKind::kSchema:
        return {};
      default:
        return rows(failing());
    }
  }

 private:
  const sql::Type& find(const std::string& column) const {
    const auto found = target_.columns.find(lower(column));
    if (found != target_.columns.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [name, type] : target_.columns) names.push_back(name);
    throw Error(Code::kColumnNotFound, fmt::format("the table has no column '{}'", column))
        .with_hint(base::did_you_mean(column, names, "its columns are "));
  }

  std::string column() const { return quote_name(lower(check_.columns.at(0))); }
  bool is_text() const { return find(check_.columns[0]).kind == sql::TypeKind::kVarchar; }
  std::string text_column() const {
    return is_text() ? column() : fmt::format("CAST({} AS varchar)", column());
  }

  std::string fill(const std::string& text) const {
    auto values = target_.parameters;
    values["table"] = target_.sql;
    return fill_parameters(text, values);
  }

  /// Printed anew, so that a comment in it ends where it does.
  std::string condition(const std::string& text) const {
    return "(" + sql::print_trino(*sql::parse_expression(fill(text))) + ")";
  }

  /// A value in terms of the column it is compared with.
  std::string literal(const Literal& value) const {
    const sql::Type& type = find(check_.columns[0]);
    if (value.number && type.kind != sql::TypeKind::kVarchar && type.kind != sql::TypeKind::kChar)
      return value.text;
    return type.kind == sql::TypeKind::kVarchar
               ? quote_text(value.text)
               : fmt::format("CAST({} AS {})", quote_text(value.text), type.display());
  }

  std::string list(const std::vector<Literal>& values, bool as_text) const {
    std::string sql;
    for (const auto& value : values)
      sql += (sql.empty() ? "" : ", ") + (as_text ? quote_text(value.text) : literal(value));
    return sql;
  }

  /// The condition of a row that fails; unknown is not failing.
  std::string failing() const {
    switch (check_.kind) {
      case CheckKind::kNotNull:
        return check_.values.empty() ? fmt::format("{} IS NULL", column())
                                     : fmt::format("({0} IS NULL OR {1} IN ({2}))", column(),
                                                   text_column(), list(check_.values, true));
      case CheckKind::kAcceptedValues:
        return fmt::format("{} NOT IN ({})", column(), list(check_.values, false));
      case CheckKind::kRange: {
        // Written with NOT, as a NaN lies in no range.
        std::string inside;
        if (check_.min)
          inside =
              fmt::format("{} {} {}", column(), check_.min_open ? ">" : ">=", literal(*check_.min));
        if (check_.max)
          inside += fmt::format("{}{} {} {}", inside.empty() ? "" : " AND ", column(),
                                check_.max_open ? "<" : "<=", literal(*check_.max));
        return fmt::format("NOT ({})", inside);
      }
      case CheckKind::kRegex:
        return fmt::format("NOT regexp_like({}, {})", text_column(), quote_text(check_.pattern));
      case CheckKind::kExpression:
        return fmt::format("NOT {}", condition(check_.sql));
      default:
        internal_error("a check without rows");
    }
  }

  Measure rows(const std::string& failing) const {
    Measure measure;
    measure.of_rows = true;
    measure.aggregates = {fmt::format("count_if({})", where_),
                          fmt::format("count_if({} AND ({}))", where_, failing)};
    measure.sample = fmt::format("SELECT * FROM {} WHERE {} AND ({}) LIMIT {}", target_.sql, where_,
                                 failing, kSampleRows);
    return measure;
  }

  static Measure number(std::string aggregate) {
    Measure measure;
    measure.aggregates = {std::move(aggregate)};
    return measure;
  }

  Measure unique() const {
    std::string columns, present = where_;
    for (const auto& one : check_.columns) {
      columns += (columns.empty() ? "" : ", ") + quote_name(lower(one));
      present += fmt::format(" AND {} IS NOT NULL", quote_name(lower(one)));
    }
    const std::string key = check_.columns.size() == 1 ? columns : fmt::format("ROW({})", columns);
    Measure measure;
    measure.of_rows = true;
    measure.aggregates = {
        fmt::format("count_if({})", present),
        fmt::format("count_if({0}) - count(DISTINCT CASE WHEN {0} THEN {1} END)", present, key)};
    measure.sample = fmt::format(
        "SELECT {0}, count(*) AS \"rows\" FROM {1} WHERE {2} GROUP BY {0} HAVING count(*) > 1 "
        "ORDER BY \"rows\" DESC LIMIT {3}",
        columns, target_.sql, present, kSampleRows);
    return measure;
  }

  Measure relationship() const {
    const std::string to = quote_name(lower(check_.to_column));
    const std::string joined = fmt::format(
        "(SELECT * FROM {1} WHERE {2} AND {0} IS NOT NULL) AS a LEFT JOIN (SELECT DISTINCT {3} AS "
        "meesh_key FROM {4} WHERE {3} IS NOT NULL) AS b ON a.{0} = b.meesh_key",
        column(), target_.sql, where_, to, check_.to_table);
    Measure measure;
    measure.of_rows = true;
    measure.query = fmt::format("SELECT count(*), count_if(b.meesh_key IS NULL) FROM {}", joined);
    measure.sample =
        fmt::format("SELECT a.* FROM {} WHERE b.meesh_key IS NULL LIMIT {}", joined, kSampleRows);
    return measure;
  }

  /// Rows from the future tell nothing of how fresh the table is.
  Measure freshness() const {
    std::string time = fmt::format("CAST({} AS timestamp(6) with time zone)", column());
    if (is_text())
      time = fmt::format("coalesce(try(from_iso8601_timestamp({})), {})", column(), time);
    return number(fmt::format(
        "date_diff('second', max(CASE WHEN {} AND {} <= current_timestamp THEN {} END), "
        "current_timestamp)",
        where_, time, time));
  }

  Measure anomaly() const {
    if (check_.metric == "row_count") return number(fmt::format("count_if({})", where_));
    if (check_.metric == "null_fraction")
      return number(
          fmt::format("CAST(count_if({0} AND {1} IS NULL) AS double) / nullif(count_if({0}), 0)",
                      where_, column()));
    return number(fmt::format("avg(CASE WHEN {} THEN CAST({} AS double) END)", where_, column()));
  }

  Measure rows_of_query() const {
    std::string query = fill(check_.sql);
    Measure measure;
    measure.of_rows = true;
    // The query in parentheses is parsed again: without its last semicolon and comments.
    query = sql::print_trino(*sql::parse(query));
    measure.query = fmt::format("SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM ({}))",
                                target_.sql, query);
    measure.sample = fmt::format("SELECT * FROM ({}) LIMIT {}", query, kSampleRows);
    return measure;
  }

  const Check& check_;
  const Target& target_;
  std::string where_ = "true";
};

}  // namespace

Measure compile(const Check& check, const Target& target) {
  return Compiler(check, target).compile();
}

std::string scan_query(const std::vector<const Measure*>& measures, const Target& target) {
  std::string columns;
  for (const Measure* measure : measures)
    for (const auto& aggregate : measure->aggregates)
      columns += (columns.empty() ? "" : ", ") + aggregate;
  return fmt::format("SELECT {} FROM {}", columns, target.sql);
}

std::vector<std::string> schema_differences(const Check& check, const Target& target) {
  std::vector<std::string> differences;
  std::set<std::string> expected;
  for (const auto& [name, type] : check.expected) {
    const auto found = target.columns.find(*expected.insert(lower(name)).first);
    if (found == target.columns.end())
      differences.push_back(fmt::format("column '{}' is missing", name));
    else if (type != "any" && found->second.display() != type)
      differences.push_back(
          fmt::format("column '{}' is {}, not {}", name, found->second.display(), type));
  }
  for (const auto& [name, type] : target.columns)
    if (check.exact && !expected.contains(name))
      differences.push_back(fmt::format("column '{}' ({}) is not expected", name, type.display()));
  return differences;
}

}  // namespace meesh::quality
