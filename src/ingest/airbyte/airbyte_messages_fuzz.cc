// Whatever a connector writes: as a line, as a catalog, as a spec that a configuration is held
// against.
#include <simdjson.h>

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/yaml.h"
#include "ingest/airbyte/connector_config.h"
#include "ingest/airbyte/messages.h"
#include "ingest/airbyte/stream_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh;
  using namespace meesh::ingest;
  // An exact copy, so that reading behind the room is seen by the address sanitizer.
  std::vector<char> line(size + simdjson::SIMDJSON_PADDING);
  std::copy_n(data, size, line.begin());
  static MessageReader reader;
  const Message message = reader.read({line.data(), size}, line.size());
  if (message.type == Message::Type::kCatalog) {
    try {
      for (const auto& stream : read_catalog(message.body)) {
        stream_of(stream, "s", "c");
        configured_catalog(stream, {});
      }
    } catch (const Error&) {
    }
  }
  if (message.type == Message::Type::kSpec) {
    static const auto document =
        yaml::parse("host: a\nport: 7\nlogin: { how: key, list: [1, x, { deep: ~ }] }\n", "s.yaml");
    std::vector<Error> problems;
    const auto schema = object_of(message.body, "connectionSpecification");
    check_config(schema, document.root, document.file, problems);
  }
  return 0;
}
