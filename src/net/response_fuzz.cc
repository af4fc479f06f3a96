// Any bytes as a server's answer to the client.
#include <cstdint>
#include <cstdlib>

#include "net/memory_stream.h"
#include "net/response_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::net;  // NOLINT(build/namespaces)
  if (size < 1) return 0;
  MemoryStream stream({reinterpret_cast<const char*>(data) + 1, size - 1}, (data[0] & 127) + 1U);
  Input input(stream);
  for (bool again = true; again;) {
    ResponseReader reader(input, std::chrono::milliseconds(1000));
    ClientResponse response;
    size_t body = 0;
    try {
      if (reader.read_head(response) != Io::kOk) break;
      if (response.status < 200 || response.status > 599) std::abort();
      reader.read_body(response, data[0] >= 128,
                       [&](std::string_view piece) { body += piece.size(); });
    } catch (const meesh::Error&) {
      break;
    }
    if (body > size) std::abort();
    again = reader.reusable();
  }
  return 0;
}
