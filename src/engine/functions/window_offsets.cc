// How far lag, lead, nth_value and the frames of windows reach: Trino's refusals of what is NULL or
// too small, raised when a row asks for it.
#include "engine/functions/rules.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;

/// What an offset must be, and what is said of others.
struct Demand {
  int64_t least;
  Code code;
  const char *null, *small;  // null = nullptr: NULL is an offset, too
};

constexpr const char* kFrame = "Window frame offset value must not be negative or null";
constexpr Demand kRow = {0, Code::kInvalidFunctionArgument, "Offset must not be null",
                         "Offset must be at least 0"};
constexpr Demand kPlace = {1, Code::kInvalidFunctionArgument, nullptr, "Offset must be at least 1"};
constexpr Demand kBound = {0, Code::kInvalidWindowFrame, kFrame, kFrame};

void check(duckdb::Vector& offsets, duckdb::idx_t count, const Demand& demand) {
  duckdb::UnifiedVectorFormat format;
  offsets.ToUnifiedFormat(count, format);
  const auto* values = duckdb::UnifiedVectorFormat::GetData<int64_t>(format);
  for (duckdb::idx_t row = 0; row < count; ++row) {
    const auto at = format.sel->get_index(row);
    if (!format.validity.RowIsValid(at)) {
      if (demand.null) raise(demand.code, demand.null);
    } else if (values[at] < demand.least) {
      raise(demand.code, demand.small);
    }
  }
}

/// The offset itself; constants that need no check cost nothing.
template <const Demand& kDemand>
ExprPtr offset(const Build& build, Exprs args) {
  args[0] = build.native_cast(build.plain(std::move(args[0])), LogicalType::BIGINT);
  const auto constant = build.constant_value(*args[0]);
  if (!constant.IsNull() && constant.GetValue<int64_t>() >= kDemand.least)
    return std::move(args[0]);
  duckdb::ScalarFunction kernel(
      "meesh_window_offset", {LogicalType::BIGINT}, LogicalType::BIGINT,
      [](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        check(chunk.data[0], chunk.size(), kDemand);
        result.Reference(chunk.data[0]);
      });
  kernel.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  kernel.SetFallible();
  return build.kernel(std::move(kernel), std::move(args));
}

}  // namespace

const std::vector<NamedHook>& window_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_row_offset", offset<kRow>},
      {"trino_place_offset", offset<kPlace>},
      {"trino_frame_offset", offset<kBound>},
  };
  return hooks;
}

}  // namespace meesh::engine
