#include "streams/progress.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/error.h"

namespace meesh::streams {

namespace json = boost::json;

namespace {

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "progress, plans and sinks",
       {"CREATE TABLE stream_progress (stream TEXT NOT NULL PRIMARY KEY, generation BIGINT NOT "
        "NULL, batch BIGINT NOT NULL, details TEXT NOT NULL, version BIGINT NOT NULL)",
        "CREATE TABLE stream_plans (stream TEXT NOT NULL PRIMARY KEY, batch BIGINT NOT NULL, ends "
        "TEXT NOT NULL)",
        "CREATE TABLE stream_sinks (stream TEXT NOT NULL, sink TEXT NOT NULL, generation BIGINT "
        "NOT NULL, batch BIGINT NOT NULL, PRIMARY KEY (stream, sink))",
        "CREATE TABLE stream_settings (stream TEXT NOT NULL PRIMARY KEY, paused BIGINT NOT "
        "NULL)"}}};
  return all;
}

std::map<std::string, Offsets> offsets_of(const json::value& value) {
  std::map<std::string, Offsets> offsets;
  for (const auto& [source, topics] : value.as_object())
    for (const auto& [topic, partitions] : topics.as_object())
      for (const auto& [number, offset] : partitions.as_object())
        offsets[source][{topic, std::stoi(number)}] = offset.to_number<int64_t>();
  return offsets;
}

std::string details(const Progress& progress) {
  json::object out{{"offsets", offsets_json(progress.offsets)},
                   {"messages", progress.messages},
                   {"rows", progress.rows},
                   {"malformed", progress.malformed},
                   {"late", progress.late},
                   {"duplicates", progress.duplicates},
                   {"committed_ms", progress.committed_ms}};
  json::object times;
  for (const auto& [source, time] : progress.event_times) times[source] = time;
  out["event_times"] = times;
  if (progress.watermark_ms) out["watermark_ms"] = *progress.watermark_ms;
  return json::serialize(out);
}

void read_details(const std::string& text, Progress& progress) {
  const auto read = json::parse(text).as_object();
  progress.offsets = offsets_of(read.at("offsets"));
  for (const auto& [source, time] : read.at("event_times").as_object())
    progress.event_times[source] = time.to_number<int64_t>();
  if (const auto* mark = read.if_contains("watermark_ms"))
    progress.watermark_ms = mark->to_number<int64_t>();
  const auto count = [&](const char* key) { return read.at(key).to_number<uint64_t>(); };
  progress.messages = count("messages");
  progress.rows = count("rows");
  progress.malformed = count("malformed");
  progress.late = count("late");
  progress.duplicates = count("duplicates");
  progress.committed_ms = read.at("committed_ms").to_number<int64_t>();
}

}  // namespace

json::object offsets_json(const std::map<std::string, Offsets>& offsets) {
  json::object out;
  for (const auto& [source, all] : offsets) {
    json::object topics;
    for (const auto& [where, offset] : all) {
      auto& partitions = topics[where.topic];
      if (partitions.is_null()) partitions = json::object();
      partitions.as_object()[std::to_string(where.partition)] = offset;
    }
    out[source] = std::move(topics);
  }
  return out;
}

ProgressStore::ProgressStore(meta::Database& database) : database_(database) {
  meta::migrate(database_, "streams", migrations());
}

Progress ProgressStore::progress(const std::string& stream) const {
  Progress progress;
  database_.read([&](soci::session& sql) {
    long long generation = 0, batch = 0, version = 0;
    std::string text;
    sql << "SELECT generation, batch, details, version FROM stream_progress WHERE stream = :stream",
        soci::use(stream), soci::into(generation), soci::into(batch), soci::into(text),
        soci::into(version);
    if (!sql.got_data()) return;
    progress = {};
    progress.generation = generation;
    progress.batch = batch;
    progress.version = version;
    read_details(text, progress);
  });
  return progress;
}

