// What the parts of the dashboards' API share.
#pragma once

#include <atomic>
#include <boost/json/object.hpp>

#include "dashboards/dashboards.h"
#include "net/http.h"
#include "serve/api/dashboards.h"

namespace meesh::serve::api {

/// {name, title, …} of a list; {name, dashboard, yaml, etag, may_edit} of one.
boost::json::object summary_json(const dashboards::Dashboard& dashboard);

/// Reads charts, parameters, time, filters and drill of a body; `user` asks.
dashboards::DataRequest data_request(const boost::json::object& body, const std::string& user);
/// {id, columns, rows, …} or {id, problem}, one line of JSON with its end.
std::string chart_line(const dashboards::ChartAnswer& told);
/// Lines of the charts that are asked for, each as it is done.
void send_data(dashboards::Dashboards& dashboards, const dashboards::Dashboard& dashboard,
               const dashboards::DataRequest& wanted, net::Request& request,
               net::Response& response);

struct Viewers {
  DashboardsApiOptions options;
  std::atomic<size_t> now = 0;
};
/// Events of one dashboard until the client leaves. `charts` empty: of all.
void send_events(dashboards::Dashboards& dashboards, Viewers& viewers, const std::string& name,
                 net::Request& request, net::Response& response);

/// …/shares and /api/v1/shares.
void register_dashboard_shares(net::Server& server, dashboards::Dashboards& dashboards,
                               const std::shared_ptr<Viewers>& viewers);
/// /api/v1/dashboard-alerts, /api/v1/dashboard-reports.
void register_dashboard_alerts(net::Server& server, dashboards::Dashboards& dashboards);

}  // namespace meesh::serve::api
