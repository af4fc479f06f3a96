// DuckDB's readers over files that are named one by one: nothing is globbed, and Parquet files are
// held against the table's types.
#include <mutex>

#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "engine/catalogs/hive_scan.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::MultiFileColumnDefinition;
using duckdb::MultiFileReader;

constexpr const char* kTypes = "declared";

/// Whether DuckDB's cast from a file's type keeps what the value says, or tells that it cannot.
bool readable(const LogicalType& from, const LogicalType& to) {
  if (from.id() == to.id() && !to.IsNested() && to.id() != LogicalTypeId::DECIMAL) return true;
  switch (to.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
      return from.IsIntegral();
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
      return from.IsNumeric();
    case LogicalTypeId::DECIMAL:
      if (from.IsIntegral()) return true;
      return from.id() == LogicalTypeId::DECIMAL &&
             duckdb::DecimalType::GetScale(from) <= duckdb::DecimalType::GetScale(to);
    case LogicalTypeId::VARCHAR:
      return from.id() == LogicalTypeId::ENUM || from.id() == LogicalTypeId::UUID;
    case LogicalTypeId::TIMESTAMP:
      return from.id() == LogicalTypeId::TIMESTAMP_SEC ||
             from.id() == LogicalTypeId::TIMESTAMP_MS || from.id() == LogicalTypeId::TIMESTAMP_NS ||
             from.id() == LogicalTypeId::TIMESTAMP_TZ;
    case LogicalTypeId::LIST:
      return from.id() == LogicalTypeId::LIST &&
             readable(duckdb::ListType::GetChildType(from), duckdb::ListType::GetChildType(to));
    case LogicalTypeId::MAP:
      return from.id() == LogicalTypeId::MAP &&
             readable(duckdb::MapType::KeyType(from), duckdb::MapType::KeyType(to)) &&
             readable(duckdb::MapType::ValueType(from), duckdb::MapType::ValueType(to));
    case LogicalTypeId::STRUCT:
      if (from.id() != LogicalTypeId::STRUCT) return false;
      for (const auto& wanted : duckdb::StructType::GetChildTypes(to)) {
        for (const auto& there : duckdb::StructType::GetChildTypes(from)) {
          if (duckdb::StringUtil::CIEquals(wanted.first, there.first) &&
              !readable(there.second, wanted.second))
            return false;
        }
      }
      return true;
    default:
      return false;
  }
}

MultiFileColumnDefinition definition(const std::string& name, const LogicalType& type) {
  MultiFileColumnDefinition column(name, type);
  column.identifier = duckdb::Value(name);
  column.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type));
  switch (type.id()) {
    case LogicalTypeId::STRUCT:
      for (const auto& [field, inner] : duckdb::StructType::GetChildTypes(type))
        column.children.push_back(definition(field, inner));
      break;
    case LogicalTypeId::LIST:
      column.children.push_back(definition("list", duckdb::ListType::GetChildType(type)));
      break;
    case LogicalTypeId::MAP:
      column.children.push_back(definition("key", duckdb::MapType::KeyType(type)));
      column.children.push_back(definition("value", duckdb::MapType::ValueType(type)));
      break;
    default:
      break;
  }
  return column;
}

/// Some files. One is read by several threads too: DuckDB would let one thread read what is called
/// a single file, since nobody has looked at its row groups.
class HiveFiles : public duckdb::SimpleMultiFileList {
 public:
  using SimpleMultiFileList::SimpleMultiFileList;

