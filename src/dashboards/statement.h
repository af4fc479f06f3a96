// The query of a chart made ready to run: its parameters bound as values, filtered by what people
// clicked, rolled up to a level, its rows limited. Nothing that a viewer sends becomes SQL: values
// are literals of the tree, which the printer writes.
//
//   Statement statement = Statement::parse("SELECT … WHERE country IN (:country)", place);
//   statement.bind({{"country", {"FR", "DE"}}});
//   statement.filter({{"month", "=", {…}}});
//   engine.submit(statement.text(), session);
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dashboards/dashboard.h"
#include "sql/ast.h"

namespace meesh::dashboards {

/// What a parameter stands for. No values: the conditions it stands in hold for every row.
struct BoundValue {
  enum class Kind { kByValue, kText, kNumber, kDate, kTimestamp, kBoolean };
  Kind kind = Kind::kByValue;  // kByValue: by the JSON value's own type
  std::vector<boost::json::value> values;
};
using BoundValues = std::map<std::string, BoundValue>;

/// A click on a mark, or a brush over an axis.
struct ClickFilter {
  std::string column;
  std::string op = "in";  // in, =, between
  std::vector<boost::json::value> values;
};

class Statement {
 public:
  /// Throws SYNTAX_ERROR and, for anything but a query, NOT_SUPPORTED, at the text's place.
  static Statement parse(const std::string& sql, const TextPlace& place);

  /// Puts values in the places of `:name`. Throws BAD_REQUEST for a value that is not of its kind,
  /// CONFIG_INVALID at its place for a parameter that is not there.
  void bind(const BoundValues& values);

  /// Names of its parameters, each as often as it stands there.
  std::vector<std::string> parameters() const;
  /// Becomes a query that gives the same columns and no rows.
  void only_columns();
  /// Names of the answer's columns, as far as the text tells; nothing behind a `*`.
  std::optional<std::vector<std::string>> columns() const;
  /// Keeps rows of the answer of which the condition holds; the column is one of the answer's.
  void filter_answer(const std::vector<ClickFilter>& filters);
  /// Keeps rows of what the query is computed from: a condition in its WHERE. False if the query is
  /// no plain SELECT … FROM.
  bool filter_source(const std::vector<ClickFilter>& filters);
  /// The answer summed up to its column `level`, below what was chosen on the levels before it.
  void drill(const DrillConfig& drill, const std::vector<std::string>& numbers, size_t level,
             const std::vector<boost::json::value>& chosen);
  /// At most so many rows, unless the query limits itself.
  void limit_rows(size_t most);

  /// Trino SQL. As it was written as long as nothing was changed, so that places in errors are
  /// those of the file.
  std::string text() const;
  /// An error of running text(), with its place in the file if that is known.
  Error located(const Error& error) const;
  const sql::Query& query() const;

 private:
  Statement() = default;
  void wrap();

  struct Hole {  // a `:name` in the text
    size_t offset = 0, length = 0;
    std::string name;
    sql::Position pos;
  };
  std::string source_;  // without a semicolon
  TextPlace place_;
  std::vector<Hole> holes_;
  sql::StatementPtr tree_;
  bool rewritten_ = false;     // text() is printed of the tree
  std::string bound_;          // the text with its values, while it is not rewritten
  std::optional<size_t> cut_;  // limit_rows() added a limit
};

/// A literal of SQL; throws BAD_REQUEST for what is none of the kind.
sql::ExprPtr literal(const boost::json::value& value,
                     BoundValue::Kind kind = BoundValue::Kind::kByValue);

}  // namespace meesh::dashboards
