// Functions written in SQL: names, types and calls; bodies become programs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/published.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"
#include "sql/routine.h"
#include "sql/signatures.h"

namespace meesh::sql {

namespace {

using Step = RoutineProgram::Step;
using Kind = RoutineStatement::Kind;

/// Whether a value of one type can stand where the other is asked for.
bool coercible(const Type& from, const Type& to) {
  if (from == to || from.kind == TypeKind::kUnknown) return true;
  if (from.kind == to.kind && from.kind == TypeKind::kRow) {  // whatever its fields are called
    bool all = from.children.size() == to.children.size();
    for (size_t i = 0; all && i < to.children.size(); ++i)
      all = coercible(from.children[i], to.children[i]);
    return all;
  }
  const auto common = common_type(from, to);
  return common && *common == to;
}

Type routine_type(const TypeNode& node, Position pos) {
  try {
    return to_type(node);
  } catch (const Error& error) {
    if (error.code() != Code::kTypeNotFound) throw;
    fail(Code::kTypeMismatch, pos, error.message());
  }
}

/// "f(integer):integer".
std::string shown(const RoutineProgram& program) {
  return program.signature() + ":" + program.returns.display();
}

bool is_query(const Expr& e) {
  return e.kind == ExprKind::kExists || e.kind == ExprKind::kSubquery ||
         e.kind == ExprKind::kInSubquery || e.kind == ExprKind::kQuantified;
}

bool is_deterministic(const FunctionCall& call) {
  if (call.routine) return call.routine->deterministic;
  for (const auto& signature : signatures_of(lower(call.name.back().value)))
    if (!signature.deterministic) return false;
  return true;
}

}  // namespace

/// Resolves one body.
class RoutineCompiler {
 public:
  RoutineCompiler(Resolver& resolver, const Resolver::Env& env, RoutineProgram& program)
      : resolver_(resolver), env_(env), program_(program) {}

  void run(Routine& routine);

 private:
  struct Label {
    std::string name;  // "" = none
    size_t loop;
  };

  void statement(RoutineStatement& s, std::vector<Step>& out);
  void statements(RoutineStatements& all, std::vector<Step>& out);
  void compound(RoutineStatement& s, std::vector<Step>& out);
  void branches(RoutineStatement& s, std::vector<Step>& out);
  void case_with_operand(RoutineStatement& s, std::vector<Step>& out);
  void loop(RoutineStatement& s, std::vector<Step>& out);
  void jump(RoutineStatement& s, std::vector<Step>& out);
  void bodies_of(RoutineStatement& s, Step& step);

  int condition(ExprPtr& e, const char* what);
  int value(ExprPtr& e, const Type& wanted, const std::string& what);
  void resolve(ExprPtr& e);
  int keep(ExprPtr& e);
  size_t declare(const Ident& name, const Type& type);
  ExprPtr reference(size_t variable, Position pos) const;

