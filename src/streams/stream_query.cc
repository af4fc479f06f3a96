#include "streams/stream_query.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "sql/lexer.h"
#include "sql/resolve_walk.h"
#include "sql/sql.h"
#include "streams/interval_join.h"

namespace meesh::streams {

using sql::Expr;
using sql::ExprKind;
using sql::ExprPtr;
using sql::FunctionCall;
using sql::lower;
using sql::Position;
using sql::Query;
using sql::Select;

namespace {

constexpr const char* kWindowStart = "window_start";
constexpr const char* kWindowEnd = "window_end";

template <class T, class From>
const T* node_as(const From& node) {
  return node.kind == T::kKind ? static_cast<const T*>(&node) : nullptr;
}

std::string function_name(const FunctionCall& call) { return lower(call.name.back().value); }

const FunctionCall* aggregate(const Expr& expr) {
  const auto* call = node_as<FunctionCall>(expr);
  if (!call || call->over || call->name.size() != 1) return nullptr;
  const auto* known = sql::find_function(function_name(*call));
  return known && known->kind == sql::FunctionInfo::Kind::kAggregate ? call : nullptr;
}

bool has_aggregate(const Expr& expr) {
  bool found = false;
  sql::walk(expr, false, [&](const Expr& part) {
    found = found || aggregate(part);
    return !found;
  });
  return found;
}

/// Takes the query apart and checks it.
class Analyser {
 public:
  explicit Analyser(const StreamConfig& config) : config_(config) {}

  StreamQuery run() {
    try {
      auto statement = sql::parse(config_.sql);
      if (statement->kind != sql::StatementKind::kQuery)
        refuse(statement->pos, "a stream's SQL is a query", "SELECT … FROM …");
      auto& query = *static_cast<sql::QueryStatement&>(*statement).query;
      return take_apart(query);
    } catch (Error& error) {
      if (error.location().file.empty() && error.location().line > 0) place(error);
      throw;
    }
  }

 private:
  /// From the SQL's text to the file's.
  void place(Error& error) const {
    const auto [line, column] = std::pair(error.location().line, error.location().column);
    error.at(config_.sql_file, line + config_.sql_lines_before,
             column + (line == 1 ? config_.sql_columns_before : config_.sql_indent));
  }

