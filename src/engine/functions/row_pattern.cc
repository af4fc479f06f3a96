// MATCH_RECOGNIZE over the rows of one partition, which come as one list: trino_match_rows gives
// the rows of its matches (sql/row_pattern.h says what a program holds).
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "engine/functions/bound_text.h"
#include "engine/functions/row_matcher.h"
#include "engine/functions/rules.h"
#include "sql/published.h"

namespace meesh::engine {
namespace {

using duckdb::DataChunk;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;
using sql::RowPatternProgram;
using Slot = RowPatternProgram::Slot;

/// An expression over slots; behind the slots come the values of its aggregates.
struct Formula {
  ExprPtr expression;        // null: always true
  std::vector<size_t> used;  // slots
  Aggregates aggregates;
  std::vector<std::vector<size_t>> aggregate_slots;
  duckdb::vector<LogicalType> columns;
};

struct BoundPattern {
  std::shared_ptr<const RowPatternProgram> program;
  std::vector<Formula> definitions, measures;
  std::vector<bool> independent;  // by label: its definition looks at its row and neighbours alone
  bool all_independent = true;
};

struct PatternData : duckdb::FunctionData {
  explicit PatternData(std::shared_ptr<const BoundPattern> p) : pattern(std::move(p)) {}
  std::shared_ptr<const BoundPattern> pattern;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<PatternData>(pattern);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<PatternData>().pattern == pattern;
  }
};

/// One thread's means to compute a formula.
struct Calculator {
  Calculator(duckdb::ClientContext& context, const Formula& f) : formula(f) {
    chunk.Initialize(duckdb::Allocator::DefaultAllocator(), f.columns);
    if (f.expression)
      executor = std::make_unique<duckdb::ExpressionExecutor>(context, *f.expression);
    for (const auto& aggregate : f.aggregates) {
      auto& made = arguments.emplace_back();
      for (const auto& child : aggregate->children)
        made.push_back(std::make_unique<duckdb::ExpressionExecutor>(context, *child));
    }
  }

  const Formula& formula;
  DataChunk chunk;
  std::unique_ptr<duckdb::ExpressionExecutor> executor;
  std::vector<std::vector<std::unique_ptr<duckdb::ExpressionExecutor>>> arguments;
};

struct PatternState : duckdb::FunctionLocalState {
  std::vector<std::unique_ptr<Calculator>> definitions, measures;
};

/// The rows of a partition: a part of the flat columns of all.
struct Partition {
  std::vector<Vector*> columns;
  size_t offset = 0, rows = 0;
};

/// A match as seen from one of its rows.
struct View {
  const RowMatch* match = nullptr;
  size_t seen = 0;  // rows up to the current one
  uint64_t number = 0;
};

void put_row(const Partition& partition, size_t column, size_t row, Vector& to, idx_t at) {
  const idx_t from = partition.offset + row;
  duckdb::VectorOperations::Copy(*partition.columns[column], to, from + 1, from, at);
}

bool has_label(const Slot& slot, size_t label) { return slot.labels.empty() || slot.labels[label]; }

/// The place in the match that the slot looks at, before PREV and NEXT.
std::optional<size_t> place_of(const Slot& slot, const View& view) {
  const auto& labels = view.match->labels;
  // FIRST looks at rows behind the current one, too: so does Trino.
  const size_t visible = slot.final || slot.first ? labels.size() : view.seen;
  uint64_t left = slot.logical;
  if (slot.labels.empty()) {
    if (left >= visible) return std::nullopt;
    return slot.first ? left : visible - 1 - left;
  }
  for (size_t i = 0; i < visible; ++i) {
    const size_t place = slot.first ? i : visible - 1 - i;
    if (has_label(slot, labels[place]) && left-- == 0) return place;
  }
  return std::nullopt;
}

class Calculation {
 public:
  Calculation(const BoundPattern& pattern, const Partition& partition)
      : program_(*pattern.program), partition_(partition) {}

