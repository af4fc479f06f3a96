// JSON_TABLE. Its paths become one array of rows, an item of each path and its number side by side;
// the columns are JSON_VALUE and JSON_QUERY of those items:
//
//   LATERAL (SELECT JSON_VALUE("$c0", …) AS A, "$o0" AS N FROM UNNEST(json_table(…))
//            AS r ("$c0", "$o0", …))
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "sql/json_table.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

/// As Trino knows the column: upper case unless quoted.
std::string canonical(const Ident& ident) {
  std::string out = ident.value;
  if (ident.quoted) return out;
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// Takes a JSON_TABLE apart.
class JsonTableRewriter {
 public:
  JsonTableRewriter(JsonTable& relation) : node_(*relation.table), pos_(relation.pos) {}
  RelationPtr run();

 private:
  /// A path with the nested ones below it.
  struct Level {
    size_t number = 0;
    std::string name;  // "" = none
    std::string path;
    Position pos;
    std::vector<std::unique_ptr<Level>> nested;
  };

  std::unique_ptr<Level> level(const std::string& path, const std::optional<Ident>& name,
                               std::vector<JsonTableColumn>& columns, Position pos);
  void column(JsonTableColumn& column, Level& level);
  void take_name(const std::string& name, Position pos);
  ExprPtr item(const char* kind, size_t number, Position pos) const;
  std::string spec(const Level& level) const;
  std::string siblings(const Level& level) const;
  std::string planned(const Level& level, const JsonTablePlan* plan);
  std::string planned_siblings(const std::vector<const Level*>& levels, const JsonTablePlan& plan);
  [[noreturn]] void bad_plan(Position pos, const std::vector<std::string>& missing) const;

  JsonTableNode& node_;
  const Position pos_;
  size_t levels_ = 0;
  std::set<std::string> names_;
  std::unique_ptr<Select> select_ = std::make_unique<Select>();
};

void JsonTableRewriter::take_name(const std::string& name, Position pos) {
  if (!names_.insert(name).second)
    fail(Code::kDuplicateColumnOrPathName, pos,
         "All column and path names in JSON_TABLE invocation must be unique");
}

ExprPtr JsonTableRewriter::item(const char* kind, size_t number, Position pos) const {
  auto name = std::make_unique<Identifier>();
  name->pos = pos;
  name->name = {fmt::format("${}{}", kind, number), true, pos};
  return name;
}

void JsonTableRewriter::column(JsonTableColumn& column, Level& of) {
  using Kind = JsonTableColumn::Kind;
  if (column.kind == Kind::kNested) {
    of.nested.push_back(level(column.path, column.path_name, column.columns, column.path_pos));
    return;
  }
  const std::string name = canonical(column.name);
  take_name(name, column.pos);
  SelectItem out;
  out.alias = Ident{name, true, column.pos};
  out.pos = column.pos;
  if (column.kind == Kind::kOrdinality) {
    out.value = item("o", of.number, column.pos);
  } else {
    auto& f = *column.function;
    try {
      to_type(*f.returning);
    } catch (const Error& error) {
      if (error.code() != Code::kTypeNotFound) throw;
      fail(Code::kTypeMismatch, column.pos, error.message());
    }
    f.pos = column.path_pos;
    f.input = item("c", of.number, column.pos);
    f.input_format = "FORMAT JSON";
    if (!column.has_path) {
      std::string member;
      for (char c : name) member += c == '"' ? std::string("\"\"") : std::string(1, c);
      f.path = "lax $.\"" + member + "\"";
    }
    const auto says = [&](const auto& clause) { return clause.ends_with(" ON ERROR"); };
    bool told = std::any_of(f.clauses.begin(), f.clauses.end(), says);
    for (const auto& [event, value] : f.defaults) told = told || event == "ERROR";
    if (!told && node_.on_error == "ERROR") f.clauses.emplace_back("ERROR ON ERROR");
    out.value = std::move(column.function);
  }
  select_->items.push_back(std::move(out));
}

std::unique_ptr<JsonTableRewriter::Level> JsonTableRewriter::level(
    const std::string& path, const std::optional<Ident>& name,
    std::vector<JsonTableColumn>& columns, Position pos) {
  auto made = std::make_unique<Level>();
  made->number = levels_++;
  made->path = path;
  made->pos = pos;
  if (name) {
    made->name = canonical(*name);
    take_name(made->name, name->pos);
  } else if (node_.plan) {
    fail(Code::kMissingPathName, pos, "All JSON paths must be named when specific plan is given");
  }
  for (auto& each : columns) column(each, *made);
  return made;
}

/// What trino_json_table reads: `P number O|I length:path` and what hangs below it or `.`; `U` or
/// `X`, how many siblings, and they.
std::string JsonTableRewriter::spec(const Level& level) const {
  return fmt::format("P{} {} {}:{}{}", level.number, node_.default_inner ? 'I' : 'O',
                     level.path.size(), level.path,
                     level.nested.empty() ? std::string(".") : siblings(level));
}

std::string JsonTableRewriter::siblings(const Level& level) const {
  std::string out = fmt::format("{}{} ", node_.default_cross ? 'X' : 'U', level.nested.size());
  for (const auto& nested : level.nested) out += spec(*nested);
  return out;
}

void JsonTableRewriter::bad_plan(Position pos, const std::vector<std::string>& missing) const {
  fail(Code::kInvalidPlan, pos,
       fmt::format("JSON_TABLE plan should contain all JSON paths available at each level of "
                   "nesting. Paths not included: {}",
                   fmt::join(missing, ", ")));
}

std::string JsonTableRewriter::planned(const Level& level, const JsonTablePlan* plan) {
  using Kind = JsonTablePlan::Kind;
  const bool parent = plan->kind == Kind::kOuter || plan->kind == Kind::kInner;
  const JsonTablePlan& own = parent ? *plan->parts[0] : *plan;
  if (own.kind != Kind::kPath || canonical(own.path) != level.name)
    fail(Code::kInvalidPlan, plan->pos,
         fmt::format("JSON_TABLE plan should contain all JSON paths available at each level of "
                     "nesting. Paths not included: {}",
                     level.name));
  std::string out =
      fmt::format("P{} {} {}:{}", level.number, plan->kind == Kind::kInner ? 'I' : 'O',
                  level.path.size(), level.path);
  std::vector<const Level*> nested;
  std::vector<std::string> names;
  for (const auto& below : level.nested) {
    nested.push_back(below.get());
    names.push_back(below->name);
  }
  if (!parent && !nested.empty()) bad_plan(plan->pos, names);
  if (parent && nested.empty())
    fail(Code::kInvalidPlan, plan->pos,
         fmt::format("JSON_TABLE plan includes unavailable JSON path under {}", level.name));
  return out + (parent ? planned_siblings(nested, *plan->parts[1]) : std::string("."));
}

std::string JsonTableRewriter::planned_siblings(const std::vector<const Level*>& levels,
                                                const JsonTablePlan& plan) {
  using Kind = JsonTablePlan::Kind;
  const bool several = plan.kind == Kind::kUnion || plan.kind == Kind::kCross;
  std::set<std::string> used;
  const auto leaf = [&](const JsonTablePlan& part) -> std::string {
    const auto& own = part.kind == Kind::kPath ? part : *part.parts[0];
    const std::string name = canonical(own.path);
    for (const Level* level : levels) {
      if (level->name != name) continue;
      used.insert(name);
      return planned(*level, &part);
    }
    fail(Code::kInvalidPlan, part.pos,
         fmt::format("JSON_TABLE plan includes unavailable JSON path names: {}", name));
  };
  const std::function<std::string(const JsonTablePlan&)> any =
      [&](const JsonTablePlan& part) -> std::string {
    if (part.kind != Kind::kUnion && part.kind != Kind::kCross) return leaf(part);
    std::string out =
        fmt::format("{}{} ", part.kind == Kind::kUnion ? 'U' : 'X', part.parts.size());
    for (const auto& inner : part.parts) out += any(*inner);
    return out;
  };
  std::string out = several ? any(plan) : "U1 " + leaf(plan);
  std::vector<std::string> missing;
  for (const Level* level : levels)
    if (!used.contains(level->name)) missing.push_back(level->name);
  if (!missing.empty()) bad_plan(plan.pos, missing);
  return out;
}

RelationPtr JsonTableRewriter::run() {
  auto& root = *node_.root;
  const auto top = level(root.path, root.path_name, node_.columns, root.input->pos);
  auto rows = std::move(node_.root);
  rows->name = "json_table";
  rows->path = node_.plan ? planned(*top, node_.plan.get()) : spec(*top);
  if (!node_.on_error.empty()) rows->clauses.push_back(node_.on_error + " ON ERROR");
  auto alias = std::make_unique<AliasedRelation>();
  alias->pos = pos_;
  alias->alias = {"$json", true, pos_};
  std::string type;
  for (size_t i = 0; i < levels_; ++i) {
    type += fmt::format("{}\"$c{}\" varchar, \"$o{}\" bigint", i ? ", " : "", i, i);
    alias->columns.push_back({fmt::format("$c{}", i), true, pos_});
    alias->columns.push_back({fmt::format("$o{}", i), true, pos_});
  }
  rows->returning = parse_type("array(row(" + type + "))");
  auto unnest = std::make_unique<Unnest>();
  unnest->pos = pos_;
  unnest->items.push_back(std::move(rows));
  alias->relation = std::move(unnest);
  select_->pos = pos_;
  select_->from = std::move(alias);
  auto lateral = std::make_unique<Lateral>();
  lateral->pos = pos_;
  lateral->query = std::make_unique<Query>();
  lateral->query->pos = pos_;
  lateral->query->body = std::move(select_);
  return lateral;
}

}  // namespace

Resolver::Fields Resolver::json_table(RelationPtr& slot, const Env& env, const Scope* outer,
                                      const Scope* lateral) {
  slot = JsonTableRewriter(as<JsonTable>(*slot)).run();
  return relation(slot, env, outer, lateral);
}

}  // namespace meesh::sql
