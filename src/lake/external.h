// Hive-style tables: a definition over a folder of files that anybody may write. Nothing here opens
// a file; what is kept are names, columns, places and which partitions are known.
//
//   lake::ExternalTables tables(database, {"hive", "s3://datalake/hive"});
//   tables.create({.schema = "default", .name = "events", .columns = …, .location = …}, {});
//
// Thread-safe, also across processes that share the database. Each call is one transaction.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/catalog.h"
#include "meta/database.h"

namespace meesh::lake {

struct ExternalColumn {
  std::string name;  // lower case
  std::string type;  // as the SQL front end writes types; not looked at here
  std::string comment;
  bool operator==(const ExternalColumn&) const = default;
};

/// The values of the partition columns, in their order; nothing = NULL.
using PartitionValues = std::vector<std::optional<std::string>>;

struct ExternalPartition {
  PartitionValues values;
  std::string location;
  bool operator==(const ExternalPartition&) const = default;
};

struct ExternalTable {
  std::string schema, name;             // lower case
  std::string id;                       // set by create; stays through renaming
  std::vector<ExternalColumn> columns;  // those it is partitioned by are the last
  std::vector<std::string> partitioned_by;
  std::string format;    // "PARQUET", "CSV", "TEXTFILE", "JSON"
  std::string location;  // as it was given
  bool managed = false;  // its files go when it is dropped
  std::string owner, comment;
  Properties properties;  // csv_separator …: names and texts

  std::string display() const { return schema + "." + name; }
};

class ExternalTables {
 public:
  /// Creates its tables in the database, and the schema `default`, if they are missing. `warehouse`
  /// tells catalogs in one database apart and where tables without a location of their own go. The
  /// database outlives this.
  ExternalTables(meta::Database& database, Warehouse warehouse);

  const Warehouse& warehouse() const { return warehouse_; }

  // Schemas. `location` may be empty: below the warehouse.
  std::vector<std::string> schemas() const;
  bool has_schema(const std::string& schema) const;
  /// Where its managed tables go. Throws SCHEMA_NOT_FOUND.
  std::string schema_location(const std::string& schema) const;
  void create_schema(const std::string& schema, const std::string& location);
  /// Throws SCHEMA_NOT_EMPTY while tables are in it.
  void drop_schema(const std::string& schema);

  // Tables.
  std::vector<std::string> tables(const std::string& schema) const;
  std::optional<ExternalTable> find(const std::string& schema, const std::string& name) const;
  /// Throws SCHEMA_NOT_FOUND, TABLE_ALREADY_EXISTS. Gives the table with its id.
  ExternalTable create(ExternalTable table, const std::vector<ExternalPartition>& partitions);
  /// Reads, lets `edit` change all but name and id, writes, in one transaction. `edit` may be
  /// called more than once.
  void edit(const std::string& schema, const std::string& name,
            const std::function<void(ExternalTable&)>& edit);
  void rename(const std::string& schema, const std::string& name, const std::string& to_schema,
              const std::string& to);
  /// Forgets it and its partitions. Throws TABLE_NOT_FOUND.
  ExternalTable drop(const std::string& schema, const std::string& name);
  /// Whether another table has its files at this location or above or below it.
  bool location_in_use(const std::string& location) const;

  // Partitions of a table, by its id; ordered by their values.
  std::vector<ExternalPartition> partitions(const std::string& table_id) const;
  /// Those that are known stay as they are. Gives how many were new.
  size_t add_partitions(const std::string& table_id,
                        const std::vector<ExternalPartition>& partitions);
  /// Gives how many were known.
  size_t remove_partitions(const std::string& table_id, const std::vector<PartitionValues>& values);

 private:
  ExternalTable load(soci::session& sql, const std::string& schema, const std::string& name) const;

  meta::Database& database_;
  const Warehouse warehouse_;
};

}  // namespace meesh::lake
