// Any bytes as XML: what is taken out of it is JSON, a record a line; never a crash, never a hang.
#include <cstdlib>

#include "base/error.h"
#include "ingest/decode/json_values.h"
#include "ingest/locations/records_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* records : {"", "//*", "//row"}) {
    try {
      const std::string lines = ingest::xml_records(text, records);
      size_t begin = 0;
      for (size_t end; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1)
        if (!ingest::compact_json(std::string_view(lines).substr(begin, end - begin))) std::abort();
      if (begin != lines.size()) std::abort();
    } catch (const Error& error) {
      if (error.message().empty()) std::abort();
    }
  }
  return 0;
}
