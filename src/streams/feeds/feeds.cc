#include "streams/feeds/feeds.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/shutdown.h"
#include "base/text.h"
#include "base/uuid.h"
#include "meta/leases.h"
#include "streams/feeds/feed_work.h"

namespace meesh::streams {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr auto kRound = std::chrono::hours(1);  // between two looks at retention
constexpr const char* kLease = "feeds";

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

void write_file(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  const fs::path unfinished =
      file.parent_path() / fmt::format(".{}.{}", file.filename().string(), base::random_uuid());
  std::ofstream stream(unfinished, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) {
    fs::remove(unfinished);
    throw Error(Code::kIoError, fmt::format("cannot write '{}'", file.string()));
  }
  fs::rename(unfinished, file);
}

std::vector<FeedPartition> partitions_of_text(const std::string& text) {
  std::vector<FeedPartition> partitions;
  if (text.empty()) return partitions;
  const json::value parsed = json::parse(text);
  for (const auto& value : parsed.as_array()) {
    const auto& one = value.as_object();
    partitions.push_back({std::string(one.at("path").as_string()),
                          one.at("records").to_number<uint64_t>(),
                          one.at("bytes").to_number<uint64_t>()});
  }
  return partitions;
}

/// Which feeds are worked on now.
struct Busy {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, bool> feeds;  // whether it is upkeep; guarded by mutex
};

/// A feed that nobody else works on as long as this lives. Whoever asked for work waits for upkeep,
/// which takes a moment, and is refused while others' work goes on; upkeep is always refused.
class Claim {
 public:
  enum class For { kWork, kUpkeep };

  Claim(Busy& busy, std::string feed, For purpose = For::kWork)
      : busy_(busy), feed_(std::move(feed)) {
    std::unique_lock lock(busy_.mutex);
    if (purpose == For::kWork) {
      busy_.changed.wait(lock, [&] {
        const auto found = busy_.feeds.find(feed_);
        return found == busy_.feeds.end() || !found->second;
      });
    }
    if (busy_.feeds.emplace(feed_, purpose == For::kUpkeep).second) return;
    throw Error(Code::kAlreadyExists, fmt::format("the feed '{}' is being worked on now", feed_))
        .with_hint("try again when that is done: meesh feed list");
  }
  ~Claim() {
    {
      const std::lock_guard lock(busy_.mutex);
      busy_.feeds.erase(feed_);
    }
    busy_.changed.notify_all();
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  Busy& busy_;
  const std::string feed_;
};

FeedSettings checked_settings(const mesh::Mesh& mesh) {
  mesh::MeshFiles files(mesh);
  auto settings = load_feed_settings(files, mesh);
  for (auto& [name, problems] : load_feeds(mesh).problems)
    files.problems().insert(files.problems().end(), problems.begin(), problems.end());
  files.finish();
  return settings;
}

}  // namespace

struct Feeds::Impl {
  explicit Impl(const FeedEnvironment& given)
      : environment(given),
        settings(checked_settings(given.mesh)),
        store(given.database, given.holder),
        folder(settings.folder, given.store),
        leases(given.database) {}

  int64_t now(std::optional<int64_t> given = {}) const {
    if (given) return *given;
    return environment.now_ms ? environment.now_ms() : base::now_ms();
  }
  fs::path file_of(const std::string& name, const char* folder_name = kActiveFeeds) const {
    return environment.mesh.folder / folder_name / (name + ".json");
  }
  std::string shown(const std::string& name) const {
    return (environment.mesh.shown / kActiveFeeds / (name + ".json")).string();
  }

  /// Its file as it is now.
  FeedConfig config(const std::string& name) const {
    auto loaded = load_feeds(environment.mesh);
    if (const auto found = loaded.feeds.find(name); found != loaded.feeds.end())
      return found->second;
    if (const auto wrong = loaded.problems.find(name); wrong != loaded.problems.end())
      throw mesh::ConfigError(wrong->second);
    std::vector<std::string> names;
    for (const auto& [known, feed] : loaded.feeds) names.push_back(known);
    throw Error(Code::kNotFound, fmt::format("there is no feed '{}'", name))
        .with_hint(names.empty() ? "meesh feed add makes one"
                                 : base::did_you_mean(name, names, "feeds: "));
  }

  FeedStatus status(const FeedConfig& config) const {
    FeedStatus status;
    status.config = config;
    status.table = fmt::format("{}.{}.{}", settings.catalog, settings.schema, config.name);
    status.folder = folder.of(config).string();
    status.origin = config.source || settings.ksqldb
                        ? config.origin()
                        : fmt::format("{}.{}.{}", settings.streams_catalog, settings.streams_schema,
                                      config.ksqldb_source);
    status.state = store.state(config.name);
    status.partitions = partitions_of_text(status.state.partitions);
    status.versions = store.versions(config.name);
    const auto events = store.events(config.name, 1);
    if (!events.empty()) status.last = events.front();
    return status;
  }

