// What JSON_TABLE says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

/// How the rows of nested paths combine: a path by its name, a parent with its children, or
/// siblings among each other.
struct JsonTablePlan {
  enum class Kind { kPath, kOuter, kInner, kUnion, kCross } kind = Kind::kPath;
  Ident path;                                         // kPath
  std::vector<std::unique_ptr<JsonTablePlan>> parts;  // parent and children; siblings
  Position pos;
};

struct JsonTableColumn {
  enum class Kind { kOrdinality, kValue, kQuery, kNested } kind = Kind::kValue;
  Position pos;
  Ident name;
  /// Value and query columns: JSON_VALUE or JSON_QUERY without an input; no path means the
  /// column's name.
  std::unique_ptr<JsonFunction> function;
  bool has_path = false;
  Position path_pos;
  std::string path;  // nested
  std::optional<Ident> path_name;
  std::vector<JsonTableColumn> columns;  // nested
};

struct JsonTableNode {
  std::unique_ptr<JsonFunction> root;  // input, path, path_name and PASSING
  std::vector<JsonTableColumn> columns;
  std::unique_ptr<JsonTablePlan> plan;                // PLAN (…)
  bool default_inner = false, default_cross = false;  // PLAN DEFAULT (…)
  std::string on_error;                               // "", "ERROR", "EMPTY"
};

}  // namespace meesh::sql
