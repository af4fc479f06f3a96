#include "engine/engine.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/log.h"
#include "engine/admission.h"
#include "engine/object_files.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

namespace fs = std::filesystem;
using Clock = RunningQuery::Clock;

constexpr auto kKeepEnded = std::chrono::minutes(15);
constexpr size_t kMostEnded = 1000;
constexpr auto kTransactionIdle = std::chrono::minutes(5);

uint64_t memory_of_machine() {
  uint64_t bytes =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // A container's own limit (cgroup v2, then v1) counts when it is lower.
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    uint64_t limit = 0;
    if (in >> limit && limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

Options completed(Options options) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (options.threads <= 0) options.threads = cores;
  if (options.max_running <= 0) options.max_running = std::max(16, 4 * cores);
  if (options.memory_limit == 0) options.memory_limit = memory_of_machine() / 10 * 6;
  return options;
}

/// Left-over spill files of a killed process are of no use to anyone.
void empty_directory(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) {
    throw Error(Code::kIoError,
                fmt::format("cannot create the spill folder '{}': {}", path, failed.message()));
  }
  for (const auto& entry : fs::directory_iterator(path, failed))
    fs::remove_all(entry.path(), failed);
}

std::unique_ptr<duckdb::DuckDB> open_duckdb(const Options& options) {
  duckdb::DBConfig config;
  config.SetOptionByName("memory_limit", duckdb::Value(fmt::format("{}B", options.memory_limit)));
  config.SetOptionByName("threads", duckdb::Value::INTEGER(options.threads));
  // A server of PostgreSQL that goes away under a COPY is an "internal error" to DuckDB, after
  // which it would refuse every statement. Nothing that has to last is kept in this database.
  config.SetOptionByName("disable_database_invalidation", duckdb::Value::BOOLEAN(true));
  config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
  config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
  if (!options.spill_directory.empty()) {
    empty_directory(options.spill_directory);
    config.SetOptionByName("temp_directory", duckdb::Value(options.spill_directory));
  }
  auto db = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  uint64_t spill = options.spill_limit;
  if (struct statvfs disk{}; spill == 0 && !options.spill_directory.empty() &&
                             statvfs(options.spill_directory.c_str(), &disk) == 0) {
    spill = disk.f_bavail * disk.f_frsize / 10 * 8;
  }
  if (spill > 0) {
    // Given at opening, this one is ignored.
    duckdb::Connection connection(*db);
    const auto set =
        connection.Query(fmt::format("SET GLOBAL max_temp_directory_size = '{}B'", spill));
    if (set->HasError()) internal_error("cannot limit the spill folder: " + set->GetError());
  }
  return db;
}

int64_t thread_cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

/// "20261121_103355_00042_x3k9q", as Trino names queries: time, count, this server's life.
class QueryIds {
 public:
  QueryIds() {
    std::random_device source;
    for (char& c : life_) c = "abcdefghijkmnpqrstuvwxyz23456789"[source() % 32];
  }
  std::string next() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &utc);
    return fmt::format("{}_{:05}_{}", stamp, count_++, std::string_view(life_, sizeof life_));
  }

 private:
  char life_[5];
  std::atomic<int> count_ = 0;
};

class LocalEngine : public Engine {
 public:
  explicit LocalEngine(Options options)
      : options_(completed(std::move(options))),
        catalogs_(hooks()),
        admission_({options_.max_running, options_.max_running_per_user, options_.max_queued}) {
    duck_.db = open_duckdb(options_);
    duck_.extension_directory = options_.extension_directory;
    register_functions(*duck_.db->instance);
    catalogs_.register_with(duck_);
    connections_ = std::make_unique<ConnectionPool>(*duck_.db);
    core_ = std::make_unique<Core>(Core{options_, duck_, catalogs_, *connections_, transactions_,
                                        [this](const std::string& id) { return find_running(id); },
                                        nullptr});
    watch_ = std::thread([this] { watch(); });
    canceler_ = std::thread([this] { cancel_at_sources(); });
  }

  ~LocalEngine() override { shutdown(std::chrono::milliseconds(0)); }

  QueryPtr submit(std::string text, Session session) override {
    auto query = std::make_shared<RunningQuery>(ids_.next(), std::move(text), std::move(session),
                                                options_.result_buffer);
    {
      std::lock_guard lock(mutex_);
      if (closing_) throw Error(Code::kServerShuttingDown, "The server is shutting down");
      queries_[query->id()] = query;
    }
    try {
      admission_.submit(query->session().user, [this, query] { run(*query); });
    } catch (const Error& error) {
      query->fail(error);
      throw;
    }
    return query;
  }

  QueryPtr find(const std::string& id) override { return find_running(id); }

  std::vector<QueryInfo> queries() const override {
    std::vector<std::shared_ptr<RunningQuery>> all;
    {
      std::lock_guard lock(mutex_);
      for (auto it = queries_.rbegin(); it != queries_.rend(); ++it) all.push_back(it->second);
    }
    std::vector<QueryInfo> out;
    for (const auto& query : all) out.push_back(query->info());
    return out;
  }

  void use_objects(objects::Store& store, AuthorizeObject authorize) override {
    register_object_files(duck_, store, std::move(authorize));
  }

  void observe(StatementObserver& observer) override { core_->observer = &observer; }

  void add_catalog(std::unique_ptr<Catalog> catalog) override { catalogs_.add(std::move(catalog)); }
  bool drop_catalog(const std::string& name) override { return catalogs_.drop(name); }
  std::vector<std::string> catalogs() const override { return catalogs_.names(); }

  void warm_up() override {
    warm_ = std::thread([this] {
      try {
        duck_.load_extension("postgres_scanner");
      } catch (const Error& error) {
        log::warn("an extension could not be loaded ahead of use", {{"error", error.what()}});
      }
    });
  }

