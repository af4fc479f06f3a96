#include "ingest/sources/postgresql_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <deque>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/uuid.h"
#include "ingest/cdc/postgres_text.h"
#include "ingest/sources/postgresql_changes_check.h"
#include "ingest/sources/postgresql_changes_stream.h"

namespace meesh::ingest {

namespace {

constexpr int kParenthesesSince = 150000;  // CREATE_REPLICATION_SLOT … (…)
constexpr int kFailoverSince = 170000;
constexpr auto kWaitForSlot = std::chrono::seconds(60);
constexpr const char* kSystem = "system";  // in StreamPosition::log

/// A snapshot that the server exported, and its place in the log.
struct Exported {
  uint64_t lsn = 0;
  std::string snapshot;
};

int version_of(PostgresLink& link) {
  return std::stoi(link.ask("SHOW server_version_num").at(0).at(0).value_or("0"));
}

/// The link must stay as it is until the snapshot is taken up.
Exported export_snapshot(PostgresLink& link, std::stop_token stop) {
  const bool parentheses = version_of(link) >= kParenthesesSince;
  const auto row =
      link.ask(fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput {}",
                           postgres_name("meesh_snapshot_" + base::random_uuid().substr(0, 8)),
                           parentheses ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT"),
               stop);
  const auto lsn = read_lsn(row.at(0).at(1).value_or(""));
  if (!lsn || !row.at(0).at(2)) internal_error("a replication slot without place or snapshot");
  return {*lsn, *row.at(0).at(2)};
}

// ---------------------------------------------------------------- snapshot

/// A table by COPY, in the order of its key if it can go on in the middle.
class PostgresSnapshot : public SnapshotReader {
 public:
  PostgresSnapshot(const PostgresChangesOptions& options, const TableConfig& config,
                   boost::json::value log, boost::json::value resume)
      : options_(options),
        log_(std::move(log)),
        resume_(std::move(resume)),
        link_(options.source, options.server, PostgresLink::Purpose::kStatements) {
    take_up_snapshot();
    table_ = read_postgres_table(link_, options.source, options.schema, config);
    std::vector<PostgresColumn> columns;
    for (const auto& column : table_.columns)
      if (!column.generated)
        columns.push_back({column.name, column.type, column.modifier, column.dimensions});
    PostgresTypes types;
    std::vector<size_t> numbers;
    shape_ = std::make_shared<const TableShape>(postgres_shape(
        link_, types, config, fmt::format("{}.{}.{}", options.source, options.schema, config.name),
        columns, postgres_key(table_, config), numbers));
    for (const size_t number : numbers) names_.push_back(postgres_name(columns[number].name));
    ordered_ = resume_.is_object() || (!shape_->key.empty() && table_.identity != 'f' &&
                                       table_.rows >= options_.ordered_from);
    begin();
  }

  StreamPosition position() const override { return {{lsn_, 0}, log_}; }
  double estimated_rows() const override { return table_.rows; }

