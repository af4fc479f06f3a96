#include "engine/lake/deletes.h"

#include <algorithm>

#include "duckdb/main/client_context.hpp"
#include "engine/duck.h"
#include "engine/functions/build.h"
#include "engine/lake/values.h"

namespace meesh::engine {
namespace {

class PositionFilter : public duckdb::DeleteFilter {
 public:
  explicit PositionFilter(DeletedRows rows) : rows_(std::move(rows)) {}

  duckdb::idx_t Filter(duckdb::row_t start, duckdb::idx_t count,
                       duckdb::SelectionVector& kept) override {
    if (count == 0) return 0;
    kept.Initialize(STANDARD_VECTOR_SIZE);
    auto next = std::lower_bound(rows_->begin(), rows_->end(), start);
    duckdb::idx_t found = 0;
    for (duckdb::idx_t i = 0; i < count; ++i) {
      const auto row = start + static_cast<duckdb::row_t>(i);
      while (next != rows_->end() && *next < row) ++next;
      if (next != rows_->end() && *next == row) continue;
      kept.set_index(found++, i);
    }
    return found;
  }

 private:
  const DeletedRows rows_;
};

/// Runs a query on a connection of its own: the delete files are the table's own business, whoever
/// reads it.
duckdb::unique_ptr<duckdb::MaterializedQueryResult> ask(duckdb::ClientContext& context,
                                                        const std::string& text) {
  duckdb::Connection connection(*context.db);
  auto result = connection.Query(text);
  if (result->HasError()) result->ThrowError();
  return result;
}

void check_parquet(const lake::DataFile& file) {
  if (file.format == lake::FileFormat::kParquet) return;
  raise(Code::kNotSupported,
        fmt::format("Delete file {} is of format {}: only PARQUET is supported", file.path,
                    lake::format_name(file.format)));
}

/// Equality deletes are grouped by their columns: each group is one comparison.
struct EqualityGroup {
  std::vector<int> columns;
  std::vector<std::string> paths;
};

std::vector<EqualityGroup> equality_groups(const lake::ScanPlan& plan, const lake::ScanFile& file) {
  std::vector<EqualityGroup> groups;
  for (const auto at : file.deletes) {
    const auto& deletes = *plan.deletes.at(at).file;
    if (deletes.content != lake::FileContent::kEqualityDeletes) continue;
    check_parquet(deletes);
    const auto same = [&](const EqualityGroup& g) { return g.columns == deletes.equality_ids; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) group = groups.insert(group, {deletes.equality_ids, {}});
    group->paths.push_back(deletes.path);
  }
  return groups;
}

/// The column in the newest schema that has it; dropped ones too.
const lake::Field* find_column(const lake::TableMetadata& table, int id) {
  if (const auto* field = lake::find_field(table.schema(), id)) return field;
  for (auto schema = table.schemas.rbegin(); schema != table.schemas.rend(); ++schema)
    if (const auto* field = lake::find_field(*schema, id)) return field;
  return nullptr;
}

/// read_parquet(…) of `paths` with the columns named k0, k1, … and found by their field ids.
std::string read_keys(const std::vector<std::string>& paths, const std::vector<int>& columns,
                      const lake::TableMetadata& table) {
  std::string files, schema;
  for (const auto& path : paths) files += (files.empty() ? "" : ", ") + quote_string(path);
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto* field = find_column(table, columns[i]);
    bool nested = !field;
    for (const auto& any : table.schemas) nested = nested || lake::find_parent(any, columns[i]);
    if (nested || field->type.nested()) {
      raise(Code::kNotSupported,
            fmt::format("Equality deletes by field {} are not supported: it is no plain column",
                        columns[i]));
    }
    schema += fmt::format("{}{}: {{name: 'k{}', type: {}, default_value: NULL}}", i ? ", " : "",
                          columns[i], i, quote_string(duck_type(field->type).ToString()));
  }
  return fmt::format("read_parquet([{}], schema = MAP {{{}}}, hive_partitioning = false)", files,
                     schema);
}

/// Values that the file has in its partition alone, as DuckDB text; "" = in the file.
std::vector<std::string> partition_keys(const lake::ScanFile& file, const EqualityGroup& group,
                                        const lake::TableMetadata& table) {
  std::vector<std::string> keys(group.columns.size());
  const auto* spec = table.find_spec(file.spec_id);
  if (!spec) return keys;
  for (const auto& [id, value] : lake::identity_values(*spec, *file.file)) {
    const auto* field = find_column(table, id);
    for (size_t i = 0; field && i < keys.size(); ++i)
      if (group.columns[i] == id) keys[i] = duck_value(field->type, value).ToSQLString();
  }
  return keys;
}

void add_equality_deletes(duckdb::ClientContext& context, const lake::TableMetadata& table,
                          const lake::ScanFile& file, const EqualityGroup& group,
                          std::vector<int64_t>& rows) {
  const auto fixed = partition_keys(file, group, table);
  std::string same;
  for (size_t i = 0; i < group.columns.size(); ++i) {
    const std::string key = fixed[i].empty() ? fmt::format("d.k{}", i)
                                             : fmt::format("coalesce(d.k{}, {})", i, fixed[i]);
    same += fmt::format("{}{} IS NOT DISTINCT FROM e.k{}", i ? " AND " : "", key, i);
  }
  const auto found =
      ask(context,
          fmt::format("SELECT d.file_row_number FROM {} AS d WHERE EXISTS (SELECT 1 FROM {} AS "
                      "e WHERE {})",
                      read_keys({file.file->path}, group.columns, table),
                      read_keys(group.paths, group.columns, table), same));
  for (const auto& row : *found) rows.push_back(row.GetValue<int64_t>(0));
}

}  // namespace

