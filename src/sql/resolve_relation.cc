// FROM: tables, views, joins, subqueries, UNNEST.
#include <fmt/format.h>

#include <algorithm>

#include "sql/resolve_text.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {

namespace {

constexpr size_t kMaxViewDepth = 64;

bool is_json_table(const Relation& relation) {
  if (relation.kind == RelationKind::kAliased)
    return is_json_table(*as<AliasedRelation>(relation).relation);
  return relation.kind == RelationKind::kJsonTable;
}

/// An outer join with JSON_TABLE keeps all rows or is none.
void check_json_join(const Join& join) {
  const char* word = join.type == JoinType::kLeft    ? "LEFT"
                     : join.type == JoinType::kRight ? "RIGHT"
                     : join.type == JoinType::kFull  ? "FULL"
                                                     : nullptr;
  const auto* literal = try_as<const BooleanLiteral>(join.on.get());
  if (!word || (literal && literal->value)) return;
  fail(Code::kNotSupported, join.on->pos,
       fmt::format("{} JOIN involving JSON_TABLE is only supported with condition ON TRUE", word));
}

/// DuckDB text of a query that gives a resolved expression without columns.
std::string query_of(ExprPtr& value) {
  auto select = std::make_unique<Select>();
  select->items.push_back({std::move(value), Ident{"x", true, {}}, {}});
  auto& item = select->items.front();
  QueryStatement statement;
  statement.query = std::make_unique<Query>();
  statement.query->body = std::move(select);
  std::string text = print_duckdb(statement).text;
  value = std::move(item.value);
  return text;
}

}  // namespace

// ---------------------------------------------------------------- names of tables

TableName Resolver::full_name(const Name& name, const Env& env, Position pos) {
  if (name.size() > 3)
    throw Error(Code::kSyntaxError,
                fmt::format("Too many dots in table name: {}", display_name(name)));
  TableName full;
  full.table = lower(name.back().value);
  full.schema = name.size() > 1 ? lower(name[name.size() - 2].value) : lower(env.schema);
  full.catalog = name.size() > 2 ? lower(name[0].value) : lower(env.catalog);
  if (full.schema.empty())
    fail(Code::kMissingSchemaName, pos, "Schema must be specified when session schema is not set");
  if (full.catalog.empty())
    fail(Code::kMissingCatalogName, pos,
         "Catalog must be specified when session catalog is not set");
  return full;
}

std::optional<TableInfo> CatalogReader::table_as_of(const TableName&, const TableVersion&) {
  throw Error(Code::kNotSupported, "This connector does not support versioned tables");
}

TableInfo Resolver::table_info(const Name& name, const Env& env, Position pos,
                               const TableVersion* version) {
  const TableName full = full_name(name, env, pos);
  if (version) {
    try {
      if (auto info = context_.catalogs->table_as_of(full, *version)) return std::move(*info);
    } catch (const Error& error) {
      if (error.location().known() || error.kind() != ErrorKind::kUser) throw;
      fail(error.code(), pos, error.message());
    }
  } else if (auto info = context_.catalogs->table(full)) {
    return std::move(*info);
  }
  if (!context_.catalogs->catalog_exists(full.catalog))
    fail(Code::kCatalogNotFound, pos, fmt::format("Catalog '{}' not found", full.catalog));
  if (!context_.catalogs->schema_exists(full.catalog, full.schema))
    fail(Code::kSchemaNotFound, pos, fmt::format("Schema '{}' does not exist", full.schema));
  fail(Code::kTableNotFound, pos, fmt::format("Table '{}' does not exist", full.display()));
}

void Resolver::note_read(const TableInfo& info) {
  for (const auto& known : analysis_.reads)
    if (known.name == info.name) return;
  analysis_.reads.push_back(info);
}

// ---------------------------------------------------------------- relations

