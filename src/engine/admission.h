// Who runs now and who waits: a fixed number of statements at once, first come first served, with
// an optional limit of its own for each user so that one of them cannot take every slot.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace meesh::engine {

class Admission {
 public:
  struct Limits {
    int running = 16;
    int running_per_user = 0;  // 0 = none of its own
    int queued = 5000;
  };
  explicit Admission(Limits limits);
  ~Admission();  // stop()

  /// Queues `job`; it runs on one of the admission's threads. Throws QUERY_QUEUE_FULL, and
  /// SERVER_SHUTTING_DOWN after stop().
  void submit(std::string user, std::function<void()> job);
  /// Takes no more jobs, waits for the running ones; queued ones still run (their owner has
  /// cancelled them, so they end at once).
  void stop();

 private:
  struct Job {
    std::string user;
    std::function<void()> run;
  };
  void work();
  std::deque<Job>::iterator next_runnable();

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::map<std::string, int> running_by_user_;
  int idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // started on need, up to limits_.running
};

}  // namespace meesh::engine
