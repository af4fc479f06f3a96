#include "ingest/sources/database_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "engine/ask.h"
#include "ingest/lake_types.h"
#include "ingest/landing.h"

namespace meesh::ingest {

using engine::quote_name;
using sql::TypeKind;

namespace {

constexpr auto kLookback = std::chrono::minutes(5);
constexpr auto kLookbackOfDays = std::chrono::days(1);
constexpr int64_t kLookbackOfNumbers = 1000;
/// Each portion of a table makes the server look through all of its pages.
constexpr double kMostPortions = 16;

bool is_number(const sql::Type& type) {
  return type.kind == TypeKind::kTinyint || type.kind == TypeKind::kSmallint ||
         type.kind == TypeKind::kInteger || type.kind == TypeKind::kBigint ||
         (type.kind == TypeKind::kDecimal && type.scale == 0);
}
bool is_time(const sql::Type& type) {
  return type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestampTz ||
         type.kind == TypeKind::kDate;
}

/// "2026-01-31 12:00:00.123456" of what CAST(… AS varchar) gives; instants are in UTC.
std::string plain_time(std::string text) {
  if (const size_t zone = text.find(" UTC"); zone != std::string::npos) text.resize(zone);
  return text;
}

/// A value of a number or a time as SQL; `value` as CAST(… AS varchar) gives it.
std::string literal(const sql::Type& type, const std::string& value) {
  switch (type.kind) {
    case TypeKind::kDate:
      return fmt::format("DATE '{}'", value);
    case TypeKind::kTimestamp:
      return fmt::format("TIMESTAMP '{}'", value);
    case TypeKind::kTimestampTz:
      return fmt::format("TIMESTAMP '{} UTC'", value);
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL '{}'", value);
    default:
      return value;
  }
}

/// Everything: in one portion, which is the table at one moment, or, of a large table, in portions
/// by its primary key, each of a moment of its own and each with the position
/// {"snapshot": {"after": key, "run_date": …, "last": what is the position after the last one}}, so
/// that a run that was killed goes on.
class WholeTable : public Reader {
 public:
  WholeTable(RowsServer& source, ReadRequest request, const PortionRules& rules)
      : source_(source), request_(std::move(request)), rules_(rules) {
    if (!request_.position.is_object()) return;
    const auto* open = request_.position.as_object().if_contains("snapshot");
    if (open && open->is_object()) snapshot_ = open->as_object();
  }

  std::optional<Portion> next(const TaskContext& context) override {
    if (done_) return std::nullopt;
    Portion portion;
    portion.columns = wanted();
    portion.estimated_rows = request_.stream.estimated_rows;
    portion.query = fmt::format("SELECT {} FROM {} AS t{}", names("t"),
                                source_.table_sql(request_.stream.name), request_.join);
    // What is new since the position is a portion, and so is a table that is not large.
    const bool everything = snapshot_ || request_.position.is_null();
    if (everything && (snapshot_ || in_portions())) {
      next_of_many(portion, context);
    } else {
      done_ = true;
      narrow(portion, context);
    }
    return portion;
  }

 protected:
  /// For those who take less than everything.
  virtual void narrow(Portion& portion, const TaskContext& context) {
    (void)portion, (void)context;
  }
  /// The position once everything is taken; asked before the first portion is.
  virtual boost::json::value at_end(const TaskContext& context) {
    (void)context;
    return nullptr;
  }

