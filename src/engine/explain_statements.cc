// EXPLAIN. The plans are DuckDB's, in the shapes that Trino's formats have; a statement that only
// defines something is told back, as Trino does.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "engine/located_error.h"
#include "engine/statement_runner.h"
#include "sql/explain_error.h"

namespace meesh::engine {

namespace json = boost::json;
using sql::as;
using sql::StatementKind;

namespace {

constexpr int kJsonIndent = 2;

/// Kinds that have a plan; all others are told back.
bool has_plan(StatementKind kind) {
  switch (kind) {
    case StatementKind::kQuery:
    case StatementKind::kShow:
    case StatementKind::kExplain:
    case StatementKind::kInsert:
    case StatementKind::kDelete:
    case StatementKind::kUpdate:
    case StatementKind::kMerge:
    case StatementKind::kCreateTableAs:
    case StatementKind::kTruncate:
    case StatementKind::kAnalyze:
    case StatementKind::kRefreshMaterializedView:
      return true;
    default:
      return false;
  }
}

/// "CreateTable": what Trino calls the statement in the refusal below.
const char* tree_name(StatementKind kind) {
  switch (kind) {
    case StatementKind::kCreateTable:
      return "CreateTable";
    case StatementKind::kDropTable:
      return "DropTable";
    case StatementKind::kCreateSchema:
      return "CreateSchema";
    case StatementKind::kDropSchema:
      return "DropSchema";
    case StatementKind::kCreateView:
      return "CreateView";
    case StatementKind::kDropView:
      return "DropView";
    case StatementKind::kSetSession:
      return "SetSession";
    case StatementKind::kUse:
      return "Use";
    default:
      return "DataDefinition";
  }
}

std::string dotted(const sql::Name& name) {
  std::string out;
  for (const auto& part : name) out += (out.empty() ? "" : ".") + lower_case(part.value);
  return out;
}

std::string told_back(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kCreateSchema:
      return "CREATE SCHEMA " + dotted(as<sql::CreateSchema>(statement).name);
    case StatementKind::kCreateTable:
      return "CREATE TABLE " + dotted(as<sql::CreateTable>(statement).name);
    case StatementKind::kCreateView: {
      const auto& view = as<sql::CreateView>(statement);
      return (view.materialized ? "CREATE MATERIALIZED VIEW " : "CREATE VIEW ") + dotted(view.name);
    }
    case StatementKind::kPrepare:
      return "PREPARE " + as<sql::Prepare>(statement).name.value;
    default:
      return sql::print_trino(statement);
  }
}

/// A plan node of DuckDB as one of Trino's: {id, name, descriptor, outputs, details, estimates,
/// children}.
json::object plan_node(const json::value& duck, int& ids) {
  json::object node;
  node["id"] = std::to_string(ids++);
  const auto& from = duck.as_object();
  node["name"] = from.contains("name") ? from.at("name") : from.at("operator_name");
  json::object descriptor;
  json::value rows = "NaN";
  if (const auto* extra = from.if_contains("extra_info"); extra && extra->is_object()) {
    for (const auto& [key, value] : extra->as_object()) {
      if (key == "Estimated Cardinality" && value.is_string()) {
        rows = std::strtod(value.as_string().c_str(), nullptr);
        continue;
      }
      descriptor[key] = value.is_string() ? value.as_string() : json::serialize(value).c_str();
    }
  }
  node["descriptor"] = std::move(descriptor);
  node["outputs"] = json::array();
  node["details"] = json::array();
  node["estimates"] = json::array{json::object{{"outputRowCount", rows},
                                               {"outputSizeInBytes", "NaN"},
                                               {"cpuCost", "NaN"},
                                               {"memoryCost", "NaN"},
                                               {"networkCost", "NaN"}}};
  json::array children;
  if (const auto* below = from.if_contains("children"))
    for (const auto& child : below->as_array()) children.emplace_back(plan_node(child, ids));
  node["children"] = std::move(children);
  return node;
}

/// As Jackson prints it: "key" : value, two spaces a level.
void print(std::string& out, const json::value& value, int indent) {
  const std::string inner(static_cast<size_t>(indent + kJsonIndent), ' ');
  if (const auto* object = value.if_object()) {
    out += "{";
    bool first = true;
    for (const auto& [key, item] : *object) {
      out += (first ? "\n" : ",\n") + inner + json::serialize(json::string(key)) + " : ";
      print(out, item, indent + kJsonIndent);
      first = false;
    }
    out += first ? " }" : "\n" + std::string(static_cast<size_t>(indent), ' ') + "}";
  } else if (const auto* array = value.if_array()) {
    out += "[ ";
    for (size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ", ";
      print(out, (*array)[i], indent);
    }
    out += array->empty() ? "]" : " ]";
  } else if (const auto* number = value.if_double()) {
    out += *number == std::floor(*number) ? fmt::format("{:.1f}", *number)
                                          : fmt::format("{}", *number);
  } else {
    out += json::serialize(value);
  }
}

std::string printed(const json::value& value) {
  std::string out;
  print(out, value, 0);
  return out;
}

json::object table_handle(const sql::TableName& name) {
  return {{"catalog", name.catalog},
          {"schemaTable", json::object{{"schema", name.schema}, {"table", name.table}}}};
}

json::object estimate(double rows) {
  const json::value known = rows < 0 ? json::value("NaN") : json::value(rows);
  return {{"outputRowCount", known},
          {"outputSizeInBytes", "NaN"},
          {"cpuCost", "NaN"},
          {"maxMemory", "NaN"},
          {"networkCost", "NaN"}};
}

/// EXPLAIN (TYPE IO): which tables a statement reads and writes. Filters are not told as
/// constraints: an empty list says that all of a table may be read.
std::string io_plan(const sql::Analysis& analysis) {
  json::object plan;
  json::array inputs;
  for (const auto& table : analysis.reads) {
    if (table.kind == sql::TableInfo::Kind::kView) continue;
    inputs.push_back(json::object{
        {"table", table_handle(table.name)},
        {"constraint", json::object{{"none", false}, {"columnConstraints", json::array()}}},
        {"estimate", estimate(table.estimated_rows)}});
  }
  plan["inputTableColumnInfos"] = std::move(inputs);
  if (!analysis.writes.empty()) plan["outputTable"] = table_handle(analysis.writes.front().name);
  plan["estimate"] = estimate(-1);
  return printed(plan);
}

}  // namespace

