// Where a stream's rows go. Each sink takes each batch once, however often it is offered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/ask.h"
#include "streams/progress.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// A batch's rows, as a query of the session that the sink was made with.
struct SinkBatch {
  int64_t generation = 0, number = 0;
  std::string query;
  /// What else is true when the batch is taken: done in the same transaction of the metadata
  /// database if the sink has one (lake); empty otherwise.
  std::function<void(soci::session&)> also;
  std::vector<std::string> tags;  // of its statements' sessions
  std::stop_token stop;
};

struct SinkEnvironment {
  engine::Engine& engine;
  ProgressStore& progress;
  engine::Session session;  // whose catalog and schema are the stream's own
  std::string stream;
  OutputMode output = OutputMode::kAppend;
  std::vector<engine::Column> columns;  // of the rows
  std::vector<std::string> key;         // kUpdate: columns that tell rows apart
  std::string live;                     // the catalog of tables in memory
  std::string group;                    // "meesh-<mesh>-<stream>"
};

class Sink {
 public:
  virtual ~Sink() = default;
  /// Makes the table or topic if it is not there. Throws what is wrong with it.
  virtual void open() = 0;
  /// Rows written; 0 for a batch that it has taken already.
  virtual uint64_t write(const SinkBatch& batch) = 0;
  /// All of the answer as it is now, for sinks that do not outlive the process (update, complete).
  virtual void fill(const std::string& query, std::stop_token stop) { (void)query, (void)stop; }
  /// Its rows go: the stream begins anew.
  virtual void truncate() = 0;
  /// Whether write() runs `also` in its own commit.
  virtual bool transactional() const { return false; }
};

std::unique_ptr<Sink> make_sink(const SinkConfig& config, SinkEnvironment environment);

/// Runs statements in one transaction of the engine; rolls back unless commit() was called.
class SqlTransaction {
 public:
  SqlTransaction(engine::Engine& engine, engine::Session session, std::stop_token stop);
  ~SqlTransaction();
  SqlTransaction(const SqlTransaction&) = delete;
  SqlTransaction& operator=(const SqlTransaction&) = delete;
  engine::Answer ask(const std::string& sql);
  void commit();

 private:
  engine::Engine& engine_;
  engine::Session session_;
  const std::stop_token stop_;
};

}  // namespace meesh::streams
