#include "engine/lake/metadata_tables.h"

#include <algorithm>
#include <set>

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck_types.h"
#include "engine/functions/build.h"
#include "engine/lake/metadata_rows.h"
#include "engine/object_files.h"

namespace meesh::engine {
namespace {

using duckdb::ClientContext;

constexpr const char* kFunction = "lake_metadata";

struct MetadataBind : duckdb::TableFunctionData {
  LakeSourcePtr source;
  std::string location, kind;
  std::shared_ptr<const lake::TableMetadata> table;
  duckdb::vector<duckdb::LogicalType> types;
};

struct MetadataState : duckdb::GlobalTableFunctionState {
  std::vector<VirtualRow> rows;
  size_t next = 0;
  duckdb::vector<duckdb::column_t> columns;
};

template <class F>
auto guarded(F&& work) {
  try {
    return work();
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind(ClientContext& context,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<MetadataBind>();
  guarded([&] {
    data->location = input.inputs.at(0).ToString();
    data->source = find_lake_source(*context.db, input.inputs.at(1).ToString());
    data->kind = input.inputs.at(2).ToString();
    data->table = data->source->metadata(data->location);
    data->source->allow(caller_of(context), "s3:GetObject", data->table->location + "/*");
    for (const auto& column : metadata_columns(*data->table, data->kind)) {
      names.push_back(column.name);
      types.push_back(to_duckdb(column.type));
    }
  });
  data->types = types;
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init(ClientContext&,
                                                          duckdb::TableFunctionInitInput& input) {
  const auto& data = input.bind_data->Cast<MetadataBind>();
  auto state = duckdb::make_uniq<MetadataState>();
  state->columns = input.column_ids;
  guarded([&] {
    state->rows = metadata_rows(data.source->cache, *data.table, data.location, data.kind);
  });
  return state;
}

void scan(ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const auto& data = input.bind_data->Cast<MetadataBind>();
  auto& state = input.global_state->Cast<MetadataState>();
  duckdb::idx_t count = 0;
  for (; count < STANDARD_VECTOR_SIZE && state.next < state.rows.size(); ++count, ++state.next) {
    const auto& row = state.rows[state.next];
    for (duckdb::idx_t i = 0; i < state.columns.size(); ++i) {
      const auto column = state.columns[i];
      if (column >= data.types.size()) continue;  // count(*) asks for no column
      auto value = row.at(column);
      value.Reinterpret(data.types[column]);
      output.SetValue(i, count, value);
    }
  }
  output.SetCardinality(count);
}

}  // namespace

std::optional<std::pair<std::string, std::string>> split_metadata_name(const std::string& name) {
  static const std::set<std::string> kKinds = {"snapshots",  "history",    "files",
                                               "manifests",  "partitions", "refs",
                                               "properties", "entries",    "metadata_log_entries"};
  const size_t at = name.rfind('$');
  if (at == std::string::npos || at == 0 || !kKinds.contains(name.substr(at + 1)))
    return std::nullopt;
  return std::pair(name.substr(0, at), name.substr(at + 1));
}

sql::TableInfo metadata_table_info(const std::string& catalog, const lake::Table& table,
                                   const std::string& kind) {
  sql::TableInfo info;
  info.name = {catalog, table.name.space.at(0), table.name.name + "$" + kind};
  info.columns = metadata_columns(*table.metadata, kind);
  info.duckdb_source =
      fmt::format("{}({}, {}, {})", kFunction, quote_string(table.metadata_location),
                  quote_string(catalog), quote_string(kind));
  return info;
}

void register_metadata_tables(duckdb::DatabaseInstance& instance) {
  const auto text = duckdb::LogicalType::VARCHAR;
  duckdb::TableFunction function(kFunction, {text, text, text}, scan, bind, init);
  function.projection_pushdown = true;
  duckdb::ExtensionLoader loader(instance, "meesh");
  loader.RegisterFunction(function);
}

}  // namespace meesh::engine