  /// Fills row `at` of the formula's chunk.
  void fill(Calculator& calculator, idx_t at, const View& view) const {
    const auto& formula = calculator.formula;
    for (const size_t slot : formula.used)
      fill_slot(program_.slots[slot], calculator.chunk.data[slot], at, view);
    for (size_t i = 0; i < formula.aggregates.size(); ++i)
      calculator.chunk.SetValue(program_.slots.size() + i, at, aggregate(calculator, i, view));
  }

 private:
  void fill_slot(const Slot& slot, Vector& to, idx_t at, const View& view) const {
    if (slot.kind == Slot::Kind::kMatchNumber) {
      duckdb::FlatVector::GetData<int64_t>(to)[at] = static_cast<int64_t>(view.number);
      return;
    }
    const auto place = place_of(slot, view);
    if (place) {
      const auto moved = static_cast<int64_t>(*place) + slot.physical;
      if (put(slot, static_cast<int64_t>(view.match->start) + moved, to, at, view)) return;
    }
    duckdb::FlatVector::SetNull(to, at, true);
  }

  /// False when there is no such row.
  bool put(const Slot& slot, int64_t row, Vector& to, idx_t at, const View& view) const {
    if (row < 0 || row >= static_cast<int64_t>(partition_.rows)) return false;
    if (slot.kind == Slot::Kind::kColumn) {
      put_row(partition_, slot.column, static_cast<size_t>(row), to, at);
      return true;
    }
    const int64_t place = row - static_cast<int64_t>(view.match->start);
    if (place < 0 || place >= static_cast<int64_t>(view.match->labels.size())) return false;
    duckdb::FlatVector::GetData<duckdb::string_t>(to)[at] =
        duckdb::StringVector::AddString(to, program_.labels[view.match->labels[place]]);
    return true;
  }

  std::vector<size_t> places(const std::vector<size_t>& slots, const View& view) const {
    Slot any;
    for (const size_t slot : slots)
      if (program_.slots[slot].all) any = program_.slots[slot];
    const size_t visible = any.final ? view.match->labels.size() : view.seen;
    std::vector<size_t> out;
    for (size_t i = 0; i < visible; ++i)
      if (has_label(any, view.match->labels[i])) out.push_back(i);
    return out;
  }

  duckdb::Value aggregate(Calculator& calculator, size_t number, const View& view) const;
  void update(Calculator& calculator, size_t number, DataChunk& rows,
              duckdb::AggregateInputData& input, duckdb::data_ptr_t state) const;

  const RowPatternProgram& program_;
  const Partition& partition_;
};

void Calculation::update(Calculator& calculator, size_t number, DataChunk& rows,
                         duckdb::AggregateInputData& input, duckdb::data_ptr_t state) const {
  const auto& aggregate = *calculator.formula.aggregates[number];
  duckdb::vector<Vector> values;
  for (size_t i = 0; i < aggregate.children.size(); ++i) {
    values.emplace_back(aggregate.children[i]->return_type);
    calculator.arguments[number][i]->ExecuteExpression(rows, values.back());
  }
  if (const auto simple = aggregate.function.GetStateSimpleUpdateCallback())
    return simple(values.data(), input, values.size(), state, rows.size());
  Vector states(duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(state)));
  states.Flatten(rows.size());
  aggregate.function.GetStateUpdateCallback()(values.data(), input, values.size(), states,
                                              rows.size());
}