Resolver::Fields Resolver::wrap(RelationPtr& slot, Fields columns, const std::string& base) {
  auto alias = std::make_unique<AliasedRelation>();
  alias->pos = slot->pos;
  alias->alias = {unique(base), true, slot->pos};
  std::set<std::string> used;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = columns[i].name ? *columns[i].name : fmt::format("_col{}", i);
    std::string printed = name;
    for (int n = 2; !used.insert(lower(printed)).second; ++n)
      printed = fmt::format("{}_{}", name, n);
    alias->columns.push_back({printed, true, slot->pos});
    columns[i].sources = {{alias->alias.value, std::move(printed)}};
    columns[i].qualifier.clear();
    columns[i].hidden = false;
    columns[i].output = -1;
  }
  alias->relation = std::move(slot);
  slot = std::move(alias);
  return columns;
}

Resolver::Fields Resolver::relation(RelationPtr& slot, const Env& env, const Scope* outer,
                                    const Scope* lateral) {
  switch (slot->kind) {
    case RelationKind::kTable:
      return table(slot, env);
    case RelationKind::kAliased:
      return aliased(slot, env, outer, lateral);
    case RelationKind::kJoin:
      return join(as<Join>(*slot), env, outer);
    case RelationKind::kSubquery: {
      Fields columns = query(*as<SubqueryRelation>(*slot).query, env, outer);
      return wrap(slot, std::move(columns), "subquery");
    }
    case RelationKind::kLateral: {
      Fields columns = query(*as<Lateral>(*slot).query, env, lateral);
      return wrap(slot, std::move(columns), "lateral");
    }
    case RelationKind::kUnnest: {
      Fields columns = unnest(as<Unnest>(*slot), env, lateral);
      return wrap(slot, std::move(columns), "unnest");
    }
    case RelationKind::kSampled: {
      auto& sampled = as<Sampled>(*slot);
      sample_size(sampled.percentage, env);
      return relation(sampled.relation, env, outer, lateral);
    }
    case RelationKind::kTableFunction:
      return table_function(slot, env);
    case RelationKind::kMatchRecognize:
      return match_recognize(slot, env, outer, lateral);
    case RelationKind::kJsonTable:
      return json_table(slot, env, outer, lateral);
  }
  internal_error("unknown relation kind");
}

Resolver::Fields Resolver::table(RelationPtr& slot, const Env& env) {
  auto& ref = as<TableRef>(*slot);
  if (ref.name.size() == 1) {
    const std::string name = lower(ref.name[0].value);
    if (const Cte* cte = env.find(name)) {
      ref.alias = unique(ref.name[0].value);
      ref.is_cte = true;
      ref.name[0].value = cte->printed;
      Fields fields = cte->columns;
      for (auto& field : fields) {
        field.qualifier = {name};
        field.sources[0].first = ref.alias;
      }
      return fields;
    }
  }
  TableVersion version;
  if (!ref.version_kind.empty()) {
    const Scope nothing;
    expr(ref.version, nothing, env);
    version = {ref.version_kind == "timestamp", query_of(ref.version), context_.time_zone};
  }
  TableInfo info =
      table_info(ref.name, env, ref.pos, ref.version_kind.empty() ? nullptr : &version);
  if (info.kind == TableInfo::Kind::kView) return view(slot, info);
  if (info.kind == TableInfo::Kind::kMaterializedView) {
    if (std::find(views_.begin(), views_.end(), info.name.display()) != views_.end())
      fail(Code::kViewIsRecursive, ref.pos, "View is recursive");
    if (info.duckdb_source.empty()) return view(slot, info);
  }
  note_read(info);
  ref.alias = unique(info.name.table);
  ref.name = {{info.name.catalog, true, ref.pos},
              {info.name.schema, true, ref.pos},
              {info.name.table, true, ref.pos}};
  Fields fields;
  for (const auto& column : info.columns) {
    Field field;
    field.name = column.name;
    field.qualifier = {info.name.catalog, info.name.schema, info.name.table};
    field.sources = {{ref.alias, column.name}};
    field.type = column.type;
    field.hidden = column.hidden;
    fields.push_back(std::move(field));
  }
  ref.resolved = std::move(info);
  return fields;
}