  [[noreturn]] static void refuse(Position pos, std::string message, std::string hint = "") {
    Error error(Code::kNotSupported, std::move(message));
    error.at("", pos.line, pos.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    throw error;
  }

  StreamQuery take_apart(Query& query) {
    StreamQuery result;
    result.text = sql::print_trino(query);
    check_with(query);
    if (!query.order_by.empty() && !sorted_allowed())
      refuse(query.order_by[0].key->pos, "the rows of a stream have no order",
             "leave ORDER BY out, and sort when the table is read");
    if (query.limit || query.offset || query.fetch_first)
      refuse(query.pos, "a stream has no end that LIMIT could count to",
             "limit when the table is read");
    check_body(*query.body);
    auto* select =
        query.body->kind == Select::kKind ? static_cast<Select*>(query.body.get()) : nullptr;
    const bool aggregates = select && is_aggregation(*select);
    if (config_.sources.size() == 2) {
      if (aggregates || !select)
        refuse(query.pos, "two streams are joined by one SELECT without aggregates",
               "aggregate in a second stream over the first one's output");
      result.join = join_interval(*select, config_.sources[0], config_.sources[1]);
    }
    if (aggregates) result.aggregation = aggregation(query, *select);
    check_output(query.pos, aggregates);
    return result;
  }

  bool sorted_allowed() const { return false; }

  void check_output(Position pos, bool aggregates) const {
    if (config_.output == OutputMode::kAppend || aggregates) return;
    refuse(pos,
           fmt::format("output: {} is for queries with aggregates",
                       config_.output == OutputMode::kUpdate ? "update" : "complete"),
           "output: append");
  }

  /// A query of WITH that reads a stream is one itself.
  void check_with(const Query& query) {
    for (const auto& with : query.with) {
      check_part(*with.query);
      if (reads_source(*with.query->body)) derived_.insert(lower(with.name.value));
    }
  }

  bool is_source(const sql::Relation& relation) const {
    const auto* table = node_as<sql::TableRef>(relation);
    if (!table || table->name.size() != 1) return false;
    const std::string name = lower(table->name[0].value);
    if (derived_.contains(name)) return true;
    return std::ranges::any_of(config_.sources,
                               [&](const SourceConfig& source) { return source.name == name; });
  }

  bool reads_source(const sql::Relation& relation) const {
    switch (relation.kind) {
      case sql::RelationKind::kAliased:
        return reads_source(*static_cast<const sql::AliasedRelation&>(relation).relation);
      case sql::RelationKind::kJoin: {
        const auto& join = static_cast<const sql::Join&>(relation);
        return reads_source(*join.left) || reads_source(*join.right);
      }
      case sql::RelationKind::kSubquery:
        return reads_source(*static_cast<const sql::SubqueryRelation&>(relation).query->body);
      case sql::RelationKind::kSampled:
        return reads_source(*static_cast<const sql::Sampled&>(relation).relation);
      default:
        return is_source(relation);
    }
  }
  bool reads_source(const sql::QueryBody& body) const {
    if (const auto* select = node_as<Select>(body))
      return select->from && reads_source(*select->from);
    if (const auto* set = node_as<sql::SetOperation>(body))
      return reads_source(*set->left) || reads_source(*set->right);
    if (const auto* inner = node_as<sql::QueryInParens>(body))
      return reads_source(*inner->query->body);
    return false;
  }

  static bool is_aggregation(const Select& select) {
    if (select.group_by || select.quantifier == sql::SetQuantifier::kDistinct) return true;
    return std::ranges::any_of(select.items, [](const auto& item) {
      return item.value->kind != ExprKind::kStar && has_aggregate(*item.value);
    });
  }

  /// A query within the query: over a stream it must make of each row what it makes of it alone.
  void check_part(const Query& query) {
    check_with(query);
    if (reads_source(*query.body) && (query.limit || query.offset || query.fetch_first))
      refuse(query.pos, "LIMIT in a subquery over a stream would count anew in every batch");
    if (const auto* select = node_as<Select>(*query.body);
        select && select->from && reads_source(*select->from) && is_aggregation(*select)) {
      refuse(select->pos, "aggregates over a stream stand in the outermost SELECT",
             "write the inner query as a stream of its own, and read its table here");
    }
    check_body(*query.body);
  }

  void check_body(const sql::QueryBody& body) {
    if (const auto* set = node_as<sql::SetOperation>(body)) {
      const bool all =
          set->op == sql::SetOperator::kUnion && set->quantifier == sql::SetQuantifier::kAll;
      if (!all && reads_source(body))
        refuse(body.pos, "of set operations a stream takes UNION ALL alone");
      check_side(*set->left);
      check_side(*set->right);
    }
    if (const auto* inner = node_as<sql::QueryInParens>(body)) check_part(*inner->query);
    if (const auto* select = node_as<Select>(body)) check_select(*select);
  }

  void check_side(const sql::QueryBody& body) {
    if (const auto* select = node_as<Select>(body);
        select && select->from && reads_source(*select->from) && is_aggregation(*select))
      refuse(select->pos, "aggregates over a stream stand in the outermost SELECT");
    check_body(body);
  }

  void check_select(const Select& select) {
    if (select.from) check_relation(*select.from);
    if (!select.from || !reads_source(*select.from)) return;
    for (const auto& item : select.items) {
      if (item.value->kind == ExprKind::kStar) continue;
      sql::walk(*item.value, false, [](const Expr& part) {
        const auto* call = node_as<FunctionCall>(part);
        if (call && call->over)
          refuse(part.pos, "a window function would see the rows of one batch alone",
                 "windows of event time: the key 'window' of the stream");
        return true;
      });
    }
  }

  void check_relation(const sql::Relation& relation) {
    if (const auto* aliased = node_as<sql::AliasedRelation>(relation))
      return check_relation(*aliased->relation);
    if (const auto* inner = node_as<sql::SubqueryRelation>(relation))
      return check_part(*inner->query);
    const auto* join = node_as<sql::Join>(relation);
    if (!join) return;
    check_relation(*join->left);
    check_relation(*join->right);
    using sql::JoinType;
    const bool keeps_right = join->type == JoinType::kRight || join->type == JoinType::kFull;
    const bool keeps_left = join->type == JoinType::kLeft || join->type == JoinType::kFull;
    const bool left = reads_source(*join->left), right = reads_source(*join->right);
    if (left && right && (keeps_left || keeps_right))
      refuse(relation.pos, "two streams are joined by an inner join");
    if ((keeps_right && left && !right) || (keeps_left && right && !left))
      refuse(relation.pos, "an outer join keeps the stream's rows, not the table's",
             "put the stream on the side that is kept");
  }

  // ---- aggregation

  Aggregation aggregation(Query& query, Select& select) {
    for (const auto& item : select.items) {
      if (item.value->kind == ExprKind::kStar)
        refuse(item.pos, "a SELECT with aggregates names its columns");
    }
    collect_keys(select);
    for (size_t i = 0; i < select.items.size(); ++i) {
      const auto& item = select.items[i];
      const std::string value = rewrite(*item.value);
      const std::string name = output_name(item, i);
      result_.items.push_back(value + " AS " + quoted(name));
      if (const auto key = key_of(*item.value)) shown_keys_[*key] = name;
    }
    if (select.having) result_.having = rewrite(*select.having);
    for (const auto& [key, name] : shown_keys_) result_.key_columns.push_back(name);
    result_.keys = keys_.size();
    find_time_key();
    result_.delta = delta(query, select);
    if (config_.output == OutputMode::kAppend && !result_.time_key)
      refuse(select.pos, "output: append with aggregates needs a group that time closes",
             "GROUP BY window_start, window_end (key 'window'), and a watermark of the source");
    if (config_.output == OutputMode::kAppend && !config_.sources[0].watermark)
      refuse(select.pos, "output: append with aggregates needs a watermark of the source",
             "watermark: 10s");
    if (config_.output == OutputMode::kUpdate && shown_keys_.size() != keys_.size())
      refuse(select.pos, "output: update shows every column of GROUP BY");
    return std::move(result_);
  }

  static std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
  }