void ProgressStore::advance(soci::session& sql, const std::string& stream, const Progress& before,
                            const Progress& after) {
  const long long generation = after.generation, batch = after.batch, version = before.version;
  const std::string text = details(after);
  if (version == 0) {
    long long there = 0;
    sql << "SELECT count(*) FROM stream_progress WHERE stream = :stream", soci::use(stream),
        soci::into(there);
    if (there == 0) {
      sql << "INSERT INTO stream_progress (stream, generation, batch, details, version) VALUES "
             "(:stream, :generation, :batch, :details, 1)",
          soci::use(stream), soci::use(generation), soci::use(batch), soci::use(text);
      sql << "DELETE FROM stream_plans WHERE stream = :stream", soci::use(stream);
      return;
    }
  }
  soci::statement update =
      (sql.prepare << "UPDATE stream_progress SET generation = :generation, batch = :batch, "
                      "details = :details, version = version + 1 WHERE stream = :stream AND "
                      "version = :version",
       soci::use(generation), soci::use(batch), soci::use(text), soci::use(stream),
       soci::use(version));
  update.execute(true);
  if (update.get_affected_rows() != 1) {
    throw Error(Code::kTransactionConflict,
                fmt::format("The stream '{}' has been moved on by another", stream));
  }
  sql << "DELETE FROM stream_plans WHERE stream = :stream", soci::use(stream);
}

void ProgressStore::advance(const std::string& stream, const Progress& before,
                            const Progress& after) {
  database_.write([&](soci::session& sql) { advance(sql, stream, before, after); });
}

std::optional<Plan> ProgressStore::plan(const std::string& stream) const {
  std::optional<Plan> found;
  database_.read([&](soci::session& sql) {
    long long batch = 0;
    std::string ends;
    sql << "SELECT batch, ends FROM stream_plans WHERE stream = :stream", soci::use(stream),
        soci::into(batch), soci::into(ends);
    found.reset();
    if (sql.got_data()) found = Plan{batch, offsets_of(json::parse(ends))};
  });
  return found;
}

void ProgressStore::plan(const std::string& stream, const Plan& plan) {
  const long long batch = plan.batch;
  const std::string ends = json::serialize(offsets_json(plan.ends));
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO stream_plans (stream, batch, ends) VALUES (:stream, :batch, :ends) ON "
           "CONFLICT (stream) DO UPDATE SET batch = excluded.batch, ends = excluded.ends",
        soci::use(stream), soci::use(batch), soci::use(ends);
  });
}

int64_t ProgressStore::taken(const std::string& stream, const std::string& sink,
                             int64_t generation) const {
  long long batch = 0;
  const long long wanted = generation;
  database_.read([&](soci::session& sql) {
    batch = 0;
    sql << "SELECT batch FROM stream_sinks WHERE stream = :stream AND sink = :sink AND generation "
           "= :generation",
        soci::use(stream), soci::use(sink), soci::use(wanted), soci::into(batch);
    if (!sql.got_data()) batch = 0;
  });
  return batch;
}

void ProgressStore::take(soci::session& sql, const std::string& stream, const std::string& sink,
                         int64_t generation, int64_t batch) {
  const long long of = generation, number = batch;
  soci::statement insert =
      (sql.prepare
           << "INSERT INTO stream_sinks (stream, sink, generation, batch) VALUES (:stream, :sink, "
              ":generation, :batch) ON CONFLICT (stream, sink) DO UPDATE SET generation = "
              "excluded.generation, batch = excluded.batch WHERE stream_sinks.generation < "
              "excluded.generation OR (stream_sinks.generation = excluded.generation AND "
              "stream_sinks.batch < excluded.batch)",
       soci::use(stream), soci::use(sink), soci::use(of), soci::use(number));
  insert.execute(true);
  if (insert.get_affected_rows() != 1)
    throw Error(
        Code::kTransactionConflict,
        fmt::format("'{}' has this batch of the stream '{}' from another server", sink, stream));
}

void ProgressStore::reset(const std::string& stream,
                          const std::map<std::string, Offsets>& offsets) {
  const Progress before = progress(stream);
  Progress after;
  after.generation = before.generation + 1;
  after.offsets = offsets;
  advance(stream, before, after);
}

bool ProgressStore::paused(const std::string& stream, bool otherwise) const {
  bool paused = otherwise;
  database_.read([&](soci::session& sql) {
    long long found = 0;
    sql << "SELECT paused FROM stream_settings WHERE stream = :stream", soci::use(stream),
        soci::into(found);
    paused = sql.got_data() ? found != 0 : otherwise;
  });
  return paused;
}

void ProgressStore::pause(const std::string& stream, bool paused) {
  const long long now = paused ? 1 : 0;
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO stream_settings (stream, paused) VALUES (:stream, :paused) ON CONFLICT "
           "(stream) DO UPDATE SET paused = excluded.paused",
        soci::use(stream), soci::use(now);
  });
}

}  // namespace meesh::streams
