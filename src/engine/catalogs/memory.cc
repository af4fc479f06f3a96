// The catalog kind `memory`: tables in DuckDB's memory, gone when the program ends; views as Trino
// text beside them. The kind `state` is the same in a file.
#include <map>
#include <mutex>
#include <set>

#include "base/log.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/parser/constraints/not_null_constraint.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "engine/catalog.h"
#include "engine/catalogs/state.h"
#include "engine/duck.h"
#include "engine/duck_types.h"
#include "engine/table_listing.h"

namespace meesh::engine {
namespace {

constexpr const char* kFirstSchema = "default";

/// DuckDB's own schemas, there in every database.
bool is_hidden(const std::string& schema) {
  return schema == "main" || schema == "pg_catalog" || schema == "information_schema";
}

class MemoryCatalog : public Catalog, public TableLister {
 public:
  /// `file`: of DuckDB; "" = in memory.
  explicit MemoryCatalog(std::string name, std::string file = "")
      : name_(std::move(name)), file_(std::move(file)) {}

  const std::string& name() const override { return name_; }
  std::string_view connector() const override { return file_.empty() ? "memory" : "state"; }
  bool writable() const override { return true; }
  bool keeps_labels() const override { return true; }

  void open(Duck& duck) override;
  void release(Duck& duck) override;
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}

  std::vector<std::string> schemas() override;
  bool schema_exists(const std::string& schema) override;
  std::vector<std::string> tables(const std::string& schema) override;
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;
  std::vector<ListedTable> list(const std::string& schema) override;

  void create_view(const sql::TableInfo& view, bool or_replace) override;
  void drop_view(const std::string& schema, const std::string& view) override;
  void rename_view(const std::string& schema, const std::string& view, const std::string& to_schema,
                   const std::string& to) override;
  std::vector<std::string> routines(const std::string& schema) override;
  void create_routine(const std::string& schema, const std::string& signature,
                      const std::string& text, bool or_replace) override;
  void drop_routine(const std::string& schema, const std::string& signature) override;
  void rename_schema(const std::string& schema, const std::string& to) override;
  void invalidate() override;
  void set_comment(const std::string& schema, const std::string& table, const std::string& column,
                   const std::optional<std::string>& comment) override;

 private:
  using Key = std::pair<std::string, std::string>;

  /// Runs `read` in a transaction of its own over DuckDB's catalog.
  void inspect(const std::function<void(duckdb::ClientContext&, duckdb::Catalog&)>& read) const;
  sql::TableInfo describe_entry(duckdb::ClientContext& context,
                                duckdb::TableCatalogEntry& entry) const;
  std::optional<sql::TableInfo> base_table(const std::string& schema,
                                           const std::string& table) const;
  /// Calls `use` with every table of the schema, of all schemas if it is "".
  void for_each_base_table(
      const std::string& schema,
      const std::function<void(duckdb::ClientContext&, duckdb::TableCatalogEntry&)>& use) const;
  std::string display(const std::string& schema, const std::string& table) const {
    return name_ + "." + schema + "." + table;
  }

