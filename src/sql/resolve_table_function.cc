// TABLE(…) in FROM: sequence, exclude_columns and a source's own query.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/resolve_types.h"
#include "sql/resolver.h"

namespace meesh::sql {

namespace {

enum class Takes { kScalar, kTable, kDescriptor };

struct Formal {
  const char* name;  // upper case
  Takes takes;
  bool required = true;
};

std::string upper(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// `descriptor()` is read as a call.
bool is_descriptor_call(const Expr* e) {
  const auto* call = try_as<const FunctionCall>(e);
  return call && call->name.size() == 1 && lower(call->name[0].value) == "descriptor";
}

void check_kind(const Formal& formal, const TableFunction::Arg& arg) {
  if (is_descriptor_call(arg.value.get()))
    fail(Code::kInvalidFunctionArgument, arg.pos,
         fmt::format("Invalid descriptor argument {}. Descriptors should be formatted as "
                     "'DESCRIPTOR(name [type], ...)'",
                     formal.name));
  const Takes given = arg.table ? Takes::kTable : arg.value ? Takes::kScalar : Takes::kDescriptor;
  if (given == formal.takes) return;
  const auto word = [](Takes takes) {
    return takes == Takes::kScalar ? "expression" : takes == Takes::kTable ? "table" : "descriptor";
  };
  fail(Code::kInvalidFunctionArgument, arg.pos,
       fmt::format("Invalid argument {}. Expected {}, got {}", formal.name, word(formal.takes),
                   word(given)));
}

/// The arguments in the order of the formals; null where one is left out.
std::vector<TableFunction::Arg*> matched(TableFunction& function,
                                         const std::vector<Formal>& formals) {
  auto& args = function.args;
  const Position pos = args.empty() ? function.name.front().pos : args.front().pos;
  std::vector<TableFunction::Arg*> out(formals.size());
  if (args.size() > formals.size())
    fail(Code::kInvalidArguments, pos,
         fmt::format("Too many arguments. Expected at most {} arguments, got {} arguments",
                     formals.size(), args.size()));
  const auto named = static_cast<size_t>(std::count_if(
      args.begin(), args.end(), [](const auto& arg) { return arg.name.has_value(); }));
  if (named != 0 && named != args.size())
    fail(Code::kInvalidArguments, pos,
         "All arguments must be passed by name or all must be passed positionally");
  for (size_t i = 0; i < args.size(); ++i) {
    size_t place = i;
    if (args[i].name) {
      const std::string name = upper(args[i].name->value);
      place = 0;
      while (place < formals.size() && name != formals[place].name) ++place;
      if (place == formals.size())
        fail(Code::kInvalidFunctionArgument, args[i].pos, "Unexpected argument name: " + name);
      if (out[place])
        fail(Code::kInvalidFunctionArgument, args[i].pos, "Duplicate argument name: " + name);
    }
    check_kind(formals[place], args[i]);
    out[place] = &args[i];
  }
  for (size_t i = 0; i < formals.size(); ++i)
    if (!out[i] && formals[i].required)
      fail(Code::kMissingArgument, pos, fmt::format("Missing argument: {}", formals[i].name));
  return out;
}

Field column(const std::string& name, const Type& type) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

ExprPtr integer(uint64_t value, Position pos) {
  auto literal = std::make_unique<IntegerLiteral>();
  literal->pos = pos;
  literal->value = value;
  return literal;
}

}  // namespace

Resolver::Fields Resolver::table_function(RelationPtr& slot, const Env& env) {
  auto& function = as<TableFunction>(*slot);
  const std::string name = display_name(function.name);
  if (name == "sequence" || name == "system.builtin.sequence") {
    Fields columns = sequence(function, env);
    return wrap(slot, std::move(columns), "sequence");
  }
  if (name == "exclude_columns" || name == "system.builtin.exclude_columns")
    return exclude_columns(slot, env);
  if (function.name.size() == 3 && lower(function.name[1].value) == "system" &&
      lower(function.name[2].value) == "query")
    return pass_through(slot, lower(function.name[0].value));
  fail(Code::kFunctionNotFound, function.name.front().pos,
       fmt::format("Table function '{}' not registered", name));
}

/// Afterwards its arguments are start, stop and step, each a bigint.
Resolver::Fields Resolver::sequence(TableFunction& function, const Env& env) {
  const auto args = matched(function, {{"START", Takes::kScalar, false},
                                       {"STOP", Takes::kScalar},
                                       {"STEP", Takes::kScalar, false}});
  std::vector<TableFunction::Arg> ordered(3);
  for (size_t i = 0; i < 3; ++i) {
    if (!args[i]) {
      ordered[i].value = integer(i == 0 ? 0 : 1, function.pos);
    } else {
      const Scope nothing;
      expr(args[i]->value, nothing, env);
      const auto type = infer_type(*args[i]->value);
      if (type && type->kind != TypeKind::kUnknown && !is_integral(*type))
        fail(Code::kTypeMismatch, args[i]->pos,
             fmt::format("Cannot cast type {} to bigint", type->display()));
      ordered[i].value = std::move(args[i]->value);
    }
    auto cast = std::make_unique<Cast>();
    cast->pos = ordered[i].value->pos;
    cast->value = std::move(ordered[i].value);
    cast->type = parse_type("bigint");
    ordered[i].value = std::move(cast);
  }
  function.args = std::move(ordered);
  return {column("sequential_number", Type::of(TypeKind::kBigint))};
}

Resolver::Fields Resolver::exclude_columns(RelationPtr& slot, const Env& env) {
  auto& function = as<TableFunction>(*slot);
  const auto args = matched(function, {{"INPUT", Takes::kTable}, {"COLUMNS", Takes::kDescriptor}});
  if (args[0]->table_clauses.starts_with("PARTITION"))
    fail(Code::kInvalidFunctionArgument, args[0]->pos,
         "Invalid argument INPUT. Partitioning specified for table argument with row semantics");
  const auto& excluded = *args[1]->descriptor;
  if (excluded.empty()) throw Error(Code::kInvalidFunctionArgument, "COLUMNS descriptor is null");
  for (const auto& type : args[1]->descriptor_types)
    if (type) throw Error(Code::kInvalidFunctionArgument, "COLUMNS descriptor contains types");
  Fields fields = relation(args[0]->table, env, nullptr, nullptr);
  const auto is_named = [](const Field& field, const std::string& name) {
    return !field.hidden && field.name && lower(*field.name) == name;
  };
  std::vector<std::string> missing;
  for (const auto& ident : excluded) {
    const std::string name = lower(ident.value);
    const bool found = std::any_of(fields.begin(), fields.end(),
                                   [&](const Field& field) { return is_named(field, name); });
    if (!found) missing.push_back(name);
  }
  if (!missing.empty())
    throw Error(
        Code::kInvalidFunctionArgument,
        fmt::format("Excluded columns: [{}] not present in the table", fmt::join(missing, ", ")));
  auto select = std::make_unique<Select>();
  select->pos = slot->pos;
  Fields kept;
  for (const auto& field : fields) {
    const bool out = std::any_of(excluded.begin(), excluded.end(), [&](const Ident& ident) {
      return is_named(field, lower(ident.value));
    });
    if (out || field.hidden) continue;
    const std::string name = field.name ? *field.name : fmt::format("_col{}", kept.size());
    select->items.push_back(
        {reference(field, slot->pos, name), Ident{name, true, slot->pos}, slot->pos});
    kept.push_back(field);
  }
  if (kept.empty()) throw Error(Code::kInvalidFunctionArgument, "All columns are excluded");
  select->from = std::move(args[0]->table);
  auto query = std::make_unique<Query>();
  query->pos = slot->pos;
  query->body = std::move(select);
  auto subquery = std::make_unique<SubqueryRelation>();
  subquery->pos = slot->pos;
  subquery->query = std::move(query);
  slot = std::move(subquery);
  return wrap(slot, std::move(kept), "exclude_columns");
}

/// What the source answers to its own dialect: a table of its columns.
Resolver::Fields Resolver::pass_through(RelationPtr& slot, const std::string& catalog) {
  auto& function = as<TableFunction>(*slot);
  const auto missing = [&] {
    fail(Code::kFunctionNotFound, function.name.front().pos,
         fmt::format("Table function '{}' not registered", display_name(function.name)));
  };
  if (!context_.catalogs || !context_.catalogs->catalog_exists(catalog)) missing();
  const auto args = matched(function, {{"QUERY", Takes::kScalar}});
  const Scope nothing;
  expr(args[0]->value, nothing, top());
  const auto* text = try_as<StringLiteral>(args[0]->value.get());
  if (!text)
    fail(Code::kNotSupported, args[0]->pos, "The query of a source must be a literal of text");
  auto info = context_.catalogs->pass_through(catalog, text->value);
  if (!info) missing();
  note_read(*info);
  auto ref = std::make_unique<TableRef>();
  ref->pos = slot->pos;
  ref->alias = unique("query");
  Fields fields;
  for (const auto& described : info->columns) {
    fields.push_back(column(described.name, described.type));
    fields.back().sources = {{ref->alias, described.name}};
  }
  ref->resolved = std::move(*info);
  slot = std::move(ref);
  return fields;
}

}  // namespace meesh::sql
