// Work that one server of a mesh does at a time, over and over: a thread that holds a lease.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/shutdown.h"
#include "meta/leases.h"

namespace meesh::dashboards {

class LeasedLoop {
 public:
  using Millis = std::chrono::milliseconds;
  /// `round` does what is due and says when it wants to be called again at the latest; what it
  /// throws is logged. `stopping` is requested when it is to end early.
  using Round = std::function<Millis(const std::stop_token& stopping)>;

  LeasedLoop(meta::Database& database, std::string name, std::string holder, Round round);
  ~LeasedLoop() { stop(); }
  LeasedLoop(const LeasedLoop&) = delete;
  LeasedLoop& operator=(const LeasedLoop&) = delete;
  void start();
  void stop();  // idempotent; gives the lease back
  void wake();

 private:
  void work();

  const std::string name_, holder_;
  const Round round_;
  meta::Leases leases_;
  std::optional<meta::Lease> lease_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;  // guarded
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::dashboards
