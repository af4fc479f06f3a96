#include "governance/lineage_graph.h"

#include <boost/json.hpp>

#include "base/text.h"
#include "governance/open_lineage.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;

constexpr size_t kMostPlaces = 2000;
constexpr size_t kMostEdges = 20'000;

json::array words(Influences bits) {
  json::array out;
  for (const auto influence : influences_of(bits))
    out.push_back(json::value(sql::influence_name(influence)));
  return out;
}

}  // namespace

LineageGraph::LineageGraph(soci::session& sql, const GraphQuery& query)
    : sql_(sql), query_(query) {}

LineageGraph::Node& LineageGraph::node(long long id) {
  const auto [found, is_new] = nodes_.try_emplace(id);
  Node& node = found->second;
  if (!is_new) return node;
  node.id = id;
  sql_ << "SELECT namespace, name, fields, gone_ms, renamed_to FROM lineage_dataset WHERE id = :id",
      soci::into(node.dataset.name_space), soci::into(node.dataset.name), soci::into(node.fields),
      soci::into(node.gone_ms), soci::into(node.renamed_to), soci::use(id, "id");
  return node;
}

long long LineageGraph::now_called(long long id) {
  const long long renamed = node(id).renamed_to;
  return renamed != 0 ? renamed : id;
}

long long LineageGraph::start() {
  long long id = 0;
  sql_ << "SELECT id FROM lineage_dataset WHERE namespace = :space AND name = :name",
      soci::into(id), soci::use(query_.of.name_space, "space"), soci::use(query_.of.name, "name");
  if (!sql_.got_data()) {
    throw Error(Code::kTableNotFound, "No lineage is known of '" + query_.of.display() + "'")
        .with_hint("write catalog.schema.table; nothing has written to it or read from it here");
  }
  return now_called(id);
}

void LineageGraph::check_column(const Node& node) {
  std::vector<std::string> names;
  const auto fields = json::parse(node.fields);
  for (const auto& field : fields.as_array()) {
    names.emplace_back(field.at(0).as_string());
    if (names.back() == query_.column) return;
  }
  const Place place{node.id, query_.column};
  if (!edges(place, true).empty() || !edges(place, false).empty()) return;
  throw Error(Code::kColumnNotFound,
              "Column '" + query_.column + "' of '" + node.dataset.display() + "' is not known")
      .with_hint(base::did_you_mean(query_.column, names, "its columns are"));
}

std::vector<Edge> LineageGraph::edges(const Place& place, bool up) {
  const bool column = !query_.column.empty();
  std::string where = up ? "target = :id"
                         : "source IN (SELECT id FROM lineage_dataset WHERE :id IN "
                           "(id, renamed_to))";
  if (column) where += up ? " AND target_field = :field" : " AND source_field = :field";
  if (column) where += " AND source_field <> '' AND target_field <> ''";
  const long long at = query_.at ? to_ms(*query_.at) : 0;
  where += query_.at ? " AND first_ms <= :at AND (ended_ms = 0 OR ended_ms > :until)"
                     : " AND ended_ms = 0";
  Edge edge;
  soci::statement select(sql_);
  select.exchange(soci::into(edge.id));
  select.exchange(soci::into(edge.source));
  select.exchange(soci::into(edge.source_field));
  select.exchange(soci::into(edge.target));
  select.exchange(soci::into(edge.target_field));
  select.exchange(soci::into(edge.influences));
  select.exchange(soci::into(edge.job));
  select.exchange(soci::into(edge.first_ms));
  select.exchange(soci::into(edge.last_ms));
  select.exchange(soci::use(place.first, "id"));
  if (column) select.exchange(soci::use(place.second, "field"));
  if (query_.at) select.exchange(soci::use(at, "at"));
  if (query_.at) select.exchange(soci::use(at, "until"));
  select.alloc();
  select.prepare(
      "SELECT id, source, source_field, target, target_field, influences, job, first_ms, "
      "last_ms FROM lineage_edge WHERE " +
      where);
  select.define_and_bind();
  select.execute();
  std::vector<Edge> out;
  while (select.fetch()) out.push_back(edge);
  for (auto& one : out) one.source = now_called(one.source);
  return out;
}

void LineageGraph::walk(const Place& start, bool up, int depth) {
  std::set<Place> seen{start};
  std::deque<std::pair<Place, int>> todo{{start, 0}};
  while (!todo.empty()) {
    const auto [place, distance] = todo.front();
    todo.pop_front();
    if (distance == depth) continue;
    for (const auto& edge : edges(place, up)) {
      if (edge.source == edge.target && query_.column.empty()) continue;
      if (found_.size() >= kMostEdges || reached_.size() >= kMostPlaces) {
        truncated_ = true;
        return;
      }
      found_[edge.id] = edge;
      Place next{up ? edge.source : edge.target, up ? edge.source_field : edge.target_field};
      if (query_.column.empty()) next.second.clear();
      if (!seen.insert(next).second) continue;
      reached_.try_emplace(next, up ? -(distance + 1) : distance + 1);
      todo.emplace_back(next, distance + 1);
    }
  }
}