duckdb::Value Calculation::aggregate(Calculator& calculator, size_t number,
                                     const View& view) const {
  const auto& aggregate = *calculator.formula.aggregates[number];
  const auto& slots = calculator.formula.aggregate_slots[number];
  duckdb::ArenaAllocator arena(duckdb::Allocator::DefaultAllocator());
  duckdb::AggregateInputData input(aggregate.bind_info.get(), arena);
  const idx_t size = aggregate.function.GetStateSizeCallback()(aggregate.function);
  const auto state = arena.AllocateAligned(size);
  aggregate.function.GetStateInitCallback()(aggregate.function, state);
  Vector states(duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(state)));
  const auto all = places(slots, view);
  for (size_t from = 0; from < all.size(); from += STANDARD_VECTOR_SIZE) {
    const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, all.size() - from);
    DataChunk rows;
    rows.Initialize(duckdb::Allocator::DefaultAllocator(), calculator.formula.columns);
    for (const size_t slot : slots) {
      const auto& what = program_.slots[slot];
      for (size_t i = 0; i < count; ++i) {
        if (what.all) {
          put(what, static_cast<int64_t>(view.match->start + all[from + i]), rows.data[slot], i,
              view);
        } else {
          fill_slot(what, rows.data[slot], i, view);
        }
      }
    }
    rows.SetCardinality(count);
    update(calculator, number, rows, input, state);
  }
  Vector result(aggregate.return_type);
  aggregate.function.GetStateFinalizeCallback()(states, input, result, 1, 0);
  auto value = result.GetValue(0);
  if (const auto destroy = aggregate.function.GetStateDestructorCallback())
    destroy(states, input, 1);
  return value;
}

/// A row of the output.
struct Shown {
  size_t row = 0;                         // of the partition; not used for ONE ROW PER MATCH
  std::shared_ptr<const RowMatch> match;  // null: the row is in no match
  size_t seen = 0;
  uint64_t number = 0;
};

class PartitionRun {
 public:
  PartitionRun(duckdb::ClientContext& context, const BoundPattern& pattern, PatternState& state,
               const Partition& partition, Vector& result)
      : context_(context),
        pattern_(pattern),
        program_(*pattern.program),
        state_(state),
        partition_(partition),
        calculation_(pattern, partition),
        result_(result) {}

  /// Puts the rows behind those that the result's list holds.
  void run();

 private:
  void compute_independent();
  bool compute_independent(size_t label, std::vector<bool>& to);
  bool test(size_t label, size_t row, const RowMatch& match);
  void show(const RowMatch& match, uint64_t number);
  size_t next_start(const RowMatch& match) const;
  void flush();

  duckdb::ClientContext& context_;
  const BoundPattern& pattern_;
  const RowPatternProgram& program_;
  PatternState& state_;
  const Partition& partition_;
  const Calculation calculation_;
  Vector& result_;
  std::vector<std::optional<std::vector<bool>>> known_;  // by label
  uint64_t number_ = 0;
  std::vector<Shown> shown_;
};

/// Whether each row fits the label, a vector at a time. What fails is left for when it is asked.
bool PartitionRun::compute_independent(size_t label, std::vector<bool>& to) {
  auto& calculator = *state_.definitions[label];
  const auto rows = static_cast<int64_t>(partition_.rows);
  for (int64_t from = 0; from < rows; from += STANDARD_VECTOR_SIZE) {
    const int64_t count = std::min<int64_t>(STANDARD_VECTOR_SIZE, rows - from);
    calculator.chunk.Reset();
    for (const size_t used : calculator.formula.used) {
      const auto& slot = program_.slots[used];
      auto& column = calculator.chunk.data[used];
      // Rows first … last - 1 of these have the neighbour.
      const int64_t first = std::clamp<int64_t>(-slot.physical - from, 0, count);
      const int64_t last = std::clamp<int64_t>(rows - slot.physical - from, first, count);
      for (int64_t i = 0; i < count; ++i)
        if (i < first || i >= last) duckdb::FlatVector::SetNull(column, i, true);
      const auto source = static_cast<idx_t>(partition_.offset) + from + slot.physical;
      if (first < last)
        duckdb::VectorOperations::Copy(*partition_.columns[slot.column], column, source + last,
                                       source + first, first);
    }
    calculator.chunk.SetCardinality(count);
    Vector value(LogicalType::BOOLEAN);
    try {
      calculator.executor->ExecuteExpression(calculator.chunk, value);
    } catch (const duckdb::Exception&) {
      return false;
    }
    duckdb::UnifiedVectorFormat format;
    value.ToUnifiedFormat(count, format);
    const auto* data = duckdb::UnifiedVectorFormat::GetData<bool>(format);
    for (int64_t i = 0; i < count; ++i) {
      const auto at = format.sel->get_index(i);
      to.push_back(format.validity.RowIsValid(at) && data[at]);
    }
  }
  return true;
}