Resolver::Fields Resolver::view(RelationPtr& slot, const TableInfo& info) {
  const Position pos = slot->pos;
  const std::string shown_name = info.name.display();
  if (info.materialization && info.materialization->fails_when_stale)
    fail(Code::kViewIsStale, pos, fmt::format("Materialized view '{}' is stale", shown_name));
  auto relation = std::make_unique<SubqueryRelation>();
  relation->pos = pos;
  Fields columns = view_query(relation->query, info, pos);
  note_read(info);  // behind its tables
  if (info.materialization) {
    // Stored or not, its columns have the same types.
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto& from = columns[i].known_type();
      const auto& stored = info.columns.at(i);
      if (!from || store_assignable(*from, stored.type)) continue;
      fail(Code::kViewIsStale, pos,
           fmt::format("View '{}' is stale or in invalid state: column [{}] of type {} projected "
                       "from query view at position {} cannot be coerced to column [{}] of type {} "
                       "stored in view definition",
                       shown_name, columns[i].name.value_or(stored.name), from->display(), i,
                       stored.name, stored.type.display()));
    }
    fit(relation->query, columns, info.columns, true);
    for (size_t i = 0; i < info.columns.size(); ++i) columns[i].type = info.columns[i].type;
  }
  for (size_t i = 0; i < info.columns.size(); ++i) columns[i].name = info.columns[i].name;
  slot = std::move(relation);
  columns = wrap(slot, std::move(columns), info.name.table);
  for (auto& field : columns)
    field.qualifier = {info.name.catalog, info.name.schema, info.name.table};
  return columns;
}

Resolver::Fields Resolver::view_query(QueryPtr& slot, const TableInfo& info, Position pos) {
  const std::string shown_name = info.name.display();
  if (std::find(views_.begin(), views_.end(), shown_name) != views_.end() ||
      views_.size() >= kMaxViewDepth)
    fail(Code::kViewIsRecursive, pos, "View is recursive");
  views_.push_back(shown_name);
  Fields columns;
  try {
    StatementPtr statement = parse(info.view_sql);
    auto* inner = try_as<QueryStatement>(statement.get());
    if (!inner) fail(Code::kInvalidView, {}, "it is not a query");
    slot = std::move(inner->query);
    const Env env{nullptr, {}, info.view_catalog, info.view_schema};
    columns = query(*slot, env, nullptr);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUser) throw;
    fail(Code::kInvalidView, pos,
         fmt::format("Failed analyzing stored view '{}': {}", shown_name, error.sql_message()));
  }
  views_.pop_back();
  // The view's text is not the statement's: its nodes have no place in it but this one.
  set_positions(*slot, pos);
  if (!info.columns.empty() && info.columns.size() != columns.size())
    fail(Code::kViewIsStale, pos,
         fmt::format("View '{}' is stale or in invalid state: stored view column count ({}) does "
                     "not match column count derived from the view's query analysis ({})",
                     shown_name, info.columns.size(), columns.size()));
  return columns;
}

