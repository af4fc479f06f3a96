#include "quality/profile.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdlib>

#include "engine/ask.h"
#include "quality/check.h"
#include "quality/history.h"

namespace meesh::quality {
namespace {

namespace json = boost::json;
using engine::quote_name;
using sql::TypeKind;

constexpr int kSteps = 20, kTop = 10;
// Values of a column that has more different ones say little, and counting them takes memory.
constexpr uint64_t kMostDistinct = 10'000;

bool is_number(const sql::Type& type) {
  return type.kind >= TypeKind::kTinyint && type.kind <= TypeKind::kDecimal;
}
bool is_time(const sql::Type& type) {
  return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp ||
         type.kind == TypeKind::kTimestampTz;
}
bool is_text(const sql::Type& type) {
  return type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
}
bool has_parts(const sql::Type& type) {
  return type.kind == TypeKind::kArray || type.kind == TypeKind::kMap ||
         type.kind == TypeKind::kRow;
}
/// Bounds of files are exact for these: those of texts are cut short, those of floating point
/// numbers leave out NaN.
bool exact_in_files(const sql::Type& type) {
  return (type.kind >= TypeKind::kTinyint && type.kind <= TypeKind::kBigint) ||
         type.kind == TypeKind::kDecimal || type.kind == TypeKind::kDate;
}

class Profiler {
 public:
  Profiler(engine::Engine& engine, const std::string& user, const std::string& table,
           const ProfileOptions& options, const TaskContext& context)
      : engine_(engine), options_(options), context_(context) {
    session_.user = session_.original_user = user;
    session_.source = "quality";
    const auto sql = table_sql(table);
    if (!sql || !(options.sample > 0 && options.sample <= 100))
      throw Error(Code::kBadRequest, sql ? fmt::format("a sample of {} %", options.sample)
                                         : fmt::format("'{}' is no table", table))
          .with_hint(sql ? "more than 0 and at most 100" : "write catalog.schema.table");
    sql_ = *sql;
    for (const char c : sql_)
      if (c != '"') profile_.table += c;
    profile_.at_ms = now_ms();
    profile_.sample = options.sample;
    for (const auto& column : ask(fmt::format("SELECT * FROM {} LIMIT 0", sql_)).columns) {
      types_.push_back(column.type);
      profile_.columns.push_back({.name = column.name, .type = column.type.display()});
    }
  }

  Profile take() {
    from_files();
    if (options_.files_only) {
      if (!profile_.rows_from_files)
        throw Error(Code::kNotSupported,
                    fmt::format("the files of '{}' do not tell", profile_.table))
            .with_hint(
                "they do of tables of a lake whose rows were never deleted one by one; "
                "leave --files-only out");
      return std::move(profile_);
    }
    context_.progress(1, 4);
    scan();
    context_.progress(2, 4);
    histograms();
    context_.progress(3, 4);
    for (size_t i = 0; i < types_.size(); ++i) top(i);
    context_.progress(4, 4);
    return std::move(profile_);
  }

 private:
  engine::Answer ask(const std::string& sql) const {
    return engine::ask(engine_, sql, session_, context_.stop);
  }

  std::string from() const {
    return options_.sample >= 100
               ? sql_
               : fmt::format("{} TABLESAMPLE BERNOULLI ({})", sql_, options_.sample);
  }