void PartitionRun::compute_independent() {
  known_.resize(program_.labels.size());
  for (size_t label = 0; label < known_.size(); ++label) {
    if (!pattern_.independent[label] || !pattern_.definitions[label].expression) continue;
    std::vector<bool> fits;
    if (compute_independent(label, fits)) known_[label] = std::move(fits);
  }
}

bool PartitionRun::test(size_t label, size_t row, const RowMatch& match) {
  auto& calculator = *state_.definitions[label];
  if (!calculator.executor) return true;
  if (known_[label]) return (*known_[label])[row];
  calculator.chunk.Reset();
  calculation_.fill(calculator, 0, {&match, match.labels.size(), number_ + 1});
  calculator.chunk.SetCardinality(1);
  Vector value(LogicalType::BOOLEAN);
  calculator.executor->ExecuteExpression(calculator.chunk, value);
  const auto fits = value.GetValue(0);
  return !fits.IsNull() && fits.GetValue<bool>();
}

size_t PartitionRun::next_start(const RowMatch& match) const {
  using Skip = RowPatternProgram::Skip;
  const size_t end = match.start + match.labels.size();
  if (program_.skip == Skip::kPastLast) return end;
  if (program_.skip == Skip::kToNext) return match.start + 1;
  std::optional<size_t> target;
  for (size_t i = 0; i < match.labels.size(); ++i) {
    if (!program_.skip_labels[match.labels[i]]) continue;
    if (!target || program_.skip == Skip::kToLast) target = i;
  }
  if (!target)
    raise(Code::kGenericUserError,
          "AFTER MATCH SKIP failed: pattern variable is not present in match");
  if (*target == 0)
    raise(Code::kGenericUserError, "AFTER MATCH SKIP failed: cannot skip to first row of match");
  return match.start + *target;
}

void PartitionRun::show(const RowMatch& match, uint64_t number) {
  using Rows = RowPatternProgram::Rows;
  const size_t count = match.labels.size();
  if (count == 0 && program_.rows == Rows::kAllOmitEmpty) return;
  const auto kept = std::make_shared<const RowMatch>(match);
  if (program_.rows == Rows::kOne || count == 0) {
    shown_.push_back({match.start, kept, count, number});
  } else {
    for (size_t i = 0; i < count; ++i)
      if (!match.excluded[i]) shown_.push_back({match.start + i, kept, i + 1, number});
  }
  if (shown_.size() >= STANDARD_VECTOR_SIZE) flush();
}

void PartitionRun::flush() {
  const bool with_rows = program_.rows != RowPatternProgram::Rows::kOne;
  for (size_t from = 0; from < shown_.size(); from += STANDARD_VECTOR_SIZE) {
    const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, shown_.size() - from);
    const idx_t offset = duckdb::ListVector::GetListSize(result_);
    duckdb::ListVector::Reserve(result_, offset + count);
    auto& fields = duckdb::StructVector::GetEntries(duckdb::ListVector::GetEntry(result_));
    size_t field = 1;  // behind 'any'
    for (size_t i = 0; i < count; ++i)
      duckdb::FlatVector::GetData<bool>(*fields[0])[offset + i] = true;
    if (with_rows) {
      duckdb::SelectionVector rows(count);
      for (size_t i = 0; i < count; ++i)
        rows.set_index(i, partition_.offset + shown_[from + i].row);
      for (auto* column : partition_.columns)
        duckdb::VectorOperations::Copy(*column, *fields[field++], rows, count, 0, offset);
    }
    const RowMatch nothing;
    for (auto& calculator : state_.measures) {
      calculator->chunk.Reset();
      for (size_t i = 0; i < count; ++i) {
        const auto& shown = shown_[from + i];
        calculation_.fill(*calculator, i,
                          {shown.match ? shown.match.get() : &nothing, shown.seen, shown.number});
      }
      calculator->chunk.SetCardinality(count);
      Vector value(calculator->formula.expression->return_type);
      calculator->executor->ExecuteExpression(calculator->chunk, value);
      auto& to = *fields[field++];
      duckdb::VectorOperations::Copy(value, to, count, 0, offset);
      for (size_t i = 0; i < count; ++i)
        if (!shown_[from + i].match) duckdb::FlatVector::SetNull(to, offset + i, true);
    }
    duckdb::ListVector::SetListSize(result_, offset + count);
  }
  shown_.clear();
}

