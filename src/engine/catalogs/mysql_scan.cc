#include "engine/catalogs/mysql_scan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/parallel/task_scheduler.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "engine/catalogs/mysql_filters.h"
#include "engine/duck.h"
#include "engine/duck_types.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::idx_t;

constexpr const char* kFunction = "meesh_mysql";
constexpr double kRowsOfRange = 250000;  // below it another connection is not worth its while
constexpr size_t kMostRanges = 64;
constexpr size_t kMostConnections = 8;

struct Bind : duckdb::TableFunctionData {
  MysqlTables* tables = nullptr;  // outlives the statement: its catalog is in use
  std::shared_ptr<const MysqlTable> table;
  duckdb::vector<duckdb::LogicalType> types;
  std::vector<std::string> conditions;
};

/// Servers by the number that a statement names them with; guarded by servers_mutex().
std::map<int64_t, MysqlTables*>& servers() {
  static std::map<int64_t, MysqlTables*> all;
  return all;
}
std::mutex& servers_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// Cells of a chunk, all NULL until they are set; the calls are those of a RowBuffer.
class ChunkCells {
 public:
  explicit ChunkCells(duckdb::DataChunk& chunk) : chunk_(chunk) {
    for (auto& vector : chunk.data) {
      cells_.push_back(
          {duckdb::FlatVector::GetData(vector), vector.GetType().InternalType(), nullptr});
      auto& valid = duckdb::FlatVector::Validity(vector);
      valid.SetAllInvalid(STANDARD_VECTOR_SIZE);
      cells_.back().valid = &valid;
    }
  }
  void next_row() { ++row_; }
  idx_t rows() const { return row_; }

  void boolean(size_t at, bool value) { put<bool>(at, value); }
  bool integer(size_t at, int64_t value) {
    switch (cells_[at].layout) {
      case duckdb::PhysicalType::INT8:
        return put_checked<int8_t>(at, value);
      case duckdb::PhysicalType::INT16:
        return put_checked<int16_t>(at, value);
      case duckdb::PhysicalType::INT32:
        return put_checked<int32_t>(at, value);
      default:
        put<int64_t>(at, value);
        return true;
    }
  }
  void number(size_t at, double value) {
    if (cells_[at].layout == duckdb::PhysicalType::FLOAT)
      put<float>(at, static_cast<float>(value));
    else
      put<double>(at, value);
  }
  bool decimal(size_t at, Int128 value) {
    const auto narrow = static_cast<int64_t>(value.low);
    switch (cells_[at].layout) {
      case duckdb::PhysicalType::INT16:
        return put_checked<int16_t>(at, narrow);
      case duckdb::PhysicalType::INT32:
        return put_checked<int32_t>(at, narrow);
      case duckdb::PhysicalType::INT64:
        put<int64_t>(at, narrow);
        return true;
      default:
        put<duckdb::hugeint_t>(at, {value.high, value.low});
        return true;
    }
  }
  void text(size_t at, std::string_view value) {
    put<duckdb::string_t>(
        at, duckdb::StringVector::AddStringOrBlob(chunk_.data[at], value.data(), value.size()));
  }

 private:
  struct Cells {
    duckdb::data_ptr_t data;
    duckdb::PhysicalType layout;
    duckdb::ValidityMask* valid;
  };
  template <class T>
  void put(size_t at, T value) {
    reinterpret_cast<T*>(cells_[at].data)[row_] = value;
    cells_[at].valid->SetValidUnsafe(row_);
  }
  template <class T>
  bool put_checked(size_t at, int64_t value) {
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
      return false;
    put<T>(at, static_cast<T>(value));
    return true;
  }

  duckdb::DataChunk& chunk_;
  std::vector<Cells> cells_;
  idx_t row_ = 0;
};

struct Global : duckdb::GlobalTableFunctionState {
  explicit Global(MysqlTables& of) : tables(of) {}
  ~Global() override {
    for (auto& connection : all) tables.end(*connection);
  }
  idx_t MaxThreads() const override { return std::max<idx_t>(1, all.size()); }

  MysqlTables& tables;
  std::string select;  // up to WHERE
  std::string filter;
  std::vector<size_t> columns;  // of the table; what each of the output is
  bool counts_only = false;
  std::vector<std::unique_ptr<MysqlConnection>> all;
  std::mutex mutex;
  size_t next_connection = 0;       // guarded by mutex
  std::vector<std::string> ranges;  // guarded by mutex; those left
  std::atomic<uint64_t> rows = 0;
  uint64_t left = 0;  // counts_only: rows to tell of yet
};

struct Local : duckdb::LocalTableFunctionState {
  MysqlConnection* connection = nullptr;  // null: there was none left
  bool reading = false;
};

