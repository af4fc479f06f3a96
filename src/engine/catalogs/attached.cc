// The catalog kinds `sqlite` and `duckdb`: a file that DuckDB attaches. Its catalog is DuckDB's
// own, read anew for every statement.
#include "engine/catalogs/attached.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/log.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/view_catalog_entry.hpp"
#include "duckdb/parser/constraints/not_null_constraint.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "engine/duck.h"
#include "engine/duck_types.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalTypeId;

std::string lowered(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

bool is_hidden(const std::string& schema) {
  return schema == "pg_catalog" || schema == "information_schema";
}

/// The type that a column is shown with: one of Trino's that holds its values.
duckdb::LogicalType shown_type(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::UTINYINT:
      return duckdb::LogicalType::SMALLINT;
    case LogicalTypeId::USMALLINT:
      return duckdb::LogicalType::INTEGER;
    case LogicalTypeId::UINTEGER:
      return duckdb::LogicalType::BIGINT;
    case LogicalTypeId::UBIGINT:
      return duckdb::LogicalType::DECIMAL(20, 0);
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT:
      return duckdb::LogicalType::DECIMAL(38, 0);
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
      return duckdb::LogicalType::TIMESTAMP;
    case LogicalTypeId::ENUM:
    case LogicalTypeId::BIT:
    case LogicalTypeId::UNION:
      return duckdb::LogicalType::VARCHAR;
    default:
      return type;
  }
}

class FileCatalog : public Catalog {
 public:
  explicit FileCatalog(AttachedFile file) : file_(std::move(file)) {}

  const std::string& name() const override { return file_.name; }
  std::string_view connector() const override { return is_sqlite() ? "sqlite" : "duckdb"; }
  bool writable() const override { return !file_.read_only; }

  void open(Duck& duck) override { duck_ = &duck; }
  void release(Duck& duck) override;
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override { attach(); }

  std::vector<std::string> schemas() override;
  bool schema_exists(const std::string& schema) override {
    return std::ranges::count(schemas(), schema) > 0;
  }
  std::vector<std::string> tables(const std::string& schema) override;
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;

 private:
  bool is_sqlite() const { return file_.kind == AttachedFile::Kind::kSqlite; }
  void attach();
  /// Runs `read` in a transaction of its own over the file's catalog.
  void inspect(const std::function<void(duckdb::ClientContext&, duckdb::Catalog&)>& read);
  std::optional<sql::TableInfo> info_of(duckdb::ClientContext& context,
                                        duckdb::CatalogEntry& entry) const;

  const AttachedFile file_;
  Duck* duck_ = nullptr;  // set by open
  std::mutex mutex_;
  bool attached_ = false;  // guarded by mutex_
};

void FileCatalog::attach() {
  std::lock_guard lock(mutex_);
  if (attached_) return;
  if (file_.read_only && !std::filesystem::exists(file_.path)) {
    throw Error(Code::kIoError,
                fmt::format("Catalog '{}': there is no file {}", file_.name, file_.path.string()));
  }
  if (is_sqlite()) duck_->load_extension("sqlite_scanner");
  try {
    duck_->run(fmt::format("ATTACH {} AS {} (TYPE {}{})", quote_string(file_.path.string()),
                           quote_ident(file_.name), is_sqlite() ? "sqlite" : "duckdb",
                           file_.read_only ? ", READ_ONLY" : ""));
  } catch (const Error& error) {
    throw Error(Code::kIoError, fmt::format("Catalog '{}': {} cannot be opened: {}", file_.name,
                                            file_.path.string(), error.message()))
        .with_hint("another program that writes a DuckDB file holds it alone");
  }
  attached_ = true;
}

void FileCatalog::release(Duck& duck) {
  std::lock_guard lock(mutex_);
  if (!std::exchange(attached_, false)) return;
  try {
    duck.run("DETACH DATABASE IF EXISTS " + quote_ident(file_.name));
  } catch (const Error& error) {
    log::warn("cannot detach a dropped catalog",
              {{"catalog", file_.name}, {"error", error.what()}});
  }
}

void FileCatalog::inspect(
    const std::function<void(duckdb::ClientContext&, duckdb::Catalog&)>& read) {
  attach();
  duckdb::Connection connection(*duck_->db);
  auto& context = *connection.context;
  try {
    context.RunFunctionInTransaction(
        [&] { read(context, duckdb::Catalog::GetCatalog(context, file_.name)); });
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw translate(duckdb::ErrorData(e));
  }
}

