// Functions written in SQL (sql/routine.h), run on whole vectors: rows that take different branches
// are kept in chunks apart and come together again behind them.
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/functions/bound_text.h"
#include "engine/functions/coercion.h"
#include "engine/functions/rules.h"
#include "sql/published.h"
#include "sql/routine.h"

namespace meesh::engine {
namespace {

using duckdb::DataChunk;
using duckdb::LogicalType;
using duckdb::Vector;
using sql::RoutineProgram;
using Step = RoutineProgram::Step;
using ChunkPtr = std::unique_ptr<DataChunk>;  // null: no rows

/// A program whose expressions are bound.
struct BoundRoutine {
  std::shared_ptr<const RoutineProgram> program;
  Exprs expressions;
  duckdb::vector<LogicalType> columns;  // of a chunk: the variables and the number of the row
};

struct RoutineData : duckdb::FunctionData {
  explicit RoutineData(std::shared_ptr<const BoundRoutine> r) : routine(std::move(r)) {}
  std::shared_ptr<const BoundRoutine> routine;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<RoutineData>(routine);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<RoutineData>().routine->program == routine->program;
  }
};

/// One thread's executors, in the order of the expressions.
struct RoutineState : duckdb::FunctionLocalState {
  std::vector<std::unique_ptr<duckdb::ExpressionExecutor>> executors;
};

class Interpreter {
 public:
  Interpreter(duckdb::ClientContext& context, const BoundRoutine& routine, RoutineState& state,
              const LogicalType& result)
      : context_(context), routine_(routine), state_(state), result_type_(result) {
    returned_.Initialize(duckdb::Allocator::DefaultAllocator(), {result, LogicalType::UBIGINT});
  }

  /// Computes the first `count` rows of the arguments.
  void run(DataChunk& args, duckdb::idx_t count, Vector& result);

 private:
  struct Loop {
    ChunkPtr left, again;
  };

  ChunkPtr run(const std::vector<Step>& steps, ChunkPtr rows);
  ChunkPtr branch(const Step& step, ChunkPtr rows);
  ChunkPtr loop(const Step& step, ChunkPtr rows);
  void assign(const Step& step, DataChunk& rows);
  void give(const Step& step, DataChunk& rows);
  void give_nulls(DataChunk& rows);
  ChunkPtr first(DataChunk& args, duckdb::idx_t count);
  ChunkPtr without_nulls(ChunkPtr rows);
  /// Takes out the rows for which the condition is true.
  ChunkPtr take(int condition, ChunkPtr& rows);
  ChunkPtr part(DataChunk& rows, const duckdb::SelectionVector& chosen, duckdb::idx_t count);
  ChunkPtr fresh() const;
  static void join(ChunkPtr& to, ChunkPtr more);