Resolver::Fields Resolver::aliased(RelationPtr& slot, const Env& env, const Scope* outer,
                                   const Scope* lateral) {
  auto& node = as<AliasedRelation>(*slot);
  const Ident alias = node.alias;
  const std::vector<Ident> names = std::move(node.columns);
  const bool of_function = node.relation->kind == RelationKind::kTableFunction;
  Fields columns = relation(node.relation, env, outer, lateral);
  // `*` of the relation is what the alias names: hidden columns end here.
  const bool plain = node.relation->kind == RelationKind::kTable;
  Fields visible;
  for (auto& field : columns)
    if (!field.hidden || (plain && names.empty())) visible.push_back(std::move(field));
  if (!names.empty() && names.size() != visible.size())
    fail(Code::kMismatchedColumnAliases, slot->pos,
         fmt::format("Column alias list has {} entries but {} has {} {}", names.size(),
                     of_function ? "table function" : "'" + alias.value + "'", visible.size(),
                     of_function ? "proper columns" : "columns available"));
  for (size_t i = 0; i < names.size(); ++i) visible[i].name = names[i].value;

  if (plain) {
    // The table keeps its own column names; only the alias is printed.
    auto& table = as<TableRef>(*node.relation);
    aliases_.erase(lower(table.alias));
    table.alias = unique(alias.value);
    for (auto& field : visible) field.sources[0].first = table.alias;
    RelationPtr inner = std::move(node.relation);
    slot = std::move(inner);
  } else if (node.relation->kind == RelationKind::kAliased) {
    // What was wrapped just now takes the written name instead of the made-up one.
    RelationPtr inner = std::move(node.relation);
    auto& wrapped = as<AliasedRelation>(*inner);
    aliases_.erase(lower(wrapped.alias.value));
    RelationPtr bare = std::move(wrapped.relation);
    bare->pos = slot->pos;
    visible = wrap(bare, std::move(visible), alias.value);
    slot = std::move(bare);
  } else {
    // A join or a sample in parentheses under one name: a subquery that lists its columns.
    auto select = std::make_unique<Select>();
    select->pos = slot->pos;
    for (size_t i = 0; i < visible.size(); ++i) {
      const std::string name = visible[i].name ? *visible[i].name : fmt::format("_col{}", i);
      select->items.push_back(
          {reference(visible[i], slot->pos, name), Ident{name, true, slot->pos}, slot->pos});
    }
    select->from = std::move(node.relation);
    auto inner = std::make_unique<Query>();
    inner->pos = slot->pos;
    inner->body = std::move(select);
    auto relation = std::make_unique<SubqueryRelation>();
    relation->pos = slot->pos;
    relation->query = std::move(inner);
    RelationPtr bare = std::move(relation);
    visible = wrap(bare, std::move(visible), alias.value);
    slot = std::move(bare);
  }
  for (auto& field : visible) field.qualifier = {lower(alias.value)};
  return visible;
}

// ---------------------------------------------------------------- TABLESAMPLE

std::optional<double> number_of(const Expr& e) {
  if (const auto* literal = try_as<const IntegerLiteral>(&e))
    return static_cast<double>(literal->value);
  if (const auto* literal = try_as<const DecimalLiteral>(&e))
    return std::strtod(literal->text.c_str(), nullptr);
  if (const auto* literal = try_as<const DoubleLiteral>(&e))
    return std::strtod(literal->text.c_str(), nullptr);
  const auto type = infer_type(e);
  if (!type || !is_numeric(*type)) return std::nullopt;
  if (const auto* literal = try_as<const TypedLiteral>(&e))
    return std::strtod(literal->value.c_str(), nullptr);
  if (const auto* unary = try_as<const Unary>(&e)) {
    const auto value = number_of(*unary->value);
    return value && unary->op == UnaryOp::kMinus ? -*value : value;
  }
  const auto* op = try_as<const BinaryOp>(&e);
  const auto a = op ? number_of(*op->left) : std::nullopt;
  const auto b = op ? number_of(*op->right) : std::nullopt;
  if (!a || !b) return std::nullopt;
  switch (op->op) {
    case BinaryOperator::kAdd:
      return *a + *b;
    case BinaryOperator::kSubtract:
      return *a - *b;
    case BinaryOperator::kMultiply:
      return *a * *b;
    default:
      return std::nullopt;
  }
}

