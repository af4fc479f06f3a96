#include "ingest/ledger.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/clock.h"

namespace meesh::ingest {
namespace {

constexpr int kKept = 1000;  // syncs of a stream

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "positions and syncs",
       {"CREATE TABLE ingest_positions (source TEXT NOT NULL, stream TEXT NOT NULL, position TEXT "
        "NOT NULL, version BIGINT NOT NULL, moved_ms BIGINT NOT NULL, PRIMARY KEY (source, "
        "stream))",
        "CREATE TABLE ingest_rejected (source TEXT NOT NULL, stream TEXT NOT NULL, batch TEXT NOT "
        "NULL, PRIMARY KEY (source, stream))",
        "CREATE TABLE ingest_syncs (id TEXT NOT NULL PRIMARY KEY, source TEXT NOT NULL, stream "
        "TEXT "
        "NOT NULL, target TEXT NOT NULL, run_id TEXT NOT NULL, run_date TEXT NOT NULL, mode TEXT "
        "NOT NULL, state TEXT NOT NULL, started_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, "
        "row_count BIGINT NOT NULL, byte_count BIGINT NOT NULL, rejected_count BIGINT NOT NULL, "
        "error TEXT NOT NULL, server TEXT NOT NULL)",
        "CREATE INDEX ingest_syncs_by_stream ON ingest_syncs (source, stream, started_ms)"}}};
  return all;
}

constexpr const char* kColumns =
    "id, source, stream, target, run_id, run_date, mode, state, started_ms, ended_ms, row_count, "
    "byte_count, rejected_count, error";

/// Records as a statement gives them, one after another.
class Records {
 public:
  /// `which`: what follows FROM ingest_syncs.
  template <class... Parameters>
  Records(soci::session& sql, const std::string& which, Parameters&... parameters)
      : statement_(sql) {
    auto& r = record_;
    (statement_.exchange(soci::use(parameters)), ...);
    for (auto* text :
         {&r.id, &r.source, &r.stream, &r.table, &r.run_id, &r.run_date, &r.mode, &r.state})
      statement_.exchange(soci::into(*text));
    for (auto& number : numbers_) statement_.exchange(soci::into(number));
    statement_.exchange(soci::into(r.error));
    statement_.alloc();
    statement_.prepare(std::string("SELECT ") + kColumns + " FROM ingest_syncs " + which);
    statement_.define_and_bind();
    statement_.execute();
  }
  bool next() {
    if (!statement_.fetch()) return false;
    record_.started_ms = numbers_[0];
    record_.ended_ms = numbers_[1];
    record_.rows = static_cast<uint64_t>(numbers_[2]);
    record_.bytes = static_cast<uint64_t>(numbers_[3]);
    record_.rejected = static_cast<uint64_t>(numbers_[4]);
    return true;
  }
  const SyncRecord& record() const { return record_; }

 private:
  soci::statement statement_;
  SyncRecord record_;
  std::array<long long, 5> numbers_{};
};

}  // namespace

Ledger::Ledger(meta::Database& database, std::string server)
    : database_(database), server_(std::move(server)) {
  meta::migrate(database_, "ingest", migrations());
  const long long now = base::now_ms();
  database_.write([&](soci::session& sql) {
    sql << "UPDATE ingest_syncs SET state = 'interrupted', ended_ms = :now, error = 'the server "
           "stopped' WHERE state = 'running' AND server = :server",
        soci::use(now), soci::use(server_);
  });
}

Position Ledger::position(const std::string& source, const std::string& stream) const {
  Position found;
  database_.read([&](soci::session& sql) {
    found = {};
    std::string text;
    long long version = 0, moved = 0;
    sql << "SELECT position, version, moved_ms FROM ingest_positions WHERE source = :source AND "
           "stream = :stream",
        soci::into(text), soci::into(version), soci::into(moved), soci::use(source),
        soci::use(stream);
    if (!sql.got_data()) return;
    found = {boost::json::parse(text), version, moved};
  });
  return found;
}

std::map<std::string, Position> Ledger::positions(const std::string& source) const {
  std::map<std::string, Position> all;
  database_.read([&](soci::session& sql) {
    all.clear();
    std::string stream, text;
    long long version = 0, moved = 0;
    soci::statement rows =
        (sql.prepare << "SELECT stream, position, version, moved_ms FROM ingest_positions WHERE "
                        "source = :source",
         soci::into(stream), soci::into(text), soci::into(version), soci::into(moved),
         soci::use(source));
    rows.execute();
    while (rows.fetch()) all[stream] = {boost::json::parse(text), version, moved};
  });
  return all;
}

void Ledger::set(const std::string& source, const std::string& stream,
                 const boost::json::value& value) {
  const long long now = base::now_ms();
  const std::string text = boost::json::serialize(value);
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO ingest_positions (source, stream, position, version, moved_ms) VALUES "
           "(:source, :stream, :position, 1, :now) ON CONFLICT (source, stream) DO UPDATE SET "
           "position = excluded.position, version = ingest_positions.version + 1, moved_ms = "
           "excluded.moved_ms",
        soci::use(source), soci::use(stream), soci::use(text), soci::use(now);
  });
}

void Ledger::move(soci::session& sql, const std::string& source, const std::string& stream,
                  const Position& before, const boost::json::value& after, int64_t now_ms) {
  const std::string text = boost::json::serialize(after);
  const long long now = now_ms, version = before.version, next = before.version + 1;
  soci::statement change =
      version == 0
          ? (sql.prepare << "INSERT INTO ingest_positions (source, stream, position, version, "
                            "moved_ms) VALUES (:source, :stream, :position, :next, :now) ON "
                            "CONFLICT (source, stream) DO NOTHING",
             soci::use(source), soci::use(stream), soci::use(text), soci::use(next), soci::use(now))
          : (sql.prepare << "UPDATE ingest_positions SET position = :position, version = :next, "
                            "moved_ms = :now WHERE source = :source AND stream = :stream AND "
                            "version = :version",
             soci::use(text), soci::use(next), soci::use(now), soci::use(source), soci::use(stream),
             soci::use(version));
  change.execute(true);
  if (change.get_affected_rows() == 1) return;
  throw Error(Code::kTransactionConflict,
              "another sync of " + source + "." + stream + " was faster; nothing was changed")
      .with_hint("run it again: it goes on from where that one ended");
}

