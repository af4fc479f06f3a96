// What alerts say.
#pragma once

#include <string>
#include <vector>

#include "pipelines/alerts.h"
#include "pipelines/pipeline.h"
#include "pipelines/run_record.h"

namespace meesh::pipelines {

/// One alert for each receiver of the pipeline. `event`: failure, recovery or late.
std::vector<AlertRecord> alerts_for(const Alerts& receivers, const std::string& event,
                                    const Run& run, const std::string& mesh,
                                    const std::string& address, int64_t now_ms);

}  // namespace meesh::pipelines