  static std::string output_name(const sql::SelectItem& item, size_t place) {
    if (item.alias) return lower(item.alias->value);
    if (const auto* name = node_as<sql::Identifier>(*item.value)) return lower(name->name.value);
    if (const auto* part = node_as<sql::Dereference>(*item.value)) return lower(part->field.value);
    return fmt::format("_col{}", place);
  }

  void collect_keys(const Select& select) {
    if (select.quantifier == sql::SetQuantifier::kDistinct) {
      if (select.group_by) refuse(select.pos, "SELECT DISTINCT with GROUP BY is not for streams");
      for (const auto& item : select.items) add_key(*item.value);
    }
    if (!select.group_by) return;
    for (const auto& element : select.group_by->elements) {
      if (element.kind != sql::GroupingElement::Kind::kSimple || element.sets.size() != 1)
        refuse(select.pos, "streams group by expressions, not by sets of them");
      for (const auto& key : element.sets[0]) {
        const auto* number = node_as<sql::IntegerLiteral>(*key);
        if (!number) {
          add_key(*key);
          continue;
        }
        if (number->value < 1 || number->value > select.items.size())
          refuse(key->pos,
                 fmt::format("GROUP BY position {} is not in select list", number->value));
        add_key(*select.items[number->value - 1].value);
      }
    }
  }