  const std::string name_, file_;
  Duck* duck_ = nullptr;   // set by open
  bool attached_ = false;  // by us; DuckDB's own in-memory database otherwise
  mutable std::mutex mutex_;
  std::map<Key, sql::TableInfo> views_;  // guarded by mutex_
  std::map<Key, std::string> routines_;  // by schema and signature; guarded by mutex_
};

void MemoryCatalog::open(Duck& duck) {
  duck_ = &duck;
  const auto known =
      duck.run("SELECT 1 FROM duckdb_databases() WHERE database_name = " + quote_string(name_));
  if (known->RowCount() == 0) {
    duck.run("ATTACH " + quote_string(file_.empty() ? ":memory:" : file_) + " AS " +
             quote_ident(name_));
    attached_ = true;
  }
  duck.run("CREATE SCHEMA IF NOT EXISTS " + quote_ident(name_) + "." + quote_ident(kFirstSchema));
}

void MemoryCatalog::release(Duck& duck) {
  try {
    if (attached_) {
      duck.run("DETACH DATABASE IF EXISTS " + quote_ident(name_));
      return;
    }
    for (const auto& schema : schemas()) {
      duck.run("DROP SCHEMA " + quote_ident(name_) + "." + quote_ident(schema) + " CASCADE");
    }
  } catch (const Error& error) {
    log::warn("cannot free a dropped catalog", {{"catalog", name_}, {"error", error.what()}});
  }
}

void MemoryCatalog::inspect(
    const std::function<void(duckdb::ClientContext&, duckdb::Catalog&)>& read) const {
  if (!duck_) internal_error("memory catalog '" + name_ + "' is used before it is opened");
  duckdb::Connection connection(*duck_->db);
  auto& context = *connection.context;
  try {
    context.RunFunctionInTransaction(
        [&] { read(context, duckdb::Catalog::GetCatalog(context, name_)); });
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw translate(duckdb::ErrorData(e));
  }
}

sql::TableInfo MemoryCatalog::describe_entry(duckdb::ClientContext& context,
                                             duckdb::TableCatalogEntry& entry) const {
  sql::TableInfo info;
  info.name = {name_, entry.schema.name, entry.name};
  if (!entry.comment.IsNull()) info.comment = entry.comment.ToString();
  std::set<duckdb::idx_t> required;
  for (const auto& constraint : entry.GetConstraints()) {
    if (constraint->type != duckdb::ConstraintType::NOT_NULL) continue;
    required.insert(constraint->Cast<duckdb::NotNullConstraint>().index.index);
  }
  for (const auto& column : entry.GetColumns().Logical()) {
    sql::ColumnInfo described;
    described.name = column.Name();
    described.type = from_duckdb(column.Type());
    described.nullable = !required.contains(column.Logical().index);
    if (!column.Comment().IsNull()) described.comment = column.Comment().ToString();
    if (column.HasDefaultValue()) described.default_value = column.DefaultValue().ToString();
    info.columns.push_back(std::move(described));
  }
  const auto rows = entry.GetStorageInfo(context).cardinality;
  if (rows.IsValid()) info.estimated_rows = static_cast<double>(rows.GetIndex());
  info.duckdb_source =
      quote_ident(name_) + "." + quote_ident(entry.schema.name) + "." + quote_ident(entry.name);
  info.duckdb_target = info.duckdb_source;
  return info;
}

std::optional<sql::TableInfo> MemoryCatalog::base_table(const std::string& schema,
                                                        const std::string& table) const {
  std::optional<sql::TableInfo> found;
  if (is_hidden(schema)) return found;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    auto entry = catalog.GetEntry(context, duckdb::CatalogType::TABLE_ENTRY, schema, table,
                                  duckdb::OnEntryNotFound::RETURN_NULL);
    if (entry && entry->type == duckdb::CatalogType::TABLE_ENTRY) {
      found = describe_entry(context, entry->Cast<duckdb::TableCatalogEntry>());
    }
  });
  return found;
}

void MemoryCatalog::for_each_base_table(
    const std::string& schema,
    const std::function<void(duckdb::ClientContext&, duckdb::TableCatalogEntry&)>& use) const {
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    catalog.ScanSchemas(context, [&](duckdb::SchemaCatalogEntry& in) {
      if (is_hidden(in.name) || (!schema.empty() && in.name != schema)) return;
      in.Scan(context, duckdb::CatalogType::TABLE_ENTRY, [&](duckdb::CatalogEntry& entry) {
        if (entry.type != duckdb::CatalogType::TABLE_ENTRY) return;
        use(context, entry.Cast<duckdb::TableCatalogEntry>());
      });
    });
  });
}

std::vector<std::string> MemoryCatalog::schemas() {
  std::vector<std::string> names;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    catalog.ScanSchemas(context, [&](duckdb::SchemaCatalogEntry& schema) {
      if (!is_hidden(schema.name)) names.push_back(schema.name);
    });
  });
  std::sort(names.begin(), names.end());
  return names;
}

bool MemoryCatalog::schema_exists(const std::string& schema) {
  bool found = false;
  if (is_hidden(schema)) return false;
  inspect([&](duckdb::ClientContext& context, duckdb::Catalog& catalog) {
    found = catalog.GetSchema(context, schema, duckdb::OnEntryNotFound::RETURN_NULL) != nullptr;
  });
  return found;
}