void Resolver::sample_size(ExprPtr& slot, const Env& env) {
  const Position pos = slot->pos;
  walk(*slot, false, [&](const Expr& e) {
    if (e.kind == ExprKind::kIdentifier || e.kind == ExprKind::kDereference)
      fail(Code::kExpressionNotConstant, pos, "Sample percentage cannot contain column references");
    return true;
  });
  const Scope nothing;
  expr(slot, nothing, env);
  const auto type = infer_type(*slot);
  if (slot->kind == ExprKind::kNull)
    fail(Code::kInvalidArguments, pos, "Sample percentage cannot be NULL");
  if (type && !is_numeric(*type))
    fail(Code::kTypeMismatch, pos, "Sample percentage should be a numeric expression");
  const auto value = number_of(*slot);
  if (!value)
    fail(Code::kNotSupported, pos, fmt::format("TABLESAMPLE takes numbers, not {}", shown(*slot)));
  if (*value < 0)
    fail(Code::kNumericValueOutOfRange, pos,
         "Sample percentage must be greater than or equal to 0");
  if (*value > 100)
    fail(Code::kNumericValueOutOfRange, pos, "Sample percentage must be less than or equal to 100");
  auto literal = std::make_unique<DoubleLiteral>();
  literal->pos = pos;
  literal->text = fmt::format("{}", *value);
  slot = std::move(literal);
}

// ---------------------------------------------------------------- joins

Resolver::Fields Resolver::join(Join& join, const Env& env, const Scope* outer) {
  if (join.natural) fail(Code::kNotSupported, join.left->pos, "Natural join not supported");
  const bool from_json = is_json_table(*join.right);
  Fields left = relation(join.left, env, outer, outer);
  const Scope lateral{outer, left};
  Fields right = relation(join.right, env, outer, &lateral);
  Fields joined;
  check_lateral(join, left);
  if (!join.using_columns.empty()) join_using(join, left, right, joined);
  joined.insert(joined.end(), left.begin(), left.end());
  joined.insert(joined.end(), right.begin(), right.end());
  if (join.on && join.using_columns.empty()) {
    if (from_json) check_json_join(join);
    const Scope scope{outer, joined};
    predicate(join.on, scope, env, "JOIN ON clause");
    refuse_aggregates(*join.on, "JOIN clause");
  }
  join.using_columns.clear();
  return joined;
}

namespace {

const char* word_of(JoinType type) {
  switch (type) {
    case JoinType::kLeft:
      return "LEFT";
    case JoinType::kRight:
      return "RIGHT";
    case JoinType::kFull:
      return "FULL";
    default:
      return "INNER";
  }
}

bool is_true(const Expr* on) {
  const auto* literal = try_as<const BooleanLiteral>(on);
  return literal && literal->value;
}

const Relation& unaliased(const Relation& relation) {
  const auto* aliased = try_as<const AliasedRelation>(&relation);
  return aliased ? unaliased(*aliased->relation) : relation;
}

}  // namespace

/// What the right side may take of the left one, and how it is joined then. Before ON is resolved.
void Resolver::check_lateral(Join& join, const Fields& left) {
  const bool written = join.on || !join.using_columns.empty();
  if (written && unaliased(*join.right).kind == RelationKind::kUnnest && !is_true(join.on.get()))
    fail(Code::kNotSupported, join.on ? join.on->pos : join.left->pos,
         fmt::format("{} JOIN involving UNNEST is only supported with condition ON TRUE",
                     word_of(join.type)));
  if (join.type != JoinType::kRight && join.type != JoinType::kFull) return;
  std::set<std::string> relations;
  for (const auto& field : left)
    for (const auto& [relation, column] : field.sources) relations.insert(relation);
  for_each_expr(*join.right, [&](ExprPtr& expr) {
    walk(*expr, true, [&](const Expr& e) {
      const auto* column = try_as<const ColumnRef>(&e);
      if (column && relations.contains(column->relation))
        fail(Code::kInvalidColumnReference, e.pos,
             fmt::format("LATERAL reference not allowed in {} JOIN", word_of(join.type)));
      return true;
    });
  });
}

