#include "ingest/sources/mysql_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "ingest/sources/mysql_changes_check.h"
#include "ingest/sources/mysql_snapshot.h"
#include "ingest/sources/mysql_stream.h"

namespace meesh::ingest {

using engine::MysqlConnection;

namespace {

/// Errors name the source, not the catalog that only we know; a lost server may come back.
template <class F>
auto named(const MysqlChangesOptions& options, F&& work) {
  try {
    return work();
  } catch (const Error& error) {
    const std::string catalog = fmt::format("Catalog '{}'", options.server.name);
    if (!error.message().starts_with(catalog)) throw;
    const bool lost = error.message().find("cannot be reached") != std::string::npos;
    throw Error(
        lost ? Code::kUnavailable : error.code(),
        fmt::format("Source '{}'{}", options.source, error.message().substr(catalog.size())))
        .with_hint(error.hint());
  }
}

class MysqlChanges : public ChangeSource {
 public:
  explicit MysqlChanges(MysqlChangesOptions options) : options_(std::move(options)) {}

  std::vector<std::string> check(const std::vector<TableConfig>& tables) override {
    return named(options_, [&] { return check_mysql_changes(options_, tables); });
  }
  void begin(const std::vector<TableConfig>& tables,
             const std::vector<StreamPosition>& known) override;
  std::unique_ptr<SnapshotReader> snapshot(const TableConfig& table,
                                           const boost::json::value& resume) override {
    return named(options_, [&] { return read_mysql_snapshot(options_, table, server_, resume); });
  }
  StreamPosition end() override;
  void follow(const StreamPosition& from) override;
  std::optional<ChangeBatch> next(const BatchLimits& limits, std::stop_token stop) override;
  void confirm(const StreamPosition& position) override;
  ChangeLag lag() override;
  std::string show(const StreamPosition& position) const override {
    const auto place = MysqlPlace::read(position.log);
    return fmt::format("{}:{}", place.file, position.at.minor >> 20);
  }
  /// Nothing is kept on the server for those who follow.
  void drop() override { let_go(); }

 private:
  void let_go();
  /// Whether the place is one of this server's binlogs.
  void find(MysqlConnection& connection, const MysqlPlace& place);

  const MysqlChangesOptions options_;
  std::vector<TableConfig> tables_;
  MysqlPlace server_;     // its name and epoch alone
  bool by_gtid_ = false;  // positions are another server's: they are found by their GTID
  std::mutex mutex_;
  std::unique_ptr<MysqlStream> stream_;  // changed by the thread that calls next()
  /// Ends of batches that came and are not confirmed, with their times; guarded by mutex_.
  std::deque<std::pair<ChangePosition, std::chrono::system_clock::time_point>> open_;
  MysqlPlace confirmed_;                      // guarded by mutex_
  std::unique_ptr<MysqlConnection> looking_;  // of lag(); guarded by mutex_
};

void MysqlChanges::let_go() {
  stream_.reset();
  std::lock_guard lock(mutex_);
  open_.clear();
}

void MysqlChanges::find(MysqlConnection& connection, const MysqlPlace& place) {
  const auto files = binlog_files(connection);
  if (!files) return;  // it may not be asked: the stream will tell
  const auto file = files->find(place.file);
  if (file == files->end())
    throw lost_position(options_.source,
                        fmt::format("the server has no binlog {} any more", place.file));
  if (place.offset > file->second)
    throw lost_position(options_.source,
                        fmt::format("the server's binlog {} ends before {}: it was "
                                    "begun anew",
                                    place.file, place.offset));
  if (place.gtid.empty()) return;
  const auto gtid = gtid_at(connection, place.file, place.offset);
  if (!gtid.empty() && !same_gtid(gtid, place.gtid))
    throw lost_position(options_.source,
                        fmt::format("the server's binlog {} is another one than before: at {} it "
                                    "is at {}, not at {}",
                                    place.file, place.offset, gtid, place.gtid));
}

void MysqlChanges::begin(const std::vector<TableConfig>& tables,
                         const std::vector<StreamPosition>& known) {
  let_go();
  named(options_, [&] {
    tables_ = tables;
    MysqlConnection connection(options_.server);
    server_ = {};
    server_.server = mysql_identity(connection);
    by_gtid_ = false;
    bool moved = false;
    for (const auto& position : known) {
      const auto place = MysqlPlace::read(position.log);
      server_.epoch = std::max(server_.epoch, place.epoch);
      moved = moved || place.server != server_.server;
    }
    if (moved) {
      // Another server took over, which has the same transactions in binlogs of its own.
      ++server_.epoch;
      by_gtid_ = true;
      const bool can = connection.is_mariadb() && std::ranges::all_of(known, [](const auto& one) {
                         return !MysqlPlace::read(one.log).gtid.empty();
                       });
      if (!can)
        throw lost_position(options_.source,
                            "the server is another one than before, and there is "
                            "no GTID to go on from");
      return;
    }
    for (const auto& position : known) find(connection, MysqlPlace::read(position.log));
  });
}

StreamPosition MysqlChanges::end() {
  return named(options_, [&] {
    MysqlConnection connection(options_.server);
    auto place = binlog_end(connection, options_.source);
    place.server = server_.server;
    place.epoch = server_.epoch;
    place.gtid = gtid_at(connection, place.file, place.offset);
    return StreamPosition{place.position(), place.json()};
  });
}

void MysqlChanges::follow(const StreamPosition& from) {
  let_go();
  named(options_, [&] {
    auto place = MysqlPlace::read(from.log);
    const bool elsewhere = place.server != server_.server;
    place.server = server_.server;
    place.epoch = server_.epoch;
    stream_ = std::make_unique<MysqlStream>(options_, tables_, place, elsewhere && by_gtid_);
  });
  std::lock_guard lock(mutex_);
  confirmed_ = MysqlPlace::read(from.log);
}

std::optional<ChangeBatch> MysqlChanges::next(const BatchLimits& limits, std::stop_token stop) {
  if (!stream_) internal_error("next() before follow()");
  auto batch = named(options_, [&] { return stream_->next(limits, stop); });
  if (batch && batch->changes > 0) {
    std::lock_guard lock(mutex_);
    open_.emplace_back(batch->end.at, batch->committed);
  }
  return batch;
}

void MysqlChanges::confirm(const StreamPosition& position) {
  std::lock_guard lock(mutex_);
  while (!open_.empty() && open_.front().first <= position.at) open_.pop_front();
  confirmed_ = MysqlPlace::read(position.log);
}

ChangeLag MysqlChanges::lag() {
  std::lock_guard lock(mutex_);
  ChangeLag lag;
  try {
    if (!looking_) looking_ = std::make_unique<MysqlConnection>(options_.server);
    if (const auto files = binlog_files(*looking_)) {
      for (const auto& [name, size] : *files) {
        if (binlog_number(name) > binlog_number(confirmed_.file)) lag.bytes += size;
        if (name == confirmed_.file && size > confirmed_.offset)
          lag.bytes += size - confirmed_.offset;
      }
    }
    lag.warnings = binlog_warnings(*looking_, options_.source, confirmed_.file);
  } catch (const Error&) {
    looking_.reset();  // another one next time
    return named(options_, []() -> ChangeLag { throw; });
  }
  if (!open_.empty())
    lag.seconds = std::max(
        0.0, std::chrono::duration<double>(std::chrono::system_clock::now() - open_.front().second)
                 .count());
  return lag;
}

}  // namespace

std::shared_ptr<ChangeSource> make_mysql_changes(MysqlChangesOptions options) {
  return std::make_shared<MysqlChanges>(std::move(options));
}

}  // namespace meesh::ingest