  void load_extension(const std::string& name) override { duck_.load_extension(name); }

  void shutdown(std::chrono::milliseconds grace) override {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      closing_ = true;
    }
    const auto deadline = Clock::now() + grace;
    while (any_running() && Clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for_each_query([](RunningQuery& query) {
      query.cancel(Code::kServerShuttingDown, "The server is shutting down");
    });
    admission_.stop();
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      wake_.notify_all();
    }
    if (watch_.joinable()) watch_.join();
    if (canceler_.joinable()) canceler_.join();
    if (warm_.joinable()) warm_.join();
  }

  const Options& options() const override { return options_; }

 private:
  SystemHooks hooks() {
    SystemHooks hooks;
    hooks.queries = [this] { return queries(); };
    hooks.transactions = [this] { return transactions_.list(); };
    hooks.node_version = options_.node_version;
    return hooks;
  }

  std::shared_ptr<RunningQuery> find_running(const std::string& id) const {
    std::lock_guard lock(mutex_);
    auto it = queries_.find(id);
    return it == queries_.end() ? nullptr : it->second;
  }

  void run(RunningQuery& query) {
    const int64_t cpu = thread_cpu_ms();
    try {
      query.enter(QueryState::kPlanning);
      StatementRunner(*core_, query).run();
      query.add_cpu(thread_cpu_ms() - cpu);
      query.finish();
    } catch (const Error& error) {
      query.fail(error);
    } catch (const std::bad_alloc&) {
      query.fail(Error(Code::kExceededLocalMemoryLimit, "Out of memory"));
    } catch (const std::exception& error) {
      query.fail(translate(duckdb::ErrorData(error)));
    }
    query.at_rest();
    log_end(query.info());
  }

  static void log_end(const QueryInfo& info) {
    if (info.error && info.error->kind() == ErrorKind::kInternal &&
        info.error->code() != Code::kServerShuttingDown) {
      log::error("query failed", {{"query", info.id}, {"error", info.error->what()}});
    }
  }

  template <class Do>
  void for_each_query(Do&& action) {
    std::vector<std::shared_ptr<RunningQuery>> all;
    {
      std::lock_guard lock(mutex_);
      for (auto& [id, query] : queries_) all.push_back(query);
    }
    for (auto& query : all) action(*query);
  }

  bool any_running() {
    bool running = false;
    for_each_query([&](RunningQuery& query) { running |= !query.ended(); });
    return running;
  }

  /// Abandoned queries, forgotten results, idle transactions, lost interrupts.
  void watch() {
    std::unique_lock lock(mutex_);
    while (!closed_) {
      wake_.wait_for(lock, std::chrono::milliseconds(closing_ ? 20 : 200));
      lock.unlock();
      const auto now = Clock::now();
      for_each_query([&](RunningQuery& query) {
        query.interrupt_if_canceled();
        if (now - query.last_used() < options_.client_timeout) return;
        if (query.ended()) {
          query.drop_output();
        } else {
          query.cancel(Code::kAbandonedQuery,
                       fmt::format("Query {} has not been accessed for {} seconds and is abandoned",
                                   query.id(), options_.client_timeout.count()));
        }
      });
      transactions_.expire(kTransactionIdle);
      lock.lock();
      forget_ended(now);
    }
  }

  /// Ends what canceled queries still wait for outside. On its own thread: a source that does not
  /// answer must not keep the watch from its other work.
  void cancel_at_sources() {
    std::unique_lock lock(mutex_);
    while (!closed_) {
      wake_.wait_for(lock, std::chrono::milliseconds(100));
      lock.unlock();
      for_each_query([&](RunningQuery& query) {
        for (const auto& catalog : query.to_cancel_at_sources()) {
          try {
            catalog->cancel(query.id(), is_alone(query, catalog));
          } catch (const Error& error) {
            log::warn("cannot cancel a query at its source",
                      {{"query", query.id()}, {"error", error.what()}});
          }
        }
      });
      lock.lock();
    }
  }

  bool is_alone(const RunningQuery& query, const std::shared_ptr<Catalog>& catalog) {
    bool alone = true;
    for_each_query([&](RunningQuery& other) {
      if (&other == &query || !other.to_cancel_at_sources().empty()) return;
      const auto used = other.at_work_in();
      alone &= std::find(used.begin(), used.end(), catalog) == used.end();
    });
    return alone;
  }

  /// Called with mutex_ held. Ids sort by time, so the oldest come first.
  void forget_ended(Clock::time_point now) {
    size_t surplus = queries_.size() > kMostEnded ? queries_.size() - kMostEnded : 0;
    for (auto it = queries_.begin(); it != queries_.end();) {
      const auto& query = *it->second;
      const bool drop =
          query.ended() && query.finished() && (surplus > 0 || now - query.ended_at() > kKeepEnded);
      if (drop && surplus > 0) --surplus;
      it = drop ? queries_.erase(it) : std::next(it);
    }
  }

  const Options options_;
  QueryIds ids_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false, closed_ = false;                         // guarded by mutex_
  std::map<std::string, std::shared_ptr<RunningQuery>> queries_;  // guarded by mutex_

  Duck duck_;
  CatalogSet catalogs_;  // dies before duck_
  std::unique_ptr<ConnectionPool> connections_;
  Transactions transactions_;  // its leases go back to connections_
  std::unique_ptr<Core> core_;
  Admission admission_;
  std::thread watch_, canceler_, warm_;
};

}  // namespace

std::unique_ptr<Engine> Engine::open(Options options) {
  return std::make_unique<LocalEngine>(std::move(options));
}

}  // namespace meesh::engine