/// Errors of ours inside of DuckDB.
template <class F>
auto raised(F&& work) {
  try {
    return work();
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<Bind>();
  {
    std::lock_guard lock(servers_mutex());
    const auto found = servers().find(input.inputs.at(0).GetValue<int64_t>());
    if (found == servers().end()) raise(Code::kCatalogNotFound, "The catalog was dropped");
    data->tables = found->second;
  }
  const auto schema = input.inputs.at(1).ToString(), table = input.inputs.at(2).ToString();
  data->table = raised([&] { return data->tables->find(schema, table); });
  if (!data->table)
    raise(Code::kTableNotFound, fmt::format("Table '{}.{}.{}' does not exist",
                                            data->tables->options().name, schema, table));
  for (const auto& column : data->table->columns) {
    types.push_back(to_duckdb(column.type));
    names.push_back(column.name);
  }
  data->types = types;
  return data;
}

void take_filters(duckdb::ClientContext&, duckdb::LogicalGet& get, duckdb::FunctionData* bind_data,
                  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) {
  auto& data = bind_data->Cast<Bind>();
  data.conditions.clear();
  for (const auto& filter : filters)
    add_mysql_conditions(get, *filter, data.table->columns, data.conditions);
}

std::string table_name(const MysqlTable& table) {
  return mysql_name(table.real_schema) + "." + mysql_name(table.real_table);
}

void open_connections(duckdb::ClientContext& context, Global& state, const Bind& data) {
  const auto& options = state.tables.options();
  const auto threads =
      static_cast<size_t>(duckdb::TaskScheduler::GetScheduler(context).NumberOfThreads());
  const double worth = data.table->rows / kRowsOfRange;
  const size_t wanted = mysql_range_column(*data.table)
                            ? std::clamp<size_t>(static_cast<size_t>(std::max(worth, 1.0)), 1,
                                                 std::min(threads, kMostConnections))
                            : 1;
  state.all = mysql_snapshot(options, wanted, data.table->is_view ? "" : table_name(*data.table));
  for (auto& connection : state.all) state.tables.begin(*connection);
  const size_t parts =
      state.all.size() == 1
          ? 1
          : std::clamp<size_t>(static_cast<size_t>(worth), state.all.size() * 2, kMostRanges);
  state.ranges = mysql_ranges(*state.all[0], *data.table, parts);
  std::ranges::reverse(state.ranges);  // taken from the end
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin_scan(
    duckdb::ClientContext& context, duckdb::TableFunctionInitInput& input) {
  const auto& data = input.bind_data->Cast<Bind>();
  auto state = duckdb::make_uniq<Global>(*data.tables);
  std::string list;
  for (const auto id : input.column_ids) {
    if (id >= data.types.size()) continue;  // count(*) asks for no column
    state->columns.push_back(id);
    list += (list.empty() ? "" : ", ") + mysql_expression(data.table->columns[id]);
  }
  state->counts_only = state->columns.empty();
  state->filter = fmt::format("{}", fmt::join(data.conditions, " AND "));
  state->select = "SELECT " + list + " FROM " + table_name(*data.table);
  raised([&] {
    if (!state->counts_only) return open_connections(context, *state, data);
    MysqlConnection connection(data.tables->options());
    data.tables->begin(connection);
    const auto rows = connection.query("SELECT count(*) FROM " + table_name(*data.table) +
                                       (state->filter.empty() ? "" : " WHERE " + state->filter));
    data.tables->end(connection);
    state->left = std::strtoull(rows.at(0).at(0).value_or("0").c_str(), nullptr, 10);
  });
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin_thread(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&,
    duckdb::GlobalTableFunctionState* global) {
  auto& state = global->Cast<Global>();
  auto local = duckdb::make_uniq<Local>();
  std::lock_guard lock(state.mutex);
  if (state.next_connection < state.all.size())
    local->connection = state.all[state.next_connection++].get();
  return local;
}

/// Asks for the next range; false: there is none.
bool next_range(Global& state, Local& local) {
  std::string range;
  {
    std::lock_guard lock(state.mutex);
    if (state.ranges.empty()) return false;
    range = std::move(state.ranges.back());
    state.ranges.pop_back();
  }
  std::string where = state.filter;
  if (!range.empty()) where += (where.empty() ? "" : " AND ") + range;
  local.connection->stream(state.select + (where.empty() ? "" : " WHERE " + where));
  local.reading = true;
  return true;
}

void put_row(ChunkCells& cells, const Global& state, const Bind& data, char** row,
             const unsigned long* lengths) {
  for (size_t i = 0; i < state.columns.size(); ++i) {
    const auto& column = data.table->columns[state.columns[i]];
    if (!row[i]) continue;
    const std::string_view text(row[i], lengths[i]);
    if (put_mysql_text(cells, i, column, text)) continue;
    throw Error(Code::kJdbcError,
                fmt::format("Catalog '{}': '{}' in the column '{}' of {} is no {}",
                            data.tables->options().name, text.substr(0, 100), column.real_name,
                            table_name(*data.table), column.type.display()));
  }
  cells.next_row();
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  auto& state = input.global_state->Cast<Global>();
  auto& local = input.local_state->Cast<Local>();
  if (state.counts_only) {
    const idx_t rows = std::min<idx_t>(state.left, STANDARD_VECTOR_SIZE);
    state.left -= rows;
    output.SetCardinality(rows);
    return;
  }
  if (!local.connection) return;
  const auto& data = input.bind_data->Cast<Bind>();
  ChunkCells cells(output);
  raised([&] {
    unsigned long* lengths = nullptr;
    while (cells.rows() < STANDARD_VECTOR_SIZE) {
      if (!local.reading && !next_range(state, local)) break;
      char** row = local.connection->next(lengths);
      if (row)
        put_row(cells, state, data, row, lengths);
      else
        local.reading = false;
    }
  });
  state.rows += cells.rows();
  output.SetCardinality(cells.rows());
}

double progress(duckdb::ClientContext&, const duckdb::FunctionData* data,
                const duckdb::GlobalTableFunctionState* global) {
  const double all = data->Cast<Bind>().table->rows;
  if (all <= 0) return -1;
  return std::min(100.0, 100.0 * static_cast<double>(global->Cast<Global>().rows) / all);
}

}  // namespace

MysqlTables::MysqlTables(MysqlOptions options)
    : options_(options),
      number_([this] {
        static int64_t last = 0;
        std::lock_guard lock(servers_mutex());
        servers()[++last] = this;
        return last;
      }()),
      metadata_(std::move(options)) {}

MysqlTables::~MysqlTables() {
  std::lock_guard lock(servers_mutex());
  servers().erase(number_);
}

std::string MysqlTables::source(const std::shared_ptr<const MysqlTable>& table) {
  std::lock_guard lock(mutex_);
  known_[{table->schema, table->table}] = table;
  return fmt::format("{}({}, {}, {})", kFunction, number_, quote_string(table->schema),
                     quote_string(table->table));
}

std::shared_ptr<const MysqlTable> MysqlTables::find(const std::string& schema,
                                                    const std::string& table) {
  {
    std::lock_guard lock(mutex_);
    const auto found = known_.find({schema, table});
    if (found != known_.end()) return found->second;
  }
  auto read = metadata_.table(schema, table);
  return read ? std::make_shared<const MysqlTable>(std::move(*read)) : nullptr;
}

void MysqlTables::begin(MysqlConnection& connection) {
  std::lock_guard lock(mutex_);
  reading_.insert(&connection);
}

void MysqlTables::end(MysqlConnection& connection) {
  std::lock_guard lock(mutex_);
  reading_.erase(&connection);
}

void MysqlTables::interrupt_all() {
  std::vector<unsigned long> threads;
  {
    std::lock_guard lock(mutex_);
    for (auto* connection : reading_) threads.push_back(connection->thread_id());
  }
  if (threads.empty()) return;
  MysqlConnection connection(options_);
  for (const auto thread : threads) connection.try_query(fmt::format("KILL QUERY {}", thread));
}

void MysqlTables::register_function(Duck& duck) {
  using duckdb::LogicalType;
  static std::mutex once;
  std::lock_guard lock(once);
  const auto known = duck.run(fmt::format(
      "SELECT 1 FROM duckdb_functions() WHERE function_name = {}", quote_string(kFunction)));
  if (known->RowCount() > 0) return;
  duckdb::TableFunction function(kFunction,
                                 {LogicalType::BIGINT, LogicalType::VARCHAR, LogicalType::VARCHAR},
                                 scan, bind, begin_scan, begin_thread);
  function.projection_pushdown = true;
  function.pushdown_complex_filter = take_filters;
  function.table_scan_progress = progress;
  function.order_preservation_type = duckdb::OrderPreservationType::NO_ORDER;
  function.cardinality = [](duckdb::ClientContext&, const duckdb::FunctionData* data) {
    const double rows = data->Cast<Bind>().table->rows;
    if (rows < 0) return duckdb::unique_ptr<duckdb::NodeStatistics>();
    return duckdb::make_uniq<duckdb::NodeStatistics>(static_cast<idx_t>(rows));
  };
  duckdb::ExtensionLoader loader(*duck.db->instance, "meesh");
  loader.RegisterFunction(function);
}

}  // namespace meesh::engine
