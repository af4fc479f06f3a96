// Any text as a lifecycle document: rules or an S3 error.
#include "objects/lifecycle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto rules = meesh::objects::parse_lifecycle({reinterpret_cast<const char*>(data), size});
    meesh::objects::Object object;
    object.key = "logs/a";
    for (const auto& rule : rules) rule.matches(object);
  } catch (const meesh::objects::ObjectError&) {
  }
  return 0;
}
