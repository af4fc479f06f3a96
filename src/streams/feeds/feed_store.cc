#include "streams/feeds/feed_store.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace meesh::streams {
namespace {

constexpr int kKept = 2000;  // events of a feed

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "states, versions and events",
       {"CREATE TABLE feed_states (feed TEXT NOT NULL PRIMARY KEY, config TEXT NOT NULL, active "
        "BIGINT NOT NULL, seen_ms BIGINT NOT NULL, position TEXT NOT NULL, moves BIGINT NOT NULL, "
        "current_version BIGINT NOT NULL, published_version BIGINT NOT NULL, last_version BIGINT "
        "NOT NULL, last_export_ms BIGINT NOT NULL, record_count BIGINT NOT NULL, byte_count BIGINT "
        "NOT NULL, partitions TEXT NOT NULL)",
        "CREATE TABLE feed_versions (feed TEXT NOT NULL, version BIGINT NOT NULL, written_ms "
        "BIGINT NOT NULL, row_count BIGINT NOT NULL, removed BIGINT NOT NULL, PRIMARY KEY (feed, "
        "version))",
        "CREATE TABLE feed_events (id TEXT NOT NULL PRIMARY KEY, feed TEXT NOT NULL, kind TEXT NOT "
        "NULL, state TEXT NOT NULL, started_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, "
        "row_count BIGINT NOT NULL, record_count BIGINT NOT NULL, byte_count BIGINT NOT NULL, "
        "version BIGINT NOT NULL, detail TEXT NOT NULL, error TEXT NOT NULL, server TEXT NOT NULL)",
        "CREATE INDEX feed_events_by_feed ON feed_events (feed, started_ms)"}}};
  return all;
}

long long signed_of(uint64_t count) { return static_cast<long long>(count); }

/// The feed's row, if it has none yet.
void ensure(soci::session& sql, const std::string& feed) {
  sql << "INSERT INTO feed_states (feed, config, active, seen_ms, position, moves, "
         "current_version, published_version, last_version, last_export_ms, record_count, "
         "byte_count, partitions) VALUES (:feed, '', 1, 0, 'null', 0, 0, 0, 0, 0, 0, 0, '') ON "
         "CONFLICT (feed) DO NOTHING",
      soci::use(feed);
}

void expect_one(soci::statement& change, const std::string& feed) {
  change.execute(true);
  if (change.get_affected_rows() == 1) return;
  throw Error(Code::kTransactionConflict,
              fmt::format("another export of the feed '{}' was faster; nothing was changed", feed))
      .with_hint("run it again: it goes on from where that one ended");
}

void insert_event(soci::session& sql, const FeedEvent& event, const std::string& server) {
  const long long started = event.started_ms, ended = event.ended_ms, rows = signed_of(event.rows),
                  records = signed_of(event.records), bytes = signed_of(event.bytes),
                  version = event.version;
  sql << "INSERT INTO feed_events (id, feed, kind, state, started_ms, ended_ms, row_count, "
         "record_count, byte_count, version, detail, error, server) VALUES (:id, :feed, :kind, "
         ":state, :started, :ended, :rows, :records, :bytes, :version, :detail, :error, :server)",
      soci::use(event.id), soci::use(event.feed), soci::use(event.kind), soci::use(event.state),
      soci::use(started), soci::use(ended), soci::use(rows), soci::use(records), soci::use(bytes),
      soci::use(version), soci::use(event.detail), soci::use(event.error), soci::use(server);
}

}  // namespace

FeedStore::FeedStore(meta::Database& database, std::string server)
    : database_(database), server_(std::move(server)) {
  meta::migrate(database_, "feeds", migrations());
  database_.write([&](soci::session& sql) {
    interrupted_.clear();
    std::string feed;
    soci::statement found = (sql.prepare << "SELECT DISTINCT feed FROM feed_events WHERE state = "
                                            "'running' AND server = :server",
                             soci::into(feed), soci::use(server_));
    found.execute();
    while (found.fetch()) interrupted_.push_back(feed);
    sql << "UPDATE feed_events SET state = 'interrupted', ended_ms = started_ms, error = 'the "
           "server stopped' WHERE state = 'running' AND server = :server",
        soci::use(server_);
  });
}

