// Name mappings from any bytes: what is accepted is written and read back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "lake/name_mapping.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto mapping =
        meesh::lake::parse_name_mapping({reinterpret_cast<const char*>(data), size});
    const auto again = meesh::lake::parse_name_mapping(meesh::lake::name_mapping_json(mapping));
    if (!(again == mapping)) std::abort();
  } catch (const meesh::Error& error) {
    if (error.code() != meesh::Code::kIcebergInvalidMetadata) std::abort();
  }
  return 0;
}
