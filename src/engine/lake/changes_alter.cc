// ALTER TABLE of Iceberg tables.
#include <algorithm>

#include "engine/lake/changes.h"
#include "engine/lake/fresh_table.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "lake/layout.h"
#include "lake/schema_change.h"
#include "lake/updates.h"
#include "sql/ast.h"

namespace meesh::engine {
namespace {

using Action = sql::AlterTable::Action;

std::string dotted(const sql::Name& name, size_t parts) {
  std::string out;
  for (size_t i = 0; i < parts; ++i) out += (i ? "." : "") + lower_case(name[i].value);
  return out;
}
std::string dotted(const sql::Name& name) { return dotted(name, name.size()); }

bool has_field(const lake::Schema& schema, const std::string& name) {
  return lake::find_field(schema, name, false) != nullptr;
}

lake::ColumnPosition position_of(const sql::AlterTable& alter) {
  if (alter.add_position == "first") return {lake::ColumnPosition::Place::kFirst, ""};
  if (alter.add_position == "after")
    return {lake::ColumnPosition::Place::kAfter, lower_case(alter.new_name->value)};
  return {};
}

void add_column(lake::SchemaChange& schema, const sql::AlterTable& alter) {
  const auto& column = *alter.column;
  const Location at{column.pos.line, column.pos.column, {}};
  if (column.not_null)
    throw Error(Code::kNotSupported, "This connector does not support adding not null columns", at);
  if (column.default_value)
    throw Error(Code::kNotSupported, "This connector does not support default values", at);
  if (alter.column_if_not_exists && has_field(schema.schema(), dotted(column.name))) return;
  int ids = 1;
  schema.add(dotted(column.name, column.name.size() - 1), lower_case(column.name.back().value),
             lake_type(sql::to_type(*column.type), &ids), column.comment.value_or(""), false,
             position_of(alter));
}

void change_schema(lake::SchemaChange& schema, const sql::AlterTable& alter) {
  const Location at{alter.pos.line, alter.pos.column, {}};
  const std::string column = dotted(alter.column_name);
  const bool gone = alter.column_if_exists && !has_field(schema.schema(), column);
  switch (alter.action) {
    case Action::kAddColumn:
      return add_column(schema, alter);
    case Action::kDropColumn:
      if (!gone) schema.drop(column);
      return;
    case Action::kRenameColumn:
      if (!gone) schema.rename(column, lower_case(alter.new_name->value));
      return;
    case Action::kSetType: {
      int ids = 1;
      schema.widen(column, lake_type(sql::to_type(*alter.type), &ids));
      return;
    }
    case Action::kDropNotNull:
      schema.make_optional(column);
      return;
    case Action::kSetDefault:
    case Action::kDropDefault:
      throw Error(Code::kNotSupported, "This connector does not support default values", at);
    default:
      internal_error("ALTER TABLE of another kind is no change of the schema");
  }
}

/// What SET PROPERTIES asks of the table.
std::vector<lake::Update> property_updates(const sql::AlterTable& alter,
                                           const lake::TableMetadata& table,
                                           const std::string& catalog) {
  const auto asked = read_properties(alter.properties, catalog);
  if (asked.names("location")) {
    throw Error(Code::kNotSupported, "The following properties cannot be updated: location",
                {alter.pos.line, alter.pos.column, {}});
  }
  std::vector<lake::Update> updates;
  if (asked.names("partitioning")) {
    auto spec =
        partition_spec(asked.partitioning.value_or(std::vector<std::string>{}), table.schema());
    // A field that the table has had keeps its id.
    for (auto& field : spec.fields) {
      for (const auto& known : table.partition_specs) {
        for (const auto& old : known.fields) {
          if (old.source_id == field.source_id && old.transform == field.transform)
            field.field_id = old.field_id, field.name = old.name;
        }
      }
    }
    check_new_names(spec, table.schema());
    updates.emplace_back(lake::AddPartitionSpec{std::move(spec)});
    updates.emplace_back(lake::SetDefaultSpec{lake::kLastAdded});
  }
  if (asked.names("sorted_by")) {
    updates.emplace_back(lake::AddSortOrder{
        sort_order(asked.sorted_by.value_or(std::vector<std::string>{}), table.schema())});
    updates.emplace_back(lake::SetDefaultSortOrder{lake::kLastAdded});
  }
  const auto set = iceberg_properties(asked);
  if (!set.empty()) updates.emplace_back(lake::SetProperties{set});
  static const std::map<std::string, std::string> kNames = {
      {"max_commit_retry", "commit.retry.num-retries"},
      {"data_location", "write.data.path"},
      {"data_layout", lake::kLayoutProperty},
      {"format", "write.format.default"}};
  lake::RemoveProperties gone;
  for (const auto& name : asked.defaults) {
    const auto found = kNames.find(name);
    if (found != kNames.end()) gone.removals.push_back(found->second);
  }
  if (!gone.removals.empty()) updates.emplace_back(std::move(gone));
  return updates;
}

}  // namespace

void LakeChange::alter_schema(const sql::AlterTable& alter, const lake::Identifier& name) {
  source_.catalog.commit({{name, [&](const lake::Table& base) {
                             lake::SchemaChange schema(*base.metadata);
                             change_schema(schema, alter);
                             if (lake::same_schema(schema.schema(), base.metadata->schema()))
                               return *base.metadata;
                             return lake::apply(schema.updates(), base.metadata.get(),
                                                commit_time(*base.metadata),
                                                base.metadata_location);
                           }}});
}

void LakeChange::set_properties(const sql::AlterTable& alter, const lake::Identifier& name) {
  allow_places(source_, change_.user,
               iceberg_properties(read_properties(alter.properties, catalog_)));
  source_.catalog.commit({{name, [&](const lake::Table& base) {
                             const auto updates = property_updates(alter, *base.metadata, catalog_);
                             auto changed =
                                 lake::apply(updates, base.metadata.get(),
                                             commit_time(*base.metadata), base.metadata_location);
                             lake::file_layout(changed);  // still fits the partitions
                             return changed;
                           }}});
}

void LakeChange::alter_table(const sql::AlterTable& alter) {
  const auto table = source_.catalog.find(name());
  if (!table) return;  // IF EXISTS, or the resolver had refused it
  allow("s3:PutObject", table->metadata->location);
  switch (alter.action) {
    case Action::kRename:
      return source_.catalog.rename(name(),
                                    {{lower_case(alter.target.at(alter.target.size() - 2).value)},
                                     lower_case(alter.target.back().value)});
    case Action::kSetProperties:
      return set_properties(alter, name());
    case Action::kExecute:
      return execute(alter);
    default:
      return alter_schema(alter, name());
  }
}

}  // namespace meesh::engine
