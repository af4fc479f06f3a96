#include "engine/catalogs/buffers.h"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>

#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/storage/buffer_manager.hpp"
#include "engine/duck.h"
#include "engine/duck_types.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::idx_t;
using sql::TypeKind;

/// Of the function that reads the buffers of one BufferTables: an instance may have several.
std::string reader_name() {
  static std::atomic<int> count{0};
  return fmt::format("meesh_buffer_{}", ++count);
}

/// µs → µs with as many digits as the type has, half away from zero as Trino rounds.
int64_t rounded(int64_t micros, int precision) {
  if (precision >= 6) return micros;
  int64_t unit = 1;
  for (int i = precision; i < 6; ++i) unit *= 10;
  int64_t below = micros % unit;
  if (below < 0) below += unit;
  return micros - below + (below * 2 >= unit ? unit : 0);
}

template <class T>
bool put(duckdb::data_ptr_t data, idx_t row, int64_t value) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  reinterpret_cast<T*>(data)[row] = static_cast<T>(value);
  return true;
}

bool has_parts(TypeKind kind) {
  return kind == TypeKind::kArray || kind == TypeKind::kMap || kind == TypeKind::kRow;
}

duckdb::hugeint_t power_of_ten(int digits) {
  duckdb::hugeint_t all = 1;
  for (int i = 0; i < digits; ++i) all *= duckdb::hugeint_t(10);
  return all;
}

}  // namespace

struct RowBuffer::State {
  struct Cells {
    TypeKind kind{};
    int precision = 0;
    bool nanos = false;
    duckdb::PhysicalType layout{};
    duckdb::hugeint_t limit;  // of a decimal's unscaled value
    duckdb::data_ptr_t data = nullptr;
    duckdb::ValidityMask* valid = nullptr;
    duckdb::Vector* vector = nullptr;
  };

  State(Duck& duck, std::vector<BufferColumn> what) : columns(std::move(what)) {
    for (const auto& column : columns) {
      if (has_parts(column.type.kind))
        internal_error("column '" + column.name + "' of a buffer has parts");
      types.push_back(to_duckdb(column.type));
    }
    auto& instance = *duck.db->instance;
    rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(
        duckdb::BufferManager::GetBufferManager(instance), types);
    rows->InitializeAppend(append);
    chunk.Initialize(duckdb::Allocator::Get(instance), types);
    cells.resize(columns.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto& type = columns[i].type;
      cells[i].kind = type.kind;
      cells[i].precision = type.precision;
      cells[i].nanos = types[i].id() == duckdb::LogicalTypeId::TIMESTAMP_NS;
      cells[i].layout = types[i].InternalType();
      if (type.kind == TypeKind::kDecimal) cells[i].limit = power_of_ten(type.precision);
    }
    begin_chunk();
  }

  void begin_chunk() {
    chunk.Reset();
    count = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      auto& vector = chunk.data[i];
      cells[i].vector = &vector;
      cells[i].data = duckdb::FlatVector::GetData(vector);
      cells[i].valid = &duckdb::FlatVector::Validity(vector);
      cells[i].valid->SetAllInvalid(STANDARD_VECTOR_SIZE);
    }
  }

  void flush() {
    if (count == 0) return;
    chunk.SetCardinality(count);
    rows->Append(append, chunk);
    begin_chunk();
  }

  const std::vector<BufferColumn> columns;
  duckdb::vector<duckdb::LogicalType> types;
  duckdb::unique_ptr<duckdb::ColumnDataCollection> rows;
  duckdb::ColumnDataAppendState append;
  duckdb::DataChunk chunk;
  std::vector<Cells> cells;
  idx_t count = 0;  // of rows in the chunk
  uint64_t all = 0, bytes = 0;
};

RowBuffer::RowBuffer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowBuffer::~RowBuffer() = default;

const std::vector<BufferColumn>& RowBuffer::columns() const { return state_->columns; }
uint64_t RowBuffer::rows() const { return state_->all; }
uint64_t RowBuffer::bytes() const { return state_->bytes; }

void RowBuffer::boolean(size_t column, bool value) {
  auto& cell = state_->cells[column];
  reinterpret_cast<bool*>(cell.data)[state_->count] = value;
  cell.valid->SetValidUnsafe(state_->count);
}

