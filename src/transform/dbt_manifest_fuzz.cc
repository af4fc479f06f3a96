// Any text as dbt's manifest.json: an Error or nodes, and the tables they read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "transform/dbt_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::transform;  // NOLINT(build/namespaces)
  try {
    const auto nodes = read_manifest({reinterpret_cast<const char*>(data), size});
    for (const auto& node : nodes) {
      if (node.id.empty()) std::abort();
      tables_read(nodes, node);
    }
  } catch (const meesh::Error&) {
  }
  return 0;
}
