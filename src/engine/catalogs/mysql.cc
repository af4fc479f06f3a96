// The catalog kind `mysql`: rows through our own reader (mysql_scan.h), metadata from
// information_schema, fresh for every statement, changes in MySQL's own words (mysql_changes.h).
#include <fmt/format.h>

#include "engine/catalogs/attached.h"
#include "engine/catalogs/mysql_changes.h"
#include "engine/catalogs/mysql_scan.h"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

class MysqlCatalog : public Catalog {
 public:
  explicit MysqlCatalog(MysqlOptions options) : options_(options), tables_(std::move(options)) {}

  const std::string& name() const override { return options_.name; }
  std::string_view connector() const override { return "mysql"; }
  bool writable() const override { return !options_.read_only; }
  bool runs_changes() const override { return true; }

  void open(Duck& duck) override { MysqlTables::register_function(duck); }
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}
  void cancel(const std::string&, bool alone) override {
    if (alone) tables_.interrupt_all();
  }

  std::vector<std::string> schemas() override { return tables_.metadata().schemas(); }
  bool schema_exists(const std::string& schema) override {
    return tables_.metadata().real_schema(schema).has_value();
  }
  std::vector<std::string> tables(const std::string& schema) override {
    return tables_.metadata().tables(schema);
  }
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;

  std::optional<int64_t> run(ChangeStatement& change) override;
  void set_comment(const std::string& schema, const std::string& table, const std::string& column,
                   const std::optional<std::string>& comment) override;

 private:
  sql::TableInfo info_of(MysqlTable table);

  const MysqlOptions options_;
  MysqlTables tables_;
};

sql::TableInfo MysqlCatalog::info_of(MysqlTable table) {
  sql::TableInfo info;
  info.name = {options_.name, table.schema, table.table};
  info.comment = table.comment;
  info.estimated_rows = table.rows;
  info.remote_schema = table.real_schema;
  info.remote_table = table.real_table;
  for (const auto& column : table.columns) {
    sql::ColumnInfo described;
    described.name = column.name;
    described.type = column.type;
    described.nullable = column.nullable;
    described.comment = column.comment;
    described.default_value = column.default_value;
    info.columns.push_back(std::move(described));
  }
  const bool is_view = table.is_view;
  info.duckdb_source = tables_.source(std::make_shared<const MysqlTable>(std::move(table)));
  if (!options_.read_only && !is_view)
    info.duckdb_target = quote_ident(options_.name) + "." + quote_ident(info.remote_schema) + "." +
                         quote_ident(info.remote_table);
  return info;
}

std::optional<sql::TableInfo> MysqlCatalog::table(const std::string& schema,
                                                  const std::string& table) {
  auto found = tables_.metadata().table(schema, table);
  if (!found) return std::nullopt;
  return info_of(std::move(*found));
}

std::vector<sql::TableInfo> MysqlCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> infos;
  for (auto& table : tables_.metadata().describe(schema))
    infos.push_back(info_of(std::move(table)));
  return infos;
}

std::optional<int64_t> MysqlCatalog::run(ChangeStatement& change) {
  return MysqlChange(tables_.metadata(), change).run();
}

void MysqlCatalog::set_comment(const std::string& schema, const std::string& table,
                               const std::string& column,
                               const std::optional<std::string>& comment) {
  if (options_.read_only)
    throw Error(Code::kPermissionDenied, "Catalog '" + options_.name + "' is read-only");
  const auto found = tables_.metadata().table(schema, table);
  if (!found)
    throw Error(Code::kTableNotFound,
                fmt::format("Table '{}.{}.{}' does not exist", options_.name, schema, table));
  if (!column.empty())
    throw Error(Code::kNotSupported,
                "MySQL keeps a column's comment with its definition: change "
                "it there");
  tables_.metadata().run("ALTER TABLE " + mysql_name(found->real_schema) + "." +
                         mysql_name(found->real_table) +
                         " COMMENT = " + mysql_text(comment.value_or("")));
}

}  // namespace

std::unique_ptr<Catalog> make_mysql_catalog(MysqlOptions options) {
  return std::make_unique<MysqlCatalog>(std::move(options));
}

}  // namespace meesh::engine
