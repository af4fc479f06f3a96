// What a hive table's definition means to SQL: its properties and types.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/engine.h"
#include "lake/external_files.h"
#include "objects/store.h"
#include "sql/ast.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// A catalog as its parts see it.
struct HiveSource {
  std::string name;
  lake::ExternalTables& tables;
  objects::Store& store;
  AuthorizeObject authorize;

  /// Throws PERMISSION_DENIED unless the user may do this in the folder.
  void allow(const std::string& user, std::string_view action, const lake::Folder& folder) const;
  /// Throws PERMISSION_DENIED unless the user made the table or may write its files.
  void allow_change(const std::string& user, const lake::ExternalTable& table) const;
};

/// Reads CREATE TABLE's WITH (…) into the table: format, location ("" if none is given),
/// partitioned_by, properties. Throws INVALID_TABLE_PROPERTY, DUPLICATE_PROPERTY, NOT_SUPPORTED.
void read_hive_properties(lake::ExternalTable& table, const std::vector<sql::Property>& properties,
                          const std::string& catalog);
/// What read_hive_properties takes.
std::vector<PropertyInfo> hive_table_properties();
/// What SHOW CREATE TABLE says.
std::vector<std::pair<std::string, std::string>> shown_hive_properties(
    const lake::ExternalTable& table);

/// Throws NOT_SUPPORTED or INVALID_TABLE_PROPERTY unless files of the table's format can hold its
/// columns and they are in the order that partitions ask for.
void check_hive_columns(const lake::ExternalTable& table);

/// The columns that are not in the files' names. Their count.
size_t data_columns(const lake::ExternalTable& table);

/// "skip_header_line_count": 0 if it is not set.
int header_lines(const lake::ExternalTable& table);
std::string hive_property(const lake::ExternalTable& table, const std::string& name,
                          const std::string& otherwise);

/// The type as files hold it: no lengths, seconds to the microsecond; as DuckDB text.
std::string stored_type(const sql::Type& type);

// Columns beside the table's own.
inline constexpr const char* kHivePath = "$path";
inline constexpr const char* kHivePartition = "$partition";

}  // namespace meesh::engine
