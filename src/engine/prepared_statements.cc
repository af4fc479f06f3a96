// PREPARE, EXECUTE, DEALLOCATE and what DESCRIBE tells of a prepared statement. The texts live in
// the client, as all of its session.
#include "engine/duck_types.h"
#include "engine/statement_runner.h"
#include "sql/format_query.h"

namespace meesh::engine {

using sql::as;
using sql::StatementKind;

namespace {

/// Where an output of a query comes from, if it is a table's column as it is.
struct Origin {
  std::optional<sql::TableName> table;
  bool aliased = false;
};

/// The relation that the printers call `alias`; null if it is not in sight.
const sql::Relation* find_relation(const sql::Relation* from, const std::string& alias) {
  if (!from) return nullptr;
  if (const auto* table = sql::try_as<const sql::TableRef>(from))
    return table->alias == alias ? from : nullptr;
  if (const auto* aliased = sql::try_as<const sql::AliasedRelation>(from))
    return aliased->alias.value == alias ? from : nullptr;
  if (const auto* sampled = sql::try_as<const sql::Sampled>(from))
    return find_relation(sampled->relation.get(), alias);
  const auto* join = sql::try_as<const sql::Join>(from);
  if (!join) return nullptr;
  const auto* left = find_relation(join->left.get(), alias);
  return left ? left : find_relation(join->right.get(), alias);
}

Origin origin_of(const sql::Query& query, size_t output);

std::optional<sql::TableName> table_of(const sql::Relation* relation, const std::string& column) {
  if (!relation) return std::nullopt;
  if (const auto* table = sql::try_as<const sql::TableRef>(relation))
    return table->resolved ? std::optional(table->resolved->name) : std::nullopt;
  const auto& aliased = as<sql::AliasedRelation>(*relation);
  const auto* inner = sql::try_as<const sql::SubqueryRelation>(aliased.relation.get());
  if (!inner) return std::nullopt;
  for (size_t i = 0; i < aliased.columns.size(); ++i)
    if (aliased.columns[i].value == column) return origin_of(*inner->query, i).table;
  return std::nullopt;
}

Origin origin_of(const sql::Query& query, size_t output) {
  const auto* select = sql::try_as<const sql::Select>(query.body.get());
  if (!select || output >= select->items.size()) return {};
  const auto& item = select->items[output];
  Origin origin;
  // The resolver names every output; a name of the text stands behind its expression.
  origin.aliased = item.alias && (item.alias->pos.line != item.pos.line ||
                                  item.alias->pos.column != item.pos.column);
  const auto* column = sql::try_as<const sql::ColumnRef>(item.value.get());
  if (column)
    origin.table = table_of(find_relation(select->from.get(), column->relation), column->column);
  return origin;
}

/// Bytes of a value in Trino's memory; 0 if they differ.
int type_size(const sql::Type& type) {
  using sql::TypeKind;
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
    case TypeKind::kUnknown:
      return 1;
    case TypeKind::kSmallint:
      return 2;
    case TypeKind::kInteger:
    case TypeKind::kReal:
    case TypeKind::kDate:
    case TypeKind::kIntervalYearToMonth:
      return 4;
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTime:
    case TypeKind::kIntervalDayToSecond:
      return 8;
    case TypeKind::kDecimal:
      return type.precision <= 18 ? 8 : 16;
    case TypeKind::kTimestamp:
      return type.precision <= 6 ? 8 : 12;
    case TypeKind::kTimestampTz:
      return type.precision <= 3 ? 8 : 12;
    case TypeKind::kTimeTz:
      return type.precision <= 9 ? 8 : 12;
    case TypeKind::kUuid:
    case TypeKind::kIpaddress:
      return 16;
    default:
      return 0;
  }
}

}  // namespace

void StatementRunner::prepare(const sql::Prepare& statement) {
  const char* refused = nullptr;
  if (statement.statement->kind == StatementKind::kPrepare) refused = "PREPARE";
  if (statement.statement->kind == StatementKind::kExecute) refused = "EXECUTE";
  if (statement.statement->kind == StatementKind::kDeallocate) refused = "DEALLOCATE";
  if (refused)
    throw Error(Code::kNotSupported,
                fmt::format("Invalid statement type for prepared statement: {}", refused));
  query_.change([&](SessionChanges& changes) {
    changes.added_prepare[statement.name.value] = sql::formatted_query(statement.text);
  });
  answer_done("PREPARE");
}

