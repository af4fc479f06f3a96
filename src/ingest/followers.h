// Who follows the changes of sources: one Capture a source, for its tables of mode cdc. A run of a
// table brings all of its source up to date; a source that says `continuous` is followed in the
// background as long as the server runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/task.h"
#include "ingest/cdc/capture.h"
#include "ingest/source_config.h"

namespace meesh::ingest {

struct LandedRows {
  uint64_t rows = 0, rejected = 0;
};

/// Thread-safe.
class Followers {
 public:
  /// `open` makes the Capture of a source; it may throw as a source's opening does.
  using Open = std::function<std::unique_ptr<Capture>(const SourceConfig&)>;
  Followers(Ledger& ledger, Open open) : ledger_(ledger), open_(std::move(open)) {}
  ~Followers() { stop(); }
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  /// Follows the source in the background until stop().
  void follow(const SourceConfig& config);
  /// Waits for those who follow in the background.
  void stop();
  /// Forgets the source, after waiting for whoever follows it.
  void drop(const std::string& source);

  /// Brings the source's tables up to date. What of the stream has landed since this was asked for
  /// it last, by whomever. `anew`: takes the stream's table anew. Throws what is in the way.
  LandedRows catch_up(const SourceConfig& config, const std::string& stream, bool anew,
                      const TaskContext& context);
  /// Of a source whose changes have been followed since the server began.
  std::optional<CaptureStatus> status(const std::string& source) const;

 private:
  struct One {
    std::mutex running;                // one run at a time; never taken while mutex_ is held
    std::unique_ptr<Capture> capture;  // made under `running`
    std::map<std::string, LandedRows> landed;  // guarded by mutex_
    std::jthread thread;                       // of the background; guarded by mutex_
    std::optional<Error> failure;              // what ended its last run; guarded by mutex_
  };

  std::shared_ptr<One> one(const std::string& source);
  void run(One& one, const SourceConfig& config, Capture::Until until, const TaskContext& context);
  void work(const std::shared_ptr<One>& one, const SourceConfig& config, std::stop_token stop);
  LandedRows take(One& one, const std::string& stream);
  bool in_background(const One& one) const;
  /// Until the one in the background has nothing to do; throws what keeps it from it.
  void wait_for(const One& one, const TaskContext& context) const;

  Ledger& ledger_;
  const Open open_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<One>> all_;  // by source; guarded by mutex_
};

}  // namespace meesh::ingest
