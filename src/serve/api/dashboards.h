// Dashboards over HTTP: /api/v1/dashboards, their data, events and links; /api/v1/shares for those
// who have a link; the semantic layer, alerts and reports. See docs/dashboards.md.
#pragma once

#include <stop_token>

#include "dashboards/dashboards.h"
#include "net/http.h"
#include "serve/api/metrics_text.h"

namespace meesh::serve::api {

struct DashboardsApiOptions {
  /// Each viewer's events occupy one of the server's threads; more are answered 503.
  size_t most_viewers = 128;
  std::stop_token stopping;  // the server stops: viewers are sent away
};

/// `dashboards` outlives the server.
void register_dashboards(net::Server& server, dashboards::Dashboards& dashboards,
                         DashboardsApiOptions options);

/// Answers that were kept, run and shared; viewers.
void add_dashboards(MetricsText& text, dashboards::Dashboards& dashboards);

}  // namespace meesh::serve::api