  duckdb::ClientContext& context_;
  const BoundRoutine& routine_;
  RoutineState& state_;
  const LogicalType& result_type_;
  std::map<size_t, Loop> loops_;  // by number
  DataChunk returned_;            // value, row
};

ChunkPtr Interpreter::fresh() const {
  auto chunk = std::make_unique<DataChunk>();
  chunk->Initialize(duckdb::Allocator::DefaultAllocator(), routine_.columns);
  return chunk;
}

void Interpreter::join(ChunkPtr& to, ChunkPtr more) {
  if (!more || more->size() == 0) return;
  if (!to) {
    to = std::move(more);
  } else {
    to->Append(*more);
  }
}

ChunkPtr Interpreter::part(DataChunk& rows, const duckdb::SelectionVector& chosen,
                           duckdb::idx_t count) {
  auto chunk = fresh();
  for (size_t i = 0; i < rows.ColumnCount(); ++i)
    duckdb::VectorOperations::Copy(rows.data[i], chunk->data[i], chosen, count, 0, 0);
  chunk->SetCardinality(count);
  return chunk;
}

ChunkPtr Interpreter::take(int condition, ChunkPtr& rows) {
  const duckdb::idx_t count = rows->size();
  Vector value(LogicalType::BOOLEAN);
  state_.executors[condition]->ExecuteExpression(*rows, value);
  duckdb::UnifiedVectorFormat format;
  value.ToUnifiedFormat(count, format);
  const auto* data = duckdb::UnifiedVectorFormat::GetData<bool>(format);
  duckdb::SelectionVector yes(count), no(count);
  duckdb::idx_t true_count = 0, other_count = 0;
  for (duckdb::idx_t row = 0; row < count; ++row) {
    const auto at = format.sel->get_index(row);
    if (format.validity.RowIsValid(at) && data[at]) {
      yes.set_index(true_count++, row);
    } else {
      no.set_index(other_count++, row);
    }
  }
  if (true_count == 0) return nullptr;
  if (other_count == 0) return std::move(rows);
  auto taken = part(*rows, yes, true_count);
  rows = part(*rows, no, other_count);
  return taken;
}

void Interpreter::assign(const Step& step, DataChunk& rows) {
  const auto& type = routine_.columns[step.variable];
  Vector value(type);
  state_.executors[step.expression]->ExecuteExpression(rows, value);
  // A copy of its own: the executor uses its buffers again.
  Vector kept(type);
  duckdb::VectorOperations::Copy(value, kept, rows.size(), 0, 0);
  rows.data[step.variable].Reference(kept);
}

void Interpreter::give(const Step& step, DataChunk& rows) {
  DataChunk out;
  out.InitializeEmpty(returned_.GetTypes());
  Vector value(result_type_);
  state_.executors[step.expression]->ExecuteExpression(rows, value);
  out.data[0].Reference(value);
  out.data[1].Reference(rows.data.back());
  out.SetCardinality(rows.size());
  returned_.Append(out);
}

void Interpreter::give_nulls(DataChunk& rows) {
  DataChunk out;
  out.InitializeEmpty(returned_.GetTypes());
  out.data[0].Reference(duckdb::Value(result_type_));
  out.data[1].Reference(rows.data.back());
  out.SetCardinality(rows.size());
  returned_.Append(out);
}

ChunkPtr Interpreter::branch(const Step& step, ChunkPtr rows) {
  ChunkPtr out;
  for (size_t i = 0; i < step.conditions.size() && rows; ++i) {
    if (auto taken = take(step.conditions[i], rows))
      join(out, run(step.bodies[i], std::move(taken)));
  }
  if (rows && step.bodies.size() > step.conditions.size())
    rows = run(step.bodies.back(), std::move(rows));
  join(out, std::move(rows));
  return out;
}

ChunkPtr Interpreter::loop(const Step& step, ChunkPtr rows) {
  ChunkPtr done;
  auto& frame = loops_[step.loop];
  while (rows) {
    if (context_.IsInterrupted()) throw duckdb::InterruptException();
    if (step.expression >= 0) {
      auto going = take(step.expression, rows);
      join(done, std::move(rows));
      rows = std::move(going);
      if (!rows) break;
    }
    rows = run(step.bodies[0], std::move(rows));
    if (rows && step.until >= 0) join(done, take(step.until, rows));
    join(rows, std::move(frame.again));  // ITERATE goes past UNTIL, as in Trino
  }
  join(done, std::move(frame.left));
  return done;
}

ChunkPtr Interpreter::run(const std::vector<Step>& steps, ChunkPtr rows) {
  for (const auto& step : steps) {
    if (!rows) return nullptr;
    switch (step.kind) {
      case Step::Kind::kAssign:
        assign(step, *rows);
        break;
      case Step::Kind::kReturn:
        give(step, *rows);
        return nullptr;
      case Step::Kind::kBranch:
        rows = branch(step, std::move(rows));
        break;
      case Step::Kind::kLoop:
        rows = loop(step, std::move(rows));
        break;
      case Step::Kind::kLeave:
        join(loops_[step.loop].left, std::move(rows));
        return nullptr;
      case Step::Kind::kIterate:
        join(loops_[step.loop].again, std::move(rows));
        return nullptr;
    }
  }
  return rows;
}

/// The parameters and the numbers of the rows; other variables are NULL.
ChunkPtr Interpreter::first(DataChunk& args, duckdb::idx_t count) {
  auto chunk = fresh();
  for (size_t i = 0; i + 1 < chunk->ColumnCount(); ++i) {
    if (i < args.ColumnCount()) {
      duckdb::VectorOperations::Copy(args.data[i], chunk->data[i], count, 0, 0);
    } else {
      for (duckdb::idx_t row = 0; row < count; ++row)
        duckdb::FlatVector::SetNull(chunk->data[i], row, true);
    }
  }
  auto* numbers = duckdb::FlatVector::GetData<uint64_t>(chunk->data.back());
  for (duckdb::idx_t row = 0; row < count; ++row) numbers[row] = row;
  chunk->SetCardinality(count);
  return chunk;
}

/// RETURNS NULL ON NULL INPUT.
ChunkPtr Interpreter::without_nulls(ChunkPtr rows) {
  const duckdb::idx_t count = rows->size();
  duckdb::SelectionVector whole(count), holed(count);
  duckdb::idx_t wholes = 0, holes = 0;
  for (duckdb::idx_t row = 0; row < count; ++row) {
    bool null = false;
    for (size_t i = 0; i < routine_.program->parameters; ++i)
      null = null || duckdb::FlatVector::IsNull(rows->data[i], row);
    if (null) {
      holed.set_index(holes++, row);
    } else {
      whole.set_index(wholes++, row);
    }
  }
  if (holes == 0) return rows;
  give_nulls(*part(*rows, holed, holes));
  return wholes == 0 ? nullptr : part(*rows, whole, wholes);
}

void Interpreter::run(DataChunk& args, duckdb::idx_t count, Vector& result) {
  auto rows = first(args, count);
  if (!routine_.program->called_on_null) rows = without_nulls(std::move(rows));
  if (rows) run(routine_.program->steps, std::move(rows));
  if (returned_.size() != count) internal_error("rows of a function are lost");
  const auto* numbers = duckdb::FlatVector::GetData<uint64_t>(returned_.data[1]);
  duckdb::SelectionVector place(count);
  for (duckdb::idx_t i = 0; i < count; ++i) place.set_index(numbers[i], i);
  duckdb::VectorOperations::Copy(returned_.data[0], result, place, count, 0, 0);
}

duckdb::unique_ptr<duckdb::FunctionLocalState> begin(duckdb::ExpressionState& state,
                                                     const duckdb::BoundFunctionExpression&,
                                                     duckdb::FunctionData* data) {
  auto made = duckdb::make_uniq<RoutineState>();
  for (const auto& expression : data->Cast<RoutineData>().routine->expressions)
    made->executors.push_back(
        std::make_unique<duckdb::ExpressionExecutor>(state.GetContext(), *expression));
  return made;
}

void run_routine(DataChunk& args, duckdb::ExpressionState& state, Vector& result) {
  if (args.size() == 0) return;
  const auto& call = state.expr.Cast<duckdb::BoundFunctionExpression>();
  const auto& routine = *call.bind_info->Cast<RoutineData>().routine;
  auto& local = duckdb::ExecuteFunctionState::GetFunctionState(state)->Cast<RoutineState>();
  const bool constant = routine.program->deterministic && args.AllConstant();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  Interpreter(state.GetContext(), routine, local, result.GetType())
      .run(args, constant ? 1 : args.size(), result);
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

// ---------------------------------------------------------------- binding

/// What an expression has to give: the variable's type or the function's.
void find_targets(const std::vector<Step>& steps, const RoutineProgram& program,
                  std::vector<sql::Type>& targets) {
  for (const auto& step : steps) {
    if (step.kind == Step::Kind::kAssign)
      targets[step.expression] = program.variables[step.variable];
    if (step.kind == Step::Kind::kReturn) targets[step.expression] = program.returns;
    for (const auto& body : step.bodies) find_targets(body, program, targets);
  }
}

ExprPtr fitting(const Build& build, ExprPtr value, const sql::Type& type) {
  const auto from = type_of(*value);
  const bool nested = !from.children.empty();  // the front end has compared rows field by field
  if (from != type && !nested && !coercion_cost(from, type))
    raise(Code::kTypeMismatch,
          "Value must evaluate to " + type.display() + " (actual: " + from.display() + ")");
  return build.trino_cast(std::move(value), type);
}

std::shared_ptr<BoundRoutine> bind_routine(const Build& build,
                                           std::shared_ptr<const RoutineProgram> program) {
  auto bound = std::make_shared<BoundRoutine>();
  duckdb::vector<LogicalType> types;
  for (const auto& type : program->variables) types.push_back(to_duckdb(type));
  std::vector<sql::Type> targets(program->expressions.size(),
                                 sql::Type::of(sql::TypeKind::kBoolean));
  find_targets(program->steps, *program, targets);
  const auto names = numbered_names(types.size());
  for (size_t i = 0; i < program->expressions.size(); ++i) {
    bound->expressions.push_back(fitting(
        build, bind_text(build.context, program->expressions[i], names, types), targets[i]));
  }
  bound->columns = std::move(types);
  bound->columns.push_back(LogicalType::UBIGINT);
  bound->program = std::move(program);
  return bound;
}

/// trino_routine(id, arguments…).
ExprPtr call_routine(const Build& build, Exprs args) {
  const auto program =
      sql::Published<RoutineProgram>::find(build.constant_value(*args.at(0)).GetValue<int64_t>());
  if (!program) internal_error("a function of a statement is gone");
  args.erase(args.begin());
  for (size_t i = 0; i < args.size(); ++i)
    args[i] = fitting(build, std::move(args[i]), program->variables[i]);
  duckdb::vector<LogicalType> types;
  for (const auto& arg : args) types.push_back(arg->return_type);
  duckdb::ScalarFunction function("trino_routine", std::move(types), to_duckdb(program->returns),
                                  run_routine);
  function.SetInitStateCallback(begin);
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  function.SetFallible();
  if (!program->deterministic) function.SetVolatile();
  auto result = function.GetReturnType();
  return duckdb::make_uniq<duckdb::BoundFunctionExpression>(
      std::move(result), std::move(function), std::move(args),
      duckdb::make_uniq<RoutineData>(bind_routine(build, program)));
}

}  // namespace

const std::vector<NamedHook>& routine_hooks() {
  static const auto* hooks = new std::vector<NamedHook>{{"trino_routine", call_routine}};
  return *hooks;
}

}  // namespace meesh::engine
