// A stream at work: reads micro-batches on one thread while another brings the one before through
// SQL into the sinks. Ends when it is told to, when all is done (available-now), or with the error
// that stopped it; whoever opens the next begins where this one's last commit was.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "streams/batch_work.h"

namespace meesh::streams {

/// What those who watch are told, from both threads.
struct SessionEvents {
  std::function<void(const Progress& before, const Progress& after, const MicroBatch& batch,
                     int64_t ms)>
      committed;
  std::function<void(const Progress& progress)> opened;  // where it begins
  /// Behind what each source was read up to, when there is nothing more and all before is
  /// committed: further than the offsets if what stands last is no message.
  std::function<void(const std::vector<Offsets>& reached)> caught_up;
  std::function<void(const std::vector<Offsets>& ends)> ends;  // every few seconds
  std::function<void(uint64_t rows, uint64_t bytes)> state;
};

struct SessionOptions {
  bool once = false;             // does what is there when it begins, and ends
  std::optional<int64_t> to_ms;  // once: messages before this time only
  std::string group;             // whom offsets are told
};

class StreamSession {
 public:
  StreamSession(const StreamConfig& config, const WorkEnvironment& environment,
                SessionOptions options, SessionEvents events);
  ~StreamSession();

  /// Works until `ended()` says so between two batches, or `stop` is requested, which gives the
  /// batch under way up.
  void run(std::stop_token stop, const std::function<bool()>& ended);

 private:
  void open(std::stop_token stop);
  void open_readers();
  void finish_plan(std::stop_token stop);
  void commit(MicroBatch batch, std::stop_token stop);
  bool leaving() const { return ended_ && (*ended_)(); }
  void read_loop();
  bool read_batch(MicroBatch& batch);
  std::chrono::milliseconds gather_time() const;
  void look_around();
  MicroBatch empty_batch() const;
  std::optional<MicroBatch> next(std::chrono::milliseconds at_most);

  const StreamConfig& config_;
  const WorkEnvironment env_;
  const SessionOptions options_;
  const SessionEvents events_;
  std::vector<std::unique_ptr<SourceReader>> readers_;
  std::unique_ptr<BatchWork> work_;
  Progress progress_;
  std::vector<Offsets> ends_;                     // once: where each source ends
  const std::function<bool()>* ended_ = nullptr;  // while run() is at work

  std::thread reader_;
  std::atomic<bool> leaving_ = false;
  std::atomic<std::chrono::milliseconds> batch_time_{};  // the longest of late, slowly forgotten
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<MicroBatch> ready_;  // guarded by mutex_, as all below
  bool busy_ = false;                // a batch is being committed
  bool all_read_ = false;            // once
  std::exception_ptr failure_;
  std::map<std::string, Offsets> to_tell_;
  std::chrono::steady_clock::time_point last_look_;  // of the reader's thread
};

}  // namespace meesh::streams
