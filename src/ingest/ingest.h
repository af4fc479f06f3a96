// Ingestion: rows of sources land in the lake's bronze tables, in one commit with the position they
// were read up to, so that a run that is killed anywhere and begun again loses and doubles nothing.
//
//   Ingest ingest(environment);                           // reads sources/*.yaml
//   auto result = ingest.sync("northwind", "orders", {.run_date = "2025-01-15"}, context);
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/files.h"
#include "engine/engine.h"
#include "governance/lineage_store.h"
#include "ingest/cdc/capture.h"
#include "ingest/source.h"
#include "ingest/source_config.h"
#include "ingest/sync_record.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "objects/store.h"

namespace meesh::ingest {

/// All outlive the Ingest. `catalogs`: where the mesh's PostgreSQL servers are, by catalog.
struct Environment {
  engine::Engine& engine;
  meta::Database& database;
  const mesh::Mesh& mesh;
  objects::Store& store;
  std::vector<engine::PostgresOptions> catalogs;
  governance::LineageStore* lineage = nullptr;  // hears of syncs that fail; may be null
};

struct SyncOptions {
  bool full_refresh = false;  // forgets the position and takes everything
  /// The partition that is written: "2025-01-15"; "" = the context's parameter run_date, else today
  /// in UTC. Throws INVALID_ARGUMENTS for anything else.
  std::string run_date;
};

struct SyncResult {
  std::string source, stream;
  std::string table;  // "lake.bronze.orders"
  std::string run_date;
  Mode mode{};
  uint64_t rows = 0, bytes = 0, rejected = 0;  // bytes: of the files written
  double seconds = 0;
  std::vector<std::string> notes;  // columns added, types widened
};

/// What a source that is not in the folder yet is and has.
struct Trial {
  std::string message;  // what check() told
  std::vector<Stream> streams;
};

/// Thread-safe. One sync of a stream at a time.
class Ingest {
 public:
  /// Throws mesh::ConfigError with every mistake of sources/*.yaml. Syncs that the last process
  /// left running are marked interrupted.
  explicit Ingest(const Environment& environment);
  ~Ingest();
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  /// Follows sources that are `continuous` in the background, until stop().
  void start();
  void stop();
  /// How far behind a source's tables of mode cdc are; nothing before they were followed.
  std::optional<CaptureStatus> changes(const std::string& source) const;

  std::vector<SourceConfig> sources() const;
  /// Throws NOT_FOUND that names those there are.
  SourceConfig source(const std::string& name) const;
  /// Of a source: the streams it is configured to take. A source that takes all of a database is
  /// asked; that may throw as discover() does.
  std::vector<TableConfig> streams(const std::string& source);

  /// What check() of the source tells; throws what is wrong with it.
  std::string check(const std::string& source);
  std::vector<Stream> discover(const std::string& source);
  /// Takes a stream's rows. Throws what went wrong after it is in the history; what was committed
  /// before stays. ALREADY_EXISTS: this stream is being synced now.
  SyncResult sync(const std::string& source, const std::string& stream, const SyncOptions& options,
                  const TaskContext& context);

  /// Checks a source that is not in the folder yet, tries it, writes sources/<name>.yaml and takes
  /// it in. Throws ConfigError, ALREADY_EXISTS, what check() throws. What check() told.
  std::string add(const std::string& name, const std::string& yaml);
  /// The text of sources/<name>.yaml; it may hold secrets.
  std::string file(const std::string& source) const;
  /// Writes another text into it, checked and tried as that of a new one. Throws as add() does, and
  /// ALREADY_EXISTS while the source is synced; then everything is as it was.
  std::string change(const std::string& name, const std::string& yaml);
  /// The same without writing it: what it is and what it has to give.
  Trial try_out(const std::string& name, const std::string& yaml);
  /// The text of a file that takes all streams of the source as discover() would take them.
  std::string propose(const std::string& source);

  /// How far each stream of a source was read, sorted by stream.
  std::vector<StreamState> state(const std::string& source) const;
  /// The next run of the stream goes on from `json`, a JSON object; with "", it takes everything.
  /// Throws INVALID_ARGUMENTS, and ALREADY_EXISTS while the stream is synced.
  void set_state(const std::string& source, const std::string& stream, const std::string& json);

  std::vector<StreamStatus> status() const;
  /// Newest first; "" = of all sources, and of all of their streams.
  std::vector<SyncRecord> history(const std::string& source, const std::string& stream,
                                  size_t limit) const;
  std::vector<SyncRecord> history(const std::string& source, size_t limit) const {
    return history(source, "", limit);
  }

 private:
  Trial try_out(const SourceConfig& config, bool discover);
  /// Throws INVALID_ARGUMENTS, ALREADY_EXISTS.
  void need_new(const std::string& name) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::ingest
