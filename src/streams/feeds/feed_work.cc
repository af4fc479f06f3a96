#include "streams/feeds/feed_work.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.h"

namespace meesh::streams {

namespace json = boost::json;

namespace {

constexpr int64_t kDay = 86'400'000;  // milliseconds

/// "year=2025/month=01/day=15" → "2025-01-15"; "" for another path.
std::string date_of_path(const std::string& path) {
  constexpr std::string_view kForm = "year=0000/month=00/day=00";
  if (path.size() != kForm.size() || !path.starts_with("year=")) return "";
  return fmt::format("{}-{}-{}", path.substr(5, 4), path.substr(16, 2), path.substr(23, 2));
}

/// "version=v12" → 12; 0 for another path.
int64_t version_of_path(const std::string& path) {
  constexpr std::string_view kForm = "version=v";
  int64_t version = 0;
  if (path.starts_with(kForm))
    std::from_chars(path.data() + kForm.size(), path.data() + path.size(), version);
  return version;
}

json::array partitions_json(const std::vector<FeedPartition>& partitions) {
  json::array all;
  for (const auto& one : partitions)
    all.push_back(json::object{{"path", one.path}, {"records", one.records}, {"bytes", one.bytes}});
  return all;
}

}  // namespace

governance::Work work_of(const FeedSettings& settings, const FeedConfig& feed,
                         const std::string& address) {
  governance::Work work;
  work.job = "feeds." + feed.name;
  work.type = "EXPORT";
  work.output = fmt::format("{}.{}.{}", settings.catalog, settings.schema, feed.name);
  work.input = address;
  return work;
}

FeedWork::FeedWork(const FeedEnvironment& environment, FeedStore& store, const FeedFolder& folder,
                   const FeedSettings& settings, const FeedConfig& feed, int64_t now_ms,
                   const TaskContext& context)
    : environment_(environment),
      store_(store),
      folder_(folder),
      settings_(settings),
      feed_(feed),
      now_ms_(now_ms),
      context_(context) {}

engine::Session FeedWork::session(const std::string& address) const {
  auto session = feed_session();
  session.client_tags = governance::tags_of(work_of(settings_, feed_, address), context_);
  return session;
}

std::unique_ptr<FeedSource> FeedWork::open_source() const {
  if (feed_.source) return table_source(environment_.engine, feed_, *feed_.source);
  if (settings_.ksqldb) return ksqldb_source(*settings_.ksqldb, feed_, environment_.buffers);
  std::string table = feed_.ksqldb_source;
  std::ranges::transform(table, table.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return table_source(environment_.engine, feed_,
                      {settings_.streams_catalog, settings_.streams_schema, table});
}

void FeedWork::run_export(ExportResult& result) {
  const auto source = open_source();
  const auto columns = source->columns();
  address_ = source->address();
  FeedTable table(environment_.engine, settings_, feed_, session(address_));
  for (auto& change : table.prepare(columns, context_)) {
    context_.warn(fmt::format("{}: {}", table.name().display(), change));
    result.notes.push_back(std::move(change));
  }
  while (true) {
    context_.check();
    // One reading: the commit below counts only if nobody has moved the position since.
    const FeedState before = store_.state(feed_.name);
    const auto portion = source->next(before.position, table.landed(), context_);
    if (!portion) break;
    land(table, *portion, columns, before, result);
  }
  store_.exported(feed_.name, now_ms_);
  settle(result.records, result.bytes);
  const RetainResult gone = retain(false);
  result.removed_rows = gone.rows;
  for (const auto& partition : gone.removed) result.removed.push_back(partition.path);
  if (!gone.removed.empty()) settle(result.records, result.bytes);
  result.folder = folder_.of(feed_).string();
}

void FeedWork::land(FeedTable& table, const FeedPortion& portion,
                    const std::vector<FeedColumn>& columns, const FeedState& before,
                    ExportResult& result) {
  const bool stream = feed_.type == FeedType::kStream;
  const int64_t version = stream ? 0 : before.last_version + 1;
  auto commit = std::make_shared<engine::LakeCommit>();
  commit->also = [&](soci::session& sql) {
    if (stream) {
      FeedStore::move(sql, feed_.name, before.moves, portion.position);
    } else {
      FeedStore::add_version(sql, feed_.name, before.moves, version, now_ms_);
    }
  };
  commit->summary = {{"meesh.feed.source", feed_.origin()}};
  auto session = this->session(address_);
  session.commit = std::move(commit);
  const auto total = portion.estimated_rows > 0 ? static_cast<uint64_t>(portion.estimated_rows) : 0;
  const auto answer =
      engine::ask(environment_.engine, table.insert(portion.query, columns, now_ms_, version),
                  session, context_.stop, [&](const engine::QueryInfo& info) {
                    context_.progress(read_ + info.rows_read, total == 0 ? 0 : read_ + total);
                  });
  const uint64_t rows = answer.update_count.value_or(0);
  read_ += rows;
  result.rows += rows;
  result.version = version;
  context_.progress(read_, read_);
}

void FeedWork::settle(uint64_t& records, uint64_t& bytes) {
  FeedState state = store_.state(feed_.name);
  const FeedTable table(environment_.engine, settings_, feed_);
  if (state.current_version != state.published_version && table.exists()) {
    table.show_version(state.current_version, context_);
    store_.published(feed_.name, state.current_version);
  }
  const auto files = table.files(context_);
  const auto partitions = partitions_of(files);
  records = bytes = 0;
  for (const auto& one : partitions) {
    records += one.records;
    bytes += one.bytes;
    if (const int64_t version = version_of_path(one.path); version > 0)
      store_.count_rows(feed_.name, version, one.records);
  }
  folder_.bring_in_line(feed_, files, state.current_version, context_.stop);
  folder_.write_metadata(feed_, feed_metadata(feed_, state.last_export_ms, partitions));
  store_.totals(feed_.name, records, bytes, json::serialize(partitions_json(partitions)));
}

RetainResult FeedWork::retain(bool dry_run) {
  const FeedTable table(environment_.engine, settings_, feed_, session(address_));
  if (!table.exists()) return {.feed = feed_.name};
  return feed_.type == FeedType::kStream ? retain_days(table, dry_run)
                                         : retain_versions(table, dry_run);
}

void FeedWork::remove(const std::string& statement,
                      const std::function<void(soci::session&)>& also) {
  auto commit = std::make_shared<engine::LakeCommit>();
  commit->also = also;
  auto session = this->session(address_);
  session.commit = std::move(commit);
  engine::ask(environment_.engine, statement, session, context_.stop);
}

RetainResult FeedWork::retain_days(const FeedTable& table, bool dry_run) {
  RetainResult result{.feed = feed_.name};
  if (feed_.retention_days == 0) return result;
  const std::string first = iso_date(now_ms_ - feed_.retention_days * kDay);
  for (const auto& partition : partitions_of(table.files(context_))) {
    const std::string date = date_of_path(partition.path);
    if (date.empty() || date >= first) continue;
    result.rows += partition.records;
    result.removed.push_back(partition);
  }
  if (!dry_run && !result.removed.empty())
    remove(table.delete_before(first), [](soci::session&) {});
  return result;
}

RetainResult FeedWork::retain_versions(const FeedTable& table, bool dry_run) {
  RetainResult result{.feed = feed_.name};
  const FeedState state = store_.state(feed_.name);
  std::vector<int64_t> leaving;
  int kept = 0;
  for (const auto& version : store_.versions(feed_.name)) {
    if (version.removed) continue;
    if (kept < feed_.retention_versions) {
      ++kept;
    } else if (version.version != state.current_version) {
      leaving.push_back(version.version);
    }
  }
  if (leaving.empty()) return result;
  for (const auto& partition : partitions_of(table.files(context_))) {
    if (std::ranges::find(leaving, version_of_path(partition.path)) == leaving.end()) continue;
    result.rows += partition.records;
    result.removed.push_back(partition);
  }
  if (!dry_run) {
    remove(table.delete_versions(leaving), [&](soci::session& sql) {
      FeedStore::remove_versions(sql, feed_.name, state.moves, leaving);
    });
  }
  return result;
}

}  // namespace meesh::streams