  void add_key(const Expr& key) {
    if (has_aggregate(key)) refuse(key.pos, "GROUP BY takes no aggregates");
    keys_.push_back(sql::print_trino(key));
    key_words_.push_back(lower(keys_.back()));
  }

  std::optional<size_t> key_of(const Expr& expr) const {
    const std::string text = lower(sql::print_trino(expr));
    const auto found = std::ranges::find(key_words_, text);
    if (found == key_words_.end()) return std::nullopt;
    return static_cast<size_t>(found - key_words_.begin());
  }

  /// The number of the partial with this text; the same text is kept once.
  size_t partial(const std::string& text, const std::string& merge) {
    const auto [found, fresh] = partials_.emplace(text, partials_.size());
    if (fresh) {
      result_.merge.push_back(fmt::format(fmt::runtime(merge), fmt::format("p{}", found->second)));
      partial_texts_.push_back(text);
    }
    return found->second;
  }

  /// The expression over k0 … and p0 ….
  std::string rewrite(const Expr& expr) {
    if (const auto key = key_of(expr)) return fmt::format("k{}", *key);
    if (const auto* call = aggregate(expr)) return "(" + final_of(*call) + ")";
    if (expr.kind == ExprKind::kIdentifier || expr.kind == ExprKind::kDereference) {
      Error error(Code::kExpressionNotAggregate,
                  fmt::format("'{}' must be an aggregate expression or appear in GROUP BY clause",
                              sql::print_trino(expr)));
      error.at("", expr.pos.line, expr.pos.column);
      throw error;
    }
    ExprPtr copy = sql::clone(expr);
    if (!copy) refuse(expr.pos, "a SELECT with aggregates over a stream has no subqueries");
    sql::for_each_child(
        *copy, [&](ExprPtr& child) { child = sql::parse_expression(rewrite(*child)); },
        [&](Query& inner) { refuse(inner.pos, "subqueries stand in FROM"); });
    return sql::print_trino(*copy);
  }

  std::string final_of(const FunctionCall& call) {
    const std::string name = function_name(call);
    if (!call.order_by.empty() || call.within_group)
      refuse(call.pos, fmt::format("{} over a stream has no order", name));
    const std::string text = sql::print_trino(call);
    if (call.distinct) return final_of_distinct(call, name);
    static const std::vector<std::string> kSame = {
        "sum",   "min",       "max",       "bool_and",        "bool_or",
        "every", "arbitrary", "any_value", "bitwise_and_agg", "bitwise_or_agg"};
    if (std::ranges::count(kSame, name) && call.args.size() == 1)
      return fmt::format("p{}", partial(text, name + "({0})"));
    if (name == "count" || name == "count_if")
      return fmt::format("coalesce(p{}, 0)", partial(text, "sum({0})"));
    if (name == "avg") return average(call, text);
    if ((name == "min_by" || name == "max_by") && call.args.size() == 2) return extreme(call, name);
    if (name == "array_agg") return fmt::format("p{}", partial(text, "flatten(array_agg({0}))"));
    if (name == "approx_distinct" && call.args.size() == 1) return distinct_count(call);
    refuse(call.pos, fmt::format("{} cannot be kept from batch to batch", name),
           "count, count_if, sum, avg, min, max, min_by, max_by, bool_and, bool_or, arbitrary, "
           "array_agg, approx_distinct, count(DISTINCT …)");
  }

  std::string final_of_distinct(const FunctionCall& call, const std::string& name) {
    if (name == "min" || name == "max") {
      const std::string text = sql::print_trino(call);
      return fmt::format("p{}", partial(text, name + "({0})"));
    }
    if (name != "count" || call.args.size() != 1)
      refuse(call.pos, fmt::format("{}(DISTINCT …) cannot be kept from batch to batch", name),
             "count(DISTINCT x)");
    return distinct_count(call);
  }

  static std::string with_filter(const FunctionCall& call, const std::string& text) {
    if (!call.filter) return text;
    return fmt::format("{} FILTER (WHERE {})", text, sql::print_trino(*call.filter));
  }

