// Any bytes as a QuantileDigest: refused with a reason, or one that can be asked, merged and
// written; what is written reads again.
#include <cstdlib>

#include "base/error.h"
#include "engine/sketches/quantile_digest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  try {
    auto sketch = engine::QuantileDigest::parse({reinterpret_cast<const char*>(data), size});
    if (sketch.values_at({0, 0.5, 1}).size() != 3) std::abort();
    sketch.quantile_of(0);
    const auto other = sketch;
    sketch.merge(other);
    engine::QuantileDigest::parse(sketch.bytes());
  } catch (const Error& e) {
    if (e.message().empty()) std::abort();
  }
  return 0;
}