void Resolver::join_using(Join& join, Fields& left, Fields& right, Fields& joined) {
  std::vector<ExprPtr> terms;
  std::set<std::string> seen;
  const auto take = [&](Fields& side, const Ident& column, const char* word) {
    auto found = side.end();
    for (auto it = side.begin(); it != side.end(); ++it) {
      if (!it->name || lower(*it->name) != lower(column.value)) continue;
      if (found != side.end())
        fail(Code::kAmbiguousName, column.pos,
             fmt::format("Column '{}' is ambiguous", lower(column.value)));
      found = it;
    }
    if (found == side.end())
      fail(Code::kColumnNotFound, column.pos,
           fmt::format("Column '{}' is missing from {} side of join", column.value, word));
    Field field = std::move(*found);
    side.erase(found);
    return field;
  };
  for (const auto& column : join.using_columns) {
    if (!seen.insert(lower(column.value)).second)
      fail(Code::kDuplicateColumnName, column.pos,
           fmt::format("Column '{}' appears multiple times in USING clause", column.value));
    Field l = take(left, column, "left");
    Field r = take(right, column, "right");
    const auto& a = l.known_type();
    const auto& b = r.known_type();
    const auto common = a && b ? common_type(*a, *b) : std::nullopt;
    if (a && b && !common)
      fail(Code::kTypeMismatch, column.pos,
           fmt::format("Cannot apply operator: {} = {}", a->display(), b->display()));
    auto equal = std::make_unique<Comparison>();
    equal->pos = column.pos;
    equal->op = ComparisonOp::kEq;
    equal->left = reference(l, column.pos, column.value);
    equal->right = reference(r, column.pos, column.value);
    terms.push_back(std::move(equal));
    Field field;
    field.name = column.value;
    const bool same = l.type == r.type;
    switch (join.type) {
      case JoinType::kRight:
        field.sources = r.sources;
        break;
      case JoinType::kFull:
        field.sources = l.sources;
        field.sources.insert(field.sources.end(), r.sources.begin(), r.sources.end());
        break;
      default:
        field.sources = l.sources;
    }
    if (same) field.type = l.type;
    field.inferred = common;
    joined.push_back(std::move(field));
  }
  if (terms.size() == 1) {
    join.on = std::move(terms.front());
  } else {
    auto all = std::make_unique<Logical>();
    all->terms = std::move(terms);
    join.on = std::move(all);
  }
}

// ---------------------------------------------------------------- UNNEST

Resolver::Fields Resolver::unnest(Unnest& unnest, const Env& env, const Scope* lateral) {
  const Scope scope{lateral, {}};
  Fields columns;
  bool certain = true;  // else `unknown` is what is not known
  const auto add = [&](std::optional<std::string> name, const Type& type) {
    Field field;
    field.name = std::move(name);
    if (certain || type.kind != TypeKind::kUnknown) field.inferred = type;
    columns.push_back(std::move(field));
  };
  unnest.shapes.clear();
  for (auto& item : unnest.items) {
    expr(item, scope, env);
    refuse_aggregates(*item, "UNNEST");
    auto type = infer_type(*item);
    certain = type.has_value();
    if (!certain) type = shape_of(*item);
    if (!type) {
      Error error(Code::kNotSupported,
                  fmt::format("The type of {} in UNNEST cannot be told", shown(*item)),
                  {item->pos.line, item->pos.column, {}});
      throw error.with_hint("write CAST(... AS array(...)) around it");
    }
    using Kind = Unnest::Shape::Kind;
    if (type->kind == TypeKind::kMap) {
      unnest.shapes.push_back({Kind::kEntries, 2});
      add(std::nullopt, type->children[0]);
      add(std::nullopt, type->children[1]);
    } else if (type->kind == TypeKind::kArray && type->children[0].kind == TypeKind::kRow) {
      const Type& row = type->children[0];
      unnest.shapes.push_back({Kind::kFields, row.children.size()});
      for (size_t i = 0; i < row.children.size(); ++i)
        add(row.field_names[i].empty() ? std::nullopt : std::optional(row.field_names[i]),
            row.children[i]);
    } else if (type->kind == TypeKind::kArray) {
      unnest.shapes.push_back({Kind::kElements, 1});
      add(std::nullopt, type->children[0]);
    } else {
      throw Error(Code::kInvalidFunctionArgument,
                  fmt::format("Cannot unnest type: {}", type->display()));
    }
  }
  if (unnest.with_ordinality) add(std::nullopt, Type::of(TypeKind::kBigint));
  return columns;
}

}  // namespace meesh::sql
