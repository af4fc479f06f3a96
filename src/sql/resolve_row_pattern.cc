// MATCH_RECOGNIZE: its expressions become functions of slots, the values that a match's rows give,
// and its pattern becomes a program (sql/row_pattern.h).
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "sql/published.h"
#include "sql/resolve_text.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"
#include "sql/row_pattern.h"
#include "sql/row_pattern_program.h"

namespace meesh::sql {

namespace {

using Program = RowPatternProgram;
using Slot = Program::Slot;
using Labels = Program::Labels;

bool is_navigation(const std::string& name) {
  return name == "first" || name == "last" || name == "prev" || name == "next";
}

}  // namespace

/// Resolves the clauses of one MATCH_RECOGNIZE.
class RowPatternCompiler {
 public:
  RowPatternCompiler(Resolver& resolver, const Resolver::Env& env, RowPattern& pattern,
                     const std::vector<Field>& fields)
      : resolver_(resolver), env_(env), pattern_(pattern), assembler_(*program_) {
    for (Field field : fields) {
      if (field.hidden) continue;
      field.qualifier.clear();
      scope_.fields.push_back(std::move(field));
    }
  }

  /// The columns of the result; their sources are not set.
  std::vector<Field> run(Position pos);

 private:
  /// Where a value is looked for.
  struct Place {
    Labels labels;
    bool labelled = false;  // labels are known
    bool first = false, final = false, all = false;
    uint64_t logical = 0;
    int64_t physical = 0;
  };

  void check_clauses();
  void subsets();
  void definitions();
  void measures();
  void skip();
  std::vector<Field> outputs(Position pos);
  void column(std::vector<Field>& out, std::set<std::string>& used, const Expr& key,
              RowPattern::Output output);

  std::optional<Labels> labels_named(const Ident& ident) const;
  /// Replaces what rows give by slots.
  void slots(ExprPtr& e, bool defines);
  void navigation(ExprPtr& e, bool defines);
  void aggregate(FunctionCall& call, bool defines);
  void classifier(ExprPtr& e, Place place);
  bool final_mode(const FunctionCall& call, bool defines) const;
  uint64_t offset(const FunctionCall& call, const std::string& name, uint64_t otherwise) const;
  void row_value(ExprPtr& e, Place place, const std::string& function, Position pos);
  void strip_labels(ExprPtr& e, Place& place, const std::string& function, Position pos,
                    bool& refers);
  ExprPtr slot(Slot slot, const std::optional<Type>& type, Position pos, std::string written);
  size_t input(ExprPtr e);
  void finish(ExprPtr& e);
  static Slot slot_of(const Place& place);