void Ledger::forget(const std::string& source, const std::string& stream) {
  database_.write([&](soci::session& sql) {
    sql << "DELETE FROM ingest_positions WHERE source = :source AND stream = :stream",
        soci::use(source), soci::use(stream);
  });
}

bool Ledger::rejected_landed(const std::string& source, const std::string& stream,
                             const std::string& batch) const {
  int count = 0;
  database_.read([&](soci::session& sql) {
    sql << "SELECT count(*) FROM ingest_rejected WHERE source = :source AND stream = :stream AND "
           "batch = :batch",
        soci::into(count), soci::use(source), soci::use(stream), soci::use(batch);
  });
  return count > 0;
}

void Ledger::rejected_land(soci::session& sql, const std::string& source, const std::string& stream,
                           const std::string& batch) {
  sql << "INSERT INTO ingest_rejected (source, stream, batch) VALUES (:source, :stream, :batch) ON "
         "CONFLICT (source, stream) DO UPDATE SET batch = excluded.batch",
      soci::use(source), soci::use(stream), soci::use(batch);
}

void Ledger::begin(const SyncRecord& record) {
  const long long started = record.started_ms;
  database_.write([&](soci::session& sql) {
    sql << "INSERT INTO ingest_syncs (id, source, stream, target, run_id, run_date, mode, state, "
           "started_ms, ended_ms, row_count, byte_count, rejected_count, error, server) VALUES "
           "(:id, :source, :stream, :target, :run_id, :run_date, :mode, 'running', :started, 0, 0, "
           "0, 0, '', :server)",
        soci::use(record.id), soci::use(record.source), soci::use(record.stream),
        soci::use(record.table), soci::use(record.run_id), soci::use(record.run_date),
        soci::use(record.mode), soci::use(started), soci::use(server_);
  });
}

void Ledger::end(const SyncRecord& record) {
  const long long ended = record.ended_ms;
  const auto rows = static_cast<long long>(record.rows);
  const auto bytes = static_cast<long long>(record.bytes);
  const auto rejected = static_cast<long long>(record.rejected);
  database_.write([&](soci::session& sql) {
    sql << "UPDATE ingest_syncs SET state = :state, ended_ms = :ended, row_count = :rows, "
           "byte_count = :bytes, rejected_count = :rejected, error = :error WHERE id = :id",
        soci::use(record.state), soci::use(ended), soci::use(rows), soci::use(bytes),
        soci::use(rejected), soci::use(record.error), soci::use(record.id);
    sql << "DELETE FROM ingest_syncs WHERE source = :source AND stream = :stream AND state <> "
           "'running' AND id NOT IN (SELECT id FROM ingest_syncs WHERE source = :source2 AND "
           "stream "
           "= :stream2 ORDER BY started_ms DESC LIMIT :kept)",
        soci::use(record.source), soci::use(record.stream), soci::use(record.source),
        soci::use(record.stream), soci::use(kKept);
  });
}

std::vector<SyncRecord> Ledger::history(const std::string& source, const std::string& stream,
                                        size_t limit) const {
  std::vector<SyncRecord> records;
  const auto most = static_cast<long long>(limit);
  database_.read([&](soci::session& sql) {
    records.clear();
    Records rows(
        sql,
        "WHERE (:every = '' OR source = :source) AND (:any = '' OR stream = :stream) ORDER "
        "BY started_ms DESC, id LIMIT :most",
        source, source, stream, stream, most);
    while (rows.next()) records.push_back(rows.record());
  });
  return records;
}

std::vector<StreamStatus> Ledger::status() const {
  std::vector<StreamStatus> all;
  database_.read([&](soci::session& sql) {
    all.clear();
    StreamStatus one;
    long long ended = 0, succeeded = 0, rows = 0, rejected = 0, milliseconds = 0;
    soci::statement counts =
        (sql.prepare
             << "SELECT source, stream, SUM(CASE WHEN state = 'running' THEN 0 ELSE 1 END), "
                "SUM(CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END), SUM(row_count), "
                "SUM(rejected_count), SUM(CASE WHEN state = 'succeeded' THEN ended_ms - "
                "started_ms ELSE 0 END) FROM ingest_syncs GROUP BY source, stream ORDER BY "
                "source, stream",
         soci::into(one.source), soci::into(one.stream), soci::into(ended), soci::into(succeeded),
         soci::into(rows), soci::into(rejected), soci::into(milliseconds));
    counts.execute();
    while (counts.fetch()) {
      one.syncs = static_cast<uint64_t>(ended);
      one.succeeded = static_cast<uint64_t>(succeeded);
      one.rows = static_cast<uint64_t>(rows);
      one.rejected = static_cast<uint64_t>(rejected);
      one.mean_seconds = succeeded == 0 ? 0
                                        : static_cast<double>(milliseconds) / 1000 /
                                              static_cast<double>(succeeded);
      all.push_back(one);
    }
    for (auto& stream : all) {
      Records last(
          sql, "WHERE source = :source AND stream = :stream ORDER BY started_ms DESC, id LIMIT 1",
          stream.source, stream.stream);
      if (last.next()) stream.last = last.record();
    }
  });
  return all;
}

}  // namespace meesh::ingest
