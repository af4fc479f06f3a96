// CALL hive.system.…: which partitions a table knows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "engine/catalogs/hive_changes.h"
#include "engine/procedure_arguments.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

using lake::ExternalPartition;
using lake::ExternalTable;

ExternalTable partitioned_table(const HiveSource& source, const sql::Call& call,
                                const ProcedureArguments& arguments, const std::string& user) {
  const std::string schema = lower_case(arguments.text("schema_name"));
  const std::string name = lower_case(arguments.text("table_name"));
  auto table = source.tables.find(schema, name);
  if (!table) {
    throw Error(Code::kTableNotFound, fmt::format("Table '{}.{}' not found", schema, name),
                {call.pos.line, call.pos.column, {}});
  }
  if (table->partitioned_by.empty())
    arguments.refuse("Table is not partitioned: " + table->display());
  source.allow_change(user, *table);
  return std::move(*table);
}

void sync(const HiveSource& source, const sql::Call& call, const std::string& user) {
  const ProcedureArguments arguments(
      call.args, {"schema_name", "table_name", "mode", "case_sensitive"}, call.pos);
  const auto table = partitioned_table(source, call, arguments, user);
  std::string mode = lower_case(arguments.text("mode"));
  if (mode != "add" && mode != "drop" && mode != "full")
    arguments.refuse("Invalid partition metadata sync mode: " + arguments.text("mode"));
  const bool case_sensitive = !arguments.has("case_sensitive") || arguments.flag("case_sensitive");
  const auto folder = lake::parse_folder(table.location);
  source.allow(user, "s3:ListBucket", folder);
  const auto there =
      lake::find_partitions(source.store, folder, table.partitioned_by, case_sensitive);
  if (mode != "drop") source.tables.add_partitions(table.id, there);
  if (mode == "add") return;
  std::set<lake::PartitionValues> found;
  for (const auto& partition : there) found.insert(partition.values);
  std::vector<lake::PartitionValues> gone;
  for (const auto& known : source.tables.partitions(table.id))
    if (!found.contains(known.values)) gone.push_back(known.values);
  source.tables.remove_partitions(table.id, gone);
}

lake::PartitionValues values_of(const ProcedureArguments& arguments, const ExternalTable& table) {
  auto columns = arguments.texts("partition_columns");
  for (auto& column : columns) column = lower_case(column);
  const auto values = arguments.texts("partition_values");
  if (columns != table.partitioned_by) {
    arguments.refuse(
        fmt::format("Provided partition column names do not match actual partition "
                    "column names: [{}]",
                    fmt::join(table.partitioned_by, ", ")));
  }
  if (values.size() != columns.size()) {
    arguments.refuse(fmt::format("Partition key and value counts differ: {} and {}", columns.size(),
                                 values.size()));
  }
  return {values.begin(), values.end()};
}

void register_partition(const HiveSource& source, const sql::Call& call, const std::string& user) {
  const ProcedureArguments arguments(
      call.args, {"schema_name", "table_name", "partition_columns", "partition_values", "location"},
      call.pos);
  const auto table = partitioned_table(source, call, arguments, user);
  ExternalPartition partition{values_of(arguments, table), {}};
  const std::string name = lake::partition_name(table.partitioned_by, partition.values);
  partition.location = arguments.has("location") ? arguments.text("location")
                                                 : lake::parse_folder(table.location).path() + name;
  const auto folder = lake::parse_folder(partition.location);
  source.allow(user, "s3:GetObject", folder);
  if (!lake::has_objects(source.store, folder))
    arguments.refuse("Partition location does not exist: " + partition.location);
  if (source.tables.add_partitions(table.id, {partition}) == 0) {
    throw Error(Code::kAlreadyExists, fmt::format("Partition [{}] is already registered", name),
                {call.pos.line, call.pos.column, {}});
  }
}

void unregister_partition(const HiveSource& source, const sql::Call& call,
                          const std::string& user) {
  const ProcedureArguments arguments(
      call.args, {"schema_name", "table_name", "partition_columns", "partition_values"}, call.pos);
  const auto table = partitioned_table(source, call, arguments, user);
  const auto values = values_of(arguments, table);
  if (source.tables.remove_partitions(table.id, {values}) > 0) return;
  throw Error(Code::kNotFound,
              fmt::format("Partition '{}' does not exist",
                          lake::partition_name(table.partitioned_by, values)),
              {call.pos.line, call.pos.column, {}});
}

}  // namespace

void run_hive_procedure(const HiveSource& source, const sql::Call& call, const std::string& user) {
  const std::string name = lower_case(call.name.back().value);
  const bool ours =
      call.name.size() < 2 || lower_case(call.name[call.name.size() - 2].value) == "system";
  if (ours && name == "sync_partition_metadata") return sync(source, call, user);
  if (ours && name == "register_partition") return register_partition(source, call, user);
  if (ours && name == "unregister_partition") return unregister_partition(source, call, user);
  throw Error(Code::kProcedureNotFound, "Procedure not registered: system." + name,
              {call.pos.line, call.pos.column, {}});
}

}  // namespace meesh::engine
