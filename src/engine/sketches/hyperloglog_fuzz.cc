// Any bytes as a HyperLogLog: refused with a reason, or one that can be asked, merged and written;
// what is written reads again.
#include <cstdlib>

#include "base/error.h"
#include "engine/sketches/hyperloglog.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  try {
    auto sketch = engine::HyperLogLog::parse({reinterpret_cast<const char*>(data), size});
    if (sketch.cardinality() < 0) std::abort();
    const auto other = sketch;
    sketch.merge(other);
    engine::HyperLogLog::parse(sketch.bytes());
  } catch (const Error& e) {
    if (e.message().empty()) std::abort();
  }
  return 0;
}
