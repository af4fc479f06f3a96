// Applying the buckets' lifecycles.
#pragma once

#include "objects/local/core.h"
#include "objects/maintenance.h"

namespace meesh::objects {

/// Every bucket's, as if it were `now`. Progress as in Maintenance.
LifecycleReport run_lifecycle(Core& core, Time now, const Progress& progress);

}  // namespace meesh::objects
