#include "transform/dbt_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "transform/dbt_json.h"

namespace meesh::transform {
namespace {

namespace json = boost::json;
using dbt_json::object;
using dbt_json::text;
using dbt_json::texts;

bool makes_a_table(const DbtNode& node) {
  if (node.resource_type == "source") return true;
  return (node.resource_type == "model" || node.resource_type == "seed" ||
          node.resource_type == "snapshot") &&
         node.materialized != "ephemeral";
}

DbtNode node_of(const std::string& id, const json::object& from) {
  DbtNode node;
  node.id = id;
  node.resource_type = text(from, "resource_type");
  node.name = text(from, "name");
  if (const auto* config = object(from, "config"))
    node.materialized = text(*config, "materialized");
  std::string table = text(from, "alias");
  if (table.empty()) table = text(from, "identifier");
  if (makes_a_table(node)) {
    node.relation = dbt_json::relation(text(from, "database"), text(from, "schema"), table);
  }
  if (const auto* depends = object(from, "depends_on")) node.depends_on = texts(*depends, "nodes");
  node.file = text(from, "original_file_path");
  node.description = text(from, "description");
  node.tags = texts(from, "tags");
  if (const auto* columns = object(from, "columns")) {
    for (const auto& [name, column] : *columns) node.columns.emplace_back(name);
  }
  return node;
}

bool is_check(const DbtNode& node) {
  return node.resource_type == "test" || node.resource_type == "unit_test";
}

}  // namespace

std::vector<DbtNode> read_manifest(std::string_view text_of_manifest) {
  boost::system::error_code mistake;
  json::parse_options options;
  options.max_depth = 100;
  const json::value value = json::parse(text_of_manifest, mistake, {}, options);
  if (mistake || !value.is_object() || object(value.get_object(), "nodes") == nullptr) {
    throw Error(Code::kGenericUserError, "dbt's manifest.json is not a manifest")
        .with_hint("remove the project's target folder; dbt parses everything anew then");
  }
  std::vector<DbtNode> nodes;
  std::map<std::string, size_t> places;
  for (const char* part : {"sources", "nodes", "unit_tests", "exposures"}) {
    const auto* entries = object(value.get_object(), part);
    if (entries == nullptr) continue;
    for (const auto& [id, entry] : *entries) {
      if (!entry.is_object() || id.empty()) continue;
      places.emplace(id, nodes.size());
      nodes.push_back(node_of(std::string(id), entry.get_object()));
    }
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!is_check(nodes[i])) continue;
    for (const auto& id : nodes[i].depends_on) {
      if (const auto found = places.find(id); found != places.end()) {
        nodes[found->second].checks.push_back(nodes[i].id);
      }
    }
  }
  return nodes;
}

std::vector<std::string> tables_read(const std::vector<DbtNode>& nodes, const DbtNode& node) {
  std::map<std::string_view, const DbtNode*> by_id;
  for (const auto& one : nodes) by_id.emplace(one.id, &one);
  std::vector<std::string> tables;
  std::set<std::string_view> seen{node.id};
  std::vector<const DbtNode*> open{&node};
  while (!open.empty()) {
    const DbtNode* at = open.back();
    open.pop_back();
    for (const auto& id : at->depends_on) {
      const auto found = by_id.find(id);
      if (found == by_id.end() || !seen.insert(id).second) continue;
      if (found->second->relation.empty()) {
        open.push_back(found->second);
      } else {
        tables.push_back(found->second->relation);
      }
    }
  }
  std::ranges::sort(tables);
  const auto same = std::ranges::unique(tables);
  tables.erase(same.begin(), same.end());
  return tables;
}

}  // namespace meesh::transform