  Resolver& resolver_;
  const Resolver::Env& env_;
  RowPattern& pattern_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  PatternAssembler assembler_;
  std::map<std::string, Labels> subsets_;
  std::map<std::string, size_t> inputs_;  // by fingerprint
  std::set<std::string> arguments_;       // of lambdas around
  Scope scope_;
};

std::optional<Labels> RowPatternCompiler::labels_named(const Ident& ident) const {
  const std::string name = pattern_label(ident);
  if (const auto found = subsets_.find(name); found != subsets_.end()) return found->second;
  const auto label = assembler_.find(name);
  if (!label) return std::nullopt;
  Labels labels(program_->labels.size());
  labels[*label] = true;
  return labels;
}

void RowPatternCompiler::check_clauses() {
  if (!pattern_.search.empty())
    fail(Code::kNotSupported, pattern_.search_pos,
         fmt::format("Pattern search modifier: {} is not allowed in MATCH_RECOGNIZE clause",
                     pattern_.search));
  program_->rows = pattern_.rows;
  program_->skip = pattern_.skip;
  assembler_.collect(*pattern_.pattern);
  assembler_.assemble(*pattern_.pattern);
  program_->definitions.resize(program_->labels.size());
}

void RowPatternCompiler::subsets() {
  for (const auto& subset : pattern_.subsets) {
    const std::string name = pattern_label(subset.name);
    if (assembler_.find(name))
      fail(Code::kInvalidLabel, subset.name.pos,
           fmt::format("union pattern variable name: {} is a duplicate of primary pattern variable "
                       "name",
                       name));
    Labels labels(program_->labels.size());
    for (const auto& element : subset.labels) {
      const auto label = assembler_.find(pattern_label(element));
      if (!label)
        fail(Code::kInvalidLabel, element.pos,
             fmt::format("subset element: {} is not a primary pattern variable",
                         pattern_label(element)));
      labels[*label] = true;
    }
    if (!subsets_.emplace(name, std::move(labels)).second)
      fail(Code::kInvalidLabel, subset.name.pos,
           fmt::format("union pattern variable name: {} is declared twice", name));
  }
}

Slot RowPatternCompiler::slot_of(const Place& place) {
  Slot slot;
  slot.labels = place.labels;
  slot.first = place.first;
  slot.final = place.final;
  slot.all = place.all;
  slot.logical = place.logical;
  slot.physical = place.physical;
  return slot;
}

ExprPtr RowPatternCompiler::slot(Slot slot, const std::optional<Type>& type, Position pos,
                                 std::string written) {
  auto ref = std::make_unique<ColumnRef>();
  ref->pos = pos;
  ref->column = fmt::format("v{}", program_->slots.size());
  ref->inferred = type;
  ref->written = std::move(written);
  program_->slots.push_back(std::move(slot));
  return ref;
}

size_t RowPatternCompiler::input(ExprPtr e) {
  const auto [found, fresh] = inputs_.try_emplace(fingerprint(*e), pattern_.inputs.size());
  if (fresh) pattern_.inputs.push_back(std::move(e));
  return found->second;
}

/// A.price becomes price; all parts must be of the same labels.
void RowPatternCompiler::strip_labels(ExprPtr& e, Place& place, const std::string& function,
                                      Position pos, bool& refers) {
  const auto meet = [&](const Labels& labels) {
    if (place.labelled && place.labels != labels)
      fail(Code::kInvalidArguments, pos,
           fmt::format("All labels and classifiers inside the call to '{}' must match", function));
    place.labels = labels;
    place.labelled = true;
    refers = true;
  };
  if (auto* dereference = try_as<Dereference>(e.get())) {
    if (const auto* base = try_as<Identifier>(dereference->base.get())) {
      if (const auto labels = labels_named(base->name)) {
        auto name = std::make_unique<Identifier>();
        name->pos = e->pos;
        name->name = dereference->field;
        meet(*labels);
        e = std::move(name);
        return;
      }
    }
    return strip_labels(dereference->base, place, function, pos, refers);
  }
  if (e->kind == ExprKind::kIdentifier) return meet({});
  if (auto* call = try_as<FunctionCall>(e.get())) {
    const std::string name = lower(call->name.back().value);
    if (call->name.size() == 1 && is_navigation(name))
      fail(Code::kInvalidNavigationNesting, e->pos,
           fmt::format("Cannot nest {} pattern navigation function inside {} pattern navigation "
                       "function",
                       name, function));
    if (call->name.size() == 1 && (name == "classifier" || name == "match_number"))
      fail(Code::kNotSupported, e->pos,
           fmt::format("{} within an expression inside the call to '{}' is not supported", name,
                       function));
  }
  if (e->kind == ExprKind::kLambda) return;
  for_each_child(*e, [&](ExprPtr& child) { strip_labels(child, place, function, pos, refers); },
                 {});
}

void RowPatternCompiler::row_value(ExprPtr& e, Place place, const std::string& function,
                                   Position pos) {
  const Position at = e->pos;
  const std::string written = shown(*e);
  const bool plain = e->kind == ExprKind::kDereference || e->kind == ExprKind::kIdentifier;
  const bool unlabelled = plain && e->kind == ExprKind::kDereference;
  bool refers = false;
  strip_labels(e, place, function, pos, refers);
  if (!refers && !function.empty() && !place.all)
    fail(Code::kInvalidArguments, pos,
         fmt::format("Pattern navigation function '{}' must contain at least one column reference "
                     "or CLASSIFIER()",
                     [&] {
                       std::string upper = function;
                       for (char& c : upper) c = static_cast<char>(std::toupper(c));
                       return upper;
                     }()));
  if (unlabelled && e->kind == ExprKind::kDereference) {
    // Neither a label nor a row's field: say it as it was written.
    const auto* base = try_as<Identifier>(as<Dereference>(*e).base.get());
    const bool known =
        !base || std::any_of(scope_.fields.begin(), scope_.fields.end(), [&](const Field& field) {
          return field.name && lower(*field.name) == lower(base->name.value);
        });
    if (!known)
      fail(Code::kColumnNotFound, at,
           fmt::format("Column '{}' cannot be resolved", lower(written)));
  }
  resolver_.expr(e, scope_, env_);
  const auto type = infer_type(*e);
  Slot made = slot_of(place);
  made.column = input(std::move(e));
  e = slot(std::move(made), type, at, written);
}

bool RowPatternCompiler::final_mode(const FunctionCall& call, bool defines) const {
  if (call.processing_mode == "final" && defines)
    fail(Code::kInvalidProcessingMode, call.pos,
         "FINAL semantics is not supported in DEFINE clause");
  return call.processing_mode == "final";
}

uint64_t RowPatternCompiler::offset(const FunctionCall& call, const std::string& name,
                                    uint64_t otherwise) const {
  if (call.args.empty() || call.args.size() > 2)
    fail(Code::kInvalidFunctionArgument, call.pos,
         fmt::format("{} pattern recognition function requires 1 or 2 arguments", name));
  if (call.args.size() == 1) return otherwise;
  const Expr* value = call.args[1].get();
  if (const auto* unary = try_as<const Unary>(value); unary && unary->op == UnaryOp::kMinus) {
    if (const auto* number = try_as<const IntegerLiteral>(unary->value.get()))
      fail(Code::kNumericValueOutOfRange, call.pos,
           fmt::format("{} pattern recognition navigation function requires a non-negative number "
                       "as the second argument (actual: -{})",
                       name, number->value));
  }
  const auto* number = try_as<const IntegerLiteral>(value);
  if (!number)
    fail(Code::kInvalidFunctionArgument, call.pos,
         fmt::format("{} pattern recognition navigation function requires a number as the second "
                     "argument",
                     name));
  if (number->value > INT32_MAX)
    fail(Code::kNumericValueOutOfRange, call.pos,
         fmt::format("The second argument of {} pattern recognition navigation function must not "
                     "exceed 2147483647 (actual: {})",
                     name, number->value));
  return number->value;
}

void RowPatternCompiler::classifier(ExprPtr& e, Place place) {
  const auto& call = as<FunctionCall>(*e);
  if (call.args.size() > 1)
    fail(Code::kInvalidFunctionArgument, e->pos,
         "CLASSIFIER pattern recognition function takes no arguments or 1 argument");
  if (!call.args.empty()) {
    const auto* name = try_as<const Identifier>(call.args[0].get());
    const auto labels = name ? labels_named(name->name) : std::nullopt;
    if (!labels)
      fail(Code::kInvalidFunctionArgument, call.args[0]->pos,
           fmt::format("{} is not a primary pattern variable or subset name",
                       name ? pattern_label(name->name) : shown(*call.args[0])));
    place.labels = *labels;
  }
  Slot made = slot_of(place);
  made.kind = Slot::Kind::kClassifier;
  e = slot(std::move(made), Type::varchar(), e->pos, "classifier()");
}

/// PREV, NEXT, FIRST, LAST; the first two may hold one of the others.
void RowPatternCompiler::navigation(ExprPtr& e, bool defines) {
  auto holder = std::move(e);
  auto& call = as<FunctionCall>(*holder);
  std::string name = lower(call.name.back().value);
  Place place;
  FunctionCall* inner = &call;
  if (name == "prev" || name == "next") {
    const auto distance = static_cast<int64_t>(offset(call, name, 1));
    place.physical = name == "prev" ? -distance : distance;
    if (!call.processing_mode.empty())
      fail(Code::kInvalidProcessingMode, call.pos,
           fmt::format("{} semantics is not supported with {} pattern recognition function",
                       call.processing_mode == "final" ? "FINAL" : "RUNNING", name));
    auto* nested = try_as<FunctionCall>(call.args[0].get());
    const std::string other = nested ? lower(nested->name.back().value) : "";
    if (other == "first" || other == "last") {
      inner = nested;
      name = other;
    }
  }
  if (name == "first" || name == "last") {
    place.first = name == "first";
    place.logical = offset(*inner, name, 0);
    place.final = final_mode(*inner, defines);
  }
  ExprPtr value = std::move(inner->args[0]);
  const auto* nested = try_as<const FunctionCall>(value.get());
  if (nested && nested->name.size() == 1 && lower(nested->name[0].value) == "classifier") {
    classifier(value, place);
  } else {
    row_value(value, place, name, call.pos);
  }
  e = std::move(value);
}

void RowPatternCompiler::aggregate(FunctionCall& call, bool defines) {
  const std::string name = lower(call.name.back().value);
  const auto refuse = [&](const char* what) {
    fail(Code::kNotSupported, call.pos,
         fmt::format("Cannot use {} with {} aggregate function in pattern recognition context",
                     what, name));
  };
  if (call.distinct) refuse("DISTINCT");
  if (!call.order_by.empty()) refuse("ORDER BY");
  if (call.filter) refuse("FILTER");
  Place place;
  place.all = true;
  place.final = final_mode(call, defines);
  call.processing_mode.clear();
  const bool counts_rows =
      name == "count" && (call.args.empty() || call.args[0]->kind == ExprKind::kStar);
  if (counts_rows) {
    const auto* star = call.args.empty() ? nullptr : &as<Star>(*call.args[0]);
    if (star && star->qualifier) {
      const auto* label = try_as<const Identifier>(star->qualifier.get());
      const auto labels = label ? labels_named(label->name) : std::nullopt;
      if (!labels)
        fail(Code::kInvalidFunctionArgument, call.args[0]->pos,
             fmt::format("{} is not a primary pattern variable or subset name",
                         shown(*star->qualifier)));
      place.labels = *labels;
    }
    Slot made = slot_of(place);
    made.kind = Slot::Kind::kClassifier;  // every row of a match has one
    const Position pos = call.pos;
    call.args.clear();
    call.args.push_back(slot(std::move(made), Type::varchar(), pos, "*"));
    return;
  }
  for (auto& arg : call.args) {
    const auto* inner = try_as<const FunctionCall>(arg.get());
    const std::string word =
        inner && inner->name.size() == 1 ? lower(inner->name[0].value) : std::string();
    if (word == "classifier") {
      classifier(arg, place);
    } else if (word == "match_number") {
      slots(arg, defines);
    } else if (arg->kind != ExprKind::kLambda) {
      row_value(arg, place, name, call.pos);
    }
  }
}

void RowPatternCompiler::slots(ExprPtr& e, bool defines) {
  if (e->kind == ExprKind::kIdentifier) {
    if (!arguments_.contains(lower(as<Identifier>(*e).name.value))) row_value(e, {}, "", e->pos);
    return;
  }
  if (e->kind == ExprKind::kDereference) {
    const Expr* base = e.get();
    while (base->kind == ExprKind::kDereference) base = as<Dereference>(*base).base.get();
    const auto* name = try_as<const Identifier>(base);
    if (name && !arguments_.contains(lower(name->name.value))) return row_value(e, {}, "", e->pos);
    return slots(as<Dereference>(*e).base, defines);
  }
  if (auto* call = try_as<FunctionCall>(e.get())) {
    const std::string name = lower(call->name.back().value);
    if (call->over)
      fail(Code::kNestedWindow, e->pos,
           "Cannot nest window functions or row pattern measures inside pattern recognition "
           "expressions");
    if (call->name.size() == 1) {
      if (is_navigation(name)) return navigation(e, defines);
      if (name == "classifier") return classifier(e, {});
      if (name == "match_number") {
        Slot made;
        made.kind = Slot::Kind::kMatchNumber;
        e = slot(std::move(made), Type::of(TypeKind::kBigint), e->pos, "match_number()");
        return;
      }
    }
    if (is_aggregate(*e)) return aggregate(*call, defines);
    if (!call->processing_mode.empty())
      fail(Code::kInvalidProcessingMode, e->pos,
           fmt::format("{} semantics is supported only for FIRST(), LAST() and aggregation "
                       "functions. Actual: {}",
                       call->processing_mode == "final" ? "FINAL" : "RUNNING", name));
  }
  if (auto* lambda = try_as<Lambda>(e.get())) {
    const auto outer = arguments_;
    for (const auto& argument : lambda->args) arguments_.insert(lower(argument.value));
    slots(lambda->body, defines);
    arguments_ = outer;
    return;
  }
  for_each_child(*e, [&](ExprPtr& child) { slots(child, defines); }, {});
}

/// Types and calls, over the slots.
void RowPatternCompiler::finish(ExprPtr& e) {
  walk(*e, false, [&](const Expr& part) {
    if (part.kind == ExprKind::kExists || part.kind == ExprKind::kSubquery ||
        part.kind == ExprKind::kInSubquery || part.kind == ExprKind::kQuantified)
      fail(Code::kNotSupported, part.pos,
           "Subqueries in MATCH_RECOGNIZE are not supported: join them before");
    return true;
  });
  const Scope nothing;
  resolver_.expr(e, nothing, env_);
  walk(*e, false, [&](const Expr& part) {
    const auto* call = try_as<const FunctionCall>(&part);
    if (call && call->routine) program_->uses.push_back(call->routine);
    return true;
  });
}

void RowPatternCompiler::definitions() {
  std::set<std::string> defined;
  for (auto& definition : pattern_.definitions) {
    const std::string name = pattern_label(definition.label);
    const auto label = assembler_.find(name);
    if (!label)
      fail(Code::kInvalidLabel, definition.label.pos,
           fmt::format("defined variable: {} is not a primary pattern variable", name));
    if (!defined.insert(name).second)
      fail(Code::kInvalidLabel, definition.label.pos,
           fmt::format("pattern variable with name: {} is defined twice", name));
    const Position pos = definition.condition->pos;
    slots(definition.condition, true);
    finish(definition.condition);
    const auto type = infer_type(*definition.condition);
    if (type && type->kind != TypeKind::kBoolean && type->kind != TypeKind::kUnknown)
      fail(Code::kTypeMismatch, pos,
           fmt::format("Expression defining a label must be boolean (actual type: {})",
                       type->display()));
    program_->definitions[*label] = print_expression(definition.condition);
  }
}

void RowPatternCompiler::measures() {
  for (auto& measure : pattern_.measures) {
    slots(measure.value, false);
    finish(measure.value);
    program_->measures.push_back(print_expression(measure.value));
  }
}

void RowPatternCompiler::skip() {
  if (pattern_.skip != RowPattern::Skip::kToFirst && pattern_.skip != RowPattern::Skip::kToLast)
    return;
  const auto labels = labels_named(pattern_.skip_label);
  if (!labels)
    fail(Code::kInvalidLabel, pattern_.skip_label.pos,
         fmt::format("{} is not a primary or union pattern variable",
                     pattern_label(pattern_.skip_label)));
  program_->skip_labels = *labels;
}

void RowPatternCompiler::column(std::vector<Field>& out, std::set<std::string>& used,
                                const Expr& key, RowPattern::Output output) {
  Field field;
  if (const auto* ref = try_as<const ColumnRef>(&key)) {
    for (const auto& known : scope_.fields) {
      if (known.sources.size() != 1 || known.sources[0].first != ref->relation ||
          known.sources[0].second != ref->column)
        continue;
      field.name = known.name;
      field.type = known.type;
    }
  }
  field.inferred = infer_type(key);
  used.insert(fingerprint(key));
  pattern_.outputs.push_back(output);
  out.push_back(std::move(field));
}

std::vector<Field> RowPatternCompiler::outputs(Position pos) {
  using From = RowPattern::Output::From;
  std::vector<Field> out;
  std::set<std::string> used;
  const bool all_rows = pattern_.rows != RowPattern::Rows::kOne;
  for (size_t i = 0; i < pattern_.partition_by.size(); ++i)
    column(out, used, *pattern_.partition_by[i], {From::kPartition, i});
  const auto add_input = [&](ExprPtr e) {
    if (used.contains(fingerprint(*e))) return;
    const Expr& kept = *e;
    const std::string text = fingerprint(kept);
    const size_t number = input(std::move(e));
    (void)text;
    column(out, used, *pattern_.inputs[number], {From::kInput, number});
  };
  if (all_rows)
    for (const auto& item : pattern_.order_by)
      if (auto copy = clone(*item.key)) add_input(std::move(copy));
  for (size_t i = 0; i < pattern_.measures.size(); ++i) {
    Field field;
    field.name = pattern_.measures[i].name.value;
    field.inferred = infer_type(*pattern_.measures[i].value);
    pattern_.outputs.push_back({From::kMeasure, i});
    out.push_back(std::move(field));
  }
  if (all_rows)
    for (const auto& field : scope_.fields)
      add_input(Resolver::reference(field, pos, field.name.value_or("")));
  if (out.empty())
    fail(Code::kTableHasNoColumns, pos, "pattern recognition output table has no columns");
  return out;
}

std::vector<Field> RowPatternCompiler::run(Position pos) {
  for (auto& key : pattern_.partition_by) resolver_.expr(key, scope_, env_);
  for (auto& item : pattern_.order_by) resolver_.expr(item.key, scope_, env_);
  check_clauses();
  subsets();
  skip();
  measures();
  definitions();
  auto fields = outputs(pos);
  program_->inputs = pattern_.inputs.size();
  Published<Program>::add(program_);
  pattern_.program = program_;
  return fields;
}

Resolver::Fields Resolver::match_recognize(RelationPtr& slot, const Env& env, const Scope* outer,
                                           const Scope* lateral) {
  auto& node = as<MatchRecognize>(*slot);
  const Fields fields = relation(node.input, env, outer, lateral);
  Fields columns = RowPatternCompiler(*this, env, *node.pattern, fields).run(slot->pos);
  return wrap(slot, std::move(columns), "match");
}

}  // namespace meesh::sql