void PartitionRun::run() {
  compute_independent();
  const bool with_unmatched = program_.rows == RowPatternProgram::Rows::kAllWithUnmatched;
  RowMatcher matcher(
      program_, partition_.rows,
      [this](size_t label, size_t row, const RowMatch& match) { return test(label, row, match); },
      pattern_.all_independent,
      [this] {
        if (context_.IsInterrupted()) throw duckdb::InterruptException();
      });
  RowMatch match;
  size_t matched_to = 0;  // rows before it may be in a match
  for (size_t at = 0; at < partition_.rows;) {
    if (!matcher.find(at, match)) {
      if (with_unmatched && at >= matched_to) shown_.push_back({at, nullptr, 0, 0});
      ++at;
      continue;
    }
    show(match, ++number_);
    if (match.labels.empty()) {
      ++at;
      continue;
    }
    matched_to = std::max(matched_to, match.start + match.labels.size());
    at = next_start(match);
  }
  flush();
}

duckdb::unique_ptr<duckdb::FunctionLocalState> begin(duckdb::ExpressionState& state,
                                                     const duckdb::BoundFunctionExpression&,
                                                     duckdb::FunctionData* data) {
  const auto& pattern = *data->Cast<PatternData>().pattern;
  auto made = duckdb::make_uniq<PatternState>();
  for (const auto& formula : pattern.definitions)
    made->definitions.push_back(std::make_unique<Calculator>(state.GetContext(), formula));
  for (const auto& formula : pattern.measures)
    made->measures.push_back(std::make_unique<Calculator>(state.GetContext(), formula));
  return made;
}

void match_rows(DataChunk& args, duckdb::ExpressionState& state, Vector& result) {
  if (args.size() == 0) return;
  const auto& call = state.expr.Cast<duckdb::BoundFunctionExpression>();
  const auto& pattern = *call.bind_info->Cast<PatternData>().pattern;
  auto& local = duckdb::ExecuteFunctionState::GetFunctionState(state)->Cast<PatternState>();
  const bool constant = args.AllConstant();
  duckdb::UnifiedVectorFormat lists;
  args.data[0].ToUnifiedFormat(args.size(), lists);
  auto& rows = duckdb::ListVector::GetEntry(args.data[0]);
  const idx_t total = duckdb::ListVector::GetListSize(args.data[0]);
  rows.Flatten(total);
  Partition partition;
  auto& fields = duckdb::StructVector::GetEntries(rows);
  for (size_t i = 1; i < fields.size(); ++i) {
    fields[i]->Flatten(total);
    partition.columns.push_back(fields[i].get());
  }
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const auto at = lists.sel->get_index(row);
    const idx_t from = duckdb::ListVector::GetListSize(result);
    if (lists.validity.RowIsValid(at)) {
      const auto& entry = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists)[at];
      partition.offset = entry.offset;
      partition.rows = entry.length;
      PartitionRun(state.GetContext(), pattern, local, partition, result).run();
    }
    duckdb::FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {
        from, duckdb::ListVector::GetListSize(result) - from};
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

// ---------------------------------------------------------------- binding

