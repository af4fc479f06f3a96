#include "governance/catalogue_propagation.h"

#include <deque>
#include <set>

namespace meesh::governance {
namespace {

const ColumnNote& note_of(const AssetNotes& notes, const ColumnId& column) {
  static const ColumnNote kNothing;
  const auto asset = notes.find(column.asset);
  if (asset == notes.end()) return kNothing;
  const auto found = asset->second.columns.find(column.column);
  return found == asset->second.columns.end() ? kNothing : found->second;
}

using Targets = std::map<ColumnId, std::vector<ColumnId>>;

/// Takes one tag or term as far as it goes. All columns that have it of their own begin at once, so
/// that each other one hears of the nearest.
void flow(const AssetNotes& notes, const Targets& targets, const std::string& value, bool is_term,
          const std::vector<ColumnId>& origins, Inheritance& out) {
  std::set<ColumnId> seen(origins.begin(), origins.end());
  std::deque<std::pair<ColumnId, ColumnId>> todo;  // a column, and where what it has comes from
  for (const auto& origin : origins) todo.emplace_back(origin, origin);
  while (!todo.empty()) {
    const auto [column, origin] = todo.front();
    todo.pop_front();
    if (!note_of(notes, column).propagate) continue;
    const auto next = targets.find(column);
    if (next == targets.end()) continue;
    for (const ColumnId& target : next->second) {
      if (!note_of(notes, target).inherit || !seen.insert(target).second) continue;
      out[target].push_back({value, is_term, origin});
      todo.emplace_back(target, origin);
    }
  }
}

}  // namespace

Inheritance propagate(const AssetNotes& notes, const std::vector<ColumnEdge>& edges) {
  Targets targets;
  for (const auto& [from, to] : edges) {
    if (from != to) targets[from].push_back(to);
  }
  std::map<std::pair<bool, std::string>, std::vector<ColumnId>> origins;
  for (const auto& [asset, note] : notes) {
    for (const auto& [column, one] : note.columns) {
      for (const auto& tag : one.tags) origins[{false, tag}].push_back({asset, column});
      for (const auto& term : one.terms) origins[{true, term}].push_back({asset, column});
    }
  }
  Inheritance out;
  for (const auto& [what, columns] : origins)
    flow(notes, targets, what.second, what.first, columns, out);
  return out;
}

}  // namespace meesh::governance