  std::vector<StreamColumn> wanted() const {
    std::vector<StreamColumn> columns;
    for (const auto& column : request_.stream.columns)
      if (request_.table.takes(column.name)) columns.push_back(column);
    return columns;
  }
  std::string names(const std::string& alias) const {
    std::vector<std::string> names;
    for (const auto& column : wanted()) names.push_back(alias + "." + quote_name(column.name));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  RowsServer& source_;
  const ReadRequest request_;
  const PortionRules rules_;

 private:
  const StreamColumn* portion_column() const {
    const auto& key = request_.stream.key;
    if (key.empty()) return nullptr;
    const auto found = std::ranges::find(request_.stream.columns, key[0], &StreamColumn::name);
    const bool sorts =
        found != request_.stream.columns.end() && (is_number(found->type) || is_time(found->type));
    return sorts ? &*found : nullptr;
  }
  bool in_portions() const {
    const auto most = static_cast<double>(rules_.chunk_rows);
    return !rules_.consistent && request_.stream.estimated_rows > most && portion_column();
  }

  /// Rows of the next values of the key's first column; the last portion has those up to its end.
  void next_of_many(Portion& portion, const TaskContext& context) {
    const auto& column = *portion_column();
    if (!snapshot_) {
      snapshot_ = {{"run_date", request_.run_date}, {"last", at_end(context)}};
    }
    const auto* after = snapshot_->if_contains("after");
    std::string where;
    if (after) {
      where = fmt::format("t.{} > {}", quote_name(column.name),
                          literal(column.type, std::string(after->as_string())));
    }
    const auto bound = portion_end(column, after ? std::string(after->as_string()) : "");
    portion.disjoint = true;
    if (bound.empty()) {
      done_ = true;
      portion.position = snapshot_->at("last");
    } else {
      where += fmt::format("{}t.{} <= {}", where.empty() ? "" : " AND ", quote_name(column.name),
                           literal(column.type, bound));
      (*snapshot_)["after"] = bound;
      portion.position = boost::json::object{{"snapshot", *snapshot_}};
    }
    if (!where.empty()) portion.query += " WHERE " + where;
  }

  /// The greatest value of the next portion; "": the portion is the last one.
  std::string portion_end(const StreamColumn& column, const std::string& after) const {
    const auto& stream = request_.stream;
    const double rows = std::max(static_cast<double>(rules_.chunk_rows),
                                 std::ceil(stream.estimated_rows / kMostPortions));
    return source_.portion_end(stream, column, after, rows);
  }

  std::optional<boost::json::object> snapshot_;  // of the position; nothing: none is under way
  bool done_ = false;
};

/// Rows whose cursor is at the position or beyond, and those shortly before it, that have not
/// landed: they were committed after rows with later cursors, or their clock is behind. The
/// position never goes beyond the server's own time, nor beyond the beginning of a transaction that
/// still writes, so that a cursor far in the future hides nothing: such rows are met again, and
/// left out as landed.
class NewRows : public WholeTable {
 public:
  NewRows(RowsServer& source, ReadRequest request, const PortionRules& rules)
      : WholeTable(source, std::move(request), rules), cursor_(find(request_.table.cursor)) {}

 private:
  void narrow(Portion& portion, const TaskContext& context) override {
    const auto before = position();
    const std::string beyond = before ? this->beyond(*before) : "";
    portion.position = request_.position;
    if (before) {
      portion.query += " WHERE " + beyond;
      portion.estimated_rows = -1;
      if (!request_.landed.empty()) portion.query += " AND NOT EXISTS (" + landed(*before) + ")";
    }
    const auto reached = this->reached(beyond, context);
    if (reached && (!before || greater(*reached, *before)))
      portion.position = {{"cursor", *reached}};
  }

  boost::json::value at_end(const TaskContext& context) override {
    const auto reached = this->reached("", context);
    if (!reached) return nullptr;
    return {{"cursor", *reached}};
  }

  std::string beyond(const std::string& before) const {
    return fmt::format("t.{} >= {}", quote_name(cursor_.name), lower_bound(before));
  }

  /// The greatest cursor there is now, as far as nothing new can come before it.
  std::optional<std::string> reached(const std::string& where, const TaskContext& context) const {
    const auto top =
        engine::ask(source_.engine(),
                    fmt::format("SELECT CAST(max(t.{}) AS varchar) FROM {} AS t{}",
                                quote_name(cursor_.name), source_.table_sql(request_.stream.name),
                                where.empty() ? "" : " WHERE " + where),
                    ingest_session(), context.stop);
    auto reached = top.rows.at(0).at(0);
    if (reached && is_time(cursor_.type))
      reached = std::min(plain_time(*reached), source_.horizon(cursor_.type));
    return reached;
  }

  const StreamColumn& find(const std::string& name) const {
    const auto& columns = request_.stream.columns;
    const auto found = std::ranges::find(columns, name, &StreamColumn::name);
    if (found == columns.end()) {
      std::vector<std::string> names;
      for (const auto& column : columns) names.push_back(column.name);
      throw wrong(fmt::format("{} has no column '{}'", request_.stream.origin, name))
          .with_hint(base::did_you_mean(name, names, "columns: "));
    }
    return *found;
  }

  Error wrong(std::string message) const {
    return Error(Code::kColumnNotFound, std::move(message),
                 {request_.table.line, request_.table.column, ""});
  }

