// Any line as an event of dbt's driver.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transform/dbt_event.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::transform;  // NOLINT(build/namespaces)
  const auto event = read_dbt_event({reinterpret_cast<const char*>(data), size});
  if (!event) return 0;
  if (event->kind == DbtEvent::Kind::kNode && event->node.id.empty()) std::abort();
  if (!(event->seconds >= 0) || !(event->node.seconds >= 0)) std::abort();
  return 0;
}
