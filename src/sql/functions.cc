#include "sql/functions.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/error.h"

namespace meesh::sql {
namespace {

struct Table {
  std::deque<std::string> names;  // owns what rows do not hold themselves
  std::vector<FunctionInfo> rows;
  std::unordered_map<std::string_view, size_t> first;

  void add(FunctionInfo::Kind kind, const FunctionRow& row);
};

void Table::add(FunctionInfo::Kind kind, const FunctionRow& row) {
  const auto open = row.signature.find('(');
  const auto arrow = row.signature.rfind(" -> ");
  if (open == std::string_view::npos || arrow == std::string_view::npos) {
    internal_error("bad function signature: " + std::string(row.signature));
  }
  FunctionInfo info;
  info.kind = kind;
  info.name = row.signature.substr(0, open);
  info.argument_types = row.signature.substr(open + 1, arrow - open - 2);
  info.return_type = row.signature.substr(arrow + 4);
  info.description = row.description;
  if (kind != FunctionInfo::Kind::kScalar) {
    const auto bar = row.body.find('|');
    info.duckdb = row.body.substr(0, bar);
    if (bar != std::string_view::npos) info.wrapper = row.body.substr(bar + 1);
  } else if (row.body.starts_with("=")) {
    info.duckdb = row.body.substr(1);
  } else {
    info.duckdb = names.emplace_back("trino_" + std::string(info.name));
    info.body = row.body;
  }
  first.try_emplace(info.name, rows.size());
  rows.push_back(info);
}

const Table& table() {
  static const Table* made = [] {
    auto* out = new Table;
    for (auto rows : {math_functions(), text_functions(), time_functions(), nested_functions(),
                      value_functions()}) {
      for (auto& row : rows) out->add(FunctionInfo::Kind::kScalar, row);
    }
    for (auto& row : aggregate_functions()) out->add(FunctionInfo::Kind::kAggregate, row);
    for (auto& row : window_functions()) out->add(FunctionInfo::Kind::kWindow, row);
    return out;
  }();
  return *made;
}

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  auto found = table().first.find(lower);
  return found == table().first.end() ? nullptr : &table().rows[found->second];
}

const std::vector<FunctionInfo>& functions() { return table().rows; }

}  // namespace meesh::sql
