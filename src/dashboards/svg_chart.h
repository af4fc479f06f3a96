// Simple charts as SVG: bars, lines, areas and rings.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace meesh::dashboards {

/// One axis of words and some rows of numbers over it.
struct Series {
  std::vector<std::string> words;
  std::vector<std::string> names;                        // of the rows
  std::vector<std::vector<std::optional<double>>> rows;  // each as long as `words`
};

/// By the chart's `encode`, else the first column that is no number over the first that are; rows
/// of a `series` column side by side. Nothing if there is no number.
std::optional<Series> series_of(const std::vector<engine::Column>& columns,
                                const boost::json::array& rows, const boost::json::object& encode);

/// `kind`: as the chart's; nothing for kinds that are shown as a table.
std::optional<std::string> svg_chart(const std::string& kind, const Series& series);

}  // namespace meesh::dashboards
