#include "ingest/landing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "ingest/lake_types.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;

namespace {

constexpr const char* kUser = "meesh ingestion";

bool ours(const std::string& column) {
  return column == kTimestampColumn || column == kSourceColumn || column == kDateColumn;
}

/// A column of another type than its table's.
Error conflict(const std::string& origin, const sql::TableName& table, const StreamColumn& column,
               const sql::Type& there) {
  return Error(Code::kTypeMismatch,
               fmt::format("Column '{}' of {} is {} now, and {} in {}", column.name, origin,
                           landed_type(column.type).display(), there.display(), table.display()))
      .with_hint(fmt::format("keep the old values under another name, and the next run adds the "
                             "column anew: ALTER TABLE {} RENAME COLUMN {} TO {}; or list it "
                             "under 'exclude' in the source's file",
                             table.display(), quote_name(column.name),
                             quote_name(column.name + "_until_now")));
}

}  // namespace

engine::Session ingest_session() {
  engine::Session session;
  session.user = kUser;
  session.source = "meesh-ingest";
  return session;
}

Landing::Landing(engine::Engine& engine, sql::TableName table, std::string folder,
                 engine::Session session, bool by_date)
    : engine_(engine),
      table_(std::move(table)),
      folder_(std::move(folder)),
      session_(std::move(session)),
      by_date_(by_date) {
  read_columns();
}

void Landing::read_columns() {
  const auto answer = engine::ask(
      engine_,
      fmt::format("SELECT column_name, data_type FROM {}.information_schema.columns WHERE "
                  "table_schema = {} AND table_name = {} ORDER BY ordinal_position",
                  quote_name(table_.catalog), quote_text(table_.schema), quote_text(table_.table)),
      session_);
  columns_.clear();
  for (const auto& row : answer.rows)
    columns_.push_back({row.at(0).value_or(""), sql::Type::parse(row.at(1).value_or("")), ""});
}

std::vector<StreamColumn> Landing::columns() const {
  std::vector<StreamColumn> found;
  for (const auto& column : columns_)
    if (!ours(column.name)) found.push_back(column);
  return found;
}

const StreamColumn* Landing::find(const std::string& name) const {
  const auto found = std::ranges::find(columns_, name, &StreamColumn::name);
  return found == columns_.end() ? nullptr : &*found;
}

void Landing::run(const std::string& sql, const TaskContext& context) {
  engine::ask(engine_, sql, session_, context.stop);
}

void Landing::create(const std::vector<StreamColumn>& columns, const TaskContext& context) {
  run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}.{}", quote_name(table_.catalog),
                  quote_name(table_.schema)),
      context);
  std::string text;
  for (const auto& column : columns)
    text += fmt::format("{} {}, ", quote_name(column.name), landed_type(column.type).display());
  const std::string layout =
      by_date_ ? fmt::format(", data_layout = '{{{0}}}/{{file}}', partitioning = ARRAY['{0}']",
                             kDateColumn)
               : "";
  run(fmt::format("CREATE TABLE IF NOT EXISTS {} ({}{} timestamp(6) with time zone, {} varchar, {} "
                  "date) WITH (location = {}, data_location = {}{})",
                  quote_table(table_), text, kTimestampColumn, kSourceColumn, kDateColumn,
                  quote_text(folder_), quote_text(folder_), layout),
      context);
}

std::vector<std::string> Landing::prepare(const std::vector<StreamColumn>& columns,
                                          const std::string& origin, const TaskContext& context) {
  std::vector<std::string> changes;
  for (const auto& column : columns) {
    if (!ours(column.name)) continue;
    throw Error(
        Code::kDuplicateColumnName,
        fmt::format("{} has a column '{}', which ingestion makes itself", origin, column.name))
        .with_hint("list it under 'exclude' in the source's file");
  }
  if (!exists()) {
    create(columns, context);
    read_columns();
  } else if (!find(kDateColumn)) {
    throw Error(Code::kTableAlreadyExists,
                fmt::format("{} exists and is not ingestion's: it has no column {}",
                            table_.display(), kDateColumn))
        .with_hint("let the rows land elsewhere: 'into' in the source's file");
  }
  for (const auto& column : columns) {
    const auto type = landed_type(column.type);
    const auto* there = find(column.name);
    if (!there) {
      run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", quote_table(table_),
                      quote_name(column.name), type.display()),
          context);
      changes.push_back(fmt::format("column {} {} is new", column.name, type.display()));
      continue;
    }
    switch (fit(there->type, type)) {
      case Fit::kSame:
      case Fit::kCast:
        break;
      case Fit::kWiden:
        run(fmt::format("ALTER TABLE {} ALTER COLUMN {} SET DATA TYPE {}", quote_table(table_),
                        quote_name(column.name), type.display()),
            context);
        changes.push_back(fmt::format("column {} was {}, and is {} now", column.name,
                                      there->type.display(), type.display()));
        break;
      case Fit::kConflict:
        throw conflict(origin, table_, column, there->type);
    }
  }
  if (!changes.empty()) read_columns();
  return changes;
}

