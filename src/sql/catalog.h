// What the SQL front end needs to know of the data: which catalogs, schemas and tables exist and
// which columns they have. The engine implements it; the front end itself does no I/O.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/type.h"

namespace meesh::sql {

/// A table's full name, lower case.
struct TableName {
  std::string catalog, schema, table;
  bool operator==(const TableName&) const = default;
  std::string display() const { return catalog + "." + schema + "." + table; }
};

struct ColumnInfo {
  std::string name;
  Type type;
  bool nullable = true;
  std::string comment;
  std::string default_value;
  bool hidden = false;  // not part of `*`
};

/// What a materialized view has beside its text.
struct Materialization {
  TableName storage;                       // the table that holds its rows
  std::optional<int64_t> grace_period_ms;  // nothing: stored rows are good however old
  bool fails_when_stale = false;           // WHEN STALE FAIL
  std::string freshness;                   // "FRESH", "STALE", "UNKNOWN"
  std::optional<int64_t> last_fresh_ms;    // since 1970; nothing: its rows were never computed
};

struct TableInfo {
  enum class Kind { kTable, kView, kMaterializedView };
  TableName name;
  Kind kind = Kind::kTable;
  std::vector<ColumnInfo> columns;
  std::string comment;
  /// What SHOW CREATE TABLE says in WITH (…): names and values as Trino text.
  std::vector<std::pair<std::string, std::string>> properties;

  /// What DuckDB reads in FROM: a qualified name or a table function call, as DuckDB SQL text.
  /// Empty for views, and for materialized views whose stored rows are not to be read.
  std::string duckdb_source;
  /// What DuckDB writes to (INSERT INTO …); empty if the table cannot be written.
  std::string duckdb_target;
  /// Rows can be added but not found again (a partitioned PostgreSQL table: its ctid is not unique
  /// across partitions): UPDATE, DELETE and MERGE through duckdb_target would touch wrong rows.
  bool insert_only = false;

  /// The PostgreSQL server this table lives on, as the name DuckDB's attached database has; empty
  /// elsewhere. Statements whose tables all share one may be pushed down whole.
  std::string remote_database;
  std::string remote_schema, remote_table;
  double estimated_rows = -1;  // -1 = unknown

  /// Views: the Trino text and the session it is resolved in.
  std::string view_sql, view_catalog, view_schema, view_owner;
  bool view_runs_as_invoker = false;
  std::optional<Materialization> materialization;  // materialized views
};

/// What SHOW STATS tells of a table. What is not there is not known.
struct TableStatistics {
  struct Column {
    std::string name;
    std::optional<double> data_size, distinct_values, nulls_fraction;
    std::optional<std::string> low, high;
  };
  std::vector<Column> columns;
  std::optional<double> rows;
};

/// FOR VERSION AS OF, FOR TIMESTAMP AS OF.
struct TableVersion {
  bool of_time = false;
  std::string duckdb_query;  // gives the value, of any type
  std::string time_zone;     // the session's
};

/// Names come lower-cased. Absence is an answer, not an error; an unreachable server throws
/// (ErrorKind::kExternal).
class CatalogReader {
 public:
  virtual ~CatalogReader() = default;
  virtual bool catalog_exists(const std::string& catalog) = 0;
  virtual bool schema_exists(const std::string& catalog, const std::string& schema) = 0;
  virtual std::optional<TableInfo> table(const TableName& name) = 0;
  /// The table as it was. Default: NOT_SUPPORTED.
  virtual std::optional<TableInfo> table_as_of(const TableName& name, const TableVersion& version);
  /// For a user with the right to read the table. Nothing: what the table itself tells is all.
  virtual std::optional<TableStatistics> statistics(const TableInfo& table,
                                                    const std::string& user) {
    (void)table, (void)user;
    return std::nullopt;
  }
  /// Whether the catalog runs all statements that change its tables itself, so that what DuckDB
  /// cannot do (properties, fields of rows, other schemas) is its business.
  virtual bool runs_changes(const std::string& catalog) {
    (void)catalog;
    return false;
  }
  /// Whether DROP SCHEMA would take tables or views along.
  virtual bool schema_in_use(const std::string& catalog, const std::string& schema) {
    (void)catalog, (void)schema;
    return false;
  }
  /// Which kind of catalog it is ("iceberg", "postgresql", "tpch"); "" if it is not known.
  virtual std::string connector(const std::string& catalog) {
    (void)catalog;
    return "";
  }
  /// Whether it takes statements that change something.
  virtual bool writable(const std::string& catalog) {
    (void)catalog;
    return true;
  }
  /// The functions written in SQL that the schema keeps, each as CREATE FUNCTION's specification.
  virtual std::vector<std::string> routines(const std::string& catalog, const std::string& schema) {
    (void)catalog, (void)schema;
    return {};
  }
  /// What the catalog's source answers to a query in its own dialect (`system.query`): columns and
  /// duckdb_source. Nothing: the catalog has no such function.
  virtual std::optional<TableInfo> pass_through(const std::string& catalog,
                                                const std::string& query) {
    (void)catalog, (void)query;
    return std::nullopt;
  }
  /// Whether its tables hold columns of any type that DuckDB gives a label to (varchar(20)).
  virtual bool keeps_labels(const std::string& catalog) {
    (void)catalog;
    return false;
  }
};

}  // namespace meesh::sql