  std::optional<std::string> position() const {
    if (!request_.position.is_object()) return std::nullopt;
    const auto* found = request_.position.as_object().if_contains("cursor");
    if (!found || !found->is_string()) return std::nullopt;
    return std::string(found->as_string());
  }

  bool greater(const std::string& a, const std::string& b) const {
    if (is_time(cursor_.type)) return a > b;
    const bool negative = b.starts_with('-');
    if (a.starts_with('-') != negative) return negative;
    const bool longer = a.size() != b.size() ? a.size() > b.size() : a > b;
    return negative ? !longer && a != b : longer;
  }

  std::string lower_bound(const std::string& position) const {
    const auto& given = request_.table.lookback;
    if (is_number(cursor_.type))
      return fmt::format("{} - {}", literal(cursor_.type, position),
                         given.number.value_or(kLookbackOfNumbers));
    const bool day = cursor_.type.kind == TypeKind::kDate;
    const auto back = given.time.value_or(day ? std::chrono::seconds(kLookbackOfDays)
                                              : std::chrono::seconds(kLookback));
    if (!day)
      return fmt::format("{} - INTERVAL '{}' SECOND", literal(cursor_.type, position),
                         back.count());
    const auto days = std::chrono::ceil<std::chrono::days>(back).count();
    return fmt::format("{} - INTERVAL '{}' DAY", literal(cursor_.type, position), days);
  }

  /// The row of the table, if it has landed since the position less the lookback.
  std::string landed(const std::string& before) const {
    std::vector<std::string> key =
        request_.table.key.empty() ? request_.stream.key : request_.table.key;
    const auto left_out = [&](const std::string& name) { return !request_.table.takes(name); };
    if (key.empty() || std::ranges::any_of(key, left_out)) {
      key.clear();
      for (const auto& column : wanted()) key.push_back(column.name);
    }
    if (std::ranges::count(key, cursor_.name) == 0) key.push_back(cursor_.name);
    std::string same;
    for (const auto& name : key) {
      const auto there = std::ranges::find(request_.landed_columns, name, &StreamColumn::name);
      if (there == request_.landed_columns.end()) continue;  // new, and NULL in all that landed
      std::string value = "t." + quote_name(name);
      const auto column = request_.as_landed(find(name), value);
      value = landed_value(value, column.type);
      if (there->type != landed_type(column.type))
        value = fmt::format("CAST({} AS {})", value, there->type.display());
      same += fmt::format(" AND l.{} IS NOT DISTINCT FROM {}", quote_name(name), value);
    }
    const auto at = std::ranges::find(request_.landed_columns, cursor_.name, &StreamColumn::name);
    const bool comparable =
        at != request_.landed_columns.end() && at->type == landed_type(cursor_.type);
    return fmt::format(
        "SELECT 1 FROM {} AS l WHERE {}{}", request_.landed,
        comparable ? fmt::format("l.{} >= {}", quote_name(cursor_.name), lower_bound(before))
                   : "true",
        same);
  }

  const StreamColumn cursor_;
};

/// How likely the column tells what is new; 0: it cannot.
int cursor_rank(const StreamColumn& column, const std::vector<std::string>& key) {
  const auto names = [&](std::string_view word) {
    return column.name.find(word) != std::string::npos;
  };
  if (is_time(column.type)) {
    if (names("updat") || names("modif") || names("chang")) return 5;
    if (names("creat") || names("insert")) return 3;
    return column.type.kind == TypeKind::kDate ? 1 : 2;
  }
  if (is_number(column.type) && key.size() == 1 && key[0] == column.name) return 4;
  return 0;
}

}  // namespace

std::unique_ptr<Reader> read_database_rows(RowsServer& server, ReadRequest request,
                                           const PortionRules& rules) {
  if (request.stream.columns.empty()) {
    throw Error(Code::kNotSupported,
                fmt::format("{} has no column that can be read", request.stream.origin));
  }
  if (request.table.mode == Mode::kFullRefresh)
    return std::make_unique<WholeTable>(server, std::move(request), rules);
  return std::make_unique<NewRows>(server, std::move(request), rules);
}

std::vector<std::string> likely_database_cursors(const Stream& stream) {
  std::vector<std::string> names;
  for (int rank = 5; rank > 0; --rank)
    for (const auto& column : stream.columns)
      if (cursor_rank(column, stream.key) == rank) names.push_back(column.name);
  return names;
}

}  // namespace meesh::ingest
