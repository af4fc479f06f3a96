#include "dashboards/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <set>

#include "base/text.h"
#include "sql/resolve_walk.h"
#include "sql/sql.h"

namespace meesh::dashboards {

namespace json = boost::json;
using sql::ExprKind;
using sql::ExprPtr;

namespace {

constexpr const char* kAlias = "chart";

bool name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool name_part(char c) { return name_start(c) || (c >= '0' && c <= '9'); }

/// The end of a string, a quoted name or a comment that begins at `at`; `at` itself if none does.
size_t skip_quoted(std::string_view text, size_t at) {
  const char c = text[at];
  if (c == '\'' || c == '"') {
    size_t end = at + 1;
    while (end < text.size()) {
      if (text[end] != c) {
        ++end;
      } else if (end + 1 < text.size() && text[end + 1] == c) {
        end += 2;
      } else {
        return end + 1;
      }
    }
    return text.size();
  }
  if (text.substr(at, 2) == "--") return std::min(text.find('\n', at), text.size());
  if (text.substr(at, 2) == "/*") {
    const size_t end = text.find("*/", at + 2);
    return end == std::string_view::npos ? text.size() : end + 2;
  }
  return at;
}

/// Without what comes behind the last character of the statement: spaces and a semicolon.
std::string trimmed(const std::string& sql) {
  const size_t last = sql.find_last_not_of(" \t\r\n;");
  return last == std::string::npos ? "" : sql.substr(0, last + 1);
}

sql::ExprPtr text_literal(std::string value) {
  auto made = std::make_unique<sql::StringLiteral>();
  made->value = std::move(value);
  return made;
}

Error not_a(const json::value& value, std::string_view what) {
  return Error(Code::kBadRequest, fmt::format("{} is no {}", json::serialize(value), what));
}

/// "12", "-1.5", "1e6" as a literal, its sign before it.
ExprPtr number_literal(std::string text, const json::value& said) {
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  double read = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), read);
  const bool digits = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (failed != std::errc{} || end != text.data() + text.size() || !digits)
    throw not_a(said, "number");
  ExprPtr made;
  uint64_t whole = 0;
  const auto [stop, large] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (text.find_first_of("eE") != std::string::npos) {
    auto number = std::make_unique<sql::DoubleLiteral>();
    number->text = text;
    made = std::move(number);
  } else if (large == std::errc{} && stop == text.data() + text.size() && whole <= INT64_MAX) {
    auto number = std::make_unique<sql::IntegerLiteral>();
    number->value = whole;
    made = std::move(number);
  } else {
    auto number = std::make_unique<sql::DecimalLiteral>();
    number->text = text.find('.') == std::string::npos ? text + "." : text;
    made = std::move(number);
  }
  if (!negative) return made;
  auto minus = std::make_unique<sql::Unary>();
  minus->value = std::move(made);
  return minus;
}

/// The date of "2026-01-31" or of a moment on it.
std::string date_text(const json::value& value) {
  const TimeRange range = time_range(json::object{{"from", value}}, 0);
  return range.from.substr(0, 10);
}

ExprPtr typed(std::string type, std::string value) {
  auto made = std::make_unique<sql::TypedLiteral>();
  made->type = std::move(type);
  made->value = std::move(value);
  return made;
}

std::string number_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  return value.is_double() ? fmt::format("{}", value.get_double()) : "";
}

bool is_number(const json::value& value) { return value.is_number(); }

ExprPtr identifier(const std::string& name) {
  auto made = std::make_unique<sql::Identifier>();
  made->name = {name, true, {}};
  return made;
}

ExprPtr compare(sql::ComparisonOp op, ExprPtr left, ExprPtr right) {
  auto made = std::make_unique<sql::Comparison>();
  made->op = op;
  made->left = std::move(left);
  made->right = std::move(right);
  return made;
}

ExprPtr all_of(std::vector<ExprPtr> terms) {
  if (terms.size() == 1) return std::move(terms[0]);
  auto made = std::make_unique<sql::Logical>();
  made->is_and = true;
  made->terms = std::move(terms);
  return made;
}

