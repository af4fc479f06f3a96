// JSON_TABLE's rows: the items that its paths find, combined as its plan says.
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/functions/json_functions.h"
#include "engine/functions/json_path.h"
#include "engine/functions/kernels.h"

namespace meesh::engine {
namespace {

namespace json = boost::json;
using duckdb::LogicalType;

/// A path with what hangs below it, or siblings; see JsonTableRewriter in
/// sql/resolve_json_table.cc.
struct PlanNode {
  enum class Kind { kPath, kUnion, kCross } kind = Kind::kPath;
  size_t number = 0;
  bool inner = false;
  JsonPath path;
  std::vector<std::unique_ptr<PlanNode>> parts;  // path: one or none
};

class SpecReader {
 public:
  explicit SpecReader(std::string_view text) : text_(text) {}
  std::unique_ptr<PlanNode> read() {
    auto node = std::make_unique<PlanNode>();
    const char kind = take();
    if (kind != 'P') {
      node->kind = kind == 'U' ? PlanNode::Kind::kUnion : PlanNode::Kind::kCross;
      for (size_t count = number(); count > 0; --count) node->parts.push_back(read());
      return node;
    }
    node->number = number();
    paths = std::max(paths, node->number + 1);
    node->inner = take() == 'I';
    take();
    const size_t length = number();
    node->path = parse_json_path(text_.substr(at_, length));
    at_ += length;
    if (text_.substr(at_, 1) == ".") {
      ++at_;
    } else {
      node->parts.push_back(read());
    }
    return node;
  }

  size_t paths = 0;

 private:
  char take() {
    if (at_ >= text_.size()) internal_error("the paths of JSON_TABLE end early");
    return text_[at_++];
  }
  /// Digits and the one character behind them.
  size_t number() {
    size_t value = 0;
    for (char c = take(); c >= '0' && c <= '9'; c = take()) value = value * 10 + (c - '0');
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

struct Item {
  std::string text;
  int64_t number = 0;
};
using Row = std::vector<std::optional<Item>>;  // by number of the path
using Rows = std::vector<Row>;

struct TableData : duckdb::FunctionData {
  std::shared_ptr<const PlanNode> plan;
  size_t paths = 0;
  bool fails = false;  // ERROR ON ERROR

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<TableData>(*this);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<TableData>().plan == plan;
  }
};

class RowMaker {
 public:
  RowMaker(const json::object& variables, size_t paths) : variables_(variables), paths_(paths) {}

  /// Throws PathFailure.
  Rows make(const PlanNode& node, const json::value& context) const {
    switch (node.kind) {
      case PlanNode::Kind::kUnion: {
        Rows all;
        for (const auto& part : node.parts) {
          auto rows = make(*part, context);
          std::move(rows.begin(), rows.end(), std::back_inserter(all));
        }
        return all;
      }
      case PlanNode::Kind::kCross: {
        Rows all(1, Row(paths_));
        for (const auto& part : node.parts) all = crossed(all, make(*part, context));
        return all;
      }
      case PlanNode::Kind::kPath:
        return items(node, context);
    }
    return {};
  }

 private:
  static void put(Row& to, const Row& from) {
    for (size_t i = 0; i < from.size(); ++i)
      if (from[i]) to[i] = from[i];
  }

  static Rows crossed(const Rows& left, const Rows& right) {
    Rows out;
    for (const auto& a : left) {
      for (const auto& b : right) {
        out.push_back(a);
        put(out.back(), b);
      }
    }
    return out;
  }

  Rows items(const PlanNode& node, const json::value& context) const {
    Rows out;
    int64_t number = 0;
    for (const auto& item : find_items(node.path, context, variables_)) {
      Row own(paths_);
      own[node.number] = Item{json_text(item), ++number};
      Rows below;
      if (!node.parts.empty()) below = make(*node.parts[0], item);
      if (below.empty() && !(node.inner && !node.parts.empty())) {
        out.push_back(std::move(own));
        continue;
      }
      for (auto& row : below) {
        put(row, own);
        out.push_back(std::move(row));
      }
    }
    return out;
  }

