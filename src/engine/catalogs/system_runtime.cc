// system.runtime: this node, its queries and transactions.
#include "engine/catalog_set.h"
#include "engine/catalogs/system.h"

namespace meesh::engine {
namespace {

using Rows = std::vector<VirtualRow>;
using duckdb::Value;

Value list_of(const std::vector<std::string>& values) {
  duckdb::vector<Value> cells;
  for (const auto& value : values) cells.emplace_back(value);
  return Value::LIST(duckdb::LogicalType::VARCHAR, std::move(cells));
}

std::vector<QueryInfo> queries_of(CatalogSet& set) {
  const auto& ask = set.hooks().queries;
  return ask ? ask() : std::vector<QueryInfo>();
}

/// When the query left the queue; the epoch if it has not.
std::chrono::system_clock::time_point started(const QueryInfo& query) {
  return query.state == QueryState::kQueued
             ? std::chrono::system_clock::time_point()
             : query.created + std::chrono::milliseconds(query.queued_ms);
}

Rows nodes(CatalogSet& set, const TableRequest&) {
  const auto& hooks = set.hooks();
  return {{text(hooks.node_id), text(hooks.http_uri), text(hooks.node_version),
           Value::BOOLEAN(true), text("active")}};
}

Rows queries(CatalogSet& set, const TableRequest&) {
  Rows rows;
  const auto now = std::chrono::system_clock::now();
  const auto running = std::chrono::system_clock::time_point();
  for (const auto& query : queries_of(set)) {
    rows.push_back({text(query.id), text(std::string(state_name(query.state))), text(query.user),
                    text_or_null(query.source), text(query.text), list_of({"global"}),
                    bigint(query.queued_ms), bigint(0), bigint(query.planning_ms),
                    time_or_null(query.created), time_or_null(started(query)),
                    time_or_null(query.ended == running ? now : query.ended),
                    time_or_null(query.ended),
                    query.error ? text(std::string(kind_name(query.error->kind()))) : null_text(),
                    query.error ? text(std::string(code_name(query.error->code()))) : null_text()});
  }
  return rows;
}

/// A query runs as one task on the one node.
Rows tasks(CatalogSet& set, const TableRequest&) {
  Rows rows;
  const auto now = std::chrono::system_clock::now();
  const auto number = [](uint64_t value) { return bigint(static_cast<int64_t>(value)); };
  for (const auto& query : queries_of(set)) {
    if (query.state == QueryState::kQueued) continue;
    const bool ended = query.state == QueryState::kFinished || query.state == QueryState::kFailed;
    const int64_t running = ended ? 0 : 1;
    rows.push_back({text(set.hooks().node_id),
                    text(query.id + ".0.0.0"),
                    text(query.id + ".0"),
                    text(query.id),
                    text(ended ? std::string(state_name(query.state)) : "RUNNING"),
                    bigint(1),
                    bigint(0),
                    bigint(running),
                    bigint(1 - running),
                    bigint(query.elapsed_ms),
                    bigint(query.cpu_ms),
                    bigint(0),
                    number(query.bytes_read),
                    number(query.rows_read),
                    number(query.bytes_read),
                    number(query.rows_read),
                    number(query.bytes_out),
                    number(query.rows_out),
                    number(query.bytes_read),
                    bigint(0),
                    time_or_null(query.created),
                    time_or_null(started(query)),
                    time_or_null(ended ? query.ended : now),
                    time_or_null(query.ended)});
  }
  return rows;
}

Rows transactions(CatalogSet& set, const TableRequest&) {
  Rows rows;
  const auto& ask = set.hooks().transactions;
  if (!ask) return rows;
  for (const auto& transaction : ask()) {
    rows.push_back({text(transaction.id), text(transaction.isolation_level),
                    Value::BOOLEAN(transaction.read_only), Value::BOOLEAN(transaction.auto_commit),
                    time_or_null(transaction.created), bigint(transaction.idle_seconds),
                    text_or_null(transaction.written_catalog), list_of(transaction.catalogs)});
  }
  return rows;
}

/// Trino's optimizer is not here, so none of its rules ever ran.
Rows optimizer_rule_stats(CatalogSet&, const TableRequest&) { return {}; }

VirtualTable make(const char* name, Rows (*rows)(CatalogSet&, const TableRequest&),
                  std::vector<VirtualColumn> columns) {
  VirtualTable table;
  table.schema = "runtime";
  table.name = name;
  table.columns = std::move(columns);
  table.rows = rows;
  return table;
}

VirtualColumn list_column(const char* name) {
  return {name, sql::Type::array(sql::Type::varchar())};
}

}  // namespace

std::vector<VirtualTable> system_runtime_tables() {
  std::vector<VirtualTable> found;
  auto of_nodes = text_columns({"node_id", "http_uri", "node_version"});
  of_nodes.push_back(boolean_column("coordinator"));
  of_nodes.push_back(text_column("state"));
  found.push_back(make("nodes", nodes, std::move(of_nodes)));

  const sql::Type number = sql::Type::of(sql::TypeKind::kDouble);
  found.push_back(make("optimizer_rule_stats", optimizer_rule_stats,
                       {text_column("rule_name"),
                        bigint_column("invocations"),
                        bigint_column("matches"),
                        bigint_column("failures"),
                        {"average_time", number},
                        {"time_distribution_percentiles", sql::Type::map(number, number)}}));

  auto of_queries = text_columns({"query_id", "state", "user", "source", "query"});
  of_queries.push_back(list_column("resource_group_id"));
  for (const char* name : {"queued_time_ms", "analysis_time_ms", "planning_time_ms"})
    of_queries.push_back(bigint_column(name));
  for (const char* name : {"created", "started", "last_heartbeat", "end"})
    of_queries.push_back(time_column(name));
  for (const char* name : {"error_type", "error_code"}) of_queries.push_back(text_column(name));
  found.push_back(make("queries", queries, std::move(of_queries)));

  auto of_tasks = text_columns({"node_id", "task_id", "stage_id", "query_id", "state"});
  for (const char* name :
       {"splits", "queued_splits", "running_splits", "completed_splits", "split_scheduled_time_ms",
        "split_cpu_time_ms", "split_blocked_time_ms", "raw_input_bytes", "raw_input_rows",
        "processed_input_bytes", "processed_input_rows", "output_bytes", "output_rows",
        "physical_input_bytes", "physical_written_bytes"}) {
    of_tasks.push_back(bigint_column(name));
  }
  for (const char* name : {"created", "start", "last_heartbeat", "end"})
    of_tasks.push_back(time_column(name));
  found.push_back(make("tasks", tasks, std::move(of_tasks)));

  auto of_transactions = text_columns({"transaction_id", "isolation_level"});
  of_transactions.push_back(boolean_column("read_only"));
  of_transactions.push_back(boolean_column("auto_commit_context"));
  of_transactions.push_back(time_column("create_time"));
  of_transactions.push_back(bigint_column("idle_time_secs"));
  of_transactions.push_back(text_column("written_catalog"));
  of_transactions.push_back(list_column("catalogs"));
  found.push_back(make("transactions", transactions, std::move(of_transactions)));
  return found;
}

}  // namespace meesh::engine
