#include "pipelines/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "pipelines/selector.h"

namespace meesh::pipelines {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Error mistake(std::string message, const Location& where, std::string hint = "") {
  Error error(Code::kConfigInvalid, std::move(message), where);
  error.with_hint(std::move(hint));
  return error;
}

std::string near(const std::string& word, const std::vector<std::string>& names) {
  const auto meant = base::closest(word, names);
  return meant ? fmt::format("did you mean '{}'?", *meant) : "";
}

std::string shown(const Location& where) {
  return fmt::format("{}:{}:{}", where.file, where.line, where.column);
}

}  // namespace

Graph::Graph(std::vector<std::unique_ptr<Pipeline>> pipelines, std::vector<Error>& problems)
    : pipelines_(std::move(pipelines)) {
  for (const auto& pipeline : pipelines_) {
    for (const PipelineAsset& asset : pipeline->assets) {
      const auto [other, first] = by_name_.emplace(asset.name, nodes_.size());
      if (!first) {
        problems.push_back(mistake(fmt::format("there is an asset '{}' already", asset.name),
                                   asset.where, shown(nodes_[other->second].asset->where)));
        continue;
      }
      nodes_.push_back({pipeline.get(), &asset, {}, {}, {}});
    }
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const PipelineAsset& asset = *nodes_[i].asset;
    for (const std::string& part : asset.asset->parts()) by_name_.emplace(part, i);
    for (const std::string& table : asset.asset->outputs()) {
      const auto [other, first] = by_table_.emplace(lower(table), i);
      if (first || other->second == i) continue;
      problems.push_back(
          mistake(fmt::format("two assets make the table '{}'", table), asset.where,
                  fmt::format("the other is '{}' at {}", nodes_[other->second].asset->name,
                              shown(nodes_[other->second].asset->where))));
    }
  }
  connect(problems);
  sort(problems);
}

const Pipeline* Graph::pipeline(const std::string& name) const {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->name == name) return pipeline.get();
  }
  return nullptr;
}

std::optional<size_t> Graph::maker(const std::string& table) const {
  auto found = by_table_.find(table);
  if (found == by_table_.end()) found = by_table_.find(table.substr(0, table.rfind('.')) + ".*");
  if (found == by_table_.end()) return std::nullopt;
  return found->second;
}

const Graph::Node* Graph::find(const std::string& name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return &nodes_[found->second];
  }
  const auto found = maker(name);
  return found ? &nodes_[*found] : nullptr;
}

void Graph::connect(std::vector<Error>& problems) {
  std::vector<std::string> known;
  for (const auto& [name, i] : by_name_) known.push_back(name);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    const auto need = [&](size_t other, const Location& where) {
      if (std::ranges::find(node.needs, other) != node.needs.end()) return;
      node.needs.push_back(other);
      nodes_[other].feeds.push_back(i);
      places_.emplace(std::pair(i, other), where);
    };
    for (const TableUse& use : node.asset->asset->inputs()) {
      const auto other = maker(use.table);
      if (!other) {
        node.external.push_back(use);
      } else if (*other != i) {  // an incremental model reads itself
        need(*other, use.where);
      }
    }
    for (const TableUse& use : node.asset->depends_on) {
      const Node* other = find(use.table);
      if (other == nullptr) {
        problems.push_back(mistake(fmt::format("'{}' depends on '{}', and there is no such asset",
                                               node.asset->name, use.table),
                                   use.where,
                                   known.size() <= 20
                                       ? base::did_you_mean(use.table, known, "assets are ")
                                       : near(use.table, known)));
        continue;
      }
      need(index(*other), use.where);
    }
  }
}

void Graph::sort(std::vector<Error>& problems) {
  std::vector<size_t> waits(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    waits[i] = nodes_[i].needs.size();
    if (waits[i] == 0) order_.push_back(i);
  }
  std::vector<bool> done(nodes_.size());
  const auto settle = [&](size_t from) {
    for (size_t at = from; at < order_.size(); ++at) {
      done[order_[at]] = true;
      for (const size_t next : nodes_[order_[at]].feeds) {
        if (--waits[next] == 0) order_.push_back(next);
      }
    }
  };
  settle(0);
  while (order_.size() < nodes_.size()) {
    // Whoever still waits needs one that still waits: following that leads into a circle.
    size_t at = static_cast<size_t>(std::ranges::find(done, false) - done.begin());
    std::vector<size_t> path;
    while (std::ranges::find(path, at) == path.end()) {
      path.push_back(at);
      at = *std::ranges::find_if(nodes_[at].needs, [&](size_t need) { return !done[need]; });
    }
    path.erase(path.begin(), std::ranges::find(path, at));
    complain_of_circle(path, problems);
    const size_t from = order_.size();
    for (const size_t i : path) order_.push_back(i);
    for (const size_t i : path) done[i] = true;
    for (size_t i = from; i < order_.size(); ++i) {
      for (const size_t next : nodes_[order_[i]].feeds) {
        if (!done[next] && --waits[next] == 0) order_.push_back(next);
      }
      done[order_[i]] = true;
    }
  }
}

void Graph::complain_of_circle(std::vector<size_t> path, std::vector<Error>& problems) const {
  // Told from its first asset on, the same at every start.
  std::ranges::rotate(path, std::ranges::min_element(path));
  std::string words;
  for (const size_t i : path) words += nodes_[i].asset->name + " → ";
  words += nodes_[path.front()].asset->name;
  const size_t next = path.size() > 1 ? path[1] : path[0];
  problems.push_back(mistake(fmt::format("these assets need each other: {}", words),
                             places_.at({path.front(), next}),
                             "each → reads what follows; take one of them out of the circle"));
}

Graph::Selection Graph::select(const Pipeline& pipeline, const std::vector<std::string>& select,
                               const std::vector<std::string>& exclude) const {
  const Selector selector(*this, pipeline);
  auto wanted = select.empty() ? selector.all() : selector.any_of(select);
  if (!exclude.empty()) selector.remove(wanted, selector.any_of(exclude));
  Selection selection;
  for (const size_t i : order_) {
    const auto found = wanted.find(i);
    if (found == wanted.end()) continue;
    selection.nodes.push_back(i);
    if (!found->second.empty()) selection.parts[i] = found->second;
  }
  return selection;
}

void no_pipeline(const Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& pipeline : graph.pipelines()) names.push_back(pipeline->name);
  throw Error(Code::kNotFound, fmt::format("there is no pipeline '{}'", name))
      .with_hint(names.empty() ? "the mesh's folder pipelines is empty"
                               : base::did_you_mean(name, names, "there are "));
}

}  // namespace meesh::pipelines
