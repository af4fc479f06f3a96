// A dashboard as one HTML file that needs nothing else: titles, numbers, simple charts drawn as
// SVG, tables. No script, so that mail programs and strict browsers show it.
#pragma once

#include <string>
#include <vector>

#include "dashboards/chart_data.h"
#include "dashboards/dashboard.h"

namespace meesh::dashboards {

/// `answers`: of the charts that ask something, in any order. `when`: shown under the title.
std::string html_report(const Dashboard& dashboard, const std::vector<ChartAnswer>& answers,
                        const std::string& language, const std::string& when);

}  // namespace meesh::dashboards
