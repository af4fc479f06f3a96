#include "app/lake/table_upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/log.h"
#include "sql/lexer.h"

namespace meesh::app {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr const char* kLease = "lake-maintenance";
constexpr auto kLeaseTime = 120s, kRenewal = 30s;
constexpr auto kFirstRound = std::chrono::minutes(3);
constexpr auto kLook = 100ms;  // whether users are at work
/// No key or domain can have a name with a space: the rights are those of the SQL port itself.
constexpr const char* kUser = "meesh maintenance";

int64_t number(const lake::Properties& summary, const char* name) {
  const auto found = summary.find(name);
  int64_t value = 0;
  if (found != summary.end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  return value;
}

bool is_compaction(const lake::Snapshot& snapshot) {
  const auto operation = snapshot.summary.find("operation");
  return operation != snapshot.summary.end() && operation->second == "replace";
}

/// What the compactions between two states of a table did.
struct Compacted {
  Compacted(const lake::TableMetadata& before, const lake::TableMetadata& after) {
    for (const lake::Snapshot& snapshot : after.snapshots) {
      if (before.find_snapshot(snapshot.id) != nullptr) continue;
      if (!is_compaction(snapshot)) {
        alone = false;
        continue;
      }
      old_files += number(snapshot.summary, "deleted-data-files");
      new_files += number(snapshot.summary, "added-data-files");
      old_bytes += number(snapshot.summary, "removed-files-size");
      new_bytes += number(snapshot.summary, "added-files-size");
    }
  }
  int64_t old_files = 0, new_files = 0, old_bytes = 0, new_bytes = 0;
  bool alone = true;  // nobody else has committed meanwhile
};

}  // namespace

TableUpkeep::TableUpkeep(const mesh::LakeMaintenance& settings, std::vector<Warehouse> warehouses,
                         External external, meta::Database& database, engine::Engine& engine,
                         std::string holder)
    : settings_(settings),
      warehouses_(std::move(warehouses)),
      external_(external),
      engine_(engine),
      leases_(database),
      orphan_runs_(database),
      holder_(std::move(holder)) {
  if (settings_.compaction || settings_.expire_snapshots || settings_.orphan_files) {
    thread_ = std::thread([this] { work(); });
  }
}

TableUpkeep::~TableUpkeep() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void TableUpkeep::work() {
  if (stop_.sleep_for(std::min<std::chrono::milliseconds>(settings_.every, kFirstRound))) return;
  do {
    try {
      go_round();
    } catch (const std::exception& error) {
      log::warn("the maintenance of the lake's tables failed and will be tried again",
                {{"error", error.what()}});
    }
  } while (!stop_.sleep_for(settings_.every));
}

void TableUpkeep::go_round() {
  lease_ = leases_.acquire(kLease, holder_, kLeaseTime);
  if (!lease_) return;  // another server is at it
  renewed_ = Clock::now();
  patience_ = settings_.every;
  settling_.clear();
  for (const Warehouse& warehouse : warehouses_) {
    if (!visit(warehouse, {})) return;
  }
  settled_ = std::move(settling_);
  if (settings_.orphan_files && !visit_external()) return;
  if (settings_.orphan_files) orphan_runs_.forget_old();
}

bool TableUpkeep::visit(const Warehouse& warehouse, const lake::Namespace& parent) {
  for (const lake::Namespace& space : warehouse.catalog.namespaces(parent)) {
    for (const std::string& table : warehouse.catalog.tables(space)) {
      if (stop_.requested() || !still_ours()) return false;
      tend(warehouse, {space, table});
    }
    if (!visit(warehouse, space)) return false;
  }
  return true;
}

bool TableUpkeep::visit_external() {
  const auto& tables = external_.tables;
  for (const std::string& schema : tables.schemas()) {
    for (const std::string& name : tables.tables(schema)) {
      if (stop_.requested() || !still_ours()) return false;
      const auto table = tables.find(schema, name);
      if (!table) continue;
      sweep(table->id, [&] { return std::vector{lake::parse_folder(table->location)}; });
    }
    // A CREATE TABLE AS that was killed has left no table.
    sweep(tables.warehouse().name + "." + schema, [&] {
      return lake::folders_in(external_.store, lake::parse_folder(tables.schema_location(schema)));
    });
  }
  return true;
}

void TableUpkeep::sweep(const std::string& what,
                        const std::function<std::vector<lake::Folder>()>& folders) {
  attempt(what, "killed_writes", [&] {
    if (!orphan_runs_.claim(what)) return;
    for (const lake::Folder& folder : folders()) {
      stop_.check();
      const size_t removed = lake::remove_stale_staging(external_.store, folder);
      if (removed == 0) continue;
      log::info("files of writes that were killed are removed",
                {{"folder", folder.path()}, {"files", removed}});
    }
  });
}

bool TableUpkeep::still_ours() {
  if (Clock::now() - renewed_ < kRenewal) return true;
  if (!leases_.renew(*lease_, kLeaseTime)) return false;
  renewed_ = Clock::now();
  return true;
}

void TableUpkeep::attempt(const std::string& table, const char* what,
                          const std::function<void()>& step) const {
  const char* failed = "maintenance of a table failed and will be tried again";
  try {
    if (!stop_.requested()) step();
  } catch (const Error& error) {
    const bool quiet = error.code() == Code::kIcebergCommitError ||  // somebody was faster
                       error.code() == Code::kTableNotFound ||       // or dropped it
                       error.code() == Code::kSchemaNotFound ||
                       error.code() == Code::kServerShuttingDown;
    log::write(quiet ? log::Level::kDebug : log::Level::kWarn, failed,
               {{"table", table}, {"step", what}, {"error", error.what()}});
  } catch (const std::exception& error) {
    log::warn(failed, {{"table", table}, {"step", what}, {"error", error.what()}});
  }
}

void TableUpkeep::tend(const Warehouse& warehouse, const lake::Identifier& name) {
  const std::string shown = warehouse.catalog.warehouse().name + "." + name.display();
  attempt(shown, "look", [&] {
    const auto table = warehouse.catalog.find(name);
    if (!table) return;
    const lake::UpkeepPolicy policy = lake::upkeep_policy(*table->metadata);
    if (settings_.expire_snapshots && policy.expire_snapshots) {
      attempt(shown, "expire_snapshots", [&] { expire(warehouse, name, shown); });
    }
    if (settings_.compaction && policy.compaction) {
      attempt(shown, "compaction", [&] { compact(warehouse, name, shown); });
    }
    if (settings_.orphan_files && policy.orphan_files) {
      attempt(shown, "orphan_files", [&] { remove_orphans(warehouse, *table, shown); });
    }
  });
}

void TableUpkeep::expire(const Warehouse& warehouse, const lake::Identifier& name,
                         const std::string& shown) {
  const auto options = lake::gentle_expiry(*warehouse.catalog.load(name).metadata, base::now_ms());
  const auto report = lake::expire_snapshots(warehouse.catalog, warehouse.cache, name, options);
  if (report.snapshots.empty() && report.refs.empty()) return;
  log::info("snapshots of a table expired", {{"table", shown},
                                             {"snapshots", report.snapshots.size()},
                                             {"branches_and_tags", report.refs.size()},
                                             {"data_files", report.data_files},
                                             {"delete_files", report.delete_files},
                                             {"bytes", report.bytes}});
}

void TableUpkeep::compact(const Warehouse& warehouse, const lake::Identifier& name,
                          const std::string& shown) {
  const lake::Table before = warehouse.catalog.load(name);
  const std::string& at = before.metadata_location;
  // In SQL, namespaces have one level.
  const auto threshold = settled_.contains(at) || name.space.size() != 1
                             ? std::nullopt
                             : lake::compaction_due(warehouse.cache, *before.metadata);
  if (!threshold) {
    settling_.insert(at);
    return;
  }
  wait_for_quiet();
  stop_.check();
  const auto start = Clock::now();
  try {
    run(fmt::format("ALTER TABLE {}.{}.{} EXECUTE optimize(file_size_threshold => '{}B')",
                    sql::quote_identifier(warehouse.catalog.warehouse().name),
                    sql::quote_identifier(name.space.front()), sql::quote_identifier(name.name),
                    *threshold));
  } catch (const Error& error) {
    if (error.code() == Code::kNotSupported) settling_.insert(at);
    throw;
  }
  const lake::Table after = warehouse.catalog.load(name);
  const Compacted done(*before.metadata, *after.metadata);
  // What one compaction leaves the next would leave too.
  if (done.alone) settling_.insert(after.metadata_location);
  log::info("files of a table were compacted",
            {{"table", shown},
             {"files_before", done.old_files},
             {"files_after", done.new_files},
             {"bytes_before", done.old_bytes},
             {"bytes_after", done.new_bytes},
             {"seconds", std::chrono::duration<double>(Clock::now() - start).count()}});
}

void TableUpkeep::remove_orphans(const Warehouse& warehouse, const lake::Table& table,
                                 const std::string& shown) {
  if (!orphan_runs_.claim(table.metadata->uuid)) return;
  lake::OrphanOptions options;
  options.pause = [this] { stop_.check(); };
  const auto report =
      lake::remove_orphan_files(warehouse.catalog, warehouse.cache, table.name, options);
  if (report.files.empty()) return;
  log::info("orphan files of a table were removed", {{"table", shown},
                                                     {"files", report.files.size()},
                                                     {"bytes", report.bytes},
                                                     {"looked_at", report.looked_at}});
}

void TableUpkeep::wait_for_quiet() {
  while (patience_ > 0ms && users_at_work()) {
    if (stop_.sleep_for(kLook)) return;
    patience_ -= kLook;
  }
}

bool TableUpkeep::users_at_work() const {
  return std::ranges::any_of(engine_.queries(), [](const engine::QueryInfo& query) {
    return query.user != kUser && query.state != engine::QueryState::kFinished &&
           query.state != engine::QueryState::kFailed;
  });
}

void TableUpkeep::run(const std::string& statement) {
  engine::Session session;
  session.user = session.original_user = kUser;
  session.source = "maintenance";
  const auto query = engine_.submit(statement, std::move(session));
  while (true) {
    if (stop_.requested()) query->cancel(Code::kServerShuttingDown, "The server is shutting down");
    if (!query->next(kLook) && query->finished()) return;
  }
}

}  // namespace meesh::app
