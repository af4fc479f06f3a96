// WITH (…) of tables, as Trino's Iceberg connector has it: partitioning = ARRAY['day(ts)'], …
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "lake/metadata.h"
#include "sql/ast.h"

namespace meesh::engine {

/// What a statement says; a property set to DEFAULT is in `defaults` and nowhere else.
struct TableProperties {
  std::optional<std::vector<std::string>> partitioning, sorted_by;
  std::optional<std::string> location, data_location, data_layout, format;
  std::optional<int> format_version, max_commit_retry;
  std::optional<bool> object_store_layout;
  std::map<std::string, std::string> extra;
  std::vector<std::string> defaults;

  /// Whether the statement names it.
  bool names(const std::string& property) const;
};

/// INVALID_TABLE_PROPERTY in Trino's words; NOT_SUPPORTED for what Trino has and this has not.
TableProperties read_properties(const std::vector<sql::Property>& properties,
                                const std::string& catalog);

/// What read_properties takes.
std::vector<PropertyInfo> table_properties();

/// The Iceberg properties of the table that this asks for.
lake::Properties iceberg_properties(const TableProperties& properties);

/// "day(ts)", "bucket(id, 4)", "country". Field ids are left open.
lake::PartitionSpec partition_spec(const std::vector<std::string>& partitioning,
                                   const lake::Schema& schema);
/// INVALID_TABLE_PROPERTY if a field that has no id yet would have a column's name.
void check_new_names(const lake::PartitionSpec& spec, const lake::Schema& schema);
/// "ts DESC NULLS LAST".
lake::SortOrder sort_order(const std::vector<std::string>& sorted_by, const lake::Schema& schema);

/// What SHOW CREATE TABLE says: name and value as Trino text.
std::vector<std::pair<std::string, std::string>> shown_properties(const lake::TableMetadata& table);

}  // namespace meesh::engine
