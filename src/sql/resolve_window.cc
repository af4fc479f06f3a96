// What the parts of a window must be: Trino's refusals with their words and places.
#include <fmt/format.h>

#include <algorithm>

#include "sql/resolve_check.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

void refuse_nested(const Expr& expr) {
  walk(expr, false, [](const Expr& e) {
    if (is_window(e))
      fail(Code::kNestedWindow, e.pos,
           "Cannot nest window functions or row pattern measures inside window specification");
    return true;
  });
}

/// Of ROWS and GROUPS: how many of them.
void check_count(const FrameBound& bound, const char* unit, const char* side) {
  if (!bound.value) return;
  settle(*bound.value, Type::of(TypeKind::kBigint));
  const auto type = infer_type(*bound.value);
  if (!type || type->kind == TypeKind::kUnknown || is_integral(*type)) return;
  if (type->kind == TypeKind::kDecimal && type->scale == 0) return;
  fail(Code::kTypeMismatch, bound.value->pos,
       fmt::format("Window frame {} {} value type must be exact numeric type with scale 0 "
                   "(actual {})",
                   unit, side, type->display()));
}

/// RANGE with a distance: one key, which a distance can be taken from.
void check_distance(const WindowSpec& spec) {
  constexpr const char* kType = "Window frame of type RANGE PRECEDING or FOLLOWING requires";
  if (spec.base && spec.order_by.empty()) return;  // the named window has them
  if (spec.order_by.empty())
    fail(Code::kMissingOrderBy, spec.pos, fmt::format("{} ORDER BY", kType));
  if (spec.order_by.size() > 1) {
    // ORDER BY stands behind PARTITION BY, whose end nobody noted; alone it starts the window.
    const Position at = spec.partition_by.empty() ? spec.pos : spec.order_by.front().pos;
    fail(Code::kInvalidOrderBy, at,
         fmt::format("{} single sort item in ORDER BY (actual: {})", kType, spec.order_by.size()));
  }
  const Expr& key = *spec.order_by.front().key;
  const auto type = infer_type(key);
  if (!type || type->kind == TypeKind::kUnknown) return;
  const bool interval =
      type->kind == TypeKind::kIntervalDayToSecond || type->kind == TypeKind::kIntervalYearToMonth;
  if (is_numeric(*type) || is_dated(*type) || is_time(*type) || interval) return;
  fail(Code::kTypeMismatch, key.pos,
       fmt::format("{} that sort item type be numeric, datetime or interval (actual: {})", kType,
                   type->display()));
}

}  // namespace

void check_having(const Expr& having) {
  walk(having, false, [](const Expr& e) {
    if (is_window(e))
      fail(Code::kNestedWindow, e.pos,
           "HAVING clause cannot contain window functions or row pattern measures");
    return true;
  });
}

void check_window(const WindowSpec& spec) {
  if (spec.base && !spec.partition_by.empty())
    fail(Code::kInvalidPartitionBy, spec.partition_by.front()->pos,
         "WINDOW specification with named WINDOW reference cannot specify PARTITION BY");
  for (const auto& key : spec.partition_by) refuse_nested(*key);
  for (const auto& item : spec.order_by) refuse_nested(*item.key);
  if (!spec.frame) return;
  const auto& frame = *spec.frame;
  const bool valued = frame.start.value || (frame.end && frame.end->value);
  if (frame.start.value) refuse_nested(*frame.start.value);
  if (frame.end && frame.end->value) refuse_nested(*frame.end->value);
  switch (frame.unit) {
    case WindowFrame::Unit::kRange:
      if (valued) check_distance(spec);
      return;
    case WindowFrame::Unit::kGroups:
      if (valued && spec.order_by.empty() && !spec.base)
        fail(Code::kMissingOrderBy, spec.pos,
             "Window frame of type GROUPS PRECEDING or FOLLOWING requires ORDER BY");
      [[fallthrough]];
    case WindowFrame::Unit::kRows: {
      const char* unit = frame.unit == WindowFrame::Unit::kRows ? "ROWS" : "GROUPS";
      check_count(frame.start, unit, "start");
      if (frame.end) check_count(*frame.end, unit, "end");
      return;
    }
  }
}

}  // namespace meesh::sql