/// The value as a literal that can be compared with a column of any type: text that looks like a
/// moment is compared as text, which CAST makes of the column.
ExprPtr click_condition(const ClickFilter& filter) {
  const auto column = [&](const json::value& value) -> ExprPtr {
    if (!value.is_string()) return identifier(filter.column);
    auto cast = std::make_unique<sql::Cast>();
    cast->value = identifier(filter.column);
    cast->type = sql::parse_type("varchar");
    return cast;
  };
  if (filter.values.empty()) throw Error(Code::kBadRequest, "a filter has no values");
  if (filter.op == "between") {
    if (filter.values.size() != 2) throw Error(Code::kBadRequest, "between takes two values");
    std::vector<ExprPtr> both;
    for (size_t i = 0; i < 2; ++i) {
      if (filter.values[i].is_null()) continue;
      both.push_back(compare(i == 0 ? sql::ComparisonOp::kGe : sql::ComparisonOp::kLe,
                             column(filter.values[i]), literal(filter.values[i])));
    }
    if (both.empty()) throw Error(Code::kBadRequest, "between takes two values");
    return all_of(std::move(both));
  }
  if (filter.op != "in" && filter.op != "=")
    throw Error(Code::kBadRequest, fmt::format("a filter has no operator '{}'", filter.op));
  auto any = std::make_unique<sql::Logical>();
  any->is_and = false;
  for (const auto& value : filter.values) {
    if (value.is_null()) {
      auto null = std::make_unique<sql::IsNull>();
      null->value = identifier(filter.column);
      any->terms.push_back(std::move(null));
    } else {
      any->terms.push_back(compare(sql::ComparisonOp::kEq, column(value), literal(value)));
    }
  }
  if (any->terms.size() == 1) return std::move(any->terms[0]);
  return any;
}

ExprPtr condition(const std::vector<ClickFilter>& filters) {
  std::vector<ExprPtr> terms;
  for (const auto& filter : filters) terms.push_back(click_condition(filter));
  return all_of(std::move(terms));
}

bool is_condition(ExprKind kind) {
  switch (kind) {
    case ExprKind::kComparison:
    case ExprKind::kBetween:
    case ExprKind::kIn:
    case ExprKind::kInSubquery:
    case ExprKind::kLike:
    case ExprKind::kIsDistinctFrom:
    case ExprKind::kQuantified:
    case ExprKind::kNot:
      return true;
    default:
      return false;
  }
}

/// Puts values into a tree.
class Binder {
 public:
  Binder(std::vector<const BoundValue*> values) : values_(std::move(values)) {}

  void query(sql::Query& query) {
    sql::for_each_expr(query, [&](ExprPtr& slot) { top(slot); });
  }
  bool elided() const { return elided_; }

 private:
  void top(ExprPtr& slot) {
    if (!expression(slot)) return;
    // No condition has taken it: the value is NULL.
    nothing(slot);
    elided_ = true;
  }

  static void nothing(ExprPtr& slot) {
    if (slot->kind == ExprKind::kParameter) {
      slot = std::make_unique<sql::NullLiteral>();
      return;
    }
    sql::for_each_child(*slot, [](ExprPtr& child) { nothing(child); }, {});
  }

  /// True: it holds a parameter without a value that no condition inside it has taken.
  bool expression(ExprPtr& slot) {
    if (slot->kind == ExprKind::kParameter) return parameter(slot);
    if (slot->kind == ExprKind::kIn) lists(sql::as<sql::In>(*slot));
    if (slot->kind == ExprKind::kNot) return negation(slot);
    if (slot->kind == ExprKind::kLogical) return logical(sql::as<sql::Logical>(*slot));
    bool missing = false;
    sql::for_each_child(
        *slot, [&](ExprPtr& child) { missing |= expression(child); },
        [&](sql::Query& inner) { query(inner); });
    if (!missing) return false;
    elided_ = true;
    if (!is_condition(slot->kind)) return true;
    slot = left_out(slot->pos);
    return false;
  }

