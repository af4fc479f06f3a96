// Refresh states from any bytes: what is accepted is written and read back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lake/refresh_state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::lake;  // NOLINT(build/namespaces)
  const auto state = parse_refresh_state({reinterpret_cast<const char*>(data), size});
  if (!state) return 0;
  depends_on_tables(*state);
  if (parse_refresh_state(refresh_state_json(*state)) != state) std::abort();
  return 0;
}