/// `measured`: of EXPLAIN ANALYZE, whose text Trino knows no length of.
void StatementRunner::answer_plan(const std::string& plan, bool measured) {
  const auto points = std::ranges::count_if(plan, [](char c) { return (c & 0xC0) != 0x80; });
  const auto length = measured ? sql::Type::kUnbounded : static_cast<int32_t>(points);
  sql::Analysis analysis;
  analysis.columns = {{"Query Plan", sql::Type::varchar(length)}};
  auto lease = core_.connections.acquire("UTC");
  auto result = lease->Query("SELECT " + quote_string(plan));
  if (result->HasError()) throw located(result->GetErrorObject(), nullptr);
  stream(*result, analysis, nullptr);
}

void StatementRunner::explain(sql::Explain& statement, const Parameters& given) {
  sql::StatementPtr inner = std::move(statement.statement);
  Parameters parameters = given;
  sql::StatementPtr execute;  // holds the parameters
  if (inner->kind == StatementKind::kExecute) {
    execute = std::move(inner);
    const auto& named = as<sql::Execute>(*execute);
    parameters.clear();
    for (const auto& arg : named.args) parameters.push_back(arg.get());
    inner = sql::parse(prepared_text(named.name));
  }
  if (!has_plan(inner->kind)) {
    if (statement.analyze)
      throw Error(Code::kNotSupported, fmt::format("EXPLAIN ANALYZE doesn't support statement "
                                                   "type: {}",
                                                   tree_name(inner->kind)));
    if (statement.type == "validate") return answer_rows("SELECT true AS \"Valid\"");
    return answer_plan(told_back(*inner));
  }
  // The plan of a plan: one row of text.
  if (inner->kind == StatementKind::kExplain) inner = sql::parse("SELECT '' AS \"Query Plan\"");
  const auto analysis = sql::resolve(inner, context(parameters));
  if (statement.type == "validate") return answer_rows("SELECT true AS \"Valid\"");
  if (statement.type == "io") return answer_plan(io_plan(analysis));
  check_isolation(analysis);
  if (statement.analyze) check_writes(analysis);
  explain_resolved(statement, std::move(inner), analysis);
}

void StatementRunner::explain_resolved(const sql::Explain& statement, sql::StatementPtr inner,
                                       const sql::Analysis& analysis) {
  std::vector<sql::TableInfo> tables = analysis.reads;
  tables.insert(tables.end(), analysis.writes.begin(), analysis.writes.end());
  const auto used = core_.catalogs.prepare(core_.duck, tables);
  if (!analysis.writes.empty() &&
      core_.catalogs.runs_changes(analysis.writes.front().name.catalog)) {
    // What DuckDB has to do with it is the query.
    auto source = std::make_unique<sql::QueryStatement>();
    if (auto* insert = sql::try_as<sql::Insert>(inner.get())) {
      source->query = std::move(insert->query);
    } else if (auto* create = sql::try_as<sql::CreateTableAs>(inner.get())) {
      source->query = std::move(create->query);
    }
    if (!source->query || statement.analyze)
      throw Error(Code::kNotSupported,
                  "EXPLAIN of this statement on such a catalog is not supported",
                  {statement.pos.line, statement.pos.column, {}});
    inner = std::move(source);
  }
  const bool as_json = statement.format == "json", as_graph = statement.format == "graphviz";
  std::string plan;
  if (auto* query = sql::try_as<sql::QueryStatement>(inner.get()); query && !as_json && !as_graph) {
    if (const auto remote = sql::print_postgres(*query->query, analysis)) {
      plan = fmt::format("Pushed down to {} as one statement:\n{}\n\n",
                         analysis.reads.front().remote_database, *remote);
    }
  }
  const auto text = sql::print_duckdb(*inner);
  auto& lease = connection();
  RunningQuery::Interruptible interruptible(query_, *lease, used);
  query_.enter(QueryState::kRunning);
  const std::string format = as_json ? "FORMAT json" : as_graph ? "FORMAT graphviz" : "";
  const std::string options =
      statement.analyze ? "ANALYZE" + (format.empty() ? "" : ", " + format) : format;
  auto result =
      lease->Query("EXPLAIN " + (options.empty() ? "" : "(" + options + ") ") + text.text);
  if (result->HasError()) throw sql::explained(*inner, located(result->GetErrorObject(), nullptr));
  for (auto& row : *result) plan += row.GetValue<std::string>(1);
  if (!as_json || statement.analyze) return answer_plan(plan, statement.analyze);
  int ids = 0;
  json::value root = json::parse(plan);
  if (root.is_array()) root = root.as_array().empty() ? json::value(json::object()) : root.at(0);
  json::object node = plan_node(root, ids);
  // Trino's default is DISTRIBUTED: plans by fragment. Here there is one.
  answer_plan(printed(statement.type == "logical" ? json::value(std::move(node))
                                                  : json::value(json::object{{"0", node}})));
}

}  // namespace meesh::engine