  FeedEvent event(const std::string& feed, const std::string& kind, int64_t version = 0) const {
    FeedEvent event;
    event.id = base::random_uuid();
    event.feed = feed;
    event.kind = kind;
    event.state = "running";
    event.started_ms = now();
    event.version = version;
    return event;
  }
  void note(const std::string& feed, const std::string& kind, const std::string& detail) {
    FeedEvent done = event(feed, kind);
    done.state = "succeeded";
    done.ended_ms = done.started_ms;
    done.detail = detail;
    const FeedState state = store.state(feed);
    done.records = state.records;
    done.bytes = state.bytes;
    store.begin(done);
    log("INFO", feed, detail.empty() ? kind : kind + ": " + detail);
  }
  void log(const std::string& level, const std::string& feed, const std::string& line) const {
    folder.log(now(), level, feed, line);
  }

  /// Does it, tells how it went, and passes on what it threw. `work` fills the event in.
  void run(FeedEvent event, const TaskContext& context,
           const std::function<void(FeedEvent&)>& work) {
    store.begin(event);
    log("INFO", event.feed, event.kind + " begins");
    try {
      work(event);
    } catch (const std::exception& error) {
      event.state = context.stop.stop_requested() ? "canceled" : "failed";
      event.error = error.what();
      event.ended_ms = now();
      store.end(event);
      log("ERROR", event.feed, fmt::format("{} {}: {}", event.kind, event.state, error.what()));
      throw;
    }
    event.state = "succeeded";
    event.ended_ms = now();
    store.end(event);
    log("INFO", event.feed,
        fmt::format("{} done: {} rows, {} records and {} bytes in all{}{}", event.kind, event.rows,
                    event.records, event.bytes, event.detail.empty() ? "" : "; ", event.detail));
  }

  FeedWork work(const FeedConfig& feed, std::optional<int64_t> now_ms, const TaskContext& context) {
    folder.make_root(environment.mesh.folder / kFeedsFolder);
    return {environment, store, folder, settings, feed, now(now_ms), context};
  }

  /// The file's text, checked, with folders for what it names.
  void write(const std::string& name, const json::object& keys) {
    const std::lock_guard lock(files);
    const std::string text = pretty_json(keys);
    const FeedConfig feed = parse_feed(text, shown(name));
    const FeedState state = store.state(name);
    if (!state.config.empty() && state.active && (state.moves > 0) &&
        parse_feed(state.config, shown(name)).type != feed.type) {
      throw Error(Code::kConstraintViolation,
                  fmt::format("the feed '{}' has rows as a {} already", name,
                              type_name(feed.type == FeedType::kStream ? FeedType::kTable
                                                                       : FeedType::kStream)))
          .with_hint("a feed of another type needs another name");
    }
    write_file(file_of(name), text);
    store.see(name, text, true, now());
    folder.make_root(environment.mesh.folder / kFeedsFolder);
    folder.make(feed);
  }

  /// Folders and views of feeds whose work was killed.
  void settle_interrupted();
  /// Applies retention to all.
  void keep_order();

