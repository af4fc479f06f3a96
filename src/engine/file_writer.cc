#include "engine/file_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "engine/duck.h"
#include "engine/duck_types.h"

namespace meesh::engine {
namespace {

namespace fs = std::filesystem;
using duckdb::DataChunk;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

constexpr std::chrono::milliseconds kLook{100};
constexpr uint64_t kLeastMemory = 256u << 20;
/// A number of more digits does not come out of Excel as it went in.
constexpr int kExcelDigits = 15;

/// Without the labels that only the engine's own DuckDB knows.
LogicalType plain(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::UNKNOWN:
      return LogicalType::INTEGER;
    case LogicalTypeId::LIST:
      return LogicalType::LIST(plain(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::MAP:
      return LogicalType::MAP(plain(duckdb::MapType::KeyType(type)),
                              plain(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> fields;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type))
        fields.emplace_back(name, plain(child));
      return LogicalType::STRUCT(std::move(fields));
    }
    case LogicalTypeId::DECIMAL:
      return LogicalType::DECIMAL(duckdb::DecimalType::GetWidth(type),
                                  duckdb::DecimalType::GetScale(type));
    default:
      return LogicalType(type.id());
  }
}

/// "a", "a_1": files know no letter case and no name twice.
std::vector<std::string> unique_names(const std::vector<Column>& columns) {
  std::set<std::string> taken;
  const auto take = [&](const std::string& name) {
    return taken.insert(duckdb::StringUtil::Lower(name)).second;
  };
  std::vector<std::string> names;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string wanted = columns[i].name.empty() ? fmt::format("_col{}", i) : columns[i].name;
    std::string name = wanted;
    for (int n = 1; !take(name); ++n) name = fmt::format("{}_{}", wanted, n);
    names.push_back(name);
  }
  return names;
}

/// The query as a table of the writer's DuckDB: read once, by one thread.
struct Source : duckdb::TableFunctionInfo {
  Source(Query& asked, std::stop_token token, uint64_t most_rows)
      : query(asked), stop(std::move(token)), most(most_rows) {}

  Query& query;
  const std::stop_token stop;
  const uint64_t most;  // 0: as many as come
  BatchPtr batch;       // what is given out next
  BatchPtr shown;       // what DuckDB reads now
  uint64_t rows = 0;
  std::exception_ptr failed;  // DuckDB would tell of it in its own words
  std::vector<std::string> names;
  std::vector<LogicalType> types;

  /// Null after the last.
  BatchPtr next() {
    while (true) {
      if (stop.stop_requested()) {
        query.cancel();
        throw Error(Code::kUserCanceled, "Query was canceled");
      }
      auto came = query.next(kLook);
      if (came && came->rows > 0) {
        rows += came->rows;
        if (most > 0 && rows > most) {
          query.cancel();
          throw Error(Code::kInvalidArguments,
                      fmt::format("A sheet of Excel has at most {} rows", most))
              .with_hint("export CSV, JSON or Parquet, or add a LIMIT");
        }
        return came;
      }
      if (came || !query.finished()) continue;
      const auto info = query.info();
      if (info.error) throw Error(*info.error);  // it ended between two looks
      return nullptr;
    }
  }

  /// The first batch, whose vectors tell the types.
  void begin() {
    batch = next();
    const auto columns = query.columns();
    if (columns.empty()) throw Error(Code::kBadRequest, "the statement returns no rows to export");
    names = unique_names(columns);
    for (size_t i = 0; i < columns.size(); ++i) {
      types.push_back(plain(batch ? chunk().data[i].GetType() : to_duckdb(columns[i].type)));
    }
  }

  /// A batch owns the chunk that it shows.
  DataChunk& chunk() const {
    return *const_cast<DataChunk*>(static_cast<const DataChunk*>(batch->owner.get()));
  }
};

struct Bound : duckdb::TableFunctionData {
  explicit Bound(Source& from) : source(from) {}
  Source& source;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto& source = input.info->Cast<Source>();
  types.assign(source.types.begin(), source.types.end());
  names.assign(source.names.begin(), source.names.end());
  return duckdb::make_uniq<Bound>(source);
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, DataChunk& out) {
  Source& source = input.bind_data->Cast<Bound>().source;
  try {
    if (!source.batch) return;
    auto& from = source.chunk();
    for (size_t i = 0; i < from.ColumnCount(); ++i) out.data[i].Reinterpret(from.data[i]);
    out.SetCardinality(source.batch->rows);
    source.shown = std::move(source.batch);
    source.batch = source.next();
  } catch (...) {
    source.failed = std::current_exception();
    throw;
  }
}

/// A DuckDB for one file.
class Writer {
 public:
  Writer(duckdb::shared_ptr<Source> source, const Options& options) : source_(std::move(source)) {
    duckdb::DBConfig config;
    const uint64_t memory = std::max(kLeastMemory, options.memory_limit / 8);
    config.SetOptionByName("memory_limit", duckdb::Value(fmt::format("{}B", memory)));
    config.SetOptionByName("threads", duckdb::Value::INTEGER(1));
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    duck_.db = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    duck_.extension_directory = options.extension_directory;
    duckdb::TableFunction function("exported", {}, scan, bind);
    function.function_info = source_;
    duckdb::ExtensionLoader loader(*duck_.db->instance, "meesh");
    loader.RegisterFunction(function);
  }

