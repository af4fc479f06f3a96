// Feeds of SQL tables: what is new is told by offsets or by a cursor.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/text.h"
#include "engine/ask.h"
#include "streams/feeds/feed_source.h"

namespace meesh::streams {

using engine::quote_name;
using engine::quote_table;
using engine::quote_text;

namespace json = boost::json;

namespace {

constexpr const char* kTopic = "_topic";
constexpr const char* kPartition = "_partition";
constexpr const char* kOffset = "_offset";

class TableSource : public FeedSource {
 public:
  TableSource(engine::Engine& engine, const FeedConfig& feed, sql::TableName table)
      : engine_(engine), feed_(feed), table_(std::move(table)) {}

  std::vector<FeedColumn> columns() override {
    if (columns_.empty()) columns_ = columns_of_table(engine_, table_);
    return columns_;
  }

  std::optional<FeedPortion> next(const json::value& position, const Landed& landed,
                                  const TaskContext& context) override {
    columns();
    if (feed_.type == FeedType::kTable) {
      if (std::exchange(given_, true)) return std::nullopt;
      return FeedPortion{.query = everything()};
    }
    const bool offsets = has(kPartition) && has(kOffset);
    if (!offsets && feed_.cursor.empty() && std::exchange(given_, true)) return std::nullopt;
    if (position.is_null()) refuse_doubles(landed, context);
    check_kind(position, offsets ? kOffset : feed_.cursor);
    if (offsets) return by_offset(position, context);
    if (!feed_.cursor.empty()) return by_cursor(position, landed, context);
    return FeedPortion{.query = everything()};
  }

 private:
  bool has(const std::string& name) const {
    return std::ranges::find(columns_, name, &FeedColumn::name) != columns_.end();
  }
  std::string everything(const std::string& condition = "") const {
    return fmt::format("SELECT {} FROM {}{}{}", names_of(columns_), quote_table(table_),
                       condition.empty() ? "" : " WHERE ", condition);
  }
  engine::Answer ask(const std::string& sql, const TaskContext& context) const {
    return engine::ask(engine_, sql, feed_session(), context.stop);
  }

  /// A position tells by what it was made; another way to tell what is new knows nothing of it.
  void check_kind(const json::value& position, const std::string& by) const {
    if (position.is_null()) return;
    const auto& before = position.as_object().at("by").as_string();
    if (before == by) return;
    throw Error(Code::kConstraintViolation,
                fmt::format("the feed '{}' was exported by {} until now, and not by {}: which rows "
                            "are new is not known",
                            feed_.name, before.c_str(), by.empty() ? "nothing" : by))
        .with_hint("begin another feed under another name, or change it back");
  }

  /// One partition of a topic, as a position names it: "0", or "payments/0".
  struct Partition {
    std::string topic;
    int64_t number = 0;
    std::string key() const { return (topic.empty() ? "" : topic + "/") + std::to_string(number); }
  };
  std::string is(const Partition& partition) const {
    const std::string number = fmt::format("{} = {}", quote_name(kPartition), partition.number);
    if (!has(kTopic)) return number;
    return fmt::format("{} = {} AND {}", quote_name(kTopic), quote_text(partition.topic), number);
  }

  std::optional<FeedPortion> by_offset(const json::value& position, const TaskContext& context) {
    std::map<std::string, int64_t> next;
    const auto* offsets = position.is_object() ? position.as_object().if_contains("next") : nullptr;
    if (offsets)
      for (const auto& [key, value] : offsets->as_object()) next[key] = value.to_number<int64_t>();
    const std::string topic = has(kTopic) ? quote_name(kTopic) : "''";
    const auto newest =
        ask(fmt::format("SELECT {}, {}, max({}) FROM {} GROUP BY 1, 2 ORDER BY 1, 2", topic,
                        quote_name(kPartition), quote_name(kOffset), quote_table(table_)),
            context);
    std::vector<std::string> conditions;
    for (const auto& row : newest.rows) {
      if (!row.at(1) || !row.at(2)) continue;
      const Partition partition{row.at(0).value_or(""), std::stoll(*row[1])};
      const int64_t end = std::stoll(*row[2]) + 1;
      int64_t& from = next[partition.key()];
      if (end <= from) continue;
      conditions.push_back(fmt::format("({0} AND {1} >= {2} AND {1} < {3})", is(partition),
                                       quote_name(kOffset), from, end));
      from = end;
    }
    if (conditions.empty()) return std::nullopt;
    json::object after;
    for (const auto& [key, offset] : next) after[key] = offset;
    return FeedPortion{.query = everything(base::join(conditions, " OR ")),
                       .position = json::object{{"by", kOffset}, {"next", std::move(after)}}};
  }

