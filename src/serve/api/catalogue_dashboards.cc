#include "serve/api/catalogue_dashboards.h"

#include <algorithm>

#include "base/yaml.h"
#include "mesh/mesh_files.h"
#include "pipelines/sql_tables.h"

namespace meesh::serve::api {
namespace {

using yaml::Node;

/// A text, or all the languages it is given in.
std::string words(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  if (!found) return "";
  if (found->is_scalar()) return found->kind == Node::Kind::kNull ? "" : found->text;
  std::string all;
  for (const Node& one : found->items) {
    if (one.is_scalar() && all.find(one.text) == std::string::npos)
      all += (all.empty() ? "" : " · ") + one.text;
  }
  return all;
}

/// Parameters (:name) as `?`, those in texts and names, and casts (::), aside.
std::string without_parameters(const std::string& sql) {
  std::string out;
  char quote = 0;
  for (size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ':' && i + 1 < sql.size() &&
               std::isalpha(static_cast<unsigned char>(sql[i + 1])) &&
               (i == 0 || sql[i - 1] != ':')) {
      out += '?';
      while (i + 1 < sql.size() &&
             (std::isalnum(static_cast<unsigned char>(sql[i + 1])) || sql[i + 1] == '_'))
        ++i;
      continue;
    }
    out += c;
  }
  return out;
}

void add_tables(const std::string& sql, std::vector<std::string>& tables) {
  try {
    for (const auto& use : pipelines::tables_in(without_parameters(sql), "", "", "").reads) {
      if (std::ranges::find(tables, use.table) == tables.end()) tables.push_back(use.table);
    }
  } catch (const Error&) {
    return;  // the dashboard tells
  }
}

DashboardFacts facts_of(const Node& root) {
  DashboardFacts facts;
  facts.title = words(root, "title");
  facts.description = words(root, "description");
  facts.owner = words(root, "owner");
  if (const Node* tags = root.find("tags")) {
    for (const Node& tag : tags->items) facts.tags.push_back(tag.text);
  }
  if (const Node* charts = root.find("charts")) {
    for (const Node& chart : charts->items) {
      if (const std::string title = words(chart, "title"); !title.empty())
        facts.charts.push_back(title);
      if (const std::string sql = words(chart, "sql"); !sql.empty()) add_tables(sql, facts.tables);
    }
  }
  return facts;
}

}  // namespace

std::vector<DashboardFacts> read_dashboards(const mesh::Mesh& mesh) {
  std::vector<DashboardFacts> all;
  mesh::MeshFiles files(mesh);
  for (const auto& file : files.list("dashboards", ".yaml")) {
    try {
      const auto document = yaml::parse(files.text(file), file.string());
      if (document.root.kind != Node::Kind::kMap) continue;
      all.push_back(facts_of(document.root));
      all.back().name = file.stem().string();
      all.back().file = file.string();
    } catch (const Error&) {
      continue;
    }
  }
  return all;
}

}  // namespace meesh::serve::api