bool RowBuffer::integer(size_t column, int64_t value) {
  auto& cell = state_->cells[column];
  const idx_t row = state_->count;
  bool fits = true;
  switch (cell.layout) {
    case duckdb::PhysicalType::INT8:
      fits = put<int8_t>(cell.data, row, value);
      break;
    case duckdb::PhysicalType::INT16:
      fits = put<int16_t>(cell.data, row, value);
      break;
    case duckdb::PhysicalType::INT32:
      fits = put<int32_t>(cell.data, row, value);
      break;
    default:
      if (cell.kind == TypeKind::kTimestamp || cell.kind == TypeKind::kTimestampTz ||
          cell.kind == TypeKind::kTime)
        value = rounded(value, cell.precision);
      if (cell.nanos) {
        fits = value <= INT64_MAX / 1000 && value >= INT64_MIN / 1000;
        if (fits) value *= 1000;
      }
      reinterpret_cast<int64_t*>(cell.data)[row] = value;
  }
  if (fits) cell.valid->SetValidUnsafe(row);
  return fits;
}

void RowBuffer::number(size_t column, double value) {
  auto& cell = state_->cells[column];
  if (cell.layout == duckdb::PhysicalType::FLOAT)
    reinterpret_cast<float*>(cell.data)[state_->count] = static_cast<float>(value);
  else
    reinterpret_cast<double*>(cell.data)[state_->count] = value;
  cell.valid->SetValidUnsafe(state_->count);
}

bool RowBuffer::decimal(size_t column, Int128 unscaled) {
  auto& cell = state_->cells[column];
  duckdb::hugeint_t value;
  value.lower = unscaled.low;
  value.upper = unscaled.high;
  if (cell.kind == TypeKind::kDecimal && (value >= cell.limit || value <= -cell.limit))
    return false;
  const idx_t row = state_->count;
  const auto narrow = static_cast<int64_t>(unscaled.low);
  switch (cell.layout) {
    case duckdb::PhysicalType::INT16:
      reinterpret_cast<int16_t*>(cell.data)[row] = static_cast<int16_t>(narrow);
      break;
    case duckdb::PhysicalType::INT32:
      reinterpret_cast<int32_t*>(cell.data)[row] = static_cast<int32_t>(narrow);
      break;
    case duckdb::PhysicalType::INT64:
      reinterpret_cast<int64_t*>(cell.data)[row] = narrow;
      break;
    default:
      reinterpret_cast<duckdb::hugeint_t*>(cell.data)[row] = value;
  }
  cell.valid->SetValidUnsafe(row);
  return true;
}

void RowBuffer::text(size_t column, std::string_view value) {
  auto& cell = state_->cells[column];
  reinterpret_cast<duckdb::string_t*>(cell.data)[state_->count] =
      duckdb::StringVector::AddStringOrBlob(*cell.vector, value.data(), value.size());
  cell.valid->SetValidUnsafe(state_->count);
  state_->bytes += value.size();
}

void RowBuffer::end_row() {
  ++state_->all;
  state_->bytes += 8 * state_->cells.size();
  if (++state_->count == STANDARD_VECTOR_SIZE) state_->flush();
}

void RowBuffer::drop_row() {
  for (auto& cell : state_->cells) cell.valid->SetInvalidUnsafe(state_->count);
}

void RowBuffer::finish() { state_->flush(); }

struct BufferTables::Tables {
  const std::string reader = reader_name();
  using Key = std::pair<std::string, std::string>;
  std::mutex mutex;
  std::map<Key, sql::TableInfo> by_name;                                     // guarded by mutex
  std::map<Key, std::pair<int64_t, std::shared_ptr<const RowBuffer>>> rows;  // guarded by mutex
  std::map<int64_t, std::weak_ptr<const RowBuffer>> by_number;               // guarded by mutex
  int64_t last = 0;                                                          // guarded by mutex
  Duck* duck = nullptr;  // set when the catalog is added
};

namespace {

/// Ties the reader to the tables it reads; they live as long as the instance.
struct ReaderInfo : duckdb::TableFunctionInfo {
  explicit ReaderInfo(std::function<std::shared_ptr<const RowBuffer>(int64_t)> find)
      : find(std::move(find)) {}
  const std::function<std::shared_ptr<const RowBuffer>(int64_t)> find;
};

}  // namespace