const std::string& StatementRunner::prepared_text(const sql::Ident& name) const {
  const auto& prepared = query_.session().prepared_statements;
  auto found = prepared.find(name.value);
  if (found == prepared.end()) found = prepared.find(lower_case(name.value));
  if (found == prepared.end())
    throw Error(Code::kNotFound, fmt::format("Prepared statement not found: {}", name.value));
  return found->second;
}

void StatementRunner::execute_prepared(const sql::Execute& statement) {
  Parameters parameters;
  for (auto& arg : statement.args) parameters.push_back(arg.get());
  run_text(prepared_text(statement.name), parameters);
}

/// What is wrong in the text is told at its place in the statement.
void StatementRunner::execute_immediate(const sql::ExecuteImmediate& statement) {
  Parameters parameters;
  for (auto& arg : statement.args) parameters.push_back(arg.get());
  try {
    run_text(statement.text, parameters);
  } catch (const Error& error) {
    const Location& inner = error.location();
    if (!inner.known() || !inner.file.empty() || statement.text_pos.line == 0) throw;
    const auto& start = statement.text_pos;  // of the quote
    Error moved(error.code(), error.message(),
                {start.line + inner.line - 1,
                 inner.line == 1 ? start.column + inner.column : inner.column,
                 {}});
    if (!error.hint().empty()) moved.with_hint(error.hint());
    throw moved;
  }
}

void StatementRunner::deallocate(const sql::Deallocate& statement) {
  prepared_text(statement.name);
  query_.change([&](SessionChanges& changes) {
    changes.deallocated_prepare.push_back(statement.name.value);
  });
  answer_done("DEALLOCATE");
}

void StatementRunner::describe_input(const sql::DescribeInput& statement) {
  auto inner = sql::parse(prepared_text(statement.name));
  auto unknown = context({});
  unknown.parameters_unknown = true;
  const auto analysis = sql::resolve(inner, unknown);
  std::string rows;
  for (size_t i = 0; i < analysis.parameters.size(); ++i)
    rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", i,
                        quote_string(analysis.parameters[i].display()));
  const bool none = rows.empty();
  if (none) rows = "(BIGINT '0', CAST('' AS varchar))";
  // Trino's own way, so that the columns have the types of literals.
  run_text(fmt::format("SELECT * FROM (VALUES {}) t(\"Position\", \"Type\"){} ORDER BY 1", rows,
                       none ? " WHERE false" : ""),
           {});
}

void StatementRunner::describe_output(const sql::DescribeOutput& statement) {
  auto inner = sql::parse(prepared_text(statement.name));
  // Parameters have no values yet.
  auto unknown = context({});
  unknown.parameters_unknown = true;
  const auto analysis = sql::resolve(inner, unknown);
  std::vector<Column> columns;
  if (inner->kind == StatementKind::kExplain) {
    columns.push_back({analysis.columns.front().name, sql::Type::varchar()});
  } else if (analysis.update_type.empty()) {
    columns = bound_columns(*inner, analysis);
  } else if (counts_rows(inner->kind)) {
    columns.push_back({"rows", sql::Type::of(sql::TypeKind::kBigint)});
  }
  const auto* query = sql::try_as<const sql::QueryStatement>(inner.get());
  std::string rows;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Origin origin = query ? origin_of(*query->query, i) : Origin{};
    const sql::TableName table = origin.table.value_or(sql::TableName{});
    rows += fmt::format(
        "{}({}, {}, {}, {}, {}, {}, {})", rows.empty() ? "" : ", ", quote_string(columns[i].name),
        quote_string(table.catalog), quote_string(table.schema), quote_string(table.table),
        quote_string(columns[i].type.display()), type_size(columns[i].type), origin.aliased);
  }
  const bool none = rows.empty();
  const std::string text = "CAST('' AS varchar)";
  if (none) rows = fmt::format("({0}, {0}, {0}, {0}, {0}, BIGINT '0', false)", text);
  run_text("SELECT * FROM (VALUES " + rows +
               ") t(\"Column Name\", \"Catalog\", \"Schema\", \"Table\", \"Type\", \"Type Size\", "
               "\"Aliased\")" +
               (none ? " WHERE false" : ""),
           {});
}

}  // namespace meesh::engine
