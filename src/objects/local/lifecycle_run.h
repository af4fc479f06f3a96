// Applying the buckets' lifecycles.
#pragma once

#include "objects/local/core.h"
#include "objects/maintenance.h"

namespace meesh::objects {

/// Every bucket's, as if it were `now`.
LifecycleReport run_lifecycle(Core& core, Time now);

}  // namespace meesh::objects
