// Dashboards as documents: on a schedule, by mail or into a bucket. PDF and PNG are printed by a
// browser of the machine (Chromium or Chrome, headless) that opens a link of a few minutes; without
// one, a report is HTML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dashboards/chart_data.h"
#include "dashboards/dashboard_store.h"
#include "dashboards/environment.h"
#include "dashboards/leased_loop.h"
#include "dashboards/savers.h"
#include "dashboards/shares.h"

namespace meesh::dashboards {

struct ReportFile {
  std::string name, content_type, content;
  std::string note;  // why it is not of the format that was asked for; "" = it is
};

struct ReportStatus {
  std::string dashboard, name, cron, format;
  std::string state = "unknown";  // ok, error; unknown: not made yet
  std::string message;            // where it went, or why not
  int64_t last_ms = 0, next_ms = 0;
};

class Reports {
 public:
  /// All outlive this.
  Reports(const Environment& environment, DashboardStore& store, ChartData& data, Shares& shares,
          Savers& savers);

  void start() { loop_.start(); }
  void stop() { loop_.stop(); }

  std::vector<ReportStatus> list();
  /// Makes it with this user's rights. Throws NOT_FOUND.
  ReportFile make(const std::string& dashboard, const std::string& report, const std::string& user,
                  const std::stop_token& stop);
  /// Sends it to its receivers; where it went ("email:…", "s3://…"). Throws what keeps it.
  std::vector<std::string> deliver(const std::string& dashboard, const std::string& report,
                                   const ReportFile& file, const std::string& user);

 private:
  Millis go_round(const std::stop_token& stop);
  void run(const Dashboard& dashboard, const ReportConfig& report, const std::stop_token& stop);
  ReportFile html(const Dashboard& dashboard, const ReportConfig& report, const std::string& user,
                  const std::stop_token& stop);
  std::string printed(const Dashboard& dashboard, const ReportConfig& report,
                      const std::string& user);
  void put(const std::string& folder, const ReportFile& file, const std::string& user,
           std::vector<std::string>& went);
  std::optional<ReportStatus> status_of(const std::string& dashboard, const std::string& name);
  void write_down(const ReportStatus& status);

  const Environment& environment_;
  DashboardStore& store_;
  ChartData& data_;
  Shares& shares_;
  Savers& savers_;
  LeasedLoop loop_;
};

}  // namespace meesh::dashboards
