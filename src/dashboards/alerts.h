// Numbers that are watched: asked on a schedule by one server of the mesh, with a state, its
// history and notices when it changes. See docs/dashboards.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dashboards/chart_data.h"
#include "dashboards/dashboard_store.h"
#include "dashboards/environment.h"
#include "dashboards/leased_loop.h"
#include "dashboards/notices.h"
#include "dashboards/savers.h"

namespace meesh::dashboards {

struct AlertState {
  std::string dashboard, name;
  std::string state = "unknown";  // ok, firing, no_data, error; unknown: not asked yet
  std::string message;
  std::optional<double> value;
  int64_t since_ms = 0, last_ms = 0, notified_ms = 0;

  bool rings() const { return state == "firing" || state == "no_data"; }
};

/// Of the history: each change of a state.
struct AlertEvent {
  std::string dashboard, name, state, message;
  std::optional<double> value;
  int64_t at_ms = 0;
};

class Alerts {
 public:
  /// All outlive this.
  Alerts(const Environment& environment, DashboardStore& store, ChartData& data, Savers& savers);

  void start() { loop_.start(); }
  void stop() { loop_.stop(); }

  /// Of all dashboards that can be read, by dashboard and name.
  std::vector<AlertState> list();
  /// Newest first; "" = all.
  std::vector<AlertEvent> history(const std::string& dashboard, const std::string& name,
                                  size_t limit);
  /// What it would say now; nothing is written down. With `notify`, its receivers are told that it
  /// is a test. Throws NOT_FOUND, and what keeps a notice from arriving.
  AlertState test(const std::string& dashboard, const std::string& name, const std::string& user,
                  bool notify);

 private:
  Millis go_round(const std::stop_token& stop);
  AlertState evaluate(const Dashboard& dashboard, const AlertConfig& alert, const std::string& user,
                      const std::stop_token& stop);
  std::optional<double> ask(const Dashboard& dashboard, const AlertConfig& alert,
                            const std::string& user, const std::stop_token& stop);
  std::optional<double> value_before(const std::string& dashboard, const std::string& name,
                                     int64_t periods);
  void judge(const AlertConfig& alert, AlertState& state);
  void write_down(const Dashboard& dashboard, const AlertConfig& alert, const AlertState& before,
                  AlertState now);
  boost::json::object notice(const Dashboard& dashboard, const AlertConfig& alert,
                             const AlertState& state, const std::string& event) const;
  std::optional<AlertState> state_of(const std::string& dashboard, const std::string& name);

  const Environment& environment_;
  DashboardStore& store_;
  ChartData& data_;
  Savers& savers_;
  Notices notices_;
  LeasedLoop loop_;
};

}  // namespace meesh::dashboards