/// The registered rows as a catalog.
class BuffersCatalog : public Catalog {
 public:
  explicit BuffersCatalog(std::shared_ptr<BufferTables> tables) : tables_(std::move(tables)) {}

  const std::string& name() const override { return tables_->catalog_; }
  std::string_view connector() const override { return "buffers"; }
  void open(Duck& duck) override;
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}

  std::vector<std::string> schemas() override {
    std::vector<std::string> names;
    each([&](const auto& key) {
      if (names.empty() || names.back() != key.first) names.push_back(key.first);
    });
    return names;
  }
  bool schema_exists(const std::string& schema) override {
    return std::ranges::count(schemas(), schema) > 0;
  }
  std::vector<std::string> tables(const std::string& schema) override {
    std::vector<std::string> names;
    each([&](const auto& key) {
      if (key.first == schema) names.push_back(key.second);
    });
    return names;
  }
  std::optional<sql::TableInfo> table(const std::string& schema,
                                      const std::string& table) override {
    auto& all = *tables_->tables_;
    std::lock_guard lock(all.mutex);
    const auto found = all.by_name.find({schema, table});
    if (found == all.by_name.end()) return std::nullopt;
    return found->second;
  }

 private:
  struct Bind : duckdb::TableFunctionData {
    std::shared_ptr<const RowBuffer> rows;
  };
  struct Global : duckdb::GlobalTableFunctionState {
    duckdb::ColumnDataParallelScanState state;
    duckdb::vector<duckdb::column_t> columns;
    idx_t most_threads = 1;
    std::atomic<idx_t> counted = 0;  // count(*): rows that were told of
    idx_t MaxThreads() const override { return most_threads; }
  };
  struct Local : duckdb::LocalTableFunctionState {
    duckdb::ColumnDataLocalScanState state;
  };

  template <class F>
  void each(F&& use) const {
    auto& all = *tables_->tables_;
    std::lock_guard lock(all.mutex);
    for (const auto& one : all.by_name) use(one.first);
  }
  static const duckdb::ColumnDataCollection& rows_of(const duckdb::FunctionData& bind) {
    return *bind.Cast<Bind>().rows->state_->rows;
  }
  static duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                                       duckdb::TableFunctionBindInput& input,
                                                       duckdb::vector<duckdb::LogicalType>& types,
                                                       duckdb::vector<std::string>& names);
  static duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin(
      duckdb::ClientContext&, duckdb::TableFunctionInitInput& input);
  static duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin_thread(
      duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&,
      duckdb::GlobalTableFunctionState*) {
    return duckdb::make_uniq<Local>();
  }
  static void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input,
                   duckdb::DataChunk& output);

  const std::shared_ptr<BufferTables> tables_;
};

duckdb::unique_ptr<duckdb::FunctionData> BuffersCatalog::bind(
    duckdb::ClientContext&, duckdb::TableFunctionBindInput& input,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<Bind>();
  data->rows = input.info->Cast<ReaderInfo>().find(input.inputs.at(0).GetValue<int64_t>());
  if (!data->rows) raise(Code::kTableNotFound, "The rows of this batch are gone");
  types = data->rows->state_->types;
  for (const auto& column : data->rows->columns()) names.push_back(column.name);
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> BuffersCatalog::begin(
    duckdb::ClientContext&, duckdb::TableFunctionInitInput& input) {
  auto state = duckdb::make_uniq<Global>();
  const auto& rows = rows_of(*input.bind_data);
  state->most_threads = std::max<idx_t>(1, rows.ChunkCount() / 60);
  bool counts_only = true;
  for (const auto column : input.column_ids)
    if (column < rows.ColumnCount()) counts_only = false;
  if (counts_only) {
    state->most_threads = 1;
    return state;
  }
  state->columns = input.column_ids;
  rows.InitializeScan(state->state, state->columns);
  return state;
}

void BuffersCatalog::scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input,
                          duckdb::DataChunk& output) {
  auto& global = input.global_state->Cast<Global>();
  const auto& rows = rows_of(*input.bind_data);
  if (global.columns.empty()) {
    const idx_t left = rows.Count() - global.counted;
    output.SetCardinality(std::min<idx_t>(left, STANDARD_VECTOR_SIZE));
    global.counted += output.size();
    return;
  }
  rows.Scan(global.state, input.local_state->Cast<Local>().state, output);
}

