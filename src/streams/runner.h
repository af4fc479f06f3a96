// One stream of the mesh over its life: sessions one after another, pauses, failures that are tried
// again, and what is told of it.
#pragma once

#include <boost/json/object.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/task.h"
#include "streams/session.h"
#include "streams/streams.h"

namespace meesh::streams {

/// Thread-safe.
class StreamRunner {
 public:
  StreamRunner(StreamConfig config, WorkEnvironment environment, std::string group);
  ~StreamRunner();

  const StreamConfig& config() const { return config_; }
  void start();
  void ask_to_stop();
  void stop();  // and waits
  /// Whether this server is the one that runs streams.
  void allow(bool allowed);

  StreamStatus status() const;
  void pause(bool paused);
  void reset(const ResetTo& to, bool truncate);
  boost::json::object run(const TaskContext& context);
  uint64_t wait_for_commit(uint64_t seen, std::chrono::milliseconds at_most);

 private:
  /// Keeps the thread between two sessions as long as it is held.
  class Parked;

  void loop();
  bool wants_to_work() const;  // under mutex_
  void work(bool once);
  void failed(const Error& error);
  SessionEvents events();
  void committed(const Progress& before, const Progress& after, const MicroBatch& batch,
                 int64_t ms);
  void take_over(const Progress& progress);  // under mutex_
  void count_lag();                          // under mutex_
  Offsets offsets_of(const SourceConfig& source, const ResetTo& to) const;

  const StreamConfig config_;
  const WorkEnvironment env_;
  const std::string group_;

  std::mutex setting_;  // taken before mutex_: the setting is read or written, and taken over
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false, stopping_ = false, allowed_ = false;  // guarded by mutex_, as all below
  int parked_ = 0;
  bool working_ = false;
  uint64_t asked_runs_ = 0, done_runs_ = 0;
  std::optional<Error> last_run_error_;
  std::optional<Error> error_;
  int failures_ = 0;
  std::chrono::steady_clock::time_point retry_;
  int64_t retry_ms_ = 0;
  StreamStatus status_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, uint64_t>> recent_;
  std::stop_source give_up_;  // of the session's statements
  std::thread thread_;
};

}  // namespace meesh::streams