  /// Rows, nulls and bounds as the manifests tell them, if no row was deleted by a delete file.
  void from_files() {
    try {
      const std::string files = sql_.substr(0, sql_.size() - 1) + "$files\"";
      const auto deletes =
          ask(fmt::format("SELECT count_if(content <> 0), sum(record_count) FROM {}", files));
      if (deletes.rows.at(0).at(0) != "0") return;
      const auto stats = ask("SHOW STATS FOR " + sql_);
      profile_.rows =
          deletes.rows[0][1] ? std::strtoull(deletes.rows[0][1]->c_str(), nullptr, 10) : 0;
      profile_.rows_from_files = true;
      for (const auto& row : stats.rows) {
        for (size_t i = 0; i < types_.size(); ++i) {
          auto& column = profile_.columns[i];
          if (row.at(0) != column.name || !exact_in_files(types_[i]) || !row.at(3)) continue;
          column.nulls = static_cast<uint64_t>(std::llround(std::strtod(row[3]->c_str(), nullptr) *
                                                            static_cast<double>(profile_.rows)));
          column.min = row.at(5);
          column.max = row.at(6);
          // Where every value is null there are no bounds to tell.
          column.from_files = (column.min && column.max) || column.nulls == profile_.rows;
        }
      }
    } catch (const Error& e) {
      if (context_.stop.stop_requested() || e.kind() != ErrorKind::kUser) throw;
      // No table of a lake, or a view there: it has no files.
    }
  }

  void scan() {
    std::string select = "count(*)";
    for (size_t i = 0; i < types_.size(); ++i) {
      const std::string name = quote_name(profile_.columns[i].name);
      const auto& type = types_[i];
      const std::string number = is_number(type) ? as_number(i)
                                 : is_text(type) ? fmt::format("CAST(length({}) AS double)", name)
                                                 : "";
      select += fmt::format(", count_if({} IS NULL)", name);
      select += has_parts(type) ? ", NULL" : fmt::format(", approx_distinct({})", name);
      const bool ordered = !has_parts(type) && type.kind != TypeKind::kVarbinary &&
                           type.kind != TypeKind::kJson && type.kind != TypeKind::kUnknown;
      const bool bounds = ordered && !profile_.columns[i].from_files;
      select += bounds ? fmt::format(", CAST(min({0}) AS varchar), CAST(max({0}) AS varchar)", name)
                       : ", NULL, NULL";
      select += number.empty() ? ", NULL, NULL" : fmt::format(", avg({0}), stddev({0})", number);
    }
    const auto answer = ask(fmt::format("SELECT {} FROM {}", select, from()));
    const auto& row = answer.rows.at(0);
    const auto whole = [&](size_t at) {
      return std::strtoull(row.at(at).value_or("0").c_str(), nullptr, 10);
    };
    const auto real = [&](size_t at) {
      return row.at(at) ? std::optional(std::strtod(row[at]->c_str(), nullptr)) : std::nullopt;
    };
    looked_at_ = whole(0);
    if (!profile_.rows_from_files) profile_.rows = looked_at_;
    for (size_t i = 0, at = 1; i < types_.size(); ++i, at += 6) {
      auto& column = profile_.columns[i];
      if (row.at(at + 1)) column.distinct = whole(at + 1);
      if (!column.from_files) {
        column.nulls = whole(at);
        column.min = row.at(at + 2);
        column.max = row.at(at + 3);
      }
      column.mean = real(at + 4);
      column.deviation = real(at + 5);
      column.of_length = is_text(types_[i]);
    }
  }

  /// A value as a number, or NULL if it is infinite or none.
  std::string as_number(size_t i) const {
    const std::string name = quote_name(profile_.columns[i].name);
    if (types_[i].kind == TypeKind::kDouble || types_[i].kind == TypeKind::kReal)
      return fmt::format("CASE WHEN is_finite({0}) THEN CAST({0} AS double) END", name);
    if (is_number(types_[i])) return fmt::format("CAST({} AS double)", name);
    return fmt::format("to_unixtime(CAST({} AS timestamp(3) with time zone))", name);
  }