std::vector<std::string> MemoryCatalog::tables(const std::string& schema) {
  std::vector<std::string> names;
  for (auto& table : list(schema)) names.push_back(std::move(table.name.table));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ListedTable> MemoryCatalog::list(const std::string& schema) {
  std::vector<ListedTable> found;
  for_each_base_table(schema, [&](duckdb::ClientContext&, duckdb::TableCatalogEntry& entry) {
    found.push_back({{name_, entry.schema.name, entry.name}, sql::TableInfo::Kind::kTable});
  });
  std::lock_guard lock(mutex_);
  for (const auto& [key, view] : views_) {
    if (schema.empty() || key.first == schema) found.push_back({view.name, view.kind});
  }
  return found;
}

std::optional<sql::TableInfo> MemoryCatalog::table(const std::string& schema,
                                                   const std::string& table) {
  {
    std::lock_guard lock(mutex_);
    const auto view = views_.find({schema, table});
    if (view != views_.end()) return view->second;
  }
  return base_table(schema, table);
}

std::vector<sql::TableInfo> MemoryCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> found;
  for_each_base_table(schema,
                      [&](duckdb::ClientContext& context, duckdb::TableCatalogEntry& entry) {
                        found.push_back(describe_entry(context, entry));
                      });
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, view] : views_) {
      if (schema.empty() || key.first == schema) found.push_back(view);
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name.schema, a.name.table) < std::tie(b.name.schema, b.name.table);
  });
  return found;
}

void MemoryCatalog::create_view(const sql::TableInfo& view, bool or_replace) {
  const std::string& schema = view.name.schema;
  const std::string& name = view.name.table;
  if (!schema_exists(schema))
    throw Error(Code::kSchemaNotFound, "Schema '" + schema + "' does not exist");
  if (base_table(schema, name)) {
    throw Error(Code::kTableAlreadyExists, "Table already exists: '" + display(schema, name) + "'");
  }
  std::lock_guard lock(mutex_);
  if (views_.contains({schema, name}) && !or_replace) {
    throw Error(Code::kTableAlreadyExists, "View already exists: '" + display(schema, name) + "'");
  }
  sql::TableInfo kept = view;
  kept.name.catalog = name_;
  kept.kind = sql::TableInfo::Kind::kView;
  views_[{schema, name}] = std::move(kept);
}

void MemoryCatalog::drop_view(const std::string& schema, const std::string& view) {
  std::lock_guard lock(mutex_);
  if (views_.erase({schema, view}) == 0) {
    throw Error(Code::kTableNotFound, "View '" + display(schema, view) + "' does not exist");
  }
}

void MemoryCatalog::rename_view(const std::string& schema, const std::string& view,
                                const std::string& to_schema, const std::string& to) {
  if (!schema_exists(to_schema))
    throw Error(Code::kSchemaNotFound, "Schema '" + to_schema + "' does not exist");
  const bool taken = base_table(to_schema, to).has_value();
  std::lock_guard lock(mutex_);
  if (taken || views_.contains({to_schema, to})) {
    throw Error(Code::kTableAlreadyExists,
                "Target view '" + display(to_schema, to) + "' already exists");
  }
  auto node = views_.extract({schema, view});
  if (node.empty())
    throw Error(Code::kTableNotFound, "View '" + display(schema, view) + "' does not exist");
  node.key() = {to_schema, to};
  node.mapped().name.schema = to_schema;
  node.mapped().name.table = to;
  views_.insert(std::move(node));
}

std::vector<std::string> MemoryCatalog::routines(const std::string& schema) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (auto it = routines_.lower_bound({schema, ""});
       it != routines_.end() && it->first.first == schema; ++it)
    texts.push_back(it->second);
  return texts;
}

/// As in Trino, the schema need not be there.
void MemoryCatalog::create_routine(const std::string& schema, const std::string& signature,
                                   const std::string& text, bool or_replace) {
  std::lock_guard lock(mutex_);
  const auto [known, fresh] = routines_.try_emplace({schema, signature}, text);
  if (fresh) return;
  if (!or_replace) throw Error(Code::kAlreadyExists, "Function already exists");
  known->second = text;
}

