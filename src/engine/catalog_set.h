// Every catalog of the engine under one roof: what the resolver asks (sql::CatalogReader), what the
// engine calls before and after a statement, and the virtual tables (`system` and each catalog's
// information_schema), which DuckDB reads through one table function:
//
//   CatalogSet catalogs(hooks);
//   catalogs.register_with(duck);                    // once, after the instance opened
//   catalogs.add(make_memory_catalog("memory"));
//   Analysis a = sql::resolve(statement, {&catalogs, …});
//   auto used = catalogs.prepare(duck, tables);      // reads and writes; keep until the query
//   ended … run …                                          // on error: catalogs.on_error(error,
//   used)
//
// Thread-safe. Must be destroyed before the Duck it was registered with.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/engine.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// One row of system.runtime.transactions.
struct TransactionInfo {
  std::string id, isolation_level = "READ UNCOMMITTED";
  bool read_only = false, auto_commit = false;
  std::chrono::system_clock::time_point created;
  int64_t idle_seconds = 0;
  std::string written_catalog;  // "" = none
  std::vector<std::string> catalogs;
};

/// What the system tables need of the engine. Functions may be empty (no rows) and must not call
/// back into the CatalogSet; they are called on query threads.
struct SystemHooks {
  std::function<std::vector<QueryInfo>()> queries;
  std::function<std::vector<TransactionInfo>()> transactions;
  std::string node_id = "meesh";
  std::string node_version = "476";
  std::string http_uri = "http://127.0.0.1:8080";
};

/// The catalogs a statement uses: keeps dropped ones alive until its end.
using CatalogsInUse = std::vector<std::shared_ptr<Catalog>>;

class CatalogSet : public sql::CatalogReader {
 public:
  explicit CatalogSet(SystemHooks hooks = {});
  ~CatalogSet() override;
  CatalogSet(const CatalogSet&) = delete;
  CatalogSet& operator=(const CatalogSet&) = delete;

  /// Registers the table function meesh_virtual('<catalog>', '<schema>', '<table>').
  void register_with(Duck& duck);

  /// Throws ALREADY_EXISTS for a name that is taken ("system" always is), INVALID_ARGUMENTS for one
  /// that is not lower case or that DuckDB keeps for itself ("temp").
  void add(std::shared_ptr<Catalog> catalog);
  /// Running statements keep what they hold; the name is free at once. False if there is none.
  bool drop(const std::string& name);
  /// Null if there is none. "system" is not an object of kind Catalog: it is null too.
  std::shared_ptr<Catalog> find(const std::string& name) const;
  /// As find, but throws CATALOG_NOT_FOUND.
  std::shared_ptr<Catalog> get(const std::string& name) const;
  /// Sorted, with "system"; those of our own rooms, whose names begin with $, are nobody else's to
  /// list.
  std::vector<std::string> names() const;

  bool catalog_exists(const std::string& catalog) override;
  bool schema_exists(const std::string& catalog, const std::string& schema) override;
  std::optional<sql::TableInfo> table(const sql::TableName& name) override;
  std::optional<sql::TableStatistics> statistics(const sql::TableInfo& table,
                                                 const std::string& user) override;
  bool schema_in_use(const std::string& catalog, const std::string& schema) override;
  std::vector<std::string> routines(const std::string& catalog, const std::string& schema) override;
  std::optional<sql::TableInfo> pass_through(const std::string& catalog,
                                             const std::string& query) override;
  bool keeps_labels(const std::string& catalog) override;
  std::string connector(const std::string& catalog) override;
  bool writable(const std::string& catalog) override;
  bool runs_changes(const std::string& catalog) override;
  std::optional<sql::TableInfo> table_as_of(const sql::TableName& name,
                                            const sql::TableVersion& version) override;
  /// Sorted, with "information_schema". Throws CATALOG_NOT_FOUND.
  std::vector<std::string> schemas(const std::string& catalog);

  /// Calls Catalog::prepare on every catalog that `tables` names (tables read and written; for DDL
  /// on something that does not exist yet a TableInfo with only `name.catalog` set is enough).
  /// Catalogs that have gone meanwhile throw CATALOG_NOT_FOUND.
  CatalogsInUse prepare(Duck& duck, const std::vector<sql::TableInfo>& tables);
  /// Lets each catalog in use look at the error; one of them may turn it into a better one.
  static void on_error(Error& error, const CatalogsInUse& used);

  const SystemHooks& hooks() const { return hooks_; }

 private:
  const SystemHooks hooks_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Catalog>> catalogs_;  // guarded by mutex_
  Duck* duck_ = nullptr;                                      // guarded by mutex_
};

}  // namespace meesh::engine