void find_slots(const duckdb::Expression& expression, size_t slots, std::set<size_t>& out) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_REF) {
    const size_t index = expression.Cast<duckdb::BoundReferenceExpression>().index;
    if (index < slots) out.insert(index);
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::Expression& child) { find_slots(child, slots, out); });
}

Formula bind_formula(const Build& build, const std::string& text,
                     const duckdb::vector<LogicalType>& slots) {
  Formula formula;
  formula.columns = slots;
  if (text.empty()) return formula;
  formula.expression = bind_text_with_aggregates(build.context, text, numbered_names(slots.size()),
                                                 slots, formula.aggregates);
  std::set<size_t> used;
  find_slots(*formula.expression, slots.size(), used);
  formula.used.assign(used.begin(), used.end());
  for (const auto& aggregate : formula.aggregates) {
    std::set<size_t> arguments;
    for (const auto& child : aggregate->children) find_slots(*child, slots.size(), arguments);
    formula.aggregate_slots.emplace_back(arguments.begin(), arguments.end());
    formula.columns.push_back(aggregate->return_type);
  }
  return formula;
}

bool is_independent(const Formula& formula, const RowPatternProgram& program, size_t label) {
  if (!formula.aggregates.empty()) return false;
  for (const size_t used : formula.used) {
    const auto& slot = program.slots[used];
    if (slot.kind != Slot::Kind::kColumn || slot.first || slot.logical != 0 ||
        !has_label(slot, label))
      return false;
  }
  return true;
}

/// trino_match_rows(id, list of rows).
ExprPtr match_rows_hook(const Build& build, Exprs args) {
  auto bound = std::make_shared<BoundPattern>();
  bound->program = sql::Published<RowPatternProgram>::find(
      build.constant_value(*args.at(0)).GetValue<int64_t>());
  if (!bound->program) internal_error("a row pattern of a statement is gone");
  const auto& program = *bound->program;
  args.erase(args.begin());
  const auto& inputs =
      duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(args[0]->return_type));
  duckdb::vector<LogicalType> slots;
  for (const auto& slot : program.slots)
    slots.push_back(slot.kind == Slot::Kind::kColumn       ? inputs[slot.column + 1].second
                    : slot.kind == Slot::Kind::kClassifier ? LogicalType(LogicalType::VARCHAR)
                                                           : LogicalType(LogicalType::BIGINT));
  for (size_t label = 0; label < program.labels.size(); ++label) {
    auto formula = bind_formula(build, program.definitions[label], slots);
    if (formula.expression &&
        formula.expression->return_type.id() != duckdb::LogicalTypeId::BOOLEAN)
      formula.expression = build.native_cast(std::move(formula.expression), LogicalType::BOOLEAN);
    bound->independent.push_back(is_independent(formula, program, label));
    bound->all_independent = bound->all_independent && bound->independent.back();
    bound->definitions.push_back(std::move(formula));
  }
  duckdb::child_list_t<LogicalType> fields = {{"any", LogicalType::BOOLEAN}};
  if (program.rows != RowPatternProgram::Rows::kOne)
    fields.insert(fields.end(), inputs.begin() + 1, inputs.end());
  for (const auto& measure : program.measures) {
    bound->measures.push_back(bind_formula(build, measure, slots));
    fields.emplace_back("m" + std::to_string(bound->measures.size() - 1),
                        bound->measures.back().expression->return_type);
  }
  auto type = LogicalType::LIST(LogicalType::STRUCT(std::move(fields)));
  duckdb::ScalarFunction function("trino_match_rows", {args[0]->return_type}, type, match_rows);
  function.SetInitStateCallback(begin);
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  function.SetFallible();
  return duckdb::make_uniq<duckdb::BoundFunctionExpression>(
      std::move(type), std::move(function), std::move(args),
      duckdb::make_uniq<PatternData>(std::move(bound)));
}

}  // namespace

const std::vector<NamedHook>& row_pattern_hooks() {
  static const auto* hooks = new std::vector<NamedHook>{{"trino_match_rows", match_rows_hook}};
  return *hooks;
}

}  // namespace meesh::engine
