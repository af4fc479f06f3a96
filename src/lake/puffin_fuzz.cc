// Puffin files and theta sketches from any bytes: what is accepted is written and read back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "lake/puffin.h"
#include "lake/theta_sketch.h"

namespace {

using namespace meesh::lake;  // NOLINT(build/namespaces)

void same_again(const Puffin& file) {
  const WrittenPuffin written = write_puffin(file.blobs, file.properties);
  const Puffin again = parse_puffin(written.bytes);
  if (again.properties != file.properties || again.blobs.size() != file.blobs.size()) std::abort();
  for (size_t i = 0; i < file.blobs.size(); ++i) {
    const PuffinBlob& a = file.blobs[i];
    const PuffinBlob& b = again.blobs[i];
    if (!(a.about == b.about) || a.codec != b.codec || a.bytes != b.bytes) std::abort();
  }
}

template <class Work>
void guarded(const Work& work) {
  try {
    work();
  } catch (const meesh::Error& error) {
    if (error.code() != meesh::Code::kIcebergBadData &&
        error.code() != meesh::Code::kNotSupported) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  guarded([&] {
    const Puffin file = parse_puffin(input);
    same_again(file);
    for (const PuffinBlob& blob : file.blobs) {
      guarded([&] { theta_estimate(unpacked(blob)); });
    }
  });
  guarded([&] {
    if (!(theta_estimate(input) >= 0)) std::abort();
  });
  return 0;
}