  /// NOT of a condition that is left out is left out as well.
  bool negation(ExprPtr& slot) {
    auto& value = sql::as<sql::Not>(*slot).value;
    const bool condition = is_condition(value->kind);
    const bool missing = expression(value);
    elided_ |= missing;
    if (missing || (condition && value->kind == ExprKind::kBoolean)) slot = left_out(slot->pos);
    return false;
  }

  bool logical(sql::Logical& logical) {
    for (auto& term : logical.terms) {
      if (!expression(term)) continue;
      elided_ = true;
      term = left_out(term->pos);
    }
    return false;
  }

  static ExprPtr left_out(sql::Position pos) {
    auto yes = std::make_unique<sql::BooleanLiteral>();
    yes->value = true;
    yes->pos = pos;
    return yes;
  }

  /// x IN (:many) becomes as many items.
  void lists(sql::In& in) {
    std::vector<ExprPtr> items;
    for (auto& item : in.list) {
      const BoundValue* value =
          item->kind == ExprKind::kParameter
              ? values_.at(static_cast<size_t>(sql::as<sql::Parameter>(*item).index))
              : nullptr;
      if (!value || value->values.size() < 2) {
        items.push_back(std::move(item));
        continue;
      }
      for (const auto& one : value->values) items.push_back(literal(one, value->kind));
    }
    in.list = std::move(items);
  }

  bool parameter(ExprPtr& slot) {
    const BoundValue& value =
        *values_.at(static_cast<size_t>(sql::as<sql::Parameter>(*slot).index));
    if (value.values.empty()) return true;
    if (value.values.size() > 1)
      throw Error(Code::kBadRequest, "a parameter with several values stands in IN (:name) alone");
    slot = literal(value.values[0], value.kind);
    return false;
  }

  const std::vector<const BoundValue*> values_;
  bool elided_ = false;
};

/// The inner select, unless something (UNION, VALUES) is around it.
sql::Select* plain_select(sql::Query& query) {
  return query.body->kind == sql::QueryBodyKind::kSelect ? &sql::as<sql::Select>(*query.body)
                                                         : nullptr;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::optional<std::string> name_of(const sql::SelectItem& item) {
  if (item.alias) return lower(item.alias->value);
  if (item.value->kind == ExprKind::kIdentifier)
    return lower(sql::as<sql::Identifier>(*item.value).name.value);
  if (item.value->kind == ExprKind::kDereference)
    return lower(sql::as<sql::Dereference>(*item.value).field.value);
  return std::nullopt;
}

std::optional<std::vector<std::string>> columns_of(const sql::Query& query) {
  const sql::QueryBody* body = query.body.get();
  while (body->kind == sql::QueryBodyKind::kSetOperation)
    body = sql::as<sql::SetOperation>(*body).left.get();
  if (body->kind != sql::QueryBodyKind::kSelect) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& item : sql::as<sql::Select>(*body).items) {
    if (item.value->kind == ExprKind::kStar) return std::nullopt;
    names.push_back(name_of(item).value_or(""));
  }
  return names;
}

}  // namespace

ExprPtr literal(const json::value& value, BoundValue::Kind kind) {
  using Kind = BoundValue::Kind;
  if (value.is_null()) return std::make_unique<sql::NullLiteral>();
  if (value.is_object() || value.is_array()) throw not_a(value, "value");
  switch (kind) {
    case Kind::kNumber:
      return number_literal(number_text(value), value);
    case Kind::kDate:
      return typed("date", date_text(value));
    case Kind::kTimestamp:
      return typed("timestamp", std::string(value.get_string()));
    case Kind::kBoolean: {
      auto made = std::make_unique<sql::BooleanLiteral>();
      if (!value.is_bool() && value != "true" && value != "false") throw not_a(value, "boolean");
      made->value = value.is_bool() ? value.get_bool() : value == "true";
      return made;
    }
    case Kind::kText:
      return text_literal(value.is_string() ? std::string(value.get_string())
                                            : json::serialize(value));
    case Kind::kByValue:
      break;
  }
  if (value.is_bool()) return literal(value, Kind::kBoolean);
  return literal(value, is_number(value) ? Kind::kNumber : Kind::kText);
}

