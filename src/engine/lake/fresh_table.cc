#include "engine/lake/fresh_table.h"

#include "base/clock.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "lake/layout.h"

namespace meesh::engine {
namespace {

lake::Schema schema_of(const std::vector<sql::ColumnInfo>& columns) {
  lake::Schema schema;
  int next_id = 1;
  for (const auto& column : columns) {
    lake::Field field;
    field.id = next_id++;
    field.name = lower_case(column.name);
    field.required = !column.nullable;
    field.doc = column.comment;
    schema.fields.push_back(std::move(field));
  }
  for (size_t i = 0; i < columns.size(); ++i)
    schema.fields[i].type = lake_type(columns[i].type, &next_id);
  return schema;
}

std::string without_slashes(std::string place) {
  while (place.ends_with('/')) place.pop_back();
  return place;
}

}  // namespace

void allow_below(const LakeSource& source, const std::string& user, std::string_view action,
                 const std::string& place) {
  source.allow(user, action, without_slashes(place) + "/*");
}

void allow_places(const LakeSource& source, const std::string& user,
                  const lake::Properties& properties) {
  for (const auto& place : lake::named_places(properties)) {
    source.catalog.files().check_folder(place);
    allow_below(source, user, "s3:PutObject", place);
  }
}

lake::TableMetadata fresh_table(const LakeSource& source, const std::string& user,
                                const std::vector<sql::ColumnInfo>& columns,
                                const TableProperties& asked, std::string location,
                                const std::optional<std::string>& comment) {
  const auto schema = schema_of(columns);
  const auto spec = partition_spec(asked.partitioning.value_or(std::vector<std::string>{}), schema);
  check_new_names(spec, schema);
  const auto order = sort_order(asked.sorted_by.value_or(std::vector<std::string>{}), schema);
  location = without_slashes(asked.location.value_or(std::move(location)));
  source.catalog.files().check(location);
  allow_below(source, user, "s3:PutObject", location);
  auto kept = iceberg_properties(asked);
  allow_places(source, user, kept);
  kept.emplace("write.format.default", "PARQUET");
  kept.emplace("write.parquet.compression-codec", "zstd");
  if (comment) kept["comment"] = *comment;
  return lake::new_table_metadata(schema, spec, order, location, kept, base::now_ms());
}

}  // namespace meesh::engine
