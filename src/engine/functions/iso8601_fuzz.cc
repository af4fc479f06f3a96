// Any text is a date or time of ISO 8601, or an error of Trino's; a date read is of a day that the
// calendar has.
#include <cstddef>
#include <cstdlib>
#include <exception>

#include "engine/functions/iso8601.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::engine;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (auto* parse : {parse_iso_timestamp, parse_iso_nanos}) {
    try {
      const auto moment = parse(text);
      if (moment.nanos < 0 || moment.nanos >= 86400000000000) std::abort();
    } catch (const std::exception&) {  // an error is an answer, too
    }
  }
  return 0;
}