  /// The values themselves are kept.
  std::string distinct_count(const FunctionCall& call) {
    const std::string value = sql::print_trino(*call.args[0]);
    std::string filter = fmt::format("{} IS NOT NULL", value);
    if (call.filter) filter += fmt::format(" AND ({})", sql::print_trino(*call.filter));
    const auto values =
        partial(fmt::format("array_agg(DISTINCT {}) FILTER (WHERE {})", value, filter),
                "array_distinct(flatten(array_agg({0})))");
    return fmt::format("coalesce(CAST(cardinality(p{}) AS bigint), 0)", values);
  }

  std::string average(const FunctionCall& call, const std::string& text) {
    const std::string value = sql::print_trino(*call.args.at(0));
    Average average;
    average.call = text;
    average.sum = partial(with_filter(call, fmt::format("sum({})", value)), "sum({0})");
    average.count = partial(with_filter(call, fmt::format("count({})", value)), "sum({0})");
    result_.averages.push_back(std::move(average));
    return fmt::format("\"@{}@\"", result_.averages.size() - 1);
  }

  std::string extreme(const FunctionCall& call, const std::string& name) {
    const std::string by = sql::print_trino(*call.args[1]);
    const std::string side = name == "min_by" ? "min" : "max";
    const auto measure =
        partial(with_filter(call, fmt::format("{}({})", side, by)), side + "({0})");
    const auto value =
        partial(sql::print_trino(call), fmt::format("{}({{0}}, p{})", name, measure));
    return fmt::format("p{}", value);
  }

  void find_time_key() {
    const auto& source = config_.sources[0];
    const auto named = [&](const std::string& column) -> std::optional<size_t> {
      for (size_t i = 0; i < key_words_.size(); ++i) {
        std::string word = key_words_[i];
        if (const auto dot = word.rfind('.'); dot != std::string::npos) word = word.substr(dot + 1);
        std::erase(word, '"');
        if (word == column) return i;
      }
      return std::nullopt;
    };
    if (!source.watermark) return;
    if (config_.window) {
      if ((result_.time_key = named(kWindowEnd))) return;
      if ((result_.time_key = named(kWindowStart))) {
        result_.time_after = config_.window->size;
        return;
      }
    }
    result_.time_key = named(source.event_time);
  }

  std::string delta(Query& query, Select& select) {
    std::vector<std::string> columns;
    for (size_t i = 0; i < keys_.size(); ++i)
      columns.push_back(fmt::format("{} AS k{}", keys_[i], i));
    for (size_t i = 0; i < partial_texts_.size(); ++i)
      columns.push_back(fmt::format("{} AS p{}", partial_texts_[i], i));
    const bool grouped = !keys_.empty();
    const auto [before, after] = around_items(query, select);
    std::string text = before + "SELECT " + base::join(columns, ", ") + after;
    if (!result_.averages.empty()) {
      std::vector<std::string> calls;
      for (const auto& average : result_.averages) calls.push_back(average.call);
      result_.average_probe = before + "SELECT " + base::join(calls, ", ") + after;
    }
    if (grouped) {
      text += " GROUP BY ";
      for (size_t i = 0; i < keys_.size(); ++i) text += (i ? ", " : "") + std::to_string(i + 1);
    }
    return text;
  }

  /// The query's text before its SELECT and behind its items, without GROUP BY and HAVING.
  static std::pair<std::string, std::string> around_items(Query& query, Select& select) {
    select.items.clear();
    sql::SelectItem one;
    one.value = sql::parse_expression("1");
    select.items.push_back(std::move(one));
    select.group_by.reset();
    select.having.reset();
    select.quantifier = sql::SetQuantifier::kNone;
    const std::string rest = sql::print_trino(query);
    const size_t at = rest.find("SELECT 1", query.with.empty() ? 0 : with_end(rest));
    return {rest.substr(0, at), rest.substr(at + std::string_view("SELECT 1").size())};
  }

