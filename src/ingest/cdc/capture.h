// Change data capture of one source: its tables as they are, and from then on every change, in the
// lake. Exactly once: a table's position moves in the commit that lands its rows, and a run that
// was killed goes on from the least position of all its tables, each of which leaves out what it
// has.
//
//   Capture capture(environment, config, source.changes(), tables);
//   capture.run(Capture::Until::kCaughtUp, context, on_landed);
//
// What lands is for the tables' `write` to say: merge: the current state, one row a key, in <into>;
// append: every change, in <into>__changes; both.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/cdc/change_target.h"

namespace meesh::ingest {

struct CapturedTable {
  std::string stream;               // of the configuration
  std::string table;                // "lake.bronze.orders"
  std::string position;             // "0/16B3748"; "" = a snapshot is under way
  uint64_t rows = 0, rejected = 0;  // since the run began
};

struct CaptureStatus {
  bool running = false, caught_up = false;
  std::string phase;  // "snapshot of orders", "following", "waiting: …"
  uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  std::vector<CapturedTable> tables;
  std::vector<std::string> warnings;  // about the source's log
};

class Capture {
 public:
  enum class Until {
    kCaughtUp,  // with where the source was when the run began
    kForever,   // until a stop is asked for; waits for a source that is away
  };
  /// Told of rows that have landed, a table's stream with them.
  using Landed = std::function<void(const std::string& stream, uint64_t rows, uint64_t rejected)>;

  /// `tables`: all of the source of mode cdc.
  Capture(CaptureEnvironment environment, SourceConfig config, std::shared_ptr<ChangeSource> source,
          std::vector<TableConfig> tables);
  ~Capture();

  /// One run at a time. Throws what ends it; what was committed stays.
  void run(Until until, const TaskContext& context, const Landed& landed = {});
  /// Looks whether the tables can be followed; throws what is in the way. Notes come back.
  std::vector<std::string> check();
  /// From any thread.
  CaptureStatus status() const;

  /// The next run takes the stream's table anew ("" = all tables) and follows it from there.
  static void resync(Ledger& ledger, const SourceConfig& config, const std::string& stream);

 private:
  struct Run;
  void look_at_lag(bool now);
  void set_phase(std::string phase);
  void set_caught_up(bool caught_up);

  const CaptureEnvironment environment_;
  const SourceConfig config_;
  const std::shared_ptr<ChangeSource> source_;
  const std::vector<TableConfig> tables_;
  mutable std::mutex mutex_;
  CaptureStatus status_;                               // guarded by mutex_
  std::chrono::steady_clock::time_point looked_at_{};  // at the lag, by the run's thread
};

}  // namespace meesh::ingest
