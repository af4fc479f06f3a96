#include "ingest/cdc/change_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "ingest/lake_types.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;
using sql::Type;
using sql::TypeKind;

namespace {

const std::vector<StreamColumn>& told_columns() {
  static const std::vector<StreamColumn> columns = {
      {"_op", Type::varchar(), ""},
      {"_major", Type::of(TypeKind::kBigint), ""},
      {"_minor", Type::of(TypeKind::kBigint), ""},
      {"_tx", Type::varchar(), ""},
      {"_committed", Type::of(TypeKind::kTimestampTz, 6), ""},
      {"_unchanged", Type::varchar(), ""}};
  return columns;
}

/// A column of the buffer as its own type.
std::string carried(const std::string& name, const Type& type) {
  const std::string quoted = "b." + quote_name(name);
  return type.children.empty() ? quoted
                               : fmt::format("CAST(json_parse({}) AS {})", quoted, type.display());
}

const StreamColumn* find(const std::vector<StreamColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &StreamColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

/// Whether the row's update left the column as it was.
std::string keeps(const std::string& row, const std::string& column) {
  const std::string quoted = boost::json::serialize(boost::json::string_view(column));
  return fmt::format("coalesce(strpos({}._unchanged, {}) > 0, false)", row, quote_text(quoted));
}

constexpr const char* kGone = "('d', 'm')";  // ops that leave no row

}  // namespace

ChangeSql::ChangeSql(const TableChanges& changes, std::string rows, const TableConfig& table,
                     const Policies& policies, std::optional<ChangePosition> after)
    : changes_(changes),
      shape_(*changes.shape),
      rows_(std::move(rows)),
      table_(table),
      policies_(policies),
      after_(after) {}

std::vector<StreamColumn> ChangeSql::columns(const std::vector<StreamColumn>& landed) const {
  auto columns = policies_.columns(shape_.columns);
  for (const auto& column : columns) {
    if (!find(told_columns(), column.name) && !column.name.starts_with(kBeforePrefix)) continue;
    throw Error(Code::kDuplicateColumnName,
                fmt::format("{} has a column '{}', which histories of changes have themselves",
                            shape_.origin, column.name))
        .with_hint("list it under 'exclude' in the source's file");
  }
  if (landed.empty() || table_.contract == SchemaContract::kEvolve) return columns;
  std::erase_if(columns, [&](const StreamColumn& column) {
    if (find(landed, column.name)) return false;
    if (table_.contract != SchemaContract::kFreeze) return true;
    throw Error(Code::kTypeMismatch,
                fmt::format("{} has a new column '{}', and its table is frozen", shape_.origin,
                            column.name))
        .with_hint(fmt::format("add it with ALTER TABLE, list it under 'exclude', or change "
                               "'schema_contract' of '{}'",
                               table_.name));
  });
  return columns;
}

std::vector<StreamColumn> ChangeSql::history_columns(
    const std::vector<StreamColumn>& landed) const {
  auto columns = this->columns(landed);
  for (const auto& name : key())
    if (const auto* column = find(columns, name))
      columns.push_back({std::string(kBeforePrefix) + name, column->type, ""});
  columns.insert(columns.end(), told_columns().begin(), told_columns().end());
  return columns;
}

std::vector<std::string> ChangeSql::key() const {
  std::vector<std::string> names;
  for (const size_t own : shape_.key) names.push_back(shape_.columns.at(own).name);
  return names;
}

std::vector<std::string> ChangeSql::kept() const {
  std::vector<std::string> names;
  for (const size_t own : changes_.unchanged) names.push_back(shape_.columns.at(own).name);
  return names;
}

std::string ChangeSql::filter(bool poison) const {
  std::string text = poison ? "b._error IS NOT NULL" : "b._error IS NULL";
  if (after_)
    text += fmt::format(" AND (b._major > {0} OR (b._major = {0} AND b._minor > {1}))",
                        after_->major, after_->minor);
  return text;
}

std::string ChangeSql::let_through(const std::vector<StreamColumn>& columns) const {
  std::vector<std::string> values = {"b._seq AS _seq"};
  for (const auto& column : told_columns())
    values.push_back(fmt::format("b.{0} AS {0}", quote_name(column.name)));
  const auto add = [&](const StreamColumn& source, const std::string& as) {
    values.push_back(
        fmt::format("{} AS {}", policies_.value(source, carried(as, source.type)), quote_name(as)));
  };
  for (const auto& column : columns)
    if (const auto* source = find(shape_.columns, column.name)) add(*source, column.name);
  for (const size_t own : shape_.key) {
    const auto& source = shape_.columns.at(own);
    if (find(columns, source.name)) add(source, std::string(kBeforePrefix) + source.name);
  }
  return fmt::format("SELECT {} FROM {} AS b{} WHERE {}", fmt::join(values, ", "), rows_,
                     policies_.join(), filter(false));
}

std::string ChangeSql::append(const Landing& history, const LandingMark& mark) const {
  const auto landed = history.columns();
  return history.insert(fmt::format("SELECT * FROM ({}) AS h WHERE h._op <> {}",
                                    let_through(columns(landed)), quote_text(kOpMoved)),
                        history_columns(landed), shape_.origin, mark.run_date, mark.moment);
}

std::string ChangeSql::insert(const Landing& current, const LandingMark& mark) const {
  const auto all = columns(current.columns());
  return current.insert(let_through(all), all, shape_.origin, mark.run_date, mark.moment);
}

std::string ChangeSql::landed_rows(const Landing& current,
                                   const std::vector<StreamColumn>& columns) const {
  const auto landed = current.columns();
  std::vector<std::string> values = {"l._seq", "l._op", "l._unchanged"};
  const auto add = [&](const StreamColumn& column, const std::string& as) {
    const auto* there = find(landed, column.name);
    if (!there) internal_error("a column was not prepared: " + column.name);
    std::string value = landed_value("l." + quote_name(as), column.type);
    if (there->type != landed_type(column.type))
      value = fmt::format("CAST({} AS {})", value, there->type.display());
    values.push_back(fmt::format("{} AS {}", value, quote_name(as)));
  };
  for (const auto& column : columns) add(column, column.name);
  for (const auto& name : key())
    if (const auto* column = find(columns, name)) add(*column, std::string(kBeforePrefix) + name);
  return fmt::format("SELECT {} FROM ({}) AS l WHERE l._op <> {}", fmt::join(values, ", "),
                     let_through(columns), quote_text(kOpTruncate));
}

std::string ChangeSql::same(const char* left, const char* right, const std::string& prefix) const {
  // Whole rows as a key may have NULLs; a primary key has none.
  const bool nulls = shape_.key.size() == shape_.columns.size();
  std::string text;
  for (const auto& name : key())
    text += fmt::format("{}{}.{} {} {}.{}", text.empty() ? "" : " AND ", left, quote_name(name),
                        nulls ? "IS NOT DISTINCT FROM" : "=", right, quote_name(prefix + name));
  return text;
}

/// Of each kept column: what the key's changes set it to last, and whether any did.
std::string ChangeSql::kept_values() const {
  std::string text;
  for (const auto& name : kept()) {
    const std::string set = fmt::format("NOT {}", keeps("a", name));
    text +=
        fmt::format(", max_by(a.{0}, a._seq) FILTER (WHERE {1}) AS {2}, count_if({1}) > 0 AS {3}",
                    quote_name(name), set, quote_name("_last_" + name), quote_name("_set_" + name));
  }
  return text;
}

std::string ChangeSql::last_rows(const Landing& current,
                                 const std::vector<StreamColumn>& columns) const {
  const std::string rows = landed_rows(current, columns);
  std::vector<std::string> by;
  for (const auto& name : key()) by.push_back("r." + quote_name(name));
  const std::string last = fmt::format(
      "SELECT r.*, row_number() OVER (PARTITION BY {} ORDER BY r._seq DESC) AS _nth FROM ({}) AS r",
      fmt::join(by, ", "), rows);
  const auto kept = this->kept();
  if (kept.empty()) return fmt::format("SELECT n.* FROM ({}) AS n WHERE n._nth = 1", last);
  std::vector<std::string> names, grouped, values = {"n._op AS _op"};
  for (const auto& name : key()) {
    names.push_back("a." + quote_name(name));
    grouped.push_back(fmt::format("a.{0} AS {0}", quote_name(name)));
  }
  std::string origins;
  if (changes_.moved_unchanged)  // where the row was before this buffer
    for (const auto& name : key())
      origins += fmt::format(
          ", min_by(a.{0}, a._seq) FILTER (WHERE a._unchanged IS NOT NULL AND "
          "a.{0} IS NOT NULL) AS {0}",
          quote_name(std::string(kBeforePrefix) + name));
  for (const auto& column : columns) {
    const std::string name = quote_name(column.name);
    if (std::ranges::count(kept, column.name) == 0) {
      values.push_back(fmt::format("n.{0} AS {0}", name));
      continue;
    }
    const std::string set = "k." + quote_name("_set_" + column.name);
    const std::string was = changes_.moved_unchanged ? "o." + name : "NULL";
    values.push_back(fmt::format("CASE WHEN {} THEN k.{} ELSE {} END AS {}", set,
                                 quote_name("_last_" + column.name), was, name));
    values.push_back(fmt::format(
        "{}{} AS {}", set,
        changes_.moved_unchanged ? fmt::format(" OR o.{} IS NOT NULL", kSourceColumn) : "",
        quote_name("_set_" + column.name)));
  }
  // A key whose changes are all deletes has nothing to keep.
  std::string from = fmt::format(
      "({}) AS n LEFT JOIN (SELECT {}{}{} FROM ({}) AS a WHERE a._op NOT IN {} GROUP BY {}) AS k "
      "ON {}",
      last, fmt::join(grouped, ", "), kept_values(), origins, rows, kGone, fmt::join(names, ", "),
      same("n", "k", ""));
  if (changes_.moved_unchanged)
    from += fmt::format(" LEFT JOIN {} AS o ON {}", quote_table(current.table()),
                        same("o", "k", std::string(kBeforePrefix)));
  return fmt::format("SELECT {} FROM {} WHERE n._nth = 1", fmt::join(values, ", "), from);
}

std::string ChangeSql::merge(const Landing& current, const LandingMark& mark) const {
  const auto all = columns(current.columns());
  const auto kept = this->kept();
  std::vector<std::string> updates, names, values;
  for (const auto& column : all) {
    const std::string name = quote_name(column.name);
    names.push_back(name);
    values.push_back("s." + name);
    if (std::ranges::count(kept, column.name) == 0)
      updates.push_back(fmt::format("{0} = s.{0}", name));
    else
      updates.push_back(fmt::format("{0} = CASE WHEN s.{1} THEN s.{0} ELSE t.{0} END", name,
                                    quote_name("_set_" + column.name)));
  }
  const std::string moment = fmt::format("TIMESTAMP '{}'", mark.moment),
                    origin = quote_text(shape_.origin),
                    date = fmt::format("DATE '{}'", mark.run_date);
  names.insert(names.end(), {kTimestampColumn, kSourceColumn, kDateColumn});
  values.insert(values.end(), {moment, origin, date});
  updates.push_back(fmt::format("{} = {}", kTimestampColumn, moment));
  updates.push_back(fmt::format("{} = {}", kSourceColumn, origin));
  updates.push_back(fmt::format("{} = {}", kDateColumn, date));
  return fmt::format(
      "MERGE INTO {} AS t USING ({}) AS s ON {} WHEN MATCHED AND s._op IN {} THEN DELETE WHEN "
      "MATCHED THEN UPDATE SET {} WHEN NOT MATCHED AND s._op NOT IN {} THEN INSERT ({}) VALUES "
      "({})",
      quote_table(current.table()), last_rows(current, all), same("t", "s", ""), kGone,
      fmt::join(updates, ", "), kGone, fmt::join(names, ", "), fmt::join(values, ", "));
}

std::string ChangeSql::rejected(const std::string& position) const {
  // Where columns must not land as they are, neither must the text of a row.
  const bool shown = !table_.withholds();
  return fmt::format(
      "SELECT {} AS _file, CAST(NULL AS bigint) AS _line, CAST(NULL AS varchar) AS _column, {} AS "
      "_error, {} AS _text, concat({}, ':', CAST(b._minor AS varchar)) AS _position FROM {} AS b "
      "WHERE {}",
      quote_text(shape_.origin), shown ? "b._error" : "regexp_replace(b._error, '''[^'']*''', '…')",
      shown ? "b._raw" : "CAST(NULL AS varchar)", quote_text(position), rows_, filter(true));
}

}  // namespace meesh::ingest
