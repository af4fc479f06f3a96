#include "engine/lake/scan.h"

#include <algorithm>
#include <set>

#include "base/uuid.h"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/function/partition_stats.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "duckdb/storage/statistics/node_statistics.hpp"
#include "engine/functions/build.h"
#include "engine/lake/deletes.h"
#include "engine/lake/metadata_tables.h"
#include "engine/lake/partition_function.h"
#include "engine/lake/predicate.h"
#include "engine/lake/values.h"
#include "engine/object_files.h"
#include "lake/name_mapping.h"

namespace meesh::engine {
namespace {

using duckdb::ClientContext;
using duckdb::column_t;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::MultiFileColumnDefinition;
using duckdb::MultiFileReader;
using duckdb::optional_ptr;

constexpr const char* kFunction = "lake_scan";
constexpr column_t kPartitionId = MultiFileReader::COLUMN_IDENTIFIER_FILENAME + 1001;
constexpr column_t kModifiedId = MultiFileReader::COLUMN_IDENTIFIER_FILENAME + 1002;

/// The catalogs that lake_scan knows; hangs on the registered function.
struct Sources : duckdb::TableFunctionInfo {
  std::mutex mutex;
  std::map<std::string, LakeSourcePtr> by_name;  // guarded by mutex

  LakeSourcePtr find(const std::string& name) {
    std::lock_guard lock(mutex);
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw Error(Code::kCatalogNotFound, "Catalog '" + name + "' not found");
    return found->second;
  }
};

/// Errors of the lake as DuckDB's, with their code.
template <class F>
auto guarded(F&& work) {
  try {
    return work();
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
}

MultiFileColumnDefinition definition(const lake::Field& field) {
  const auto type = duck_type(field.type);
  MultiFileColumnDefinition column(field.name, type);
  column.identifier = duckdb::Value::INTEGER(field.id);
  column.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type));
  for (const auto& child : field.type.fields) column.children.push_back(definition(child));
  return column;
}

/// The files of a scan, planned when they are first asked for.
class LakeFiles : public duckdb::MultiFileList {
 public:
  using Paths = std::optional<std::set<std::string>>;

  LakeFiles(std::string location, std::string user)
      : location_(std::move(location)), user_(std::move(user)) {}

  void open(LakeSourcePtr source, int schema_id, std::optional<int64_t> snapshot_id) {
    source_ = std::move(source);
    table_ = source_->metadata(location_);
    source_->allow(user_, "s3:GetObject", table_->location + "/*");
    schema_ = table_->find_schema(schema_id);
    snapshot_ = snapshot_id ? table_->find_snapshot(*snapshot_id) : nullptr;
    if (!schema_ || (snapshot_id && !snapshot_))
      internal_error("lake_scan of a snapshot or schema that is not in " + location_);
    deletes_ = std::make_shared<DeleteFiles>();
  }

  const lake::TableMetadata& table() const { return *table_; }
  const lake::Schema& schema() const { return *schema_; }
  LakeSource& source() const { return *source_; }
  DeleteFiles& deletes() const { return *deletes_; }

  /// Which columns of files without field ids are which.
  const lake::NameMapping& names() const {
    std::call_once(named_, [&] {
      guarded([&] {
        auto told = mapping_of(*table_);
        exact_names_ = told.has_value();
        names_ = told ? std::move(*told) : mapping_of(schema_->fields);
      });
    });
    return names_;
  }
  /// Whether they are told letter by letter; else case does not matter. After names().
  bool exact_names() const { return exact_names_; }