json::object LineageGraph::read() {
  const long long id = start();
  if (!query_.column.empty()) check_column(node(id));
  const Place start{id, query_.column};
  reached_[start] = 0;
  walk(start, true, query_.up);
  walk(start, false, query_.down);
  json::object out;
  out["table"] = node(id).dataset.display();
  if (!query_.column.empty()) out["column"] = query_.column;
  out["nodes"] = nodes_json();
  out["edges"] = query_.column.empty() ? table_edges() : column_edges();
  if (!query_.column.empty()) out["rows"] = rows_json(id);
  if (auto reasons = unknown(id); !reasons.empty()) out["unknown"] = std::move(reasons);
  out["truncated"] = truncated_;
  return out;
}

json::object LineageGraph::place_json(long long id, const std::string& field) {
  return {{"table", node(id).dataset.display()}, {"column", field}};
}

json::array LineageGraph::nodes_json() {
  json::array out;
  for (const auto& [place, distance] : reached_) {
    const Node& node = this->node(place.first);
    json::object one{{"table", node.dataset.display()}};
    if (!query_.column.empty()) one["column"] = place.second;
    one["namespace"] = node.dataset.name_space;
    one["name"] = node.dataset.name;
    one["distance"] = distance;
    if (query_.column.empty()) {
      json::array columns;
      const auto fields = json::parse(node.fields);
      for (const auto& field : fields.as_array()) {
        columns.push_back(json::object{{"name", field.at(0)}, {"type", field.at(1)}});
      }
      one["columns"] = std::move(columns);
    }
    if (node.gone_ms != 0) one["dropped_at"] = time_text(from_ms(node.gone_ms));
    out.push_back(std::move(one));
  }
  return out;
}

const json::object& LineageGraph::job_json(long long id) {
  const auto [found, is_new] = jobs_.try_emplace(id);
  if (is_new) {
    std::string space, name, type, integration;
    sql_ << "SELECT namespace, name, type, integration FROM lineage_job WHERE id = :id",
        soci::into(space), soci::into(name), soci::into(type), soci::into(integration),
        soci::use(id, "id");
    found->second = {
        {"namespace", space}, {"name", name}, {"type", type}, {"integration", integration}};
  }
  return found->second;
}

json::array LineageGraph::table_edges() {
  struct Pair {
    std::set<long long> jobs;
    std::map<std::pair<std::string, std::string>, Influences> columns;
    std::map<std::string, Influences> rows;
    long long first = INT64_MAX, last = 0;
  };
  std::map<std::pair<long long, long long>, Pair> pairs;
  for (const auto& [id, edge] : found_) {
    Pair& pair = pairs[{edge.source, edge.target}];
    pair.jobs.insert(edge.job);
    pair.first = std::min(pair.first, edge.first_ms);
    pair.last = std::max(pair.last, edge.last_ms);
    if (!edge.target_field.empty()) {
      pair.columns[{edge.source_field, edge.target_field}] |= edge.influences;
    } else if (!edge.source_field.empty()) {
      pair.rows[edge.source_field] |= edge.influences;
    }
  }
  json::array out;
  for (const auto& [ends, pair] : pairs) {
    json::array jobs, columns, rows;
    for (const long long job : pair.jobs) jobs.push_back(job_json(job));
    for (const auto& [fields, influences] : pair.columns) {
      columns.push_back(json::object{
          {"from", fields.first}, {"to", fields.second}, {"influences", words(influences)}});
    }
    for (const auto& [field, influences] : pair.rows) {
      rows.push_back(json::object{{"from", field}, {"influences", words(influences)}});
    }
    out.push_back(json::object{{"from", node(ends.first).dataset.display()},
                               {"to", node(ends.second).dataset.display()},
                               {"jobs", std::move(jobs)},
                               {"columns", std::move(columns)},
                               {"rows", std::move(rows)},
                               {"first_seen", time_text(from_ms(pair.first))},
                               {"last_seen", time_text(from_ms(pair.last))}});
  }
  return out;
}

json::array LineageGraph::column_edges() {
  json::array out;
  for (const auto& [id, edge] : found_) {
    out.push_back(json::object{{"from", place_json(edge.source, edge.source_field)},
                               {"to", place_json(edge.target, edge.target_field)},
                               {"influences", words(edge.influences)},
                               {"job", job_json(edge.job)},
                               {"first_seen", time_text(from_ms(edge.first_ms))},
                               {"last_seen", time_text(from_ms(edge.last_ms))}});
  }
  return out;
}

json::array LineageGraph::rows_json(long long id) {
  json::array out;
  long long source = 0;
  std::string field;
  Influences influences = 0;
  soci::statement select =
      (sql_.prepare
           << "SELECT source, source_field, influences FROM lineage_edge WHERE ended_ms = 0 "
              "AND target = :id AND target_field = '' AND source_field <> ''",
       soci::into(source), soci::into(field), soci::into(influences), soci::use(id, "id"));
  select.execute();
  std::map<Place, Influences> found;
  while (select.fetch()) found[{source, field}] |= influences;
  for (const auto& [place, bits] : found) {
    json::object one = place_json(now_called(place.first), place.second);
    one["influences"] = words(bits);
    out.push_back(std::move(one));
  }
  return out;
}

json::array LineageGraph::unknown(long long id) {
  json::array out;
  std::string field, reason;
  soci::statement select =
      (sql_.prepare
           << "SELECT field, reason FROM lineage_unknown WHERE target = :id ORDER BY field",
       soci::into(field), soci::into(reason), soci::use(id, "id"));
  select.execute();
  while (select.fetch()) {
    if (!query_.column.empty() && field != query_.column) continue;
    out.push_back(json::object{{"column", field}, {"reason", reason}});
  }
  return out;
}

}  // namespace meesh::governance