  void run(const std::string& sql) {
    duckdb::Connection connection(*duck_.db);
    const auto result = connection.Query(sql);
    if (!result->HasError()) return;
    if (source_->failed) std::rethrow_exception(source_->failed);
    throw translate(result->GetErrorObject());
  }

  void parquet(const fs::path& file) {
    run(fmt::format("COPY (SELECT * FROM exported()) TO {} (FORMAT parquet, COMPRESSION zstd)",
                    quote_string(file.string())));
  }

  /// By way of Parquet: what a column holds decides how it is written.
  void excel(const fs::path& file) {
    duck_.load_extension("excel");
    const fs::path rows = file.string() + ".rows";
    struct Gone {
      const fs::path& path;
      ~Gone() {
        std::error_code ignored;
        fs::remove(path, ignored);
      }
    } gone{rows};
    parquet(rows);
    const std::string from = quote_string(rows.string());
    const auto types = columns_of(from);
    std::vector<std::string> list;
    for (const auto& [name, type] : types)
      list.push_back(fmt::format("{} AS {}", excel_cell(from, name, type), quote_ident(name)));
    run(fmt::format("COPY (SELECT {} FROM read_parquet({})) TO {} (FORMAT xlsx, HEADER true)",
                    fmt::join(list, ", "), from, quote_string(file.string())));
  }

 private:
  std::vector<std::pair<std::string, LogicalType>> columns_of(const std::string& from) {
    const auto none = duck_.run(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", from));
    std::vector<std::pair<std::string, LogicalType>> columns;
    for (size_t i = 0; i < none->names.size(); ++i)
      columns.emplace_back(none->names[i], none->types[i]);
    return columns;
  }

  /// Whether a value of the column has more digits than Excel keeps.
  bool too_long(const std::string& from, const std::string& column, int digits) {
    const auto longest = duck_.run(fmt::format(
        "SELECT coalesce(greatest(max(CAST({0} AS DECIMAL(38, 0))), -min(CAST({0} AS DECIMAL(38, "
        "0)))) >= CAST(1{1} AS DECIMAL(38, 0)), false) FROM read_parquet({2})",
        column, std::string(static_cast<size_t>(digits), '0'), from));
    return longest->GetValue(0, 0).GetValue<bool>();
  }

  std::string excel_cell(const std::string& from, const std::string& name,
                         const LogicalType& type) {
    const std::string column = quote_ident(name),
                      as_text = fmt::format("CAST({} AS VARCHAR)", column);
    switch (type.id()) {
      case LogicalTypeId::BIGINT:
        return too_long(from, column, kExcelDigits) ? as_text : column;
      case LogicalTypeId::DECIMAL: {
        const int scale = duckdb::DecimalType::GetScale(type);
        const bool fits = duckdb::DecimalType::GetWidth(type) <= kExcelDigits ||
                          (scale < kExcelDigits && !too_long(from, column, kExcelDigits - scale));
        return fits ? fmt::format("CAST({} AS DOUBLE)", column) : as_text;
      }
      case LogicalTypeId::BOOLEAN:
      case LogicalTypeId::TINYINT:
      case LogicalTypeId::SMALLINT:
      case LogicalTypeId::INTEGER:
      case LogicalTypeId::VARCHAR:
      case LogicalTypeId::DATE:
      case LogicalTypeId::TIMESTAMP:
        return column;
      case LogicalTypeId::FLOAT:
      case LogicalTypeId::DOUBLE:  // Excel has no word for what is no number
        return fmt::format("CASE WHEN isfinite({0}) THEN {0} END", column);
      default:
        return as_text;
    }
  }

  const duckdb::shared_ptr<Source> source_;
  Duck duck_;
};

}  // namespace

uint64_t write_rows(Query& query, RowFile kind, const fs::path& file, const Options& options,
                    std::stop_token stop) {
  auto source = duckdb::make_shared_ptr<Source>(query, std::move(stop),
                                                kind == RowFile::kExcel ? kMostExcelRows : 0);
  source->begin();
  Writer writer(source, options);
  if (kind == RowFile::kExcel) {
    writer.excel(file);
  } else {
    writer.parquet(file);
  }
  return source->rows;
}

}  // namespace meesh::engine
