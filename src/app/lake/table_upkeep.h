// The lake's tables kept in order while the mesh runs: small files compacted, old snapshots
// expired, orphans removed, by each table's properties (lake::UpkeepPolicy) and the mesh's `lake:
// maintenance:`.
//
// One thread goes round all tables, one at a time. The first round is minutes after the start, as a
// start has other things to do. What one table fails at is logged and keeps no other from its turn.
// Of several servers of a mesh, one goes round (a lease in the metadata database). Killed at any
// moment it leaves nothing but files that no table names, which a later round removes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/shutdown.h"
#include "engine/engine.h"
#include "lake/catalog.h"
#include "lake/external_files.h"
#include "lake/manifest_cache.h"
#include "lake/upkeep.h"
#include "mesh/mesh.h"
#include "meta/leases.h"

namespace meesh::app {

class TableUpkeep {
 public:
  struct Warehouse {
    lake::Catalog& catalog;
    lake::ManifestCache& cache;
  };

  /// External tables: of these, only what killed writes left is removed.
  struct External {
    lake::ExternalTables& tables;
    objects::Store& store;
  };

  /// Begins at once if there is anything to do. All outlive it; the engine knows the warehouses by
  /// their names. `holder`: this server's name, the same after a restart.
  TableUpkeep(const mesh::LakeMaintenance& settings, std::vector<Warehouse> warehouses,
              External external, meta::Database& database, engine::Engine& engine,
              std::string holder);
  /// Cancels a compaction under way, and waits for what is quicker done than undone.
  ~TableUpkeep();
  TableUpkeep(const TableUpkeep&) = delete;
  TableUpkeep& operator=(const TableUpkeep&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void work();
  void go_round();
  /// False if the round is to end.
  bool visit(const Warehouse& warehouse, const lake::Namespace& parent);
  /// This server's turn still; asked before every table.
  bool still_ours();
  void tend(const Warehouse& warehouse, const lake::Identifier& name);
  /// False if the round is to end.
  bool visit_external();
  /// Removes what killed writes left in these folders, once a day for each `what`.
  void sweep(const std::string& what, const std::function<std::vector<lake::Folder>()>& folders);
  /// Logs what `step` throws.
  void attempt(const std::string& table, const char* what, const std::function<void()>& step) const;

  void expire(const Warehouse& warehouse, const lake::Identifier& name, const std::string& shown);
  void compact(const Warehouse& warehouse, const lake::Identifier& name, const std::string& shown);
  void remove_orphans(const Warehouse& warehouse, const lake::Table& table,
                      const std::string& shown);

  /// Yields to users: waits for a moment in which no statement but ours is at work. A round waits
  /// `every` in all; on a server that is never idle, its compactions then run beside the others'
  /// statements, as one among them, or tables would get slower and slower just there. What has
  /// begun runs to its end.
  void wait_for_quiet();
  bool users_at_work() const;
  /// Throws the statement's error; SERVER_SHUTTING_DOWN when stopped.
  void run(const std::string& statement);

  const mesh::LakeMaintenance settings_;
  const std::vector<Warehouse> warehouses_;
  const External external_;
  engine::Engine& engine_;
  meta::Leases leases_;
  lake::OrphanRuns orphan_runs_;
  const std::string holder_;

  std::optional<meta::Lease> lease_;
  Clock::time_point renewed_;
  std::chrono::milliseconds patience_{0};  // what is left of this round's waiting
  /// Metadata files of tables that need no compaction: not looked at again until they change. Of
  /// the last round, and of this one so far.
  std::set<std::string> settled_, settling_;

  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::app
