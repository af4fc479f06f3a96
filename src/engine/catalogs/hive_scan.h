// What DuckDB reads of a hive table: its own readers of Parquet, CSV and JSON over a list of files,
// with the columns the table declares.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/catalogs/hive_tables.h"
#include "engine/duck.h"

namespace meesh::engine {

/// Registers the readers; again does nothing.
void register_hive_readers(Duck& duck);

/// A query in parentheses whose columns are the table's, "$path" and "$partition". It names the
/// files there are now.
std::string hive_source(const HiveSource& source, const lake::ExternalTable& table);
/// The same for "<table>$partitions".
std::string hive_partitions_source(const lake::ExternalTable& table,
                                   const std::vector<lake::ExternalPartition>& partitions);

/// JSON tells a key's case, SQL does not: the spelling of the table's columns in the first of the
/// files. Columns that are not in it are left out.
std::map<std::string, std::string> json_keys(objects::Store& store,
                                             const lake::ExternalTable& table,
                                             const std::vector<std::string>& files);
/// The files of all known partitions, or of a table without.
std::vector<std::string> hive_files(const HiveSource& source, const lake::ExternalTable& table);

}  // namespace meesh::engine