void MemoryCatalog::drop_routine(const std::string& schema, const std::string& signature) {
  std::lock_guard lock(mutex_);
  if (routines_.erase({schema, signature}) == 0) throw Error(Code::kNotFound, "Function not found");
}

/// DuckDB moves no table from schema to schema: they are copied, all in one transaction.
void MemoryCatalog::rename_schema(const std::string& schema, const std::string& to) {
  std::vector<sql::TableInfo> tables;
  for_each_base_table(schema,
                      [&](duckdb::ClientContext& context, duckdb::TableCatalogEntry& entry) {
                        tables.push_back(describe_entry(context, entry));
                      });
  duckdb::Connection connection(*duck_->db);
  const auto run = [&](const std::string& text) {
    const auto result = connection.Query(text);
    if (result->HasError()) throw translate(result->GetErrorObject());
  };
  const auto comment = [](const std::string& what, const std::string& text) {
    return "COMMENT ON " + what + " IS " + quote_string(text);
  };
  const std::string base = quote_ident(name_) + ".", target = base + quote_ident(to);
  run("BEGIN TRANSACTION");
  run("CREATE SCHEMA " + target);
  for (const auto& table : tables) {
    const std::string copy = target + "." + quote_ident(table.name.table);
    run("CREATE TABLE " + copy + " AS FROM " + table.duckdb_source);
    if (!table.comment.empty()) run(comment("TABLE " + copy, table.comment));
    for (const auto& column : table.columns) {
      const std::string name = quote_ident(column.name);
      const std::string alter = "ALTER TABLE " + copy + " ALTER COLUMN " + name;
      if (!column.default_value.empty()) run(alter + " SET DEFAULT " + column.default_value);
      if (!column.nullable) run(alter + " SET NOT NULL");
      if (!column.comment.empty()) run(comment("COLUMN " + copy + "." + name, column.comment));
    }
  }
  run("DROP SCHEMA " + base + quote_ident(schema) + " CASCADE");
  run("COMMIT");
  std::lock_guard lock(mutex_);
  std::map<Key, sql::TableInfo> views;
  for (auto& [key, view] : views_) {
    Key moved = key;
    if (key.first == schema) view.name.schema = moved.first = to;
    views.emplace(std::move(moved), std::move(view));
  }
  views_ = std::move(views);
  std::map<Key, std::string> routines;
  for (auto& [key, text] : routines_)
    routines.emplace(Key{key.first == schema ? to : key.first, key.second}, std::move(text));
  routines_ = std::move(routines);
}

/// Views go with their schema.
void MemoryCatalog::invalidate() {
  const auto left = schemas();
  std::lock_guard lock(mutex_);
  std::erase_if(views_, [&](const auto& view) {
    return !std::binary_search(left.begin(), left.end(), view.first.first);
  });
}

void MemoryCatalog::set_comment(const std::string& schema, const std::string& table,
                                const std::string& column,
                                const std::optional<std::string>& comment) {
  {
    std::lock_guard lock(mutex_);
    const auto view = views_.find({schema, table});
    if (view != views_.end()) {
      if (column.empty()) {
        view->second.comment = comment.value_or("");
        return;
      }
      for (auto& candidate : view->second.columns) {
        if (candidate.name != column) continue;
        candidate.comment = comment.value_or("");
        return;
      }
      throw Error(Code::kColumnNotFound, "Column does not exist: " + column);
    }
  }
  const auto found = base_table(schema, table);
  if (!found)
    throw Error(Code::kTableNotFound, "Table '" + display(schema, table) + "' does not exist");
  duck_->run((column.empty()
                  ? "COMMENT ON TABLE " + found->duckdb_target
                  : "COMMENT ON COLUMN " + found->duckdb_target + "." + quote_ident(column)) +
             " IS " + (comment ? quote_string(*comment) : "NULL"));
}

}  // namespace

std::unique_ptr<Catalog> make_memory_catalog(std::string name) {
  return std::make_unique<MemoryCatalog>(std::move(name));
}

std::unique_ptr<Catalog> make_state_catalog(std::string name, std::filesystem::path file) {
  return std::make_unique<MemoryCatalog>(std::move(name), file.string());
}

}  // namespace meesh::engine