  const lake::ScanPlan& plan() const {
    std::call_once(once_, [&] {
      guarded([&] {
        plan_ = lake::plan_scan(source_->cache, *table_, snapshot_, predicate_, schema_);
        if (paths_) keep_paths();
        for (const auto& file : plan_.files) {
          if (file.file->format == lake::FileFormat::kParquet) continue;
          throw Error(Code::kNotSupported,
                      fmt::format("Data file {} is of format {}: only PARQUET is supported",
                                  file.file->path, lake::format_name(file.file->format)));
        }
      });
    });
    return plan_;
  }

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      ClientContext&, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) const override {
    const FieldOfColumn field_of = [&](const duckdb::Expression& column) -> const lake::Field* {
      if (column.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return nullptr;
      const auto& binding = column.Cast<duckdb::BoundColumnRefExpression>().binding;
      if (binding.table_index != info.table_index) return nullptr;
      const auto at = static_cast<idx_t>(binding.column_index);
      return at < info.column_ids.size() ? field(info.column_ids[at]) : nullptr;
    };
    std::vector<lake::Predicate> found;
    auto paths = paths_;
    for (const auto& filter : filters) {
      found.push_back(predicate_of(*filter, field_of));
      narrow_paths(*filter, info, paths);
    }
    return narrowed(std::move(found), std::move(paths));
  }

  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(
      ClientContext&, const duckdb::MultiFileOptions&, const duckdb::vector<std::string>&,
      const duckdb::vector<LogicalType>&, const duckdb::vector<column_t>& column_ids,
      duckdb::TableFilterSet& filters) const override {
    std::vector<lake::Predicate> found;
    for (const auto& [at, filter] : filters.filters) {
      const auto* of = at < column_ids.size() ? field(column_ids[at]) : nullptr;
      if (of) found.push_back(predicate_of(*filter, *of));
    }
    return narrowed(std::move(found), paths_);
  }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (idx_t i = 0; i < plan().files.size(); ++i) files.push_back(GetFile(i));
    return files;
  }
  duckdb::FileExpandResult GetExpandResult() const override {
    const auto count = plan().files.size();
    if (count == 0) return duckdb::FileExpandResult::NO_FILES;
    // One thread reads what is called a single file, since nobody has looked at its row groups.
    constexpr int64_t kRowGroup = DEFAULT_ROW_GROUP_SIZE;
    const bool small = count == 1 && plan().files.front().file->records <= kRowGroup;
    return small ? duckdb::FileExpandResult::SINGLE_FILE : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  idx_t GetTotalFileCount() const override { return plan().files.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(ClientContext&) const override {
    const auto rows = static_cast<idx_t>(std::max<int64_t>(0, plan().records));
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
  }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override {
    return copy(predicate_, paths_);
  }

  duckdb::OpenFileInfo GetFile(idx_t at) const override {
    if (at >= plan().files.size()) return {};
    return duckdb::OpenFileInfo(plan().files[at].file->path);
  }

 private:
  const lake::Field* field(column_t column) const {
    return column < schema_->fields.size() ? &schema_->fields[column] : nullptr;
  }

  duckdb::unique_ptr<LakeFiles> copy(lake::Predicate predicate, Paths paths) const {
    auto made = duckdb::make_uniq<LakeFiles>(location_, user_);
    made->source_ = source_;
    made->table_ = table_;
    made->schema_ = schema_;
    made->snapshot_ = snapshot_;
    made->deletes_ = deletes_;
    made->predicate_ = std::move(predicate);
    made->paths_ = std::move(paths);
    return made;
  }

  /// Null if nothing new is known.
  duckdb::unique_ptr<duckdb::MultiFileList> narrowed(std::vector<lake::Predicate> more,
                                                     Paths paths) const {
    std::erase_if(more, [](const auto& p) { return p.kind == lake::Predicate::Kind::kTrue; });
    if (more.empty() && paths == paths_) return nullptr;
    more.push_back(predicate_);
    return copy(lake::Predicate::all_of(std::move(more)), std::move(paths));
  }

  /// Takes "$path" = 'x' and "$path" IN ('x', …) into account.
  static void narrow_paths(const duckdb::Expression& filter,
                           const duckdb::MultiFilePushdownInfo& info, Paths& paths) {
    std::vector<const duckdb::Expression*> parts;
    if (filter.GetExpressionType() == duckdb::ExpressionType::COMPARE_EQUAL) {
      const auto& equal = filter.Cast<duckdb::BoundComparisonExpression>();
      parts = {equal.left.get(), equal.right.get()};
    } else if (filter.GetExpressionType() == duckdb::ExpressionType::COMPARE_IN) {
      for (const auto& child : filter.Cast<duckdb::BoundOperatorExpression>().children)
        parts.push_back(child.get());
    }
    if (parts.size() < 2 ||
        parts[0]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) {
      return;
    }
    const auto& binding = parts[0]->Cast<duckdb::BoundColumnRefExpression>().binding;
    const auto at = static_cast<idx_t>(binding.column_index);
    if (binding.table_index != info.table_index || at >= info.column_ids.size() ||
        info.column_ids[at] != MultiFileReader::COLUMN_IDENTIFIER_FILENAME) {
      return;
    }
    std::set<std::string> named;
    for (size_t i = 1; i < parts.size(); ++i) {
      if (parts[i]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return;
      named.insert(parts[i]->Cast<duckdb::BoundConstantExpression>().value.ToString());
    }
    if (paths) std::erase_if(named, [&](const auto& path) { return !paths->contains(path); });
    paths = std::move(named);
  }

  void keep_paths() const {
    std::erase_if(plan_.files,
                  [&](const auto& file) { return !paths_->contains(file.file->path); });
    plan_.rows.reset();
    plan_.records = 0;
    for (const auto& file : plan_.files) plan_.records += file.file->records;
  }

  const std::string location_, user_;
  LakeSourcePtr source_;
  std::shared_ptr<const lake::TableMetadata> table_;
  const lake::Schema* schema_ = nullptr;      // in table_
  const lake::Snapshot* snapshot_ = nullptr;  // in table_; null: no rows
  std::shared_ptr<DeleteFiles> deletes_;
  lake::Predicate predicate_;
  Paths paths_;  // only these; nothing: all
  mutable std::once_flag once_;
  mutable lake::ScanPlan plan_;
  mutable std::once_flag named_;
  mutable lake::NameMapping names_;
  mutable bool exact_names_ = false;
};

const lake::MappedField* mapped_field(const lake::NameMapping& mapping, const std::string& name,
                                      bool exact) {
  if (const auto* found = find_mapped(mapping, name)) return found;
  if (exact) return nullptr;
  for (const auto& field : mapping)
    if (duckdb::StringUtil::CIEquals(name, field.names.front())) return &field;
  return nullptr;
}

/// Gives the columns of a file without field ids (adopted from elsewhere) those that their names
/// stand for.
void name_columns(duckdb::vector<MultiFileColumnDefinition>& columns,
                  const lake::NameMapping& mapping, bool exact);

void name_column(MultiFileColumnDefinition& column, const lake::MappedField& field, bool exact) {
  if (field.id) column.identifier = duckdb::Value::INTEGER(*field.id);
  const bool map = column.type.id() == duckdb::LogicalTypeId::MAP && column.children.size() == 1;
  auto& inner = map ? column.children[0].children : column.children;
  if (column.type.id() == duckdb::LogicalTypeId::STRUCT)
    return name_columns(inner, field.fields, exact);
  for (size_t i = 0; i < inner.size() && i < field.fields.size(); ++i)
    name_column(inner[i], field.fields[i], exact);
}

void name_columns(duckdb::vector<MultiFileColumnDefinition>& columns,
                  const lake::NameMapping& mapping, bool exact) {
  for (auto& column : columns)
    if (const auto* field = mapped_field(mapping, column.name, exact))
      name_column(column, *field, exact);
}

class LakeReader : public MultiFileReader {
 public:
  explicit LakeReader(duckdb::shared_ptr<Sources> sources) : sources_(std::move(sources)) {}

  static duckdb::unique_ptr<MultiFileReader> make(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<LakeReader>(
        duckdb::shared_ptr_cast<duckdb::TableFunctionInfo, Sources>(function.function_info));
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<LakeReader>(sources_);
    copy->catalog_ = catalog_;
    copy->schema_id_ = schema_id_;
    copy->snapshot_id_ = snapshot_id_;
    return copy;
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(ClientContext& context,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    return duckdb::make_shared_ptr<LakeFiles>(paths.at(0), caller_of(context));
  }

  bool ParseOption(const std::string& key, const duckdb::Value& value,
                   duckdb::MultiFileOptions& options, ClientContext& context) override {
    if (key == "catalog") {
      catalog_ = value.ToString();
    } else if (key == "schema_id") {
      schema_id_ = value.GetValue<int32_t>();
    } else if (key == "snapshot") {
      snapshot_id_ = value.GetValue<int64_t>();
    } else {
      return MultiFileReader::ParseOption(key, value, options, context);
    }
    return true;
  }

  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList& list,
            duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind) override {
    auto& files = static_cast<LakeFiles&>(list);
    guarded([&] { files.open(sources_->find(catalog_), schema_id_, snapshot_id_); });
    for (const auto& field : files.schema().fields) {
      bind.schema.push_back(definition(field));
      names.push_back(field.name);
      types.push_back(bind.schema.back().type);
    }
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }

  void BindOptions(duckdb::MultiFileOptions& options, duckdb::MultiFileList&,
                   duckdb::vector<LogicalType>&, duckdb::vector<std::string>&,
                   duckdb::MultiFileReaderBindData&) override {
    options.auto_detect_hive_partitioning = false;
    options.hive_partitioning = false;
    options.union_by_name = false;
  }

  duckdb::ReaderInitializeType InitializeReader(
      duckdb::MultiFileReaderData& data, const duckdb::MultiFileBindData& bind,
      const duckdb::vector<MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& ids, optional_ptr<duckdb::TableFilterSet> filters,
      ClientContext& context, duckdb::MultiFileGlobalState& state) override {
    auto& files = static_cast<LakeFiles&>(state.file_list);
    auto& reader = *data.reader;
    const auto at = reader.file_list_idx.GetIndex();
    const bool nameless =
        std::all_of(reader.columns.begin(), reader.columns.end(),
                    [](const auto& column) { return column.identifier.IsNull(); });
    if (nameless) {
      const auto& names = files.names();
      name_columns(reader.columns, names, files.exact_names());
    }
    if (auto rows = files.deletes().deleted_rows(context, files.table(), files.plan(), at))
      reader.deletion_filter = make_delete_filter(std::move(rows));
    FinalizeBind(data, bind.file_options, bind.reader_bind, columns, ids, context,
                 state.multi_file_reader_state.get());
    const auto& file = files.plan().files[at];
    add_constants(data, files, file, ids);
    note_virtual(data, files, file, ids);
    return CreateMapping(context, data, columns, ids, filters, state.file_list, bind.reader_bind,
                         bind.virtual_columns);
  }

  duckdb::unique_ptr<duckdb::Expression> GetConstantVirtualColumn(
      duckdb::MultiFileReaderData& data, idx_t column, const LogicalType& type) override {
    if (column != kPartitionId && column != kModifiedId)
      return MultiFileReader::GetConstantVirtualColumn(data, column, type);
    const auto& info = data.reader->file.extended_info;
    duckdb::Value value(type);
    if (info) {
      const auto found =
          info->options.find(column == kPartitionId ? kPartitionColumn : kModifiedColumn);
      if (found != info->options.end()) value = found->second;
    }
    value.Reinterpret(type);
    return duckdb::make_uniq<duckdb::BoundConstantExpression>(std::move(value));
  }

 private:
  /// Columns that the file does not have and its partition tells.
  static void add_constants(duckdb::MultiFileReaderData& data, const LakeFiles& files,
                            const lake::ScanFile& file,
                            const duckdb::vector<duckdb::ColumnIndex>& ids) {
    const auto* spec = files.table().find_spec(file.spec_id);
    if (!spec || spec->fields.empty()) return;
    std::set<int> there;
    for (const auto& column : data.reader->columns)
      if (!column.identifier.IsNull()) there.insert(column.GetIdentifierFieldId());
    const auto& fields = files.schema().fields;
    for (const auto& [id, value] : lake::identity_values(*spec, *file.file)) {
      if (there.contains(id)) continue;
      for (idx_t i = 0; i < ids.size(); ++i) {
        if (ids[i].IsVirtualColumn()) continue;
        const auto& field = fields.at(ids[i].GetPrimaryIndex());
        if (field.id == id)
          data.constant_map.Add(duckdb::MultiFileGlobalIndex(i), duck_value(field.type, value));
      }
    }
  }

  /// Leaves with the file what GetConstantVirtualColumn is asked for.
  static void note_virtual(duckdb::MultiFileReaderData& data, const LakeFiles& files,
                           const lake::ScanFile& file,
                           const duckdb::vector<duckdb::ColumnIndex>& ids) {
    const auto asked = [&](column_t id) {
      return std::any_of(ids.begin(), ids.end(),
                         [&](const auto& index) { return index.GetPrimaryIndex() == id; });
    };
    auto& info = data.reader->file.extended_info;
    if (!asked(kPartitionId) && !asked(kModifiedId)) return;
    info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
    const auto* spec = files.table().find_spec(file.spec_id);
    if (asked(kPartitionId) && spec && !spec->fields.empty()) {
      info->options[kPartitionColumn] =
          duckdb::Value(lake::partition_path(*spec, files.table().schema(), file.file->partition));
    }
    if (asked(kModifiedId)) {
      guarded([&] {
        const auto path = lake::parse_path(file.file->path);
        const auto object = files.source().catalog.files().store().head(path.bucket, path.key, {});
        info->options[kModifiedColumn] = duckdb::Value::TIMESTAMPTZ(
            duckdb::timestamp_tz_t(object.modified.time_since_epoch().count() * 1000));
      });
    }
  }

  duckdb::shared_ptr<Sources> sources_;
  std::string catalog_;
  int schema_id_ = 0;
  std::optional<int64_t> snapshot_id_;
};

duckdb::virtual_column_map_t virtual_columns(ClientContext&,
                                             optional_ptr<duckdb::FunctionData> data) {
  duckdb::virtual_column_map_t columns;
  const auto add = [&](column_t id, const char* name, const LogicalType& type) {
    columns.insert({id, duckdb::TableColumn(name, type)});
  };
  add(MultiFileReader::COLUMN_IDENTIFIER_FILENAME, kPathColumn, LogicalType::VARCHAR);
  add(MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER, kPositionColumn, LogicalType::BIGINT);
  add(kPartitionId, kPartitionColumn, LogicalType::VARCHAR);
  add(kModifiedId, kModifiedColumn, timestamp_tz_type(3, ""));
  add(duckdb::COLUMN_IDENTIFIER_EMPTY, "", LogicalType::BOOLEAN);
  data->Cast<duckdb::MultiFileBindData>().virtual_columns = columns;
  return columns;
}

/// count(*) of a table without deleted rows needs no file.
duckdb::vector<duckdb::PartitionStatistics> partition_stats(ClientContext&,
                                                            duckdb::GetPartitionStatsInput& input) {
  const auto& data = input.bind_data->Cast<duckdb::MultiFileBindData>();
  const auto rows = static_cast<const LakeFiles&>(*data.file_list).plan().rows;
  if (!rows) return {};
  duckdb::PartitionStatistics all;
  all.row_start = 0;
  all.count = static_cast<idx_t>(*rows);
  all.count_type = duckdb::CountType::COUNT_EXACT;
  return {all};
}

/// DuckDB's parquet_scan of one path, with what does not fit taken out.
duckdb::TableFunction make_function(duckdb::TableFunction function,
                                    const duckdb::shared_ptr<Sources>& sources) {
  function.name = kFunction;
  function.function_info = sources;
  function.get_multi_file_reader = LakeReader::make;
  function.get_virtual_columns = virtual_columns;
  function.get_partition_stats = partition_stats;
  // The statistics of one file are not those of its live rows; rows have no ids.
  function.statistics = nullptr;
  function.statistics_extended = nullptr;
  function.late_materialization = false;
  function.get_row_id_columns = nullptr;
  function.set_scan_order = nullptr;
  function.type_pushdown = nullptr;
  function.get_bind_info = nullptr;
  // A plan that is copied is bound again, from the arguments.
  function.serialize = nullptr;
  function.deserialize = nullptr;
  function.verify_serialization = false;
  function.named_parameters.clear();
  function.named_parameters["catalog"] = LogicalType::VARCHAR;
  function.named_parameters["schema_id"] = LogicalType::INTEGER;
  function.named_parameters["snapshot"] = LogicalType::BIGINT;
  return function;
}

/// Registers what the lake needs when it is asked for the first time.
duckdb::shared_ptr<Sources> sources_of(duckdb::DatabaseInstance& instance) {
  static std::mutex registration;
  std::lock_guard lock(registration);
  duckdb::ExtensionLoader loader(instance, "meesh");
  if (const auto entry = loader.TryGetTableFunction(kFunction)) {
    auto& known = entry->Cast<duckdb::TableFunctionCatalogEntry>();
    return duckdb::shared_ptr_cast<duckdb::TableFunctionInfo, Sources>(
        known.functions.functions.at(0).function_info);
  }
  const auto sources = duckdb::make_shared_ptr<Sources>();
  for (const auto& function : loader.GetTableFunction("parquet_scan").functions.functions) {
    if (function.arguments.at(0).id() != duckdb::LogicalTypeId::VARCHAR) continue;
    loader.RegisterFunction(make_function(function, sources));
  }
  register_metadata_tables(instance);
  register_partition_functions(instance);
  return sources;
}

}  // namespace

void LakeSource::keep(const lake::Table& table) {
  constexpr size_t kMost = 1000;
  std::lock_guard lock(mutex_);
  if (!kept_.emplace(table.metadata_location, table.metadata).second) return;
  order_.push_back(table.metadata_location);
  if (order_.size() <= kMost) return;
  kept_.erase(order_.front());
  order_.pop_front();
}

std::shared_ptr<const lake::TableMetadata> LakeSource::metadata(const std::string& location) {
  {
    std::lock_guard lock(mutex_);
    const auto found = kept_.find(location);
    if (found != kept_.end()) return found->second;
    constexpr std::string_view kCandidate = "candidate:";
    if (location.starts_with(kCandidate)) {
      const auto candidate = candidates_.find(location.substr(kCandidate.size()));
      if (candidate != candidates_.end()) return candidate->second.metadata;
    }
  }
  return std::make_shared<const lake::TableMetadata>(
      lake::parse_metadata(catalog.files().read(location)));
}

LakeSource::Candidate::Candidate(LakeSource& source, const lake::Table& table)
    : source_(source), table_(table) {
  table_.name.name += "$candidate_" + base::random_uuid();
  table_.metadata_location = "candidate:" + table_.name.name;
  std::lock_guard lock(source_.mutex_);
  source_.candidates_[table_.name.name] = table_;
}

LakeSource::Candidate::~Candidate() {
  std::lock_guard lock(source_.mutex_);
  source_.candidates_.erase(table_.name.name);
}

std::optional<lake::Table> LakeSource::candidate(const std::string& schema,
                                                 const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = candidates_.find(name);
  if (found == candidates_.end() || found->second.name.space != lake::Namespace{schema}) return {};
  return found->second;
}

void LakeSource::allow(const std::string& user, std::string_view action,
                       const std::string& path) const {
  if (!authorize_ || user.empty()) return;
  const size_t scheme = path.find("://");
  const size_t from = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t slash = std::min(path.find('/', from), path.size());
  authorize_(user, action, path.substr(from, slash - from),
             slash < path.size() ? path.substr(slash + 1) : "");
}

void add_lake_source(Duck& duck, const std::string& name, LakeSourcePtr source) {
  const auto sources = sources_of(*duck.db->instance);
  std::lock_guard lock(sources->mutex);
  sources->by_name[name] = std::move(source);
}

void drop_lake_source(Duck& duck, const std::string& name) {
  const auto sources = sources_of(*duck.db->instance);
  std::lock_guard lock(sources->mutex);
  sources->by_name.erase(name);
}

LakeSourcePtr find_lake_source(duckdb::DatabaseInstance& instance, const std::string& name) {
  return sources_of(instance)->find(name);
}

std::string scan_call(const std::string& catalog, const std::string& metadata_location,
                      const lake::Schema& schema, const lake::Snapshot* snapshot) {
  std::string call = fmt::format("{}({}, catalog := {}, schema_id := {}", kFunction,
                                 quote_string(metadata_location), quote_string(catalog), schema.id);
  if (snapshot) call += fmt::format(", snapshot := {}", snapshot->id);
  return call + ")";
}

}  // namespace meesh::engine
