// CALL hive.system.…: which partitions a table knows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "engine/catalogs/hive_changes.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

using lake::ExternalPartition;
using lake::ExternalTable;

[[noreturn]] void invalid(const sql::Call& call, const std::string& why) {
  throw Error(Code::kInvalidProcedureArgument, why, {call.pos.line, call.pos.column, {}});
}

/// A call's arguments by name; each is asked for at most once.
class Arguments {
 public:
  Arguments(const sql::Call& call, const std::vector<std::string>& names) : call_(call) {
    bool named = false;
    for (size_t i = 0; i < call.args.size(); ++i) {
      const auto& [key, value] = call.args[i];
      named = named || key;
      if (!key && named) invalid(call, "Named and positional arguments cannot be mixed");
      if (!key && i >= names.size()) invalid(call, "Too many arguments for procedure");
      const std::string name = key ? lower_case(key->value) : names[i];
      if (std::find(names.begin(), names.end(), name) == names.end())
        invalid(call, "Unknown argument name: " + name);
      if (!values_.emplace(name, value.get()).second)
        invalid(call, "Duplicate procedure argument: " + name);
    }
  }

  bool has(const std::string& name) const {
    const auto found = values_.find(name);
    return found != values_.end() && !sql::try_as<const sql::NullLiteral>(found->second);
  }
  std::string text(const std::string& name) const {
    const auto* literal = sql::try_as<const sql::StringLiteral>(value(name));
    if (!literal) invalid(call_, name + " must be text in quotes");
    return literal->value;
  }
  bool flag(const std::string& name) const {
    const auto* literal = sql::try_as<const sql::BooleanLiteral>(value(name));
    if (!literal) invalid(call_, name + " must be true or false");
    return literal->value;
  }
  std::vector<std::string> texts(const std::string& name) const {
    const auto* array = sql::try_as<const sql::ArrayConstructor>(value(name));
    if (!array) invalid(call_, name + " must be ARRAY['…']");
    std::vector<std::string> out;
    for (const auto& item : array->items) {
      const auto* literal = sql::try_as<const sql::StringLiteral>(item.get());
      if (!literal) invalid(call_, name + " must be ARRAY['…']");
      out.push_back(literal->value);
    }
    return out;
  }

 private:
  const sql::Expr* value(const std::string& name) const {
    if (has(name)) return values_.at(name);
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    invalid(call_, "Required procedure argument '" + upper + "' is missing");
  }

  const sql::Call& call_;
  std::map<std::string, const sql::Expr*> values_;
};

ExternalTable partitioned_table(const HiveSource& source, const sql::Call& call,
                                const Arguments& arguments, const std::string& user) {
  const std::string schema = lower_case(arguments.text("schema_name"));
  const std::string name = lower_case(arguments.text("table_name"));
  auto table = source.tables.find(schema, name);
  if (!table) {
    throw Error(Code::kTableNotFound, fmt::format("Table '{}.{}' not found", schema, name),
                {call.pos.line, call.pos.column, {}});
  }
  if (table->partitioned_by.empty()) invalid(call, "Table is not partitioned: " + table->display());
  source.allow_change(user, *table);
  return std::move(*table);
}

void sync(const HiveSource& source, const sql::Call& call, const std::string& user) {
  const Arguments arguments(call, {"schema_name", "table_name", "mode", "case_sensitive"});
  const auto table = partitioned_table(source, call, arguments, user);
  std::string mode = lower_case(arguments.text("mode"));
  if (mode != "add" && mode != "drop" && mode != "full")
    invalid(call, "Invalid partition metadata sync mode: " + arguments.text("mode"));
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

lake::PartitionValues values_of(const sql::Call& call, const Arguments& arguments,
                                const ExternalTable& table) {
  auto columns = arguments.texts("partition_columns");
  for (auto& column : columns) column = lower_case(column);
  const auto values = arguments.texts("partition_values");
  if (columns != table.partitioned_by) {
    invalid(call, fmt::format("Provided partition column names do not match actual partition "
                              "column names: [{}]",
                              fmt::join(table.partitioned_by, ", ")));
  }
  if (values.size() != columns.size()) {
    invalid(call, fmt::format("Partition key and value counts differ: {} and {}", columns.size(),
                              values.size()));
  }
  return {values.begin(), values.end()};
}

void register_partition(const HiveSource& source, const sql::Call& call, const std::string& user) {
  const Arguments arguments(
      call, {"schema_name", "table_name", "partition_columns", "partition_values", "location"});
  const auto table = partitioned_table(source, call, arguments, user);
  ExternalPartition partition{values_of(call, arguments, table), {}};
  const std::string name = lake::partition_name(table.partitioned_by, partition.values);
  partition.location = arguments.has("location") ? arguments.text("location")
                                                 : lake::parse_folder(table.location).path() + name;
  const auto folder = lake::parse_folder(partition.location);
  source.allow(user, "s3:GetObject", folder);
  if (!lake::has_objects(source.store, folder))
    invalid(call, "Partition location does not exist: " + partition.location);
  if (source.tables.add_partitions(table.id, {partition}) == 0) {
    throw Error(Code::kAlreadyExists, fmt::format("Partition [{}] is already registered", name),
                {call.pos.line, call.pos.column, {}});
  }
}

void unregister_partition(const HiveSource& source, const sql::Call& call,
                          const std::string& user) {
  const Arguments arguments(call,
                            {"schema_name", "table_name", "partition_columns", "partition_values"});
  const auto table = partitioned_table(source, call, arguments, user);
  const auto values = values_of(call, arguments, table);
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