  /// Behind WITH …: the outermost SELECT is the last one that stands outside of parentheses.
  static size_t with_end(const std::string& text) {
    size_t found = 0;
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\'' || text[i] == '"') i = text.find(text[i], i + 1);
      if (i == std::string::npos) break;
      if (text[i] == '(') ++depth;
      if (text[i] == ')') --depth;
      if (depth == 0 && text.compare(i, 8, "SELECT 1") == 0) found = i;
    }
    return found;
  }

  const StreamConfig& config_;
  std::set<std::string> derived_;  // names of WITH that read a source
  Aggregation result_;
  std::vector<std::string> keys_, key_words_, partial_texts_;
  std::map<std::string, size_t> partials_;
  std::map<size_t, std::string> shown_keys_;
};

/// Puts the averages into text that has their marks.
std::string with_averages(std::string text, const std::vector<Average>& averages) {
  for (size_t i = 0; i < averages.size(); ++i) {
    const auto& average = averages[i];
    const std::string mark = fmt::format("\"@{}@\"", i);
    const bool exact = average.type.starts_with("decimal");
    const std::string value = fmt::format(
        "CAST({} / nullif(p{}, 0) AS {})",
        exact ? fmt::format("p{}", average.sum) : fmt::format("CAST(p{} AS double)", average.sum),
        average.count, average.type);
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
      text.replace(at, mark.size(), value);
  }
  return text;
}

}  // namespace

std::string Aggregation::key_list() const {
  std::string out;
  for (size_t i = 0; i < keys; ++i) out += fmt::format("{}k{}", i ? ", " : "", i);
  return out;
}

std::string Aggregation::partial_list() const {
  std::string out;
  for (size_t i = 0; i < merge.size(); ++i) out += fmt::format("{}p{}", i ? ", " : "", i);
  return out;
}

std::string Aggregation::columns() const {
  return key_list() + (keys && !merge.empty() ? ", " : "") + partial_list();
}

std::string Aggregation::same_keys(const std::string& left, const std::string& right) const {
  std::string out;
  for (size_t i = 0; i < keys; ++i)
    out += fmt::format("{}{}.k{} IS NOT DISTINCT FROM {}.k{}", i ? " AND " : "", left, i, right, i);
  return out.empty() ? "true" : out;
}

std::string Aggregation::merged(const std::string& from) const {
  std::string list = key_list();
  for (size_t i = 0; i < merge.size(); ++i)
    list += fmt::format("{}{} AS p{}", list.empty() ? "" : ", ", merge[i], i);
  std::string text = fmt::format("SELECT {} FROM ({})", list, from);
  if (keys) {
    text += " GROUP BY ";
    for (size_t i = 0; i < keys; ++i) text += (i ? ", " : "") + std::to_string(i + 1);
  }
  return text;
}

std::string Aggregation::answer(const std::string& from) const {
  std::string text = fmt::format("SELECT {} FROM ({})", base::join(items, ", "), from);
  if (!having.empty()) text += " WHERE " + having;
  return with_averages(std::move(text), averages);
}

StreamQuery analyse(const StreamConfig& config) { return Analyser(config).run(); }

std::string millis_of(const std::string& event, const sql::Type& type) {
  const bool zoned = type.kind == sql::TypeKind::kTimestampTz;
  return fmt::format("date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00{}', {})",
                     zoned ? " UTC" : "", event);
}

std::string moment_literal(int64_t ms, const sql::Type& type) {
  const bool zoned = type.kind == sql::TypeKind::kTimestampTz;
  const int64_t seconds = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
  return fmt::format("TIMESTAMP '{:%Y-%m-%d %H:%M:%S}.{:03}{}'",
                     fmt::gmtime(static_cast<std::time_t>(seconds)), ms - seconds * 1000,
                     zoned ? " UTC" : "");
}

}  // namespace meesh::streams
