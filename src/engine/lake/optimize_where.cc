#include "engine/lake/optimize_where.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "engine/duck.h"
#include "engine/lake/scan.h"
#include "engine/statement_runner.h"
#include "sql/resolve_walk.h"

namespace meesh::engine {
namespace {

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

/// All that the predicate's names are looked up in: the table itself.
class OneTable : public sql::CatalogReader {
 public:
  explicit OneTable(const sql::TableInfo& table) : table_(table) {}

  bool catalog_exists(const std::string& catalog) override {
    return catalog == table_.name.catalog;
  }
  bool schema_exists(const std::string& catalog, const std::string& schema) override {
    return catalog == table_.name.catalog && schema == table_.name.schema;
  }
  std::optional<sql::TableInfo> table(const sql::TableName& name) override {
    if (name == table_.name) return table_;
    return std::nullopt;
  }

 private:
  const sql::TableInfo& table_;
};

/// Every word of the expression that may name a column.
std::vector<const sql::Ident*> names_in(const sql::Expr& where) {
  std::vector<const sql::Ident*> names;
  sql::walk(where, false, [&](const sql::Expr& expr) {
    if (const auto* plain = sql::try_as<const sql::Identifier>(&expr))
      names.push_back(&plain->name);
    if (const auto* dotted = sql::try_as<const sql::Dereference>(&expr))
      names.push_back(&dotted->field);
    return true;
  });
  return names;
}

/// Columns that a value of the partition is made from, lower case.
std::set<std::string> partition_sources(const lake::TableMetadata& table) {
  std::set<std::string> sources;
  for (const auto& field : table.spec().fields) {
    if (field.transform.kind == lake::TransformKind::kVoid) continue;
    for (const auto& column : table.schema().fields) {
      if (lake::find_field(lake::Schema{0, {column}, {}}, field.source_id))
        sources.insert(lower_case(column.name));
    }
  }
  return sources;
}

void check_columns(const sql::TableInfo& table, const lake::TableMetadata& metadata,
                   const sql::Expr& where) {
  const auto sources = partition_sources(metadata);
  for (const auto* name : names_in(where)) {
    const std::string lower = lower_case(name->value);
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(),
                     [&](const auto& one) { return lower_case(one.name) == lower; });
    if (column == table.columns.end() || column->hidden || sources.contains(lower)) continue;
    throw Error(Code::kNotSupported,
                fmt::format("WHERE of optimize is for partition columns: '{}' is none", lower),
                at(name->pos))
        .with_hint(sources.empty()
                       ? std::string("the table is not partitioned; \"$path\" and "
                                     "\"$file_modified_time\" choose files too")
                       : fmt::format("the table is partitioned by {}", fmt::join(sources, ", ")));
  }
}

sql::SelectItem item(sql::ExprPtr value, const char* alias) {
  return {std::move(value), sql::Ident{alias, true, {}}, {}};
}

sql::Printed resolved(const sql::TableInfo& table, std::unique_ptr<sql::Select> select) {
  auto from = std::make_unique<sql::TableRef>();
  for (const auto& part : {table.name.catalog, table.name.schema, table.name.table})
    from->name.push_back({part, true, {}});
  select->from = std::move(from);
  auto query = std::make_unique<sql::QueryStatement>();
  query->query = std::make_unique<sql::Query>();
  query->query->body = std::move(select);
  sql::StatementPtr statement = std::move(query);
  OneTable catalogs(table);
  sql::ResolveContext context;
  context.catalogs = &catalogs;
  context.catalog = table.name.catalog;
  context.schema = table.name.schema;
  sql::resolve(statement, context);
  return sql::print_duckdb(*statement);
}

std::unique_ptr<sql::Select> select_path() {
  auto path = std::make_unique<sql::Identifier>();
  path->name = {kPathColumn, true, {}};
  auto select = std::make_unique<sql::Select>();
  select->items.push_back(item(std::move(path), "p"));
  return select;
}

sql::ExprPtr copy_of(const sql::Expr& where) {
  auto copy = sql::clone(where);
  if (copy) return copy;
  throw Error(Code::kNotSupported, "Subqueries are not supported in WHERE of table procedures",
              at(where.pos));
}

}  // namespace

std::set<std::string> files_where(const sql::TableInfo& table, const lake::TableMetadata& metadata,
                                  const sql::Expr& where, const RunDuck& run) {
  auto select = select_path();
  select->where = copy_of(where);
  check_columns(table, metadata, where);
  const auto found =
      run(around("SELECT DISTINCT p FROM (", resolved(table, std::move(select)), ") AS q(p)"));
  std::set<std::string> paths;
  std::string list;
  for (size_t i = 0; i < found->RowCount(); ++i) {
    const std::string path = found->GetValue(0, i).ToString();
    list += (list.empty() ? "" : ", ") + quote_string(path);
    paths.insert(path);
  }
  if (paths.empty()) return paths;
  select = select_path();
  select->items.push_back(item(copy_of(where), "m"));
  const auto cut =
      run(around("SELECT p FROM (", resolved(table, std::move(select)),
                 fmt::format(") AS q(p, m) WHERE p IN ({}) AND m IS NOT TRUE LIMIT 1", list)));
  if (cut->RowCount() == 0) return paths;
  throw Error(Code::kNotSupported,
              fmt::format("WHERE of optimize selects some rows of a data file and not others: {}",
                          cut->GetValue(0, 0).ToString()),
              at(where.pos))
      .with_hint(
          "let it speak of whole partitions, such as whole days of a table partitioned by "
          "day(…)");
}

bool narrow_group(lake::CompactionGroup& group, const std::set<std::string>& chosen) {
  const size_t before = group.files.size();
  std::erase_if(group.files, [&](const auto& file) { return !chosen.contains(file.file->path); });
  // Deletes for files that stay must stay.
  if (group.files.size() < before) group.obsolete_deletes.clear();
  return group.files.size() > 1 ||
         std::any_of(group.files.begin(), group.files.end(),
                     [](const auto& file) { return !file.deletes.empty(); });
}

}  // namespace meesh::engine
