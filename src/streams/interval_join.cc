#include "streams/interval_join.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "sql/lexer.h"

namespace meesh::streams {

using sql::Expr;
using sql::ExprKind;
using sql::lower;
using std::chrono::milliseconds;

namespace {

/// A source's event time, and what is added to it.
struct Moment {
  size_t source = 0;
  milliseconds plus{0};
};

std::optional<milliseconds> length(const sql::IntervalLiteral& interval) {
  static const std::map<std::string, int64_t> kUnits = {{"second", 1000},
                                                        {"minute", 60'000},
                                                        {"hour", 3'600'000},
                                                        {"day", 86'400'000},
                                                        {"week", 604'800'000}};
  const auto unit = kUnits.find(interval.from);
  if (unit == kUnits.end() || !interval.to.empty()) return std::nullopt;
  double count = 0;
  const auto& text = interval.value;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const auto ms = static_cast<int64_t>(count * static_cast<double>(unit->second));
  return milliseconds(interval.negative ? -ms : ms);
}

class Finder {
 public:
  Finder(const SourceConfig& first, const SourceConfig& second) : sources_{&first, &second} {}

  /// What the tables are called in FROM.
  void look(const sql::Relation& relation, std::string alias = "") {
    switch (relation.kind) {
      case sql::RelationKind::kAliased: {
        const auto& aliased = static_cast<const sql::AliasedRelation&>(relation);
        look(*aliased.relation, lower(aliased.alias.value));
        break;
      }
      case sql::RelationKind::kJoin: {
        const auto& join = static_cast<const sql::Join&>(relation);
        look(*join.left);
        look(*join.right);
        if (join.on) read(*join.on);
        break;
      }
      case sql::RelationKind::kTable: {
        const auto& table = static_cast<const sql::TableRef&>(relation);
        const std::string name = lower(table.name.back().value);
        for (size_t i = 0; i < 2; ++i)
          if (sources_[i]->name == name) names_[i] = alias.empty() ? name : alias;
        break;
      }
      default:
        break;
    }
  }

  void read(const Expr& condition) {
    if (condition.kind == ExprKind::kLogical) {
      const auto& logical = static_cast<const sql::Logical&>(condition);
      if (logical.is_and)
        for (const auto& term : logical.terms) read(*term);
    } else if (condition.kind == ExprKind::kBetween) {
      const auto& between = static_cast<const sql::Between&>(condition);
      if (between.negated) return;
      at_most(*between.low, *between.value);
      at_most(*between.value, *between.high);
    } else if (condition.kind == ExprKind::kComparison) {
      const auto& comparison = static_cast<const sql::Comparison&>(condition);
      using Op = sql::ComparisonOp;
      if (comparison.op == Op::kLt || comparison.op == Op::kLe || comparison.op == Op::kEq)
        at_most(*comparison.left, *comparison.right);
      if (comparison.op == Op::kGt || comparison.op == Op::kGe || comparison.op == Op::kEq)
        at_most(*comparison.right, *comparison.left);
    }
  }

  std::optional<milliseconds> least, most;  // of second - first

 private:
  /// small <= large
  void at_most(const Expr& small, const Expr& large) {
    const auto left = moment(small), right = moment(large);
    if (!left || !right || left->source == right->source) return;
    const milliseconds distance = right->plus - left->plus;
    if (left->source == 1) {  // second - first <= distance
      most = most ? std::min(*most, distance) : distance;
    } else {  // first - second <= distance
      least = least ? std::max(*least, -distance) : -distance;
    }
  }

  std::optional<Moment> moment(const Expr& expr) const {
    if (expr.kind == ExprKind::kBinaryOp) {
      const auto& sum = static_cast<const sql::BinaryOp&>(expr);
      const bool minus = sum.op == sql::BinaryOperator::kSubtract;
      if (!minus && sum.op != sql::BinaryOperator::kAdd) return std::nullopt;
      if (sum.right->kind != ExprKind::kInterval) return std::nullopt;
      const auto by = length(static_cast<const sql::IntervalLiteral&>(*sum.right));
      auto of = moment(*sum.left);
      if (!by || !of) return std::nullopt;
      of->plus += minus ? -*by : *by;
      return of;
    }
    std::string table, column;
    if (expr.kind == ExprKind::kDereference) {
      const auto& part = static_cast<const sql::Dereference&>(expr);
      if (part.base->kind != ExprKind::kIdentifier) return std::nullopt;
      table = lower(static_cast<const sql::Identifier&>(*part.base).name.value);
      column = lower(part.field.value);
    } else if (expr.kind == ExprKind::kIdentifier) {
      column = lower(static_cast<const sql::Identifier&>(expr).name.value);
    }
    for (size_t i = 0; i < 2; ++i) {
      const bool unique = sources_[0]->event_time != sources_[1]->event_time;
      if (sources_[i]->event_time == column && (names_[i] == table || (table.empty() && unique)))
        return Moment{i};
    }
    return std::nullopt;
  }

  const SourceConfig* sources_[2];
  std::string names_[2];
};

}  // namespace

JoinInterval join_interval(const sql::Select& select, const SourceConfig& first,
                           const SourceConfig& second) {
  Error error(Code::kNotSupported, "two streams are joined within an interval of event time");
  error.at("", select.pos.line, select.pos.column)
      .with_hint(
          fmt::format("both sources have event_time and watermark, and ON has: {}.{} BETWEEN "
                      "{}.{} - INTERVAL '1' HOUR AND {}.{} + INTERVAL '1' HOUR",
                      second.name, second.event_time, first.name, first.event_time, first.name,
                      first.event_time));
  if (!select.from || !first.watermark || !second.watermark) throw error;
  Finder finder(first, second);
  finder.look(*select.from);
  if (select.where) finder.read(*select.where);
  if (!finder.least || !finder.most) throw error;
  return {*finder.least, *finder.most};
}

}  // namespace meesh::streams