Statement Statement::parse(const std::string& sql, const TextPlace& place) {
  Statement made;
  made.place_ = place;
  made.source_ = trimmed(sql);
  std::string text = made.source_;
  for (size_t at = 0; at < text.size();) {
    if (const size_t end = skip_quoted(text, at); end > at) {
      at = end;
      continue;
    }
    if (text[at] != ':' || at + 1 >= text.size() || !name_start(text[at + 1])) {
      ++at;
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && name_part(text[end])) ++end;
    const auto position = base::position_of(text, at);
    made.holes_.push_back(
        {at, end - at, text.substr(at + 1, end - at - 1), {position.line, position.column}});
    // The parser's own parameters, everything else at its place.
    text.replace(at, end - at, "?" + std::string(end - at - 1, ' '));
    at = end;
  }
  try {
    made.tree_ = sql::parse(text);
    if (made.tree_->kind != sql::StatementKind::kQuery)
      throw Error(Code::kNotSupported, "a chart asks a query (SELECT, WITH, VALUES, TABLE) alone",
                  {made.tree_->pos.line, made.tree_->pos.column, ""});
    if (sql::parameter_count(*made.tree_) != static_cast<int>(made.holes_.size()))
      throw Error(Code::kSyntaxError, "parameters are written :name", {1, 1, ""});
  } catch (const Error& error) {
    throw place.in_file(error);
  }
  return made;
}

void Statement::bind(const BoundValues& values) {
  if (holes_.empty()) return;
  std::vector<const BoundValue*> in_order;
  for (const auto& hole : holes_) {
    const auto found = values.find(hole.name);
    if (found == values.end())
      throw place_.in_file(Error(Code::kConfigInvalid,
                                 fmt::format("there is no parameter ':{}'", hole.name),
                                 {hole.pos.line, hole.pos.column, ""}));
    in_order.push_back(&found->second);
  }
  Binder binder(in_order);
  binder.query(*sql::as<sql::QueryStatement>(*tree_).query);
  if (binder.elided()) {
    rewritten_ = true;
    return;
  }
  // Literals put in at their places: taken only if it is read as the same tree.
  std::string text = source_;
  for (size_t i = holes_.size(); i-- > 0;) {
    std::string shown;
    for (const auto& value : in_order[i]->values) {
      if (!shown.empty()) shown += ", ";
      shown += sql::print_trino(*literal(value, in_order[i]->kind));
    }
    text.replace(holes_[i].offset, holes_[i].length, shown + " ");
  }
  try {
    if (sql::dump(*sql::parse(text)) == sql::dump(*tree_)) {
      bound_ = std::move(text);
      return;
    }
  } catch (const Error&) {
    // Printed of the tree instead.
  }
  rewritten_ = true;
}

std::optional<std::vector<std::string>> Statement::columns() const { return columns_of(query()); }

/// The query becomes SELECT * FROM (query) AS chart, in the order it had where that is told by its
/// columns.
void Statement::wrap() {
  auto& outer = *sql::as<sql::QueryStatement>(*tree_).query;
  auto inner = std::make_unique<sql::Query>(std::move(outer));
  outer = sql::Query{};
  const auto names = columns_of(*inner).value_or(std::vector<std::string>{});
  for (const auto& item : inner->order_by) {
    sql::SortItem moved;
    moved.descending = item.descending;
    moved.nulls = item.nulls;
    if (item.key->kind == ExprKind::kInteger) {
      auto ordinal = std::make_unique<sql::IntegerLiteral>();
      ordinal->value = sql::as<sql::IntegerLiteral>(*item.key).value;
      moved.key = std::move(ordinal);
    } else if (item.key->kind == ExprKind::kIdentifier) {
      const auto& name = sql::as<sql::Identifier>(*item.key).name.value;
      if (std::ranges::count(names, lower(name)) == 0) continue;
      moved.key = identifier(lower(name));
    } else {
      continue;
    }
    outer.order_by.push_back(std::move(moved));
  }
  auto relation = std::make_unique<sql::SubqueryRelation>();
  relation->query = std::move(inner);
  auto aliased = std::make_unique<sql::AliasedRelation>();
  aliased->relation = std::move(relation);
  aliased->alias = {kAlias, false, {}};
  auto select = std::make_unique<sql::Select>();
  sql::SelectItem star;
  star.value = std::make_unique<sql::Star>();
  select->items.push_back(std::move(star));
  select->from = std::move(aliased);
  outer.body = std::move(select);
  rewritten_ = true;
}

