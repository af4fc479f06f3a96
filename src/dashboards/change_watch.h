// Tells viewers that what they look at has changed. One thread watches for all of them: it looks at
// the versions of the tables below the charts that somebody looks at, after a commit of the lake
// and every second where only looking tells (streams' tables in memory, other servers of the mesh).
//
//   auto viewer = watch.watch("customers");
//   while (auto event = viewer->next(1s)) send(*event);
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/shutdown.h"
#include "dashboards/chart_data.h"
#include "dashboards/dashboard_store.h"

namespace meesh::dashboards {

struct WatchEvent {
  enum class Kind { kChanged, kEdited } kind = Kind::kChanged;
  std::vector<std::string> charts;  // kChanged: whose inputs
};

class ChangeWatch {
 public:
  using Changes = std::function<std::string(const sql::TableName&)>;
  /// All outlive this. `changes`: Environment::changes.
  ChangeWatch(DashboardStore& store, ChartData& data, const FindTable& find, Changes changes);
  ~ChangeWatch() { stop(); }
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;
  void start();
  void stop();  // idempotent
  void wake();

  /// One who looks at a dashboard, as long as it is held.
  class Viewer {
   public:
    ~Viewer();
    /// What happened since the last one; nothing if the time is over first.
    std::optional<WatchEvent> next(Millis at_most);

   private:
    friend class ChangeWatch;
    Viewer(ChangeWatch& watch, std::string dashboard)
        : watch_(watch), dashboard_(std::move(dashboard)) {}
    ChangeWatch& watch_;
    const std::string dashboard_;
    std::set<std::string> charts_;  // guarded by the watch's mutex, as edited_
    bool edited_ = false;
  };
  std::unique_ptr<Viewer> watch(const std::string& dashboard);
  size_t viewers() const;

 private:
  /// What is watched of one dashboard.
  struct Watched {
    std::string etag;
    std::map<std::string, std::string> states;  // of charts: the state of their inputs
    std::map<std::string, std::set<std::string>> tables;
    int64_t refreshed_ms = 0;
  };

  void work();
  void go_round();
  void look_at(const std::string& name, Watched& watched, TableStates& states);
  std::string state_of(const std::set<std::string>& tables, TableStates& states);
  void tell(const std::string& name, const std::set<std::string>& charts, bool edited);

  DashboardStore& store_;
  ChartData& data_;
  const FindTable& find_;
  const Changes changes_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;     // wakes the thread
  std::condition_variable told_;            // wakes viewers
  bool woken_ = false;                      // guarded
  std::vector<Viewer*> viewers_;            // guarded
  std::map<std::string, Watched> watched_;  // the thread's own
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::dashboards