FeedState FeedStore::state(const std::string& feed) const {
  FeedState found;
  database_.read([&](soci::session& sql) {
    found = {};
    std::string position;
    std::array<long long, 8> n{};
    sql << "SELECT config, active, position, moves, current_version, published_version, "
           "last_version, last_export_ms, record_count, byte_count, partitions FROM feed_states "
           "WHERE feed = :feed",
        soci::into(found.config), soci::into(n[0]), soci::into(position), soci::into(n[1]),
        soci::into(n[2]), soci::into(n[3]), soci::into(n[4]), soci::into(n[5]), soci::into(n[6]),
        soci::into(n[7]), soci::into(found.partitions), soci::use(feed);
    if (!sql.got_data()) return;
    found.active = n[0] != 0;
    found.position = boost::json::parse(position);
    found.moves = n[1];
    found.current_version = n[2];
    found.published_version = n[3];
    found.last_version = n[4];
    found.last_export_ms = n[5];
    found.records = static_cast<uint64_t>(n[6]);
    found.bytes = static_cast<uint64_t>(n[7]);
  });
  return found;
}

std::vector<std::string> FeedStore::known() const {
  std::vector<std::string> names;
  database_.read([&](soci::session& sql) {
    names.clear();
    std::string name;
    soci::statement found =
        (sql.prepare << "SELECT feed FROM feed_states ORDER BY feed", soci::into(name));
    found.execute();
    while (found.fetch()) names.push_back(name);
  });
  return names;
}

void FeedStore::see(const std::string& feed, const std::string& config, bool active,
                    int64_t now_ms) {
  const long long flag = active, now = now_ms;
  database_.write([&](soci::session& sql) {
    ensure(sql, feed);
    sql << "UPDATE feed_states SET config = :config, active = :active, seen_ms = :now WHERE feed = "
           ":feed",
        soci::use(config), soci::use(flag), soci::use(now), soci::use(feed);
  });
}

void FeedStore::totals(const std::string& feed, uint64_t records, uint64_t bytes,
                       const std::string& partitions) {
  const long long record_count = signed_of(records), byte_count = signed_of(bytes);
  database_.write([&](soci::session& sql) {
    ensure(sql, feed);
    sql << "UPDATE feed_states SET record_count = :records, byte_count = :bytes, partitions = "
           ":partitions WHERE feed = :feed",
        soci::use(record_count), soci::use(byte_count), soci::use(partitions), soci::use(feed);
  });
}

void FeedStore::exported(const std::string& feed, int64_t now_ms) {
  const long long now = now_ms;
  database_.write([&](soci::session& sql) {
    ensure(sql, feed);
    sql << "UPDATE feed_states SET last_export_ms = :now WHERE feed = :feed", soci::use(now),
        soci::use(feed);
  });
}

void FeedStore::published(const std::string& feed, int64_t version) {
  const long long shown = version;
  database_.write([&](soci::session& sql) {
    sql << "UPDATE feed_states SET published_version = :version WHERE feed = :feed",
        soci::use(shown), soci::use(feed);
  });
}

void FeedStore::move(soci::session& sql, const std::string& feed, int64_t moves,
                     const boost::json::value& position) {
  ensure(sql, feed);
  const std::string text = boost::json::serialize(position);
  const long long before = moves, after = moves + 1;
  soci::statement change =
      (sql.prepare << "UPDATE feed_states SET position = :position, moves = :after WHERE feed = "
                      ":feed AND moves = :before",
       soci::use(text), soci::use(after), soci::use(feed), soci::use(before));
  expect_one(change, feed);
}

void FeedStore::add_version(soci::session& sql, const std::string& feed, int64_t moves,
                            int64_t version, int64_t now_ms) {
  ensure(sql, feed);
  const long long before = moves, after = moves + 1, number = version, now = now_ms;
  soci::statement change =
      (sql.prepare << "UPDATE feed_states SET last_version = :version, current_version = :current, "
                      "moves = :after WHERE feed = :feed AND moves = :before",
       soci::use(number), soci::use(number), soci::use(after), soci::use(feed), soci::use(before));
  expect_one(change, feed);
  sql << "INSERT INTO feed_versions (feed, version, written_ms, row_count, removed) VALUES (:feed, "
         ":version, :now, 0, 0)",
      soci::use(feed), soci::use(number), soci::use(now);
}

void FeedStore::remove_versions(soci::session& sql, const std::string& feed, int64_t moves,
                                const std::vector<int64_t>& versions) {
  const long long before = moves, after = moves + 1;
  soci::statement change =
      (sql.prepare << "UPDATE feed_states SET moves = :after WHERE feed = :feed AND moves = "
                      ":before",
       soci::use(after), soci::use(feed), soci::use(before));
  expect_one(change, feed);
  for (const int64_t version : versions) {
    const long long number = version;
    sql << "UPDATE feed_versions SET removed = 1 WHERE feed = :feed AND version = :version",
        soci::use(feed), soci::use(number);
  }
}