  std::optional<SnapshotPortion> next(const BatchLimits& limits, std::stop_token stop) override {
    if (done_) return std::nullopt;
    std::vector<size_t> numbers(shape_->columns.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    PostgresRows rows(*options_.buffers, shape_, std::move(numbers));
    const PostgresRows::Change change{{lsn_, 0}, "", taken_};
    uint64_t count = 0, bytes = 0;
    while (!done_ && count < limits.changes && bytes < limits.bytes) {
      std::string_view line;
      const auto copied = link_.copied(line, std::chrono::milliseconds(100));
      if (stop.stop_requested()) throw Error(Code::kUserCanceled, "The task was canceled");
      if (copied == PostgresLink::Copied::kEnd) done_ = true;
      if (copied != PostgresLink::Copied::kData) continue;
      split_copy_row(line, cells_, unescaped_);
      if (cells_.size() != shape_->columns.size()) internal_error("COPY gave other columns");
      rows.add_read(change, cells_);
      ++count;
      bytes += line.size();
      if (ordered_ && (count == limits.changes || bytes >= limits.bytes)) remember_key();
    }
    SnapshotPortion portion;
    portion.rows = rows.finish();
    portion.resume = resume_;
    portion.last = done_;
    return portion;
  }

 private:
  void take_up_snapshot() {
    PostgresLink exporting(options_.source, options_.server, PostgresLink::Purpose::kReplication);
    const auto exported = export_snapshot(exporting, {});
    link_.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    link_.ask("SET TRANSACTION SNAPSHOT " + postgres_text(exported.snapshot));
    lsn_ = exported.lsn;
    taken_ = base::now_ms() * 1000;
  }

  void begin() {
    std::string where, order;
    std::vector<std::string> key;
    for (const size_t own : shape_->key) key.push_back(names_[own]);
    if (ordered_) order = fmt::format(" ORDER BY {}", fmt::join(key, ", "));
    if (resume_.is_object()) {
      std::vector<std::string> values;
      for (const auto& value : resume_.as_object().at("after").as_array())
        values.push_back(postgres_text(value.as_string()));
      where = fmt::format(" WHERE ({}) > ({})", fmt::join(key, ", "), fmt::join(values, ", "));
    }
    link_.begin_copy(fmt::format("COPY (SELECT {} FROM {}{}{}) TO STDOUT", fmt::join(names_, ", "),
                                 table_.quoted(), where, order));
  }

  void remember_key() {
    boost::json::array after;
    for (const size_t own : shape_->key)
      after.emplace_back(boost::json::string_view(cells_.at(own).text));
    resume_ = {{"after", std::move(after)}};
  }

  const PostgresChangesOptions options_;
  const boost::json::value log_;
  boost::json::value resume_;
  PostgresLink link_;
  PostgresTable table_;
  std::shared_ptr<const TableShape> shape_;
  std::vector<std::string> names_;  // of the shape's columns, quoted
  bool ordered_ = false, done_ = false;
  uint64_t lsn_ = 0;
  int64_t taken_ = 0;  // µs since 1970
  std::vector<pgoutput::Cell> cells_;
  std::string unescaped_;
};

// ---------------------------------------------------------------- the source

class PostgresChanges : public ChangeSource {
 public:
  explicit PostgresChanges(PostgresChangesOptions options) : options_(std::move(options)) {}

  std::vector<std::string> check(const std::vector<TableConfig>& tables) override {
    auto link = statements();
    return check_postgres_changes(link, options_, tables);
  }
  void begin(const std::vector<TableConfig>& tables,
             const std::vector<StreamPosition>& known) override;
  std::unique_ptr<SnapshotReader> snapshot(const TableConfig& table,
                                           const boost::json::value& resume) override {
    return std::make_unique<PostgresSnapshot>(options_, table, log_, resume);
  }
  StreamPosition end() override {
    auto link = statements();
    const auto row = link.ask(
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
        "pg_current_wal_flush_lsn() END");
    return {{read_lsn(row.at(0).at(0).value_or("")).value_or(0), 0}, log_};
  }
  void follow(const StreamPosition& from) override;
  std::optional<ChangeBatch> next(const BatchLimits& limits, std::stop_token stop) override;
  void idle() override {
    if (stream_) stream_->idle();
  }
  void confirm(const StreamPosition& position) override;
  ChangeLag lag() override;
  std::string show(const StreamPosition& position) const override {
    return show_lsn(position.at.major);
  }
  void drop() override;

 private:
  PostgresLink statements() const {
    return {options_.source, options_.server, PostgresLink::Purpose::kStatements};
  }
  void create_slot(std::stop_token stop);
  void let_go();
  bool same_server(const StreamPosition& position) const {
    const auto* known =
        position.log.is_object() ? position.log.as_object().if_contains(kSystem) : nullptr;
    return !known || *known == log_.as_object().at(kSystem);
  }