  const json::object& variables_;
  const size_t paths_;
};

Rows rows_of(const TableData& data, std::string_view input, std::string_view variables) {
  const auto value = read_json(input), given = read_json(variables);
  if (!value || !given) {
    if (data.fails) raise(Code::kJsonInputConversionError, "conversion to JSON failed: ");
    return {};
  }
  try {
    return RowMaker(given->as_object(), data.paths).make(*data.plan, *value);
  } catch (const PathFailure& failure) {
    if (data.fails) raise(Code::kPathEvaluationError, failure.message);
    return {};
  }
}

void append(duckdb::Vector& result, duckdb::idx_t row, const Rows& rows) {
  const auto offset = duckdb::ListVector::GetListSize(result);
  duckdb::ListVector::Reserve(result, offset + rows.size());
  auto& entries = duckdb::StructVector::GetEntries(duckdb::ListVector::GetEntry(result));
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t path = 0; path < rows[i].size(); ++path) {
      auto &texts = *entries[2 * path], &numbers = *entries[2 * path + 1];
      const auto& item = rows[i][path];
      if (!item) {
        duckdb::FlatVector::SetNull(texts, offset + i, true);
        duckdb::FlatVector::SetNull(numbers, offset + i, true);
        continue;
      }
      duckdb::FlatVector::GetData<duckdb::string_t>(texts)[offset + i] =
          duckdb::StringVector::AddString(texts, item->text);
      duckdb::FlatVector::GetData<int64_t>(numbers)[offset + i] = item->number;
    }
  }
  duckdb::FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {offset, rows.size()};
  duckdb::ListVector::SetListSize(result, offset + rows.size());
}

/// Input and variables, both JSON text.
void run(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  if (args.size() == 0) return;
  const auto& data =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<TableData>();
  const bool constant = args.AllConstant();
  std::array<duckdb::UnifiedVectorFormat, 2> columns;
  for (size_t i = 0; i < 2; ++i) args.data[i].ToUnifiedFormat(args.size(), columns[i]);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (duckdb::idx_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const auto a = columns[0].sel->get_index(row), b = columns[1].sel->get_index(row);
    Rows rows;
    if (columns[0].validity.RowIsValid(a) && columns[1].validity.RowIsValid(b)) {
      const auto input = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(columns[0])[a];
      const auto given = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(columns[1])[b];
      rows = rows_of(data, {input.GetData(), input.GetSize()}, {given.GetData(), given.GetSize()});
    }
    append(result, row, rows);
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

const JsonPath& root_path(const PlanNode& plan) { return plan.path; }

/// Variables are passed to the first path alone.
void refuse_variables(const PlanNode& node, const duckdb::Expression* at) {
  for (const auto& part : node.parts) {
    if (part->kind == PlanNode::Kind::kPath && !part->path.variables.empty())
      raise(Code::kInvalidPath, "no value passed for parameter " + part->path.variables[0], at);
    refuse_variables(*part, at);
  }
}

}  // namespace

/// input, paths, format, on error, (name, value, format)*
ExprPtr json_table_hook(const Build& build, Exprs args) {
  const std::string spec = build.constant_value(*args[1]).ToString();
  const std::string format = build.constant_value(*args[2]).ToString();
  TableData data;
  SpecReader reader(spec);
  auto plan = reader.read();
  refuse_variables(*plan, args[0].get());
  data.paths = reader.paths;
  data.fails = build.constant_value(*args[3]).ToString() == "ERROR";
  auto given = json_variables(build, args, 4, root_path(*plan));
  data.plan = std::move(plan);
  duckdb::child_list_t<LogicalType> fields;
  for (size_t i = 0; i < data.paths; ++i) {
    fields.emplace_back("$c" + std::to_string(i), kText);
    fields.emplace_back("$o" + std::to_string(i), kLong);
  }
  auto type = LogicalType::LIST(LogicalType::STRUCT(std::move(fields)));
  duckdb::ScalarFunction function("meesh_json_table", {kText, kText}, type, run);
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  function.SetFallible();
  Exprs inputs;
  inputs.push_back(json_input(build, std::move(args[0]), format));
  inputs.push_back(std::move(given));
  return duckdb::make_uniq<duckdb::BoundFunctionExpression>(
      std::move(type), std::move(function), std::move(inputs),
      duckdb::make_uniq<TableData>(std::move(data)));
}

}  // namespace meesh::engine
