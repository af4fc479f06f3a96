#include "pipelines/selector.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <climits>

#include "base/text.h"

namespace meesh::pipelines {
namespace {

bool digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Of "2+", "+": how far; nothing without a plus sign.
std::optional<int> take_depth(std::string& selector, bool front) {
  const size_t plus = front ? selector.find('+') : selector.rfind('+');
  if (plus == std::string::npos) return std::nullopt;
  const std::string number = front ? selector.substr(0, plus) : selector.substr(plus + 1);
  if (!digits(number) || number.size() > 4) return std::nullopt;
  selector = front ? selector.substr(plus + 1) : selector.substr(0, plus);
  return number.empty() ? INT_MAX : std::stoi(number);
}

std::string near(const std::string& word, const std::vector<std::string>& names) {
  if (names.size() <= 20) return base::did_you_mean(word, names, "its assets are ");
  const auto meant = base::closest(word, names);
  return meant ? fmt::format("did you mean '{}'?", *meant) : "meesh assets lists them";
}

void unite(Selector::Wanted& to, const Selector::Wanted& from) {
  for (const auto& [node, parts] : from) {
    const auto [found, added] = to.emplace(node, parts);
    if (added) continue;
    if (parts.empty() || found->second.empty()) {
      found->second.clear();
    } else {
      found->second.insert(parts.begin(), parts.end());
    }
  }
}

Selector::Wanted intersection(const Selector::Wanted& a, const Selector::Wanted& b) {
  Selector::Wanted both;
  for (const auto& [node, parts] : a) {
    const auto other = b.find(node);
    if (other == b.end()) continue;
    if (parts.empty() || other->second.empty()) {
      both[node] = parts.empty() ? other->second : parts;
      continue;
    }
    std::set<std::string> common;
    std::ranges::set_intersection(parts, other->second, std::inserter(common, common.end()));
    if (!common.empty()) both[node] = common;
  }
  return both;
}

}  // namespace

Selector::Wanted Selector::all() const {
  Wanted wanted;
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    if (graph_.nodes()[i].pipeline == &pipeline_) wanted[i];
  }
  return wanted;
}

Selector::Wanted Selector::any_of(const std::vector<std::string>& selectors) const {
  Wanted wanted;
  for (const std::string& selector : selectors) {
    const Wanted found = one(selector);
    if (found.empty()) {
      std::vector<std::string> names;
      for (const PipelineAsset& asset : pipeline_.assets) names.push_back(asset.name);
      throw Error(Code::kNotFound, fmt::format("'{}' selects nothing of the pipeline '{}'",
                                               selector, pipeline_.name))
          .with_hint(near(selector, names));
    }
    unite(wanted, found);
  }
  return wanted;
}

void Selector::remove(Wanted& from, const Wanted& what) const {
  for (const auto& [node, parts] : what) {
    const auto found = from.find(node);
    if (found == from.end()) continue;
    if (parts.empty()) {
      from.erase(found);
      continue;
    }
    // Without some parts: what is left is named one by one.
    if (found->second.empty()) {
      const auto all = graph_.nodes()[node].asset->asset->parts();
      found->second.insert(all.begin(), all.end());
    }
    for (const std::string& part : parts) found->second.erase(part);
    if (found->second.empty()) from.erase(found);
  }
}

Selector::Wanted Selector::one(const std::string& selector) const {
  std::optional<Wanted> wanted;
  for (size_t at = 0; at <= selector.size();) {
    const size_t comma = std::min(selector.find(',', at), selector.size());
    const Wanted found = term(selector.substr(at, comma - at));
    wanted = wanted ? intersection(*wanted, found) : found;
    at = comma + 1;
  }
  return *wanted;
}

Selector::Wanted Selector::term(const std::string& selector) const {
  std::string pattern = selector;
  const auto up = take_depth(pattern, true);
  const auto down = take_depth(pattern, false);
  if (pattern.empty()) {
    throw Error(Code::kBadRequest, fmt::format("'{}' is no selector", selector))
        .with_hint("such as lake.gold.rfm, +lake.gold.rfm, lake.gold.*, tag:nightly");
  }
  Wanted wanted = matching(pattern);
  Wanted above = wanted, below = wanted;
  if (up) spread(above, true, *up);
  if (down) spread(below, false, *down);
  unite(wanted, above);
  unite(wanted, below);
  return wanted;
}

Selector::Wanted Selector::matching(const std::string& pattern) const {
  Wanted wanted;
  const auto fits = [&](const std::string& name) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  };
  for (const auto& [i, none] : all()) {
    const PipelineAsset& asset = *graph_.nodes()[i].asset;
    const std::vector<std::string> parts = asset.asset->parts();
    if (pattern.starts_with("tag:")) {
      if (std::ranges::find(asset.tags, pattern.substr(4)) != asset.tags.end()) wanted[i];
    } else if (pattern.starts_with("kind:")) {
      if (asset.kind == pattern.substr(5)) wanted[i];
    } else if (fits(asset.name)) {
      wanted[i];
    } else if (!parts.empty()) {
      for (const std::string& part : parts) {
        if (fits(part)) wanted[i].insert(part);
      }
    } else if (std::ranges::any_of(asset.asset->outputs(), fits)) {
      wanted[i];
    }
  }
  return wanted;
}

void Selector::spread(Wanted& wanted, bool up, int depth) const {
  std::vector<size_t> edge;
  for (const auto& [node, parts] : wanted) edge.push_back(node);
  for (int i = 0; i < depth && !edge.empty(); ++i) {
    std::vector<size_t> next;
    for (const size_t at : edge) {
      const Graph::Node& node = graph_.nodes()[at];
      for (const size_t neighbour : up ? node.needs : node.feeds) {
        if (graph_.nodes()[neighbour].pipeline != &pipeline_) continue;
        if (wanted.emplace(neighbour, std::set<std::string>{}).second) next.push_back(neighbour);
      }
    }
    edge = std::move(next);
  }
}

}  // namespace meesh::pipelines
