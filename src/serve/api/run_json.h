// Pipelines, runs and assets as JSON. Times are milliseconds since 1970; what is not known is left
// out.
#pragma once

#include <boost/json/object.hpp>

#include "pipelines/pipelines.h"

namespace meesh::serve::api {

boost::json::object to_json(const pipelines::RunRecord& run);
/// With its steps, and what they came to before.
boost::json::object to_json(const pipelines::Run& run);
boost::json::object to_json(const pipelines::Pipeline& pipeline);
boost::json::object to_json(const pipelines::Graph& graph, const pipelines::Graph::Node& node);
boost::json::object to_json(const pipelines::BackfillRecord& backfill);
boost::json::object to_json(const pipelines::ScheduleStatus& schedule);
boost::json::object to_json(const pipelines::AssetStatus& asset);
boost::json::object to_json(const pipelines::AlertRecord& alert);

}  // namespace meesh::serve::api