  duckdb::FileExpandResult GetExpandResult() const override {
    return GetTotalFileCount() == 0 ? duckdb::FileExpandResult::NO_FILES
                                    : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override {
    return duckdb::make_uniq<HiveFiles>(GetAllFiles());
  }
};

class HiveReader : public MultiFileReader {
 public:
  static duckdb::unique_ptr<MultiFileReader> make(const duckdb::TableFunction&) {
    return duckdb::make_uniq<HiveReader>();
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<HiveReader>();
    copy->names_ = names_;
    copy->types_ = types_;
    return copy;
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(ClientContext&,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (const auto& path : paths) files.emplace_back(path);
    return duckdb::make_shared_ptr<HiveFiles>(std::move(files));
  }

  bool ParseOption(const std::string& key, const duckdb::Value& value,
                   duckdb::MultiFileOptions& options, ClientContext& context) override {
    if (key != kTypes) return MultiFileReader::ParseOption(key, value, options, context);
    const auto& fields = duckdb::StructType::GetChildTypes(value.type());
    for (duckdb::idx_t i = 0; i < fields.size(); ++i) {
      names_.push_back(fields[i].first);
      types_.push_back(duckdb::TransformStringToLogicalType(
          duckdb::StructValue::GetChildren(value)[i].ToString(), context));
    }
    return true;
  }

  bool Bind(duckdb::MultiFileOptions& options, duckdb::MultiFileList& files,
            duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind) override {
    if (names_.empty()) return MultiFileReader::Bind(options, files, types, names, bind);
    for (duckdb::idx_t i = 0; i < names_.size(); ++i) {
      bind.schema.push_back(definition(names_[i], types_[i]));
      names.push_back(names_[i]);
      types.push_back(types_[i]);
    }
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_NAME;
    return true;
  }

  void FinalizeBind(duckdb::MultiFileReaderData& data, const duckdb::MultiFileOptions& options,
                    const duckdb::MultiFileReaderBindData& bind,
                    const duckdb::vector<MultiFileColumnDefinition>& columns,
                    const duckdb::vector<duckdb::ColumnIndex>& ids, ClientContext& context,
                    duckdb::optional_ptr<duckdb::MultiFileReaderGlobalState> state) override {
    MultiFileReader::FinalizeBind(data, options, bind, columns, ids, context, state);
    for (const auto& id : ids) {
      if (id.IsVirtualColumn() || id.GetPrimaryIndex() >= names_.size()) continue;
      check(data, columns[id.GetPrimaryIndex()]);
    }
  }

 private:
  static void check(duckdb::MultiFileReaderData& data, const MultiFileColumnDefinition& wanted) {
    for (auto& there : data.reader->columns) {
      if (!duckdb::StringUtil::CIEquals(there.name, wanted.name)) continue;
      if (!readable(there.type, wanted.type)) {
        raise(Code::kGenericExternal,
              fmt::format("Column '{}' of the file {} has type {}, but the table declares {}",
                          wanted.name, data.reader->GetFileName(), there.type.ToString(),
                          wanted.type.ToString()));
      }
      // An instant is shown as UTC's clock does, not as the session's: the same bits.
      if (there.type.id() == LogicalTypeId::TIMESTAMP_TZ &&
          wanted.type.id() == LogicalTypeId::TIMESTAMP) {
        there.type = LogicalType::TIMESTAMP;
      }
    }
  }

  // What the table declares, if the files' own columns are to be held against it.
  duckdb::vector<std::string> names_;
  duckdb::vector<LogicalType> types_;
};

void register_reader(duckdb::ExtensionLoader& loader, const char* name, const char* duckdb_name,
                     bool declared) {
  for (auto function : loader.GetTableFunction(duckdb_name).functions.functions) {
    if (function.arguments.at(0).id() != LogicalTypeId::LIST) continue;
    function.name = name;
    function.get_multi_file_reader = HiveReader::make;
    function.late_materialization = false;
    function.get_row_id_columns = nullptr;
    function.serialize = nullptr;
    function.deserialize = nullptr;
    function.verify_serialization = false;
    if (declared) {
      function.named_parameters[kTypes] = LogicalType::ANY;
      // They speak of the first file's columns, the table's may be others.
      function.statistics = nullptr;
      function.statistics_extended = nullptr;
      function.get_partition_stats = nullptr;
      function.type_pushdown = nullptr;
    }
    loader.RegisterFunction(function);
  }
}

}  // namespace

void register_hive_readers(Duck& duck) {
  static std::mutex registration;
  std::lock_guard lock(registration);
  duckdb::ExtensionLoader loader(*duck.db->instance, "meesh");
  if (loader.TryGetTableFunction("meesh_hive_parquet")) return;
  register_reader(loader, "meesh_hive_parquet", "parquet_scan", true);
  register_reader(loader, "meesh_hive_csv", "read_csv", false);
  register_reader(loader, "meesh_hive_json", "read_json", false);
}

}  // namespace meesh::engine