void FeedStore::count_rows(const std::string& feed, int64_t version, uint64_t rows) {
  const long long number = version, count = signed_of(rows);
  database_.write([&](soci::session& sql) {
    sql << "UPDATE feed_versions SET row_count = :count WHERE feed = :feed AND version = :version",
        soci::use(count), soci::use(feed), soci::use(number);
  });
}

void FeedStore::roll_back(const FeedEvent& event) {
  const long long number = event.version;
  database_.write([&](soci::session& sql) {
    int there = 0;
    sql << "SELECT count(*) FROM feed_versions WHERE feed = :feed AND version = :version AND "
           "removed = 0",
        soci::into(there), soci::use(event.feed), soci::use(number);
    if (there == 0) {
      throw Error(Code::kConstraintViolation,
                  fmt::format("the feed '{}' has no version {}", event.feed, event.version))
          .with_hint(fmt::format("meesh feed show {} lists its versions", event.feed));
    }
    sql << "UPDATE feed_states SET current_version = :version, moves = moves + 1 WHERE feed = "
           ":feed",
        soci::use(number), soci::use(event.feed);
    insert_event(sql, event, server_);
  });
}

std::vector<FeedVersion> FeedStore::versions(const std::string& feed) const {
  std::vector<FeedVersion> all;
  database_.read([&](soci::session& sql) {
    all.clear();
    std::array<long long, 4> n{};
    soci::statement found =
        (sql.prepare << "SELECT version, written_ms, row_count, removed FROM feed_versions WHERE "
                        "feed = :feed ORDER BY version DESC",
         soci::into(n[0]), soci::into(n[1]), soci::into(n[2]), soci::into(n[3]), soci::use(feed));
    found.execute();
    while (found.fetch()) all.push_back({n[0], n[1], static_cast<uint64_t>(n[2]), n[3] != 0});
  });
  return all;
}

void FeedStore::begin(const FeedEvent& event) {
  database_.write([&](soci::session& sql) { insert_event(sql, event, server_); });
}

void FeedStore::end(const FeedEvent& event) {
  const long long ended = event.ended_ms, rows = signed_of(event.rows),
                  records = signed_of(event.records), bytes = signed_of(event.bytes),
                  version = event.version;
  database_.write([&](soci::session& sql) {
    sql << "UPDATE feed_events SET state = :state, ended_ms = :ended, row_count = :rows, "
           "record_count = :records, byte_count = :bytes, version = :version, detail = :detail, "
           "error = :error WHERE id = :id",
        soci::use(event.state), soci::use(ended), soci::use(rows), soci::use(records),
        soci::use(bytes), soci::use(version), soci::use(event.detail), soci::use(event.error),
        soci::use(event.id);
    sql << "DELETE FROM feed_events WHERE feed = :feed AND state <> 'running' AND id NOT IN "
           "(SELECT id FROM feed_events WHERE feed = :feed2 ORDER BY started_ms DESC LIMIT :kept)",
        soci::use(event.feed), soci::use(event.feed), soci::use(kKept);
  });
}

std::vector<FeedEvent> FeedStore::events(const std::string& feed, size_t limit) const {
  std::vector<FeedEvent> all;
  const auto most = static_cast<long long>(limit);
  database_.read([&](soci::session& sql) {
    all.clear();
    FeedEvent e;
    std::array<long long, 6> n{};
    soci::statement found =
        (sql.prepare << "SELECT id, feed, kind, state, detail, error, started_ms, ended_ms, "
                        "row_count, record_count, byte_count, version FROM feed_events WHERE "
                        ":every = '' OR feed = :feed ORDER BY started_ms DESC, id LIMIT :most",
         soci::into(e.id), soci::into(e.feed), soci::into(e.kind), soci::into(e.state),
         soci::into(e.detail), soci::into(e.error), soci::into(n[0]), soci::into(n[1]),
         soci::into(n[2]), soci::into(n[3]), soci::into(n[4]), soci::into(n[5]), soci::use(feed),
         soci::use(feed), soci::use(most));
    found.execute();
    while (found.fetch()) {
      e.started_ms = n[0];
      e.ended_ms = n[1];
      e.rows = static_cast<uint64_t>(n[2]);
      e.records = static_cast<uint64_t>(n[3]);
      e.bytes = static_cast<uint64_t>(n[4]);
      e.version = n[5];
      all.push_back(e);
    }
  });
  return all;
}

}  // namespace meesh::streams
