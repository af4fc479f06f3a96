#include "streams/sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "streams/kafka_sink.h"

namespace meesh::streams {

using engine::quote_name;
using engine::quote_text;

namespace {

std::string quoted(const std::string& table) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= table.size();) {
    const size_t dot = std::min(table.find('.', from), table.size());
    parts.push_back(quote_name(table.substr(from, dot - from)));
    from = dot + 1;
  }
  return base::join(parts, ".");
}

/// "catalog.schema" of "catalog.schema.table", quoted.
std::string schema_of(const std::string& table) {
  return quoted(table.substr(0, table.rfind('.')));
}

std::string column_list(const std::vector<engine::Column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(quote_name(column.name));
  return base::join(names, ", ");
}

std::string definitions(const std::vector<engine::Column>& columns) {
  std::vector<std::string> all;
  for (const auto& column : columns)
    all.push_back(quote_name(column.name) + " " + column.type.display());
  return base::join(all, ", ");
}

std::string same(const std::vector<std::string>& key, const char* left, const char* right) {
  std::vector<std::string> all;
  for (const auto& column : key)
    all.push_back(fmt::format("{}.{} IS NOT DISTINCT FROM {}.{}", left, quote_name(column), right,
                              quote_name(column)));
  return all.empty() ? "true" : base::join(all, " AND ");
}

/// What tables of all kinds do alike.
class TableSink : public Sink {
 public:
  TableSink(SinkConfig config, SinkEnvironment environment)
      : config_(std::move(config)), env_(std::move(environment)) {
    if (!config_.key.empty()) env_.key = config_.key;
  }

 protected:
  engine::Answer ask(const std::string& sql, std::stop_token stop = {}) {
    return engine::ask(env_.engine, sql, env_.session, stop);
  }
  engine::Session session_of(const SinkBatch& batch) const {
    auto session = env_.session;
    session.client_tags = batch.tags;
    return session;
  }
  virtual std::string table() const { return config_.target; }
  std::string insert(const std::string& query) const {
    return fmt::format("INSERT INTO {} ({}) {}", quoted(table()), column_list(env_.columns), query);
  }
  void create(const std::string& properties) {
    ask("CREATE SCHEMA IF NOT EXISTS " + schema_of(table()));
    ask(fmt::format("CREATE TABLE IF NOT EXISTS {} ({}){}", quoted(table()),
                    definitions(env_.columns), properties));
  }

  const SinkConfig config_;
  SinkEnvironment env_;
};

/// A snapshot a batch, and a batch a second: an hour of them, and of the metadata files ten, are
/// enough, where Iceberg would keep five days and a hundred.
constexpr const char* kHistory =
    "extra_properties = MAP(ARRAY['history.expire.max-snapshot-age-ms', "
    "'write.metadata.delete-after-commit.enabled', 'write.metadata.previous-versions-max'], "
    "ARRAY['3600000', 'true', '10'])";

class LakeSink : public TableSink {
 public:
  using TableSink::TableSink;
  bool transactional() const override { return true; }

  void open() override {
    std::vector<std::string> properties;
    if (!config_.partitioning.empty()) {
      std::vector<std::string> by;
      for (const auto& one : config_.partitioning) by.push_back(quote_text(one));
      properties.push_back("partitioning = ARRAY[" + base::join(by, ", ") + "]");
    }
    if (!config_.location.empty())
      properties.push_back("location = " + quote_text(config_.location));
    properties.push_back(kHistory);
    properties_ = " WITH (" + base::join(properties, ", ") + ")";
    create(properties_);
  }

  uint64_t write(const SinkBatch& batch) override {
    if (env_.progress.taken(env_.stream, config_.name(), batch.generation) >= batch.number)
      return 0;
    auto commit = std::make_shared<engine::LakeCommit>();
    commit->also = [&](soci::session& sql) {
      ProgressStore::take(sql, env_.stream, config_.name(), batch.generation, batch.number);
      if (batch.also) batch.also(sql);
    };
    commit->summary = {{"meesh.stream", env_.stream},
                       {"meesh.stream.batch", std::to_string(batch.number)}};
    auto session = session_of(batch);
    session.commit = std::move(commit);
    return engine::ask(env_.engine, statement(batch.query), session, batch.stop)
        .update_count.value_or(0);
  }