void Statement::filter_answer(const std::vector<ClickFilter>& filters) {
  if (filters.empty()) return;
  wrap();
  plain_select(*sql::as<sql::QueryStatement>(*tree_).query)->where = condition(filters);
}

bool Statement::filter_source(const std::vector<ClickFilter>& filters) {
  auto& query = *sql::as<sql::QueryStatement>(*tree_).query;
  sql::Select* select = plain_select(query);
  if (!select || !select->from) return false;
  std::vector<ExprPtr> terms;
  if (select->where) terms.push_back(std::move(select->where));
  terms.push_back(condition(filters));
  select->where = all_of(std::move(terms));
  rewritten_ = true;
  return true;
}

void Statement::drill(const DrillConfig& drill, const std::vector<std::string>& numbers,
                      size_t level, const std::vector<json::value>& chosen) {
  if (drill.by.empty()) return;
  level = std::min(level, drill.by.size() - 1);
  if (chosen.size() < level)
    throw Error(Code::kBadRequest,
                fmt::format("level {} has {} values chosen above it", level, chosen.size()));
  wrap();
  auto& query = *sql::as<sql::QueryStatement>(*tree_).query;
  query.order_by.clear();
  sql::Select& select = *plain_select(query);
  std::vector<ClickFilter> above;
  for (size_t i = 0; i < level; ++i) above.push_back({drill.by[i], "in", {chosen[i]}});
  if (!above.empty()) select.where = condition(above);
  select.items.clear();
  sql::SelectItem key;
  key.value = identifier(drill.by[level]);
  select.items.push_back(std::move(key));
  for (const auto& number : numbers) {
    auto call = std::make_unique<sql::FunctionCall>();
    call->name = {{drill.aggregate, false, {}}};
    call->args.push_back(identifier(number));
    sql::SelectItem item;
    item.value = std::move(call);
    item.alias = sql::Ident{number, true, {}};
    select.items.push_back(std::move(item));
  }
  sql::GroupingElement element;
  element.sets.emplace_back();
  element.sets.back().push_back(identifier(drill.by[level]));
  select.group_by.emplace();
  select.group_by->elements.push_back(std::move(element));
  sql::SortItem order;
  order.key = std::make_unique<sql::IntegerLiteral>();
  sql::as<sql::IntegerLiteral>(*order.key).value = 1;
  query.order_by.push_back(std::move(order));
}

void Statement::limit_rows(size_t most) {
  auto& query = *sql::as<sql::QueryStatement>(*tree_).query;
  if (query.limit || query.fetch_first || query.limit_all) return;
  auto limit = std::make_unique<sql::IntegerLiteral>();
  limit->value = most;
  query.limit = std::move(limit);
  cut_ = most;
}

std::vector<std::string> Statement::parameters() const {
  std::vector<std::string> names;
  for (const auto& hole : holes_) names.push_back(hole.name);
  return names;
}

void Statement::only_columns() {
  wrap();
  limit_rows(0);
}

std::string Statement::text() const {
  if (rewritten_) return sql::print_trino(*tree_);
  const std::string& written = bound_.empty() ? source_ : bound_;
  // Behind a line end: the text may end in a comment.
  return cut_ ? fmt::format("{}\nLIMIT {}", written, *cut_) : written;
}

Error Statement::located(const Error& error) const {
  if (!rewritten_) return place_.in_file(error);
  Error moved(error.code(), error.message());
  moved.with_hint(error.hint());
  if (!place_.file.empty())
    moved.at(place_.file, place_.lines_before + 1, place_.columns_before + 1);
  return moved;
}

const sql::Query& Statement::query() const { return *sql::as<sql::QueryStatement>(*tree_).query; }

}  // namespace meesh::dashboards