const DeleteFiles::Positions& DeleteFiles::positions(duckdb::ClientContext& context,
                                                     const std::string& path) {
  Loaded* loaded = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto& slot = loaded_[path];
    if (!slot) slot = std::make_unique<Loaded>();
    loaded = slot.get();
  }
  std::call_once(loaded->once, [&] {
    Positions read;
    const auto rows =
        ask(context, fmt::format("SELECT file_path, pos FROM read_parquet([{}], hive_partitioning "
                                 "= false)",
                                 quote_string(path)));
    while (auto chunk = rows->Fetch()) {
      if (chunk->size() == 0) break;
      chunk->Flatten();
      const auto* paths = duckdb::FlatVector::GetData<duckdb::string_t>(chunk->data[0]);
      const auto* places = duckdb::FlatVector::GetData<int64_t>(chunk->data[1]);
      for (duckdb::idx_t i = 0; i < chunk->size(); ++i)
        read[paths[i].GetString()].push_back(places[i]);
    }
    loaded->positions = std::move(read);
  });
  return loaded->positions;
}

DeletedRows DeleteFiles::deleted_rows(duckdb::ClientContext& context,
                                      const lake::TableMetadata& table, const lake::ScanPlan& plan,
                                      size_t file) {
  const auto& scanned = plan.files.at(file);
  if (scanned.deletes.empty()) return nullptr;
  std::vector<int64_t> rows;
  for (const auto at : scanned.deletes) {
    const auto& deletes = *plan.deletes.at(at).file;
    if (deletes.content != lake::FileContent::kPositionDeletes) continue;
    check_parquet(deletes);
    const auto& all = positions(context, deletes.path);
    const auto here = all.find(scanned.file->path);
    if (here != all.end()) rows.insert(rows.end(), here->second.begin(), here->second.end());
  }
  for (const auto& group : equality_groups(plan, scanned))
    add_equality_deletes(context, table, scanned, group, rows);
  if (rows.empty()) return nullptr;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return std::make_shared<const std::vector<int64_t>>(std::move(rows));
}

duckdb::unique_ptr<duckdb::DeleteFilter> make_delete_filter(DeletedRows rows) {
  return duckdb::make_uniq<PositionFilter>(std::move(rows));
}

}  // namespace meesh::engine