  void truncate() override { ask("DELETE FROM " + quoted(table())); }

 private:
  std::string statement(const std::string& query) const {
    if (env_.output == OutputMode::kAppend) return insert(query);
    if (env_.output == OutputMode::kComplete)
      return fmt::format("CREATE OR REPLACE TABLE {}{} AS {}", quoted(table()), properties_, query);
    std::vector<std::string> sets, values;
    for (const auto& column : env_.columns) {
      values.push_back("s." + quote_name(column.name));
      if (std::ranges::count(env_.key, column.name) == 0)
        sets.push_back(quote_name(column.name) + " = s." + quote_name(column.name));
    }
    const std::string update =
        sets.empty() ? "" : " WHEN MATCHED THEN UPDATE SET " + base::join(sets, ", ");
    return fmt::format(
        "MERGE INTO {} AS t USING ({}) AS s ON {}{} WHEN NOT MATCHED THEN INSERT "
        "({}) VALUES ({})",
        quoted(table()), query, same(env_.key, "t", "s"), update, column_list(env_.columns),
        base::join(values, ", "));
  }

  std::string properties_;
};

/// A table in memory: what was there before the process is gone, and is filled again. Which batch
/// it has stands beside it, for sessions that follow one that failed.
class LiveSink : public TableSink {
 public:
  using TableSink::TableSink;

  void open() override {
    create("");
    ask("CREATE SCHEMA IF NOT EXISTS " + schema_of(mark()));
    ask("CREATE TABLE IF NOT EXISTS " + quoted(mark()) + " (generation bigint, batch bigint)");
  }

  uint64_t write(const SinkBatch& batch) override {
    SqlTransaction transaction(env_.engine, session_of(batch), batch.stop);
    const auto taken = transaction.ask("SELECT generation, batch FROM " + quoted(mark()));
    const bool anew =
        taken.rows.empty() || std::stoll(taken.rows[0][0].value_or("0")) != batch.generation;
    if (!anew && std::stoll(taken.rows[0][1].value_or("0")) >= batch.number) return 0;
    if (env_.output == OutputMode::kComplete ||
        (anew && env_.output == OutputMode::kUpdate && batch.number == 1))
      transaction.ask("DELETE FROM " + quoted(table()));
    else if (env_.output == OutputMode::kUpdate)
      transaction.ask(fmt::format("DELETE FROM {} WHERE EXISTS (SELECT 1 FROM ({}) AS s WHERE {})",
                                  quoted(table()), batch.query,
                                  same(env_.key, quote_name(config_.target).c_str(), "s")));
    const auto answer = transaction.ask(insert(batch.query));
    if (config_.keep && env_.output == OutputMode::kAppend) keep(transaction);
    transaction.ask("DELETE FROM " + quoted(mark()));
    transaction.ask(fmt::format("INSERT INTO {} VALUES ({}, {})", quoted(mark()), batch.generation,
                                batch.number));
    transaction.commit();
    return answer.update_count.value_or(0);
  }

  void fill(const std::string& query, std::stop_token stop) override {
    SqlTransaction transaction(env_.engine, env_.session, stop);
    transaction.ask("DELETE FROM " + quoted(table()));
    transaction.ask(insert(query));
    // What a batch under way had written is gone again.
    transaction.ask("DELETE FROM " + quoted(mark()));
    transaction.commit();
  }
  void truncate() override { ask("DELETE FROM " + quoted(table())); }

 protected:
  std::string table() const override { return env_.live + ".default." + config_.target; }

 private:
  std::string mark() const { return env_.live + ".$batches." + config_.target; }