  const PostgresChangesOptions options_;
  std::vector<TableConfig> tables_;
  boost::json::value log_;
  std::mutex mutex_;
  std::unique_ptr<PostgresStream> stream_;  // changed under mutex_ by the thread that calls next()
  /// Ends of batches that came and are not confirmed, with their times; guarded by mutex_.
  std::deque<std::pair<ChangePosition, std::chrono::system_clock::time_point>> open_;
  std::unique_ptr<PostgresLink> looking_;  // of lag(); guarded by mutex_
};

void PostgresChanges::create_slot(std::stop_token stop) {
  auto link = statements();
  const int version = version_of(link);
  const bool standby = link.ask("SELECT pg_is_in_recovery()").at(0).at(0) == "t";
  PostgresLink replication(options_.source, options_.server, PostgresLink::Purpose::kReplication);
  std::string how = "NOEXPORT_SNAPSHOT";
  // The slot of a primary that fails lives on at its standby.
  if (version >= kParenthesesSince)
    how = version >= kFailoverSince && !standby ? "(SNAPSHOT 'nothing', FAILOVER true)"
                                                : "(SNAPSHOT 'nothing')";
  replication.ask(fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput {}",
                              postgres_name(options_.slot), how),
                  stop);
}

void PostgresChanges::let_go() {
  std::lock_guard lock(mutex_);
  stream_.reset();
  open_.clear();
}

void PostgresChanges::begin(const std::vector<TableConfig>& tables,
                            const std::vector<StreamPosition>& known) {
  let_go();
  tables_ = tables;
  auto link = statements();
  {
    PostgresLink replication(options_.source, options_.server, PostgresLink::Purpose::kReplication);
    log_ = {{kSystem, replication.ask("IDENTIFY_SYSTEM").at(0).at(0).value_or("")}};
  }
  for (const auto& position : known)
    if (!same_server(position))
      throw lost_position(options_.source, "the server is another one than before");
  publish_postgres_tables(link, options_, tables);
  const auto slot = read_postgres_slot(link, options_.slot);
  if (slot.there && !slot.lost) return;
  if (!known.empty()) {
    throw lost_position(options_.source,
                        fmt::format("its replication slot '{}' {}", options_.slot,
                                    slot.there ? "was given up by the server" : "is gone"));
  }
  if (slot.there) drop();
  publish_postgres_tables(link, options_, tables);
  create_slot({});
}

void PostgresChanges::follow(const StreamPosition& from) {
  let_go();
  const auto until = std::chrono::steady_clock::now() + kWaitForSlot;
  while (true) {
    try {
      auto stream = std::make_unique<PostgresStream>(options_, tables_, log_, from.at.major,
                                                     std::stop_token());
      std::lock_guard lock(mutex_);
      stream_ = std::move(stream);
      return;
    } catch (const Error& error) {
      // The server has not noticed yet that the connection before is gone.
      const bool busy = error.message().find("is active") != std::string::npos;
      if (!busy || std::chrono::steady_clock::now() > until) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

std::optional<ChangeBatch> PostgresChanges::next(const BatchLimits& limits, std::stop_token stop) {
  if (!stream_) internal_error("next() before follow()");
  auto batch = stream_->next(limits, stop);
  if (batch && batch->changes > 0) {
    std::lock_guard lock(mutex_);
    open_.emplace_back(batch->end.at, batch->committed);
  }
  return batch;
}

void PostgresChanges::confirm(const StreamPosition& position) {
  std::lock_guard lock(mutex_);
  while (!open_.empty() && open_.front().first <= position.at) open_.pop_front();
  if (stream_) stream_->confirm(position.at.major);
}

ChangeLag PostgresChanges::lag() {
  std::lock_guard lock(mutex_);
  if (!looking_) looking_ = std::make_unique<PostgresLink>(statements());
  ChangeLag lag;
  try {
    const auto slot = read_postgres_slot(*looking_, options_.slot);
    if (slot.now > slot.confirmed) lag.bytes = slot.now - slot.confirmed;
    lag.warnings = slot_warnings(*looking_, options_.source, slot);
  } catch (const Error&) {
    looking_.reset();  // another one next time
    throw;
  }
  if (!open_.empty())
    lag.seconds = std::max(
        0.0, std::chrono::duration<double>(std::chrono::system_clock::now() - open_.front().second)
                 .count());
  return lag;
}

void PostgresChanges::drop() {
  let_go();
  auto link = statements();
  link.ask(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = " +
      postgres_text(options_.slot));
  // Another name was given by people, who may use it for more.
  if (options_.publication == "meesh_" + options_.source)
    link.ask("DROP PUBLICATION IF EXISTS " + postgres_name(options_.publication));
}

}  // namespace

std::shared_ptr<ChangeSource> make_postgres_changes(PostgresChangesOptions options) {
  if (options.slot.empty()) options.slot = "meesh_" + options.source;
  if (options.publication.empty()) options.publication = "meesh_" + options.source;
  return std::make_shared<PostgresChanges>(std::move(options));
}

}  // namespace meesh::ingest