  std::optional<FeedPortion> by_cursor(const json::value& position, const Landed& landed,
                                       const TaskContext& context) {
    const auto found = std::ranges::find(columns_, feed_.cursor, &FeedColumn::name);
    if (found == columns_.end()) {
      std::vector<std::string> names;
      for (const auto& column : columns_) names.push_back(column.name);
      throw Error(Code::kColumnNotFound, fmt::format("{} has no column '{}', the cursor of the "
                                                     "feed '{}'",
                                                     table_.display(), feed_.cursor, feed_.name))
          .with_hint(base::did_you_mean(feed_.cursor, names, "its columns: "));
    }
    const std::string cursor = quote_name(found->name);
    const auto value = [&](const std::string& text) {
      return fmt::format("CAST({} AS {})", quote_text(text), found->type.display());
    };
    const std::string last = last_of(position);
    const auto newest = ask(
        fmt::format("SELECT CAST({0} AS varchar), count(*) FROM {1} WHERE {2} GROUP BY {0} ORDER "
                    "BY {0} DESC LIMIT 1",
                    cursor, quote_table(table_),
                    last.empty() ? cursor + " IS NOT NULL" : cursor + " > " + value(last)),
        context);
    const int64_t late = last.empty() ? 0 : equal_to(cursor + " = " + value(last), context);
    const int64_t known = last.empty() ? 0 : position.as_object().at("ties").to_number<int64_t>();
    if (newest.rows.empty() && late <= known) return std::nullopt;
    std::vector<std::string> parts;
    json::object after{{"by", feed_.cursor}, {"last", last}, {"ties", late}};
    if (!newest.rows.empty()) {
      const std::string end = newest.rows[0].at(0).value_or("");
      after["last"] = end;
      after["ties"] = std::stoll(newest.rows[0].at(1).value_or("0"));
      parts.push_back(everything(
          fmt::format("{0} <= {1}{2}", cursor, value(end),
                      last.empty() ? "" : fmt::format(" AND {} > {}", cursor, value(last)))));
    }
    if (late > known) parts.push_back(ties(cursor + " = " + value(last), landed));
    return FeedPortion{.query = base::join(parts, " UNION ALL "), .position = std::move(after)};
  }

  static std::string last_of(const json::value& position) {
    const auto* last = position.is_object() ? position.as_object().if_contains("last") : nullptr;
    return last ? std::string(last->as_string()) : "";
  }
  int64_t equal_to(const std::string& condition, const TaskContext& context) const {
    const auto answer = ask(
        fmt::format("SELECT count(*) FROM {} WHERE {}", quote_table(table_), condition), context);
    return std::stoll(answer.rows.at(0).at(0).value_or("0"));
  }
  /// Rows with the last cursor that came after the last export.
  std::string ties(const std::string& condition, const Landed& landed) const {
    return fmt::format("(SELECT {} FROM {} WHERE {} EXCEPT ALL SELECT {} FROM {} WHERE {})",
                       as_landed(landed), quote_table(table_), condition, names_of(landed.columns),
                       landed.table, condition);
  }
  /// The source's columns in the types of the feed's table.
  std::string as_landed(const Landed& landed) const {
    std::vector<std::string> values;
    for (const auto& column : landed.columns) {
      const std::string name = quote_name(column.name);
      const auto source = std::ranges::find(columns_, column.name, &FeedColumn::name);
      values.push_back(source->type == column.type
                           ? name
                           : fmt::format("CAST({0} AS {1}) AS {0}", name, column.type.display()));
    }
    return base::join(values, ", ");
  }

  /// Without anything that tells old rows from new ones, no row may be there already.
  void refuse_doubles(const Landed& landed, const TaskContext& context) const {
    if (landed.table.empty()) return;
    const auto answer = ask(
        fmt::format("SELECT count(*) FROM (SELECT {} FROM {} INTERSECT SELECT {} FROM {})",
                    as_landed(landed), quote_table(table_), names_of(landed.columns), landed.table),
        context);
    const std::string count = answer.rows.at(0).at(0).value_or("0");
    if (count == "0") return;
    throw Error(Code::kConstraintViolation,
                fmt::format("{} rows of {} are in the feed '{}' already: nothing tells which rows "
                            "are new",
                            count, table_.display(), feed_.name))
        .with_hint(
            "\"cursor\": the column that grows with every new row, in the feed's file; or "
            "give the table columns _partition and _offset");
  }

  engine::Engine& engine_;
  const FeedConfig& feed_;
  const sql::TableName table_;
  std::vector<FeedColumn> columns_;
  bool given_ = false;  // what is given once
};

}  // namespace

engine::Session feed_session() {
  engine::Session session;
  session.user = session.original_user = "meesh feeds";
  session.source = "meesh-feeds";
  return session;
}

std::vector<FeedColumn> columns_of_table(engine::Engine& engine, const sql::TableName& table) {
  const auto answer = engine::ask(
      engine,
      fmt::format("SELECT column_name, data_type FROM {}.information_schema.columns WHERE "
                  "table_schema = {} AND table_name = {} ORDER BY ordinal_position",
                  quote_name(table.catalog), quote_text(table.schema), quote_text(table.table)),
      feed_session());
  std::vector<FeedColumn> columns;
  for (const auto& row : answer.rows)
    columns.push_back({row.at(0).value_or(""), sql::Type::parse(row.at(1).value_or(""))});
  if (columns.empty()) {
    throw Error(Code::kTableNotFound, fmt::format("Table '{}' does not exist", table.display()))
        .with_hint(
            "a feed's ksqldb_source without ksqlDB is a table of the schema 'streams' in "
            "feeds/settings.yaml; 'source' names any other table");
  }
  return columns;
}

std::string names_of(const std::vector<FeedColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(quote_name(column.name));
  return base::join(names, ", ");
}

std::unique_ptr<FeedSource> table_source(engine::Engine& engine, const FeedConfig& feed,
                                         const sql::TableName& table) {
  return std::make_unique<TableSource>(engine, feed, table);
}

}  // namespace meesh::streams
