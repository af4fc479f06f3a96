// Streams: micro-batches of Kafka's messages through SQL into the lake, live tables, topics and
// databases, each exactly once.
//
//   Streams streams(environment);        // reads streams/*.yaml, throws mesh::ConfigError
//   streams.start();                     // each stream on a thread of its own
//   for (const auto& one : streams.status()) …
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "streams/message.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// All outlive the Streams. The engine has the catalogs of `buffers` and `live` already.
struct Environment {
  engine::Engine& engine;
  meta::Database& database;
  const mesh::Mesh& mesh;
  std::shared_ptr<engine::BufferTables> buffers;
  std::string live = "live";  // the catalog of tables in memory
  std::string holder;         // this server's name, the same after a restart
};

enum class StreamState {
  kRunning,  // waits for messages or works on them
  kPaused,
  kFinished,  // available-now: all that was there is done
  kFailed,    // tries again after a while: `retry_ms`
  kElsewhere  // another server of this mesh runs it
};
std::string_view state_name(StreamState state);  // "RUNNING", …

struct PartitionStatus {
  TopicPartition partition;
  int64_t committed = 0;  // the next message to be read once more after a crash
  int64_t end = -1;       // behind the newest message there is; -1: not known
};

/// Counters are since the stream's generation began, and survive restarts.
struct StreamStatus {
  std::string name, description, output, trigger;
  StreamState state{};
  std::vector<std::string> sources, sinks;  // as people write them: "kafka ventes", "lake.gold.x"
  int64_t generation = 0, batch = 0;        // the last that was committed; 0: none
  uint64_t messages = 0, rows = 0;          // read; written to each sink
  uint64_t malformed = 0, late = 0, duplicates = 0;
  double messages_per_second = 0;            // over the last ten seconds
  int64_t lag = -1;                          // messages that wait; -1: not known
  std::optional<int64_t> watermark_ms;       // since 1970
  uint64_t state_rows = 0, state_bytes = 0;  // kept from batch to batch
  int64_t last_commit_ms = 0;                // since 1970; 0: never
  int64_t last_batch_ms = 0;                 // how long the last batch took
  uint64_t last_batch_messages = 0;
  std::string error;     // why it failed last; "" = it goes
  int64_t retry_ms = 0;  // when it tries again; 0: it does not wait for that
  std::vector<PartitionStatus> partitions;
};

/// Where a reset stream begins.
struct ResetTo {
  enum class Kind { kEarliest, kLatest, kTime, kOffsets };
  Kind kind = Kind::kEarliest;
  int64_t time_ms = 0;
  Offsets offsets;
};

struct ReplayRequest {
  std::string stream;
  std::string into;                       // catalog.schema.table of the lake, which must not exist
  std::optional<int64_t> from_ms, to_ms;  // of the messages' timestamps
};

/// Thread-safe. Names that are not there: NOT_FOUND that names those there are.
class Streams {
 public:
  explicit Streams(const Environment& environment);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  void start();
  /// A batch under way is brought to its end or begun again at the next start.
  void stop();

  std::vector<StreamConfig> configs() const;
  std::vector<StreamStatus> status() const;  // by name
  StreamStatus status(const std::string& name) const;

  /// Pauses after the batch under way, or goes on; remembered from start to start.
  void pause(const std::string& name, bool paused);
  /// Begins a new generation: state and the output's progress are forgotten, and rows that are
  /// there stay (`truncate`: tables that the stream writes are emptied).
  void reset(const std::string& name, const ResetTo& to, bool truncate);
  /// Runs a stream now until it has done all that was there when it began; for available-now
  /// streams, and for pipelines. What it did, as numbers.
  boost::json::object run(const std::string& name, const TaskContext& context);
  /// Runs the stream's SQL over the messages that Kafka still has, into a new table.
  boost::json::object replay(const ReplayRequest& request, const TaskContext& context);

  /// Waits until a batch of the stream is committed that is newer than `seen` (begin with 0) or the
  /// time is over; the newest batch's number, growing over generations and restarts of the stream.
  uint64_t wait_for_commit(const std::string& name, uint64_t seen,
                           std::chrono::milliseconds at_most) const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::streams
