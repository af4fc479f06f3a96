// Kernels that queries need and no function of Trino's is made of.
#include "engine/functions/kernels.h"

namespace meesh::engine {

void register_query_kernels(duckdb::ExtensionLoader& loader) {
  // The depth of the rows that a step makes of rows at `depth`.
  add_kernel<int32_t, int32_t>(
      loader, "meesh_recursion_step", {kInt, kInt}, kInt, [](int32_t depth, int32_t limit) {
        if (depth >= limit)
          raise(Code::kNotSupported,
                fmt::format("Recursion depth limit exceeded ({}). Use 'max_recursion_depth' "
                            "session property to modify the limit.",
                            limit));
        return depth + 1;
      });
}

}  // namespace meesh::engine