Landing::Values Landing::values(const std::vector<StreamColumn>& columns, const std::string& origin,
                                const std::string& run_date, const std::string& moment) const {
  Values all;
  for (const auto& column : columns) {
    const auto* there = find(column.name);
    if (!there) internal_error("a column was not prepared: " + column.name);
    std::string value = landed_value("s." + quote_name(column.name), column.type);
    if (there->type != landed_type(column.type))
      value = fmt::format("CAST({} AS {})", value, there->type.display());
    all.names.push_back(quote_name(column.name));
    all.values.push_back(std::move(value));
  }
  all.names.insert(all.names.end(), {kTimestampColumn, kSourceColumn, kDateColumn});
  all.values.push_back(fmt::format("TIMESTAMP '{}'", moment));
  all.values.push_back(quote_text(origin));
  all.values.push_back(fmt::format("DATE '{}'", run_date));
  return all;
}

std::string Landing::insert(const std::string& query, const std::vector<StreamColumn>& columns,
                            const std::string& origin, const std::string& run_date,
                            const std::string& moment) const {
  const auto all = values(columns, origin, run_date, moment);
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM ({}) AS s", quote_table(table_),
                     fmt::join(all.names, ", "), fmt::join(all.values, ", "), query);
}

std::string Landing::newest_of(const std::string& query, const std::vector<StreamColumn>& columns,
                               const Newest& newest) {
  if (newest.unique) return query;
  std::vector<std::string> names, key;
  for (const auto& column : columns) names.push_back("q." + quote_name(column.name));
  for (const auto& name : newest.key) key.push_back("q." + quote_name(name));
  std::string order;
  for (const auto& name : newest.order)
    order += fmt::format("{}q.{} DESC NULLS LAST", order.empty() ? " ORDER BY " : ", ",
                         quote_name(name));
  return fmt::format(
      "SELECT {0} FROM (SELECT q.*, row_number() OVER (PARTITION BY {1}{2}) AS _nth FROM ({3}) AS "
      "q) AS q WHERE q._nth = 1",
      fmt::join(names, ", "), fmt::join(key, ", "), order, query);
}

std::string Landing::merge(const std::string& query, const std::vector<StreamColumn>& columns,
                           const Newest& newest, const std::string& origin,
                           const std::string& run_date, const std::string& moment) const {
  const auto all = values(columns, origin, run_date, moment);
  std::vector<std::string> given, updates, inserted;
  for (size_t i = 0; i < all.names.size(); ++i) {
    given.push_back(fmt::format("{} AS {}", all.values[i], all.names[i]));
    updates.push_back(fmt::format("{0} = n.{0}", all.names[i]));
    inserted.push_back("n." + all.names[i]);
  }
  std::string same;
  for (const auto& name : newest.key)
    same += fmt::format("{}t.{} {} n.{}", same.empty() ? "" : " AND ", quote_name(name),
                        newest.unique ? "=" : "IS NOT DISTINCT FROM", quote_name(name));
  std::string newer;
  if (!newest.cursor.empty())
    newer = fmt::format(" AND coalesce(n.{0} >= t.{0}, t.{0} IS NULL)", quote_name(newest.cursor));
  return fmt::format(
      "MERGE INTO {} AS t USING (SELECT {} FROM ({}) AS s) AS n ON {} WHEN MATCHED{} THEN UPDATE "
      "SET {} WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
      quote_table(table_), fmt::join(given, ", "), newest_of(query, columns, newest), same, newer,
      fmt::join(updates, ", "), fmt::join(all.names, ", "), fmt::join(inserted, ", "));
}

std::string Landing::sweep(const std::string& moment) const {
  return fmt::format("DELETE FROM {} WHERE {} < TIMESTAMP '{}'", quote_table(table_),
                     kTimestampColumn, moment);
}

}  // namespace meesh::ingest
