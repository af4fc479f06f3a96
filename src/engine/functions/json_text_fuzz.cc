// Any bytes as JSON: its canonical text is canonical, and a cursor over it ends.
#include <cstdint>
#include <cstdlib>

#include "engine/functions/json_text.h"
#include "engine/functions/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto made = engine::canonical_json(text)) {
    if (engine::canonical_json(*made) != made) std::abort();
    if (engine::JsonCursor(*made).value() != *made) std::abort();
  }
  for (engine::JsonCursor cursor(text); cursor.peek() != '\0';) {
    if (cursor.value().empty() && !cursor.take(cursor.peek())) break;
  }
  return 0;
}