std::optional<sql::TableInfo> FileCatalog::info_of(duckdb::ClientContext& context,
                                                   duckdb::CatalogEntry& entry) const {
  sql::TableInfo info;
  auto& schema = entry.ParentSchema();
  info.name = {file_.name, lowered(schema.name), lowered(entry.name)};
  info.remote_schema = schema.name;
  info.remote_table = entry.name;
  if (!entry.comment.IsNull()) info.comment = entry.comment.ToString();
  const std::string qualified =
      quote_ident(file_.name) + "." + quote_ident(schema.name) + "." + quote_ident(entry.name);
  std::string list;
  bool plain = true;
  const auto add = [&](const std::string& name, const duckdb::LogicalType& type, bool nullable) {
    const auto shown = shown_type(type);
    sql::ColumnInfo column;
    column.name = lowered(name);
    column.type = from_duckdb(shown);
    column.nullable = nullable;
    info.columns.push_back(std::move(column));
    list += list.empty() ? "" : ", ";
    list += shown == type
                ? quote_ident(name)
                : fmt::format("CAST({0} AS {1}) AS {0}", quote_ident(name), shown.ToString());
    plain &= shown == type;
  };
  if (entry.type == duckdb::CatalogType::TABLE_ENTRY) {
    auto& table = entry.Cast<duckdb::TableCatalogEntry>();
    std::set<duckdb::idx_t> required;
    for (const auto& constraint : table.GetConstraints()) {
      if (constraint->type == duckdb::ConstraintType::NOT_NULL)
        required.insert(constraint->Cast<duckdb::NotNullConstraint>().index.index);
    }
    for (const auto& column : table.GetColumns().Logical())
      add(column.Name(), column.Type(), !required.contains(column.Logical().index));
    const auto rows = table.GetStorageInfo(context).cardinality;
    if (rows.IsValid()) info.estimated_rows = static_cast<double>(rows.GetIndex());
    if (!file_.read_only) info.duckdb_target = qualified;
  } else if (entry.type == duckdb::CatalogType::VIEW_ENTRY) {
    auto& view = entry.Cast<duckdb::ViewCatalogEntry>();
    if (view.internal) return std::nullopt;
    view.BindView(context);
    const auto columns = view.GetColumnInfo();
    for (size_t i = 0; columns && i < columns->names.size(); ++i)
      add(columns->names[i], columns->types[i], true);
  } else {
    return std::nullopt;
  }
  info.duckdb_source = plain ? qualified : "(SELECT " + list + " FROM " + qualified + ")";
  return info;
}

std::vector<std::string> FileCatalog::schemas() {
  std::set<std::string> names;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    catalog.ScanSchemas(context, [&](duckdb::SchemaCatalogEntry& schema) {
      if (!is_hidden(schema.name)) names.insert(lowered(schema.name));
    });
  });
  return {names.begin(), names.end()};
}

std::vector<std::string> FileCatalog::tables(const std::string& schema) {
  std::vector<std::string> names;
  for (const auto& table : describe(schema)) names.push_back(table.name.table);
  return names;
}

std::optional<sql::TableInfo> FileCatalog::table(const std::string& schema,
                                                 const std::string& table) {
  std::optional<sql::TableInfo> found;
  if (is_hidden(schema)) return found;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    auto entry = catalog.GetEntry(context, duckdb::CatalogType::TABLE_ENTRY, schema, table,
                                  duckdb::OnEntryNotFound::RETURN_NULL);
    if (entry) found = info_of(context, *entry);
  });
  return found;
}

std::vector<sql::TableInfo> FileCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> found;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    std::vector<std::reference_wrapper<duckdb::CatalogEntry>> entries;
    catalog.ScanSchemas(context, [&](duckdb::SchemaCatalogEntry& in) {
      if (is_hidden(in.name) || (!schema.empty() && lowered(in.name) != schema)) return;
      in.Scan(context, duckdb::CatalogType::TABLE_ENTRY,
              [&](duckdb::CatalogEntry& entry) { entries.emplace_back(entry); });
    });
    for (auto& entry : entries)
      if (auto info = info_of(context, entry)) found.push_back(std::move(*info));
  });
  std::ranges::sort(found, {}, [](const auto& info) {
    return std::make_pair(info.name.schema, info.name.table);
  });
  return found;
}

}  // namespace

std::unique_ptr<Catalog> make_file_catalog(AttachedFile file) {
  return std::make_unique<FileCatalog>(std::move(file));
}

}  // namespace meesh::engine
