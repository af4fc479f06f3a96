// The table function sequence: numbers are made as they are asked for, by all threads at once.
#include <algorithm>
#include <atomic>
#include <optional>

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/rules.h"

namespace meesh::engine {
namespace {

/// Numbers a thread takes at a time.
constexpr uint64_t kShare = 64 * STANDARD_VECTOR_SIZE;

struct SequenceBind : duckdb::TableFunctionData {
  int64_t start = 0, step = 1;
  uint64_t count = 0;          // of the numbers behind the first
  std::optional<Error> error;  // told when it runs: without a place in the statement, as Trino does
};

struct SequenceGlobal : duckdb::GlobalTableFunctionState {
  std::atomic<uint64_t> shares{0};
  uint64_t all_shares = 0;
  duckdb::idx_t MaxThreads() const override { return std::max<uint64_t>(1, all_shares); }
};

struct SequenceLocal : duckdb::LocalTableFunctionState {
  uint64_t next = 0, left = 0;  // places in the sequence
};

int64_t argument(const duckdb::Value& value, const char* name) {
  if (value.IsNull()) throw Error(Code::kInvalidFunctionArgument, std::string(name) + " is null");
  return value.GetValue<int64_t>();
}

void read_arguments(const duckdb::vector<duckdb::Value>& inputs, SequenceBind& made) {
  made.start = argument(inputs[0], "Start");
  const int64_t stop = argument(inputs[1], "Stop");
  made.step = argument(inputs[2], "Step");
  const std::string range =
      " for sequence [" + std::to_string(made.start) + ", " + std::to_string(stop) + "]";
  if (made.start < stop && made.step <= 0)
    throw Error(Code::kInvalidFunctionArgument, "Step must be positive" + range);
  if (made.start > stop && made.step >= 0)
    throw Error(Code::kInvalidFunctionArgument, "Step must be negative" + range);
  if (made.start == stop) return;
  // Distances of bigints fit unsigned ones.
  const auto low = static_cast<uint64_t>(std::min(made.start, stop));
  const auto high = static_cast<uint64_t>(std::max(made.start, stop));
  const auto step = static_cast<uint64_t>(made.step);
  made.count = (high - low) / (made.step < 0 ? -step : step);
}

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto made = duckdb::make_uniq<SequenceBind>();
  try {
    read_arguments(input.inputs, *made);
  } catch (const Error& error) {
    made->error = error;
  }
  types.push_back(duckdb::LogicalType::BIGINT);
  names.push_back("sequential_number");
  return made;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  const auto& sequence = input.bind_data->Cast<SequenceBind>();
  if (sequence.error) raise(sequence.error->code(), sequence.error->message());
  auto made = duckdb::make_uniq<SequenceGlobal>();
  made->all_shares = sequence.count / kShare + 1;
  return made;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin_thread(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&, duckdb::GlobalTableFunctionState*) {
  return duckdb::make_uniq<SequenceLocal>();
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const auto& sequence = input.bind_data->Cast<SequenceBind>();
  auto& global = input.global_state->Cast<SequenceGlobal>();
  auto& local = input.local_state->Cast<SequenceLocal>();
  if (local.left == 0) {
    const uint64_t share = global.shares++;
    if (share >= global.all_shares) return;
    local.next = share * kShare;
    local.left = std::min(kShare - 1, sequence.count - local.next) + 1;
  }
  const uint64_t rows = std::min<uint64_t>(local.left, STANDARD_VECTOR_SIZE);
  auto* numbers = duckdb::FlatVector::GetData<int64_t>(output.data[0]);
  // Unsigned, as the products of huge sequences wrap around to what is right.
  const auto start = static_cast<uint64_t>(sequence.start);
  const auto step = static_cast<uint64_t>(sequence.step);
  for (uint64_t i = 0; i < rows; ++i)
    numbers[i] = static_cast<int64_t>(start + (local.next + i) * step);
  local.next += rows;
  local.left -= rows;
  output.SetCardinality(rows);
}

duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  const uint64_t count = data->Cast<SequenceBind>().count;
  return duckdb::make_uniq<duckdb::NodeStatistics>(std::min<uint64_t>(count, INT64_MAX));
}

}  // namespace

void register_sequence_table(duckdb::ExtensionLoader& loader) {
  const auto number = duckdb::LogicalType::BIGINT;
  duckdb::TableFunction function("meesh_sequence", {number, number, number}, scan, bind, begin,
                                 begin_thread);
  function.cardinality = cardinality;
  loader.RegisterFunction(std::move(function));
}

}  // namespace meesh::engine
