// The service: dashboards read from the mesh's files, their data, who watches them, links to them,
// alerts and reports.
//
//   Dashboards dashboards(environment);
//   dashboards.start();
//   auto dashboard = dashboards.store().get("customers");
//   dashboards.data().run(*dashboard, request, stop, send);
//
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dashboards/alerts.h"
#include "dashboards/answers.h"
#include "dashboards/change_watch.h"
#include "dashboards/chart_data.h"
#include "dashboards/dashboard_store.h"
#include "dashboards/environment.h"
#include "dashboards/reports.h"
#include "dashboards/semantic.h"
#include "dashboards/shares.h"

namespace meesh::dashboards {

class Dashboards {
 public:
  explicit Dashboards(Environment environment);
  ~Dashboards();
  Dashboards(const Dashboards&) = delete;
  Dashboards& operator=(const Dashboards&) = delete;

  /// Watches tables, alerts and the clock of reports.
  void start();
  void stop();  // idempotent

  DashboardStore& store() { return store_; }
  SemanticLayer& semantic() { return semantic_; }
  Answers& answers() { return answers_; }
  ChartData& data() { return data_; }
  ChangeWatch& watch() { return watch_; }
  Shares& shares() { return shares_; }
  Alerts& alerts() { return alerts_; }
  Reports& reports() { return reports_; }

  /// As DashboardStore::put; alerts and reports ask with this user's rights from then on.
  DashboardPtr save(const std::string& name, const std::string& text, const std::string& etag,
                    const std::string& user);

  /// A table of a lake has changed. Quick.
  void tables_changed() { watch_.wake(); }

 private:
  const Environment environment_;
  DashboardStore store_;
  SemanticLayer semantic_;
  Answers answers_;
  ChartData data_;
  ChangeWatch watch_;
  Shares shares_;
  Savers savers_;
  Alerts alerts_;
  Reports reports_;
};

}  // namespace meesh::dashboards
