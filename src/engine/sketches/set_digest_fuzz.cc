// Any bytes as a SetDigest: refused with a reason, or one that can be asked, merged and written;
// what is written reads again.
#include <cstdlib>

#include "base/error.h"
#include "engine/sketches/set_digest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  try {
    auto sketch = engine::SetDigest::parse({reinterpret_cast<const char*>(data), size});
    if (engine::SetDigest::jaccard_index(sketch, sketch) > 1) std::abort();
    const auto other = sketch;
    sketch.merge(other);
    engine::SetDigest::parse(sketch.bytes());
  } catch (const Error& e) {
    if (e.message().empty()) std::abort();
  }
  return 0;
}