  Resolver& resolver_;
  const Resolver::Env& env_;
  RoutineProgram& program_;
  Scope scope_;
  std::vector<Label> labels_;
  size_t loops_ = 0;
  bool deterministic_ = true;
};

void RoutineCompiler::run(Routine& routine) {
  for (size_t i = 0; i < routine.parameters.size(); ++i) {
    const Type type = program_.variables[i];
    program_.variables.resize(i);
    declare(*routine.parameters[i].name, type);
  }
  statement(*routine.body, program_.steps);
  if (deterministic_ == program_.deterministic) return;
  fail(Code::kInvalidArguments, routine.pos,
       deterministic_ ? "Deterministic function declared NOT DETERMINISTIC"
                      : "Non-deterministic function declared DETERMINISTIC");
}

size_t RoutineCompiler::declare(const Ident& name, const Type& type) {
  const std::string lowered = lower(name.value);
  for (const auto& field : scope_.fields)
    if (field.name && lower(*field.name) == lowered)
      fail(Code::kAlreadyExists, name.pos,
           fmt::format("Variable already declared in this scope: {}", name.value));
  const size_t number = program_.variables.size();
  program_.variables.push_back(type);
  Field field;
  field.name = name.value;
  field.sources = {{"", fmt::format("v{}", number)}};
  field.type = type;
  resolver_.aliases_.insert(field.sources[0].second);  // no argument of a lambda is called so
  scope_.fields.push_back(std::move(field));
  return number;
}

ExprPtr RoutineCompiler::reference(size_t variable, Position pos) const {
  auto ref = std::make_unique<ColumnRef>();
  ref->pos = pos;
  ref->column = fmt::format("v{}", variable);
  ref->type = program_.variables[variable];
  return ref;
}

void RoutineCompiler::resolve(ExprPtr& e) {
  walk(*e, false, [&](const Expr& part) {
    if (is_query(part)) fail(Code::kNotSupported, part.pos, "Queries are not allowed in functions");
    return true;
  });
  resolver_.expr(e, scope_, env_);
  walk(*e, false, [&](const Expr& part) {
    if (const auto* call = try_as<const FunctionCall>(&part)) {
      deterministic_ = deterministic_ && is_deterministic(*call);
      if (call->routine) program_.uses.push_back(call->routine);
    }
    return true;
  });
}

int RoutineCompiler::keep(ExprPtr& e) {
  program_.expressions.push_back(print_expression(e));
  return static_cast<int>(program_.expressions.size()) - 1;
}

int RoutineCompiler::value(ExprPtr& e, const Type& wanted, const std::string& what) {
  resolve(e);
  const auto type = infer_type(*e);
  if (type && !coercible(*type, wanted))
    fail(Code::kTypeMismatch, e->pos,
         fmt::format("{} must evaluate to {} (actual: {})", what, wanted.display(),
                     type->display()));
  refuse_aggregates(*e, "A function");
  return keep(e);
}

int RoutineCompiler::condition(ExprPtr& e, const char* what) {
  return value(e, Type::of(TypeKind::kBoolean), fmt::format("Condition of {}", what));
}

void RoutineCompiler::statements(RoutineStatements& all, std::vector<Step>& out) {
  for (auto& s : all) statement(*s, out);
}

void RoutineCompiler::statement(RoutineStatement& s, std::vector<Step>& out) {
  switch (s.kind) {
    case Kind::kReturn: {
      Step step{Step::Kind::kReturn};
      step.expression = value(s.value, program_.returns, "Value of RETURN");
      out.push_back(std::move(step));
      return;
    }
    case Kind::kSet: {
      const std::string name = lower(s.name.value);
      const auto found =
          std::find_if(scope_.fields.begin(), scope_.fields.end(),
                       [&](const Field& field) { return lower(*field.name) == name; });
      if (found == scope_.fields.end())
        fail(Code::kNotFound, s.name.pos,
             fmt::format("Variable cannot be resolved: {}", s.name.value));
      Step step{Step::Kind::kAssign};
      step.variable = std::stoul(found->sources[0].second.substr(1));
      step.expression = value(s.value, program_.variables[step.variable],
                              fmt::format("Value of SET '{}'", s.name.value));
      out.push_back(std::move(step));
      return;
    }
    case Kind::kIf:
      return branches(s, out);
    case Kind::kCase:
      return s.value ? case_with_operand(s, out) : branches(s, out);
    case Kind::kIterate:
    case Kind::kLeave:
      return jump(s, out);
    case Kind::kCompound:
      return compound(s, out);
    case Kind::kLoop:
    case Kind::kWhile:
    case Kind::kRepeat:
      return loop(s, out);
  }
}

void RoutineCompiler::compound(RoutineStatement& s, std::vector<Step>& out) {
  const size_t outer = scope_.fields.size();
  for (auto& declaration : s.declarations) {
    const Type type = routine_type(*declaration.type, declaration.pos);
    int initial = -1;
    if (declaration.initial) {
      initial = value(declaration.initial, type, "Value of DEFAULT");
    } else {
      ExprPtr null = std::make_unique<NullLiteral>();
      initial = keep(null);
    }
    for (const auto& name : declaration.names) {
      Step step{Step::Kind::kAssign};
      step.variable = declare(name, type);
      step.expression = initial;
      out.push_back(std::move(step));
    }
  }
  statements(s.body, out);
  scope_.fields.resize(outer);
}

void RoutineCompiler::bodies_of(RoutineStatement& s, Step& step) {
  for (auto& branch : s.branches) statements(branch.body, step.bodies.emplace_back());
  if (s.has_else) statements(s.body, step.bodies.emplace_back());
}

void RoutineCompiler::branches(RoutineStatement& s, std::vector<Step>& out) {
  Step step{Step::Kind::kBranch};
  for (auto& branch : s.branches) {
    const bool first = step.conditions.empty();
    step.conditions.push_back(condition(
        branch.condition,
        s.kind == Kind::kCase ? "WHEN clause" : (first ? "IF statement" : "ELSEIF clause")));
  }
  bodies_of(s, step);
  out.push_back(std::move(step));
}

/// The operand is computed once, into a variable without a name.
void RoutineCompiler::case_with_operand(RoutineStatement& s, std::vector<Step>& out) {
  resolve(s.value);
  const auto type = infer_type(*s.value);
  if (!type)
    throw Error(Code::kNotSupported, "The type of the value of CASE cannot be told",
                {s.value->pos.line, s.value->pos.column, {}})
        .with_hint("write CAST(... AS type) around it");
  Step assign{Step::Kind::kAssign};
  assign.variable = program_.variables.size();
  program_.variables.push_back(*type);
  assign.expression = keep(s.value);
  out.push_back(std::move(assign));
  const size_t operand = program_.variables.size() - 1;
  Step step{Step::Kind::kBranch};
  for (auto& branch : s.branches) {
    resolve(branch.condition);
    const auto actual = infer_type(*branch.condition);
    if (actual && !coercible(*actual, *type))
      fail(Code::kTypeMismatch, branch.condition->pos,
           fmt::format("WHEN clause value must evaluate to CASE value type {} (actual: {})",
                       type->display(), actual->display()));
    auto equal = std::make_unique<Comparison>();
    equal->pos = branch.condition->pos;
    equal->left = reference(operand, s.value->pos);
    equal->right = std::move(branch.condition);
    branch.condition = std::move(equal);
    step.conditions.push_back(keep(branch.condition));
  }
  bodies_of(s, step);
  out.push_back(std::move(step));
}

void RoutineCompiler::loop(RoutineStatement& s, std::vector<Step>& out) {
  const std::string label = s.label ? lower(s.label->value) : "";
  for (const auto& known : labels_)
    if (!label.empty() && known.name == label)
      fail(Code::kAlreadyExists, s.label->pos,
           fmt::format("Label already declared in this scope: {}", s.label->value));
  Step step{Step::Kind::kLoop};
  step.loop = loops_++;
  if (s.kind == Kind::kWhile) step.expression = condition(s.value, "WHILE statement");
  labels_.push_back({label, step.loop});
  statements(s.body, step.bodies.emplace_back());
  labels_.pop_back();
  if (s.kind == Kind::kRepeat) step.until = condition(s.value, "REPEAT statement");
  out.push_back(std::move(step));
}

void RoutineCompiler::jump(RoutineStatement& s, std::vector<Step>& out) {
  const auto found = std::find_if(labels_.begin(), labels_.end(), [&](const Label& label) {
    return label.name == lower(s.name.value);
  });
  if (found == labels_.end())
    fail(Code::kNotFound, s.name.pos, fmt::format("Label not defined: {}", s.name.value));
  Step step{s.kind == Kind::kLeave ? Step::Kind::kLeave : Step::Kind::kIterate};
  step.loop = found->loop;
  out.push_back(std::move(step));
}

// ---------------------------------------------------------------- functions and calls

std::shared_ptr<Resolver::Callable> Resolver::declare(std::shared_ptr<Routine> routine,
                                                      const std::string& name) {
  if (routine->repeated)
    fail(Code::kSyntaxError, routine->repeated->first,
         fmt::format("Multiple {} clauses specified", routine->repeated->second));
  auto callable = std::make_shared<Callable>();
  auto program = std::make_shared<RoutineProgram>();
  program->name = name;
  program->pos = routine->pos;
  program->comment = routine->comment.value_or("");
  program->parameters = routine->parameters.size();
  program->deterministic = routine->deterministic.value_or(true);
  program->called_on_null = routine->called_on_null.value_or(true);
  std::set<std::string> names;
  for (const auto& parameter : routine->parameters) {
    if (!parameter.name)
      fail(Code::kInvalidArguments, parameter.pos, "Function parameters must have a name");
    if (!names.insert(lower(parameter.name->value)).second)
      fail(Code::kInvalidArguments, parameter.pos,
           fmt::format("Duplicate function parameter name: {}", parameter.name->value));
    program->variables.push_back(routine_type(*parameter.type, parameter.pos));
  }
  program->returns = routine_type(*routine->returns, routine->returns_pos);
  if (routine->language && lower(routine->language->value) != "sql") {
    const Position pos = routine->body ? routine->body->pos : routine->pos;
    if (routine->body)
      fail(Code::kSyntaxError, pos, "Only functions using language 'SQL' may be defined using SQL");
    fail(Code::kNotSupported, pos,
         fmt::format("Unsupported function language: {}", routine->language->value));
  }
  if (!routine->body)
    fail(Code::kSyntaxError, routine->pos,
         "Functions using language 'SQL' must be defined using SQL");
  if (!routine->properties.empty())
    fail(Code::kNotSupported, routine->properties.front().name.pos,
         "Function properties are not supported for language SQL");
  const auto kind = routine->body->kind;
  if (kind != Kind::kReturn && kind != Kind::kCompound)
    fail(Code::kSyntaxError, routine->body->pos, "Function body must start with RETURN or BEGIN");
  if (kind == Kind::kCompound &&
      (routine->body->body.empty() || routine->body->body.back()->kind != Kind::kReturn))
    fail(Code::kMissingReturn, routine->body->pos, "Function must end in a RETURN statement");
  callable->routine = std::move(routine);
  callable->program = std::move(program);
  return callable;
}

void Resolver::compile(Callable& callable, const Env& env) {
  if (callable.state == Callable::State::kReady) return;
  auto& program = *callable.program;
  if (callable.state == Callable::State::kCompiling)
    fail(Code::kNotSupported, program.pos,
         "Recursive language functions are not supported: " + shown(program));
  callable.state = Callable::State::kCompiling;
  RoutineCompiler(*this, env, program).run(*callable.routine);
  Published<RoutineProgram>::add(callable.program);
  callable.state = Callable::State::kReady;
}

void Resolver::inline_functions(Query& query) {
  if (query.functions.empty())
    fail(Code::kNotSupported, query.pos, "WITH SESSION is not supported: use SET SESSION");
  for (auto& routine : query.functions) {
    if (routine->name.size() > 1) {
      std::string written;
      for (const auto& part : routine->name) written += (written.empty() ? "" : ".") + part.value;
      fail(Code::kSyntaxError, routine->pos,
           "Inline function names cannot be qualified: " + written);
    }
    if (!routine->security.empty())
      fail(Code::kNotSupported, routine->security_pos,
           "Security mode not supported for inline functions");
    const std::string name = lower(routine->name.back().value);
    auto callable = declare(routine, name);
    inline_[name].push_back(callable);
    compile(*callable, top());
  }
}

const Resolver::Callables& Resolver::stored_routines(const std::string& catalog,
                                                     const std::string& schema,
                                                     const std::string& name) {
  const std::string full = catalog + "." + schema + "." + name;
  const auto [found, fresh] = stored_.try_emplace(full);
  if (!fresh || !context_.catalogs) return found->second;
  for (const auto& text : context_.catalogs->routines(catalog, schema)) {
    auto routine = parse_routine(text);
    if (lower(routine->name.back().value) != name) continue;
    found->second.push_back(declare(std::move(routine), full));
  }
  return found->second;
}

const Resolver::Callables& Resolver::routines_named(const Name& name, const Env& env) {
  static const Callables kNone;
  const std::string last = lower(name.back().value);
  if (name.size() == 1) {
    if (const auto found = inline_.find(last); found != inline_.end()) return found->second;
    if (find_function(last)) return kNone;
    std::string_view path = context_.path;
    while (!path.empty()) {
      const size_t end = std::min(path.find(','), path.size());
      std::string element = lower(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
      std::erase_if(element, [](char c) { return c == ' ' || c == '"'; });
      const size_t dot = element.find('.');
      const auto& found =
          dot == std::string::npos
              ? stored_routines(lower(env.catalog), element, last)
              : stored_routines(element.substr(0, dot), element.substr(dot + 1), last);
      if (!found.empty()) return found;
    }
    return kNone;
  }
  const std::string schema = lower(name[name.size() - 2].value);
  const std::string catalog = name.size() > 2 ? lower(name[0].value) : lower(env.catalog);
  return stored_routines(catalog, schema, last);
}

namespace {

using Types = std::vector<std::optional<Type>>;

bool fits(const RoutineProgram& program, const Types& types, bool exactly) {
  if (types.size() != program.parameters) return false;
  for (size_t i = 0; i < types.size(); ++i) {
    if (!types[i]) continue;
    const Type& to = program.variables[i];
    if (exactly ? *types[i] != to : !coercible(*types[i], to)) return false;
  }
  return true;
}

/// Whether each of a's parameters can stand for b's.
bool narrower(const RoutineProgram& a, const RoutineProgram& b) {
  for (size_t i = 0; i < a.parameters; ++i)
    if (!coercible(a.variables[i], b.variables[i])) return false;
  return true;
}

}  // namespace

namespace {

template <class Callables>
auto chosen(const Callables& all, const FunctionCall& call, const Types& types) ->
    typename Callables::value_type {
  Callables fitting;
  for (const bool exactly : {true, false}) {
    for (const auto& callable : all)
      if (fits(*callable->program, types, exactly)) fitting.push_back(callable);
    if (!fitting.empty()) break;
  }
  if (fitting.empty()) {
    std::vector<std::string> given, expected;
    for (const auto& type : types) given.push_back(type ? type->display() : "unknown");
    for (const auto& callable : all) expected.push_back(callable->program->signature());
    fail(Code::kFunctionNotFound, call.pos,
         fmt::format("Unexpected parameters ({}) for function {}. Expected: {}",
                     fmt::join(given, ", "), display_name(call.name), fmt::join(expected, ", ")));
  }
  std::vector<size_t> best;
  for (size_t i = 0; i < fitting.size(); ++i) {
    bool least = true;
    for (const auto& other : fitting)
      least = least && narrower(*fitting[i]->program, *other->program);
    if (least) best.push_back(i);
  }
  if (best.size() == 1) return fitting[best[0]];
  std::string candidates;
  for (const auto& callable : fitting) {
    const std::string text = shown(*callable->program);
    candidates += "\t * " + text.substr(callable->program->name.size()) + "\n";
  }
  fail(Code::kAmbiguousFunctionCall, call.pos,
       "Could not choose a best candidate operator. Explicit type casts must be added.\n"
       "Candidates are:\n" +
           candidates);
}

}  // namespace

bool Resolver::routine_call(FunctionCall& call, const Scope& scope, const Env& env) {
  if (call.routine) return true;  // a copy of one that is resolved
  const bool built_in = call.name.size() == 3 && lower(call.name[0].value) == "system" &&
                        lower(call.name[1].value) == "builtin";
  if (built_in || (call.name.size() == 1 && inline_.empty() && context_.path.empty())) return false;
  const Callables& all = routines_named(call.name, env);
  if (all.empty()) {
    if (call.name.size() == 1) return false;
    fail(Code::kFunctionNotFound, call.pos,
         fmt::format("Function '{}' not registered", display_name(call.name)));
  }
  const std::string name = lower(call.name.back().value);
  if (call.over)
    fail(Code::kFunctionNotWindow, call.pos, fmt::format("Not a window function: {}", name));
  if (call.filter)
    fail(Code::kFunctionNotAggregate, call.pos, "Filter is only valid for aggregation functions");
  if (!call.order_by.empty())
    fail(Code::kFunctionNotAggregate, call.pos, "ORDER BY is only valid for aggregation functions");
  if (call.distinct)
    fail(Code::kFunctionNotAggregate, call.pos,
         "DISTINCT is not supported for non-aggregation functions");
  Types types;
  for (auto& arg : call.args) {
    expr(arg, scope, env);
    types.push_back(infer_type(*arg));
  }
  const auto callable = chosen(all, call, types);
  // The body of a stored function is resolved as if in its own schema.
  compile(*callable, top());
  call.routine = callable->program;
  return true;
}

void Resolver::create_function(CreateFunction& create) {
  auto& routine = create.routine;
  if (routine->name.size() != 3)
    fail(Code::kNotSupported, create.pos,
         "Catalog and schema must be specified when function schema is not configured");
  const auto callable = declare(routine, display_name(routine->name));
  stored_[callable->program->name].push_back(callable);
  compile(*callable, top());
  routine->program = callable->program;
}

}  // namespace meesh::sql
