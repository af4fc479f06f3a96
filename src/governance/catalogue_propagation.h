// Tags and terms of columns flow along column lineage to the columns made of them.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "governance/annotations.h"

namespace meesh::governance {

struct ColumnId {
  std::string asset, column;  // "lake.gold.rfm", "email"
  auto operator<=>(const ColumnId&) const = default;
};

/// `to` is made of `from`.
struct ColumnEdge {
  ColumnId from, to;
};

/// A tag or term that a column has because of another one.
struct Inherited {
  std::string value;
  bool is_term = false;
  ColumnId from;  // the nearest column that has it of its own
  bool operator==(const Inherited&) const = default;
};

/// What columns have beside what is said of themselves, by column. A column with `propagate: false`
/// passes nothing on, one with `inherit: false` takes nothing; circles are no harm.
using Inheritance = std::map<ColumnId, std::vector<Inherited>>;
Inheritance propagate(const AssetNotes& notes, const std::vector<ColumnEdge>& edges);

}  // namespace meesh::governance