  void histograms() {
    std::string bounds;
    std::vector<size_t> chosen;
    for (size_t i = 0; i < types_.size(); ++i) {
      if (!is_number(types_[i]) && !is_time(types_[i])) continue;
      if (!profile_.columns[i].min || profile_.columns[i].min == profile_.columns[i].max) continue;
      bounds +=
          fmt::format("{}min({}), max({})", bounds.empty() ? "" : ", ", as_number(i), as_number(i));
      chosen.push_back(i);
    }
    if (chosen.empty()) return;
    const auto ends = ask(fmt::format("SELECT {} FROM {}", bounds, sql_)).rows.at(0);
    std::string select;
    std::vector<size_t> finite;
    for (size_t k = 0; k < chosen.size(); ++k) {
      const auto &low = ends.at(2 * k), &high = ends.at(2 * k + 1);
      if (!low || !high || low == high) continue;
      const double from = std::strtod(low->c_str(), nullptr),
                   to = std::strtod(high->c_str(), nullptr);
      if (!std::isfinite(from) || !std::isfinite(to)) continue;
      const std::string value = as_number(chosen[k]);
      for (int step = 1; step <= kSteps; ++step)
        select += fmt::format(
            "{}count_if(least(width_bucket({}, DOUBLE '{:.17g}', DOUBLE '{:.17g}', {}), {}) = {})",
            select.empty() ? "" : ", ", value, from, to, kSteps, kSteps, step);
      finite.push_back(chosen[k]);
    }
    if (finite.empty()) return;
    const auto row = ask(fmt::format("SELECT {} FROM {}", select, from())).rows.at(0);
    size_t at = 0;
    for (const size_t i : finite)
      for (int step = 0; step < kSteps; ++step)
        profile_.columns[i].histogram.push_back(
            std::strtoull(row.at(at++).value_or("0").c_str(), nullptr, 10));
  }

  void top(size_t i) {
    auto& column = profile_.columns[i];
    if (!column.distinct || *column.distinct == 0 || *column.distinct > kMostDistinct) return;
    if (looked_at_ > 100 && *column.distinct > looked_at_ / 2) return;
    const std::string name = quote_name(column.name);
    const auto answer =
        ask(fmt::format("SELECT CAST({0} AS varchar), count(*) AS n FROM {1} WHERE {0} IS NOT NULL "
                        "GROUP BY 1 ORDER "
                        "BY n DESC, 1 LIMIT {2}",
                        name, from(), kTop));
    for (const auto& row : answer.rows)
      column.top.emplace_back(row.at(0).value_or(""),
                              std::strtoull(row.at(1).value_or("0").c_str(), nullptr, 10));
  }

  engine::Engine& engine_;
  engine::Session session_;
  const ProfileOptions& options_;
  const TaskContext& context_;
  std::string sql_;
  std::vector<sql::Type> types_;
  uint64_t looked_at_ = 0;
  Profile profile_;
};

json::object column_json(const ColumnProfile& column) {
  json::object object{{"name", column.name}, {"type", column.type}};
  if (column.nulls) object["nulls"] = *column.nulls;
  if (column.distinct) object["distinct"] = *column.distinct;
  if (column.min) object["min"] = *column.min;
  if (column.max) object["max"] = *column.max;
  if (column.mean) object[column.of_length ? "mean_length" : "mean"] = *column.mean;
  if (column.deviation)
    object[column.of_length ? "deviation_length" : "deviation"] = *column.deviation;
  if (!column.histogram.empty()) object["histogram"] = json::value_from(column.histogram);
  if (!column.top.empty()) {
    json::array top;
    for (const auto& [value, rows] : column.top) top.push_back({{"value", value}, {"rows", rows}});
    object["top"] = std::move(top);
  }
  object["from_files"] = column.from_files;
  return object;
}

}  // namespace

json::value to_json(const Profile& profile) {
  json::array columns;
  for (const auto& column : profile.columns) columns.push_back(column_json(column));
  return json::object{{"table", profile.table},
                      {"at_ms", profile.at_ms},
                      {"rows", profile.rows},
                      {"sample", profile.sample},
                      {"rows_from_files", profile.rows_from_files},
                      {"columns", std::move(columns)}};
}

Profile take_profile(engine::Engine& engine, const std::string& user, const std::string& table,
                     const ProfileOptions& options, const TaskContext& context) {
  return Profiler(engine, user, table, options, context).take();
}

}  // namespace meesh::quality