  const FeedEnvironment environment;
  const FeedSettings settings;
  FeedStore store;
  const FeedFolder folder;
  meta::Leases leases;
  Busy busy;
  std::mutex files;  // held while files change or are compared with what is known of them
  Stop stop;
  std::jthread thread;
};

Feeds::Feeds(const FeedEnvironment& environment) : impl_(std::make_unique<Impl>(environment)) {}
Feeds::~Feeds() { stop(); }

const FeedSettings& Feeds::settings() const { return impl_->settings; }

void Feeds::start() {
  impl_->thread = std::jthread([this] {
    impl_->settle_interrupted();
    do {
      try {
        sync();
        impl_->keep_order();
      } catch (const std::exception& error) {
        meesh::log::warn("the feeds were not looked through", {{"error", error.what()}});
      }
    } while (!impl_->stop.sleep_for(kRound));
  });
}

void Feeds::stop() {
  impl_->stop.request();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Feeds::Impl::settle_interrupted() {
  TaskContext context;
  context.stop = stop.token();
  for (const auto& name : store.interrupted()) {
    try {
      const Claim claim(busy, name, Claim::For::kUpkeep);
      const auto feed = config(name);
      uint64_t records = 0, bytes = 0;
      work(feed, {}, context).settle(records, bytes);
      log("INFO", name, "put right after the server had stopped in the midst of work");
    } catch (const std::exception& error) {
      meesh::log::warn("a feed's folder is behind its table",
                       {{"feed", name}, {"error", error.what()}});
    }
  }
}

void Feeds::Impl::keep_order() {
  if (!leases.acquire(kLease, environment.holder, kRound)) return;
  TaskContext context;
  context.stop = stop.token();
  for (const auto& [name, config] : load_feeds(environment.mesh).feeds) {
    if (stop.requested()) return;
    if (!config.enabled || store.state(name).moves == 0) continue;
    try {
      const Claim claim(busy, name, Claim::For::kUpkeep);
      FeedWork job = work(config, {}, context);
      if (job.retain(true).removed.empty()) continue;
      run(event(name, "retain"), context, [&](FeedEvent& done) {
        const auto gone = job.retain(false);
        done.rows = gone.rows;
        done.detail = fmt::format("{} partitions removed", gone.removed.size());
        job.settle(done.records, done.bytes);
      });
    } catch (const std::exception& error) {
      meesh::log::warn("the retention of a feed was not applied",
                       {{"feed", name}, {"error", error.what()}});
    }
  }
}

std::vector<FeedStatus> Feeds::list() const {
  const auto loaded = load_feeds(impl_->environment.mesh);
  std::map<std::string, FeedStatus> all;
  for (const auto& [name, config] : loaded.feeds) all.emplace(name, impl_->status(config));
  for (const auto& [name, problems] : loaded.problems) {
    FeedStatus& status = all[name];
    status.config.name = name;
    status.config.enabled = false;
    status.error = problems.front().what();
  }
  std::vector<FeedStatus> list;
  for (auto& [name, status] : all) list.push_back(std::move(status));
  return list;
}

FeedStatus Feeds::show(const std::string& name) const { return impl_->status(impl_->config(name)); }

std::vector<FeedEvent> Feeds::events(const std::string& feed, size_t limit) const {
  return impl_->store.events(feed, limit);
}

namespace {

void check_name(const std::string& name) {
  if (valid_feed_name(name)) return;
  throw Error(Code::kInvalidArguments, fmt::format("'{}' is no name of a feed", name))
      .with_hint("lower-case letters, digits and _, beginning with a letter");
}

/// With the keys that people expect to see, in their order, whether given or not.
json::object whole(const std::string& name, const json::object& keys) {
  json::object all{{"feed_name", name}, {"feed_type", "stream"}};
  for (const auto& [key, value] : keys) all[key] = value;
  const bool table = all.at("feed_type") == "table";
  const FeedType type = table ? FeedType::kTable : FeedType::kStream;
  if (!all.contains("partitioning")) {
    all["partitioning"] =
        table ? json::object{{"type", "version"}, {"columns", {"version"}}}
              : json::object{{"type", "date"}, {"columns", {"year", "month", "day"}}};
  }
  all["storage_mode"] = storage_mode(type);
  if (!all.contains("format")) all["format"] = "parquet";
  const char* retention = table ? "retention_versions" : "retention_days";
  if (!all.contains(retention)) all[retention] = table ? 7 : 365;
  if (!all.contains("enabled")) all["enabled"] = true;
  return all;
}

}  // namespace

void Feeds::add(const std::string& name, const json::object& keys) {
  check_name(name);
  const Claim claim(impl_->busy, name);
  std::error_code ignored;
  if (fs::exists(impl_->file_of(name), ignored)) {
    throw Error(Code::kAlreadyExists, fmt::format("there is a feed '{}' already", name))
        .with_hint(fmt::format("meesh feed update {}", name));
  }
  impl_->write(name, whole(name, keys));
  impl_->note(name, "add", "");
}

void Feeds::update(const std::string& name, const json::object& keys) {
  check_name(name);
  const Claim claim(impl_->busy, name);
  impl_->config(name);
  json::error_code malformed;
  json::value before = json::parse(read_file(impl_->file_of(name)), malformed);
  if (malformed || !before.is_object()) {
    throw Error(Code::kConfigInvalid, "the file is no JSON: " + malformed.message(),
                {1, 1, impl_->shown(name)})
        .with_hint("YAML is read here too, but only JSON is changed: change the file itself");
  }
  json::object& all = before.get_object();
  std::vector<std::string> changed;
  for (const auto& [key, value] : keys) {
    changed.emplace_back(key);
    if (value.is_null()) {
      all.erase(key);
    } else {
      all[key] = value;
    }
  }
  impl_->write(name, all);
  impl_->note(name, "update", base::join(changed, ", "));
}

void Feeds::archive(const std::string& name) {
  check_name(name);
  const Claim claim(impl_->busy, name);
  const fs::path file = impl_->file_of(name), to = impl_->file_of(name, kArchivedFeeds);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) impl_->config(name);  // to be told what there is
  fs::create_directories(to.parent_path());
  const std::lock_guard lock(impl_->files);
  const std::string text = read_file(file);
  fs::rename(file, to);
  impl_->store.see(name, text, false, impl_->now());
  impl_->note(name, "archive", fmt::format("its file is {}", to.string()));
}

FeedSync Feeds::sync() {
  const std::lock_guard lock(impl_->files);
  FeedSync told;
  const auto loaded = load_feeds(impl_->environment.mesh);
  impl_->folder.make_root(impl_->environment.mesh.folder / kFeedsFolder);
  for (const auto& [name, feed] : loaded.feeds) {
    const FeedState before = impl_->store.state(name);
    const bool fresh = before.config.empty() || !before.active;
    auto& list = fresh ? told.added : before.config == feed.text ? told.unchanged : told.changed;
    list.push_back(name);
    impl_->folder.make(feed);
    if (&list == &told.unchanged) continue;
    impl_->store.see(name, feed.text, true, impl_->now());
    impl_->note(name, fresh ? "add" : "update", "found in feeds/active");
  }
  for (const auto& name : impl_->store.known()) {
    if (loaded.feeds.contains(name) || loaded.problems.contains(name)) continue;
    const FeedState before = impl_->store.state(name);
    if (!before.active) continue;
    impl_->store.see(name, before.config, false, impl_->now());
    impl_->note(name, "archive", "its file is gone from feeds/active");
    told.archived.push_back(name);
  }
  for (const auto& [name, problems] : loaded.problems)
    for (const auto& problem : problems) told.errors.emplace_back(problem.what());
  return told;
}

ExportResult Feeds::export_feed(const std::string& name, std::optional<int64_t> now_ms,
                                const TaskContext& context) {
  const auto feed = impl_->config(name);
  const Claim claim(impl_->busy, name);
  if (impl_->store.state(name).config.empty())
    impl_->store.see(name, feed.text, true, impl_->now());
  ExportResult result;
  result.feed = name;
  result.table = impl_->status(feed).table;
  FeedWork work = impl_->work(feed, now_ms, context);
  const auto event = impl_->event(name, "export");
  try {
    impl_->run(event, context, [&](FeedEvent& done) {
      const std::shared_ptr<void> tell(nullptr, [&](void*) {
        done.rows = result.rows;
        done.records = result.records;
        done.bytes = result.bytes;
        done.version = result.version;
      });
      work.run_export(result);
      if (!result.removed.empty())
        done.detail = fmt::format("retention removed {}", base::join(result.removed, ", "));
    });
  } catch (const std::exception& error) {
    if (auto* lineage = impl_->environment.lineage) {
      const governance::Time started{std::chrono::milliseconds(event.started_ms)};
      lineage->record(governance::failure_of(work_of(impl_->settings, feed, ""), context, started,
                                             error.what()));
    }
    throw;
  }
  result.seconds = static_cast<double>(impl_->now() - event.started_ms) / 1000;
  return result;
}

RetainResult Feeds::retain(const std::string& name, std::optional<int64_t> now_ms, bool dry_run,
                           const TaskContext& context) {
  const auto feed = impl_->config(name);
  const Claim claim(impl_->busy, name);
  FeedWork work = impl_->work(feed, now_ms, context);
  if (dry_run) return work.retain(true);
  RetainResult result;
  impl_->run(impl_->event(name, "retain"), context, [&](FeedEvent& done) {
    result = work.retain(false);
    done.rows = result.rows;
    done.detail = fmt::format("{} partitions removed", result.removed.size());
    work.settle(done.records, done.bytes);
  });
  return result;
}

void Feeds::roll_back(const std::string& name, int64_t version, const TaskContext& context) {
  const auto feed = impl_->config(name);
  if (feed.type != FeedType::kTable) {
    throw Error(Code::kNotSupported,
                fmt::format("the feed '{}' is a stream and has no versions", name))
        .with_hint("rows of a stream stay; the table's snapshots tell what it was: docs/lake.md");
  }
  const Claim claim(impl_->busy, name);
  const FeedState state = impl_->store.state(name);
  FeedEvent event = impl_->event(name, "rollback", version);
  event.state = "succeeded";
  event.ended_ms = event.started_ms;
  event.records = state.records;
  event.bytes = state.bytes;
  event.detail = fmt::format("from version {} to {}", state.current_version, version);
  FeedWork work = impl_->work(feed, {}, context);
  impl_->store.roll_back(event);
  impl_->log("INFO", name, "rollback " + event.detail);
  uint64_t records = 0, bytes = 0;
  work.settle(records, bytes);
}

}  // namespace meesh::streams