  /// Rows whose first timestamp is too old go.
  void keep(SqlTransaction& transaction) {
    const auto time = std::ranges::find_if(env_.columns, [](const engine::Column& column) {
      return column.type.kind == sql::TypeKind::kTimestamp ||
             column.type.kind == sql::TypeKind::kTimestampTz;
    });
    if (time == env_.columns.end()) return;
    transaction.ask(fmt::format(
        "DELETE FROM {0} WHERE {1} < (SELECT date_add('millisecond', -{2}, max({1})) FROM {0})",
        quoted(table()), quote_name(time->name), config_.keep->count()));
  }
};

/// A table of a domain's PostgreSQL: which batch it has stands in a table beside it.
class DatabaseSink : public TableSink {
 public:
  using TableSink::TableSink;

  void open() override {
    create("");
    ask(
        fmt::format("CREATE TABLE IF NOT EXISTS {} (stream varchar, generation bigint, batch "
                    "bigint)",
                    marks()));
  }

  uint64_t write(const SinkBatch& batch) override {
    SqlTransaction transaction(env_.engine, session_of(batch), batch.stop);
    const std::string own = "stream = " + quote_text(env_.stream + " " + config_.target);
    const auto found = transaction.ask(fmt::format(
        "SELECT max(batch) FROM {} WHERE {} AND generation = {}", marks(), own, batch.generation));
    if (const auto& last = found.rows.at(0).at(0); last && std::stoll(*last) >= batch.number)
      return 0;
    if (env_.output == OutputMode::kComplete) transaction.ask("DELETE FROM " + quoted(table()));
    if (env_.output == OutputMode::kUpdate) remove_changed(transaction, batch.query);
    const auto answer = transaction.ask(insert(batch.query));
    transaction.ask(fmt::format("DELETE FROM {} WHERE {}", marks(), own));
    transaction.ask(fmt::format("INSERT INTO {} VALUES ({}, {}, {})", marks(),
                                quote_text(env_.stream + " " + config_.target), batch.generation,
                                batch.number));
    transaction.commit();
    return answer.update_count.value_or(0);
  }
  void truncate() override { ask("DELETE FROM " + quoted(table())); }

 private:
  std::string marks() const { return schema_of(table()) + ".\"meesh_stream_batches\""; }

  void remove_changed(SqlTransaction& transaction, const std::string& query) {
    const std::string name = config_.target.substr(config_.target.rfind('.') + 1);
    transaction.ask(fmt::format("DELETE FROM {} WHERE EXISTS (SELECT 1 FROM ({}) AS s WHERE {})",
                                quoted(table()), query,
                                same(env_.key, quote_name(name).c_str(), "s")));
  }
};

}  // namespace

std::unique_ptr<Sink> make_sink(const SinkConfig& config, SinkEnvironment environment) {
  switch (config.kind) {
    case SinkConfig::Kind::kLake:
      return std::make_unique<LakeSink>(config, std::move(environment));
    case SinkConfig::Kind::kLive:
      return std::make_unique<LiveSink>(config, std::move(environment));
    case SinkConfig::Kind::kDatabase:
      return std::make_unique<DatabaseSink>(config, std::move(environment));
    case SinkConfig::Kind::kKafka:
      return make_kafka_sink(config, std::move(environment));
  }
  internal_error("a sink of no kind");
}

SqlTransaction::SqlTransaction(engine::Engine& engine, engine::Session session,
                               std::stop_token stop)
    : engine_(engine), session_(std::move(session)), stop_(std::move(stop)) {
  const auto query = engine_.submit("START TRANSACTION", session_);
  while (!query->finished()) query->next(std::chrono::milliseconds(100));
  if (const auto error = query->info().error) throw Error(*error);
  session_.transaction_id = query->changes().started_transaction_id.value_or("");
}

SqlTransaction::~SqlTransaction() {
  if (session_.transaction_id.empty()) return;
  try {
    engine::ask(engine_, "ROLLBACK", session_);
  } catch (const Error& error) {
    log::debug("a transaction is gone before its end", {{"error", error.what()}});
  }
}

engine::Answer SqlTransaction::ask(const std::string& sql) {
  return engine::ask(engine_, sql, session_, stop_);
}

void SqlTransaction::commit() {
  engine::ask(engine_, "COMMIT", session_);
  session_.transaction_id.clear();
}

}  // namespace meesh::streams