void BuffersCatalog::open(Duck& duck) {
  tables_->tables_->duck = &duck;
  duckdb::TableFunction reader(tables_->tables_->reader, {duckdb::LogicalType::BIGINT}, scan, bind,
                               begin, begin_thread);
  reader.projection_pushdown = true;
  reader.cardinality = [](duckdb::ClientContext&, const duckdb::FunctionData* data) {
    const idx_t rows = rows_of(*data).Count();
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
  };
  reader.function_info = duckdb::make_shared_ptr<ReaderInfo>(
      [tables = tables_](int64_t number) -> std::shared_ptr<const RowBuffer> {
        auto& all = *tables->tables_;
        std::lock_guard lock(all.mutex);
        const auto found = all.by_number.find(number);
        return found == all.by_number.end() ? nullptr : found->second.lock();
      });
  duckdb::ExtensionLoader loader(*duck.db->instance, "meesh");
  loader.RegisterFunction(reader);
}

BufferTables::BufferTables(std::string catalog)
    : catalog_(std::move(catalog)), tables_(std::make_unique<Tables>()) {}
BufferTables::~BufferTables() = default;

std::shared_ptr<RowBuffer> BufferTables::buffer(std::vector<BufferColumn> columns) {
  if (!tables_->duck) internal_error("buffers are asked for before their catalog is added");
  return std::shared_ptr<RowBuffer>(
      new RowBuffer(std::make_unique<RowBuffer::State>(*tables_->duck, std::move(columns))));
}

std::unique_ptr<BufferTables::Registration> BufferTables::add(const std::string& schema,
                                                              const std::string& table,
                                                              BufferTable what) {
  sql::TableInfo info;
  info.name = {catalog_, schema, table};
  for (const auto& column : what.rows ? what.rows->columns() : what.query_columns) {
    sql::ColumnInfo described;
    described.name = column.name;
    described.type = column.type;
    described.hidden = column.hidden;
    info.columns.push_back(std::move(described));
  }
  std::lock_guard lock(tables_->mutex);
  if (tables_->by_name.contains({schema, table})) {
    throw Error(Code::kAlreadyExists, fmt::format("'{}' exists already", info.name.display()));
  }
  if (what.rows) {
    const int64_t number = ++tables_->last;
    info.estimated_rows = static_cast<double>(what.rows->rows());
    info.duckdb_source = fmt::format("{}({})", tables_->reader, number);
    tables_->by_number[number] = what.rows;
    tables_->rows[{schema, table}] = {number, what.rows};
  } else {
    info.kind = sql::TableInfo::Kind::kView;
    info.view_sql = what.query;
    info.view_catalog = catalog_;
    info.view_schema = schema;
    info.view_runs_as_invoker = true;
  }
  tables_->by_name[{schema, table}] = std::move(info);
  return std::make_unique<Registration>(shared_from_this(), schema, table);
}

BufferTables::Registration::Registration(std::shared_ptr<BufferTables> tables, std::string schema,
                                         std::string table)
    : tables_(std::move(tables)), schema_(std::move(schema)), table_(std::move(table)) {}

BufferTables::Registration::~Registration() {
  std::shared_ptr<const RowBuffer> last;  // let go of outside of the lock
  auto& all = *tables_->tables_;
  std::lock_guard lock(all.mutex);
  if (const auto rows = all.rows.find({schema_, table_}); rows != all.rows.end()) {
    all.by_number.erase(rows->second.first);
    last = std::move(rows->second.second);
    all.rows.erase(rows);
  }
  all.by_name.erase({schema_, table_});
}

sql::TableName BufferTables::Registration::name() const {
  return {tables_->catalog_, schema_, table_};
}

std::unique_ptr<Catalog> make_buffers_catalog(std::shared_ptr<BufferTables> tables) {
  return std::make_unique<BuffersCatalog>(std::move(tables));
}

}  // namespace meesh::engine
