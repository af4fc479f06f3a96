// Any bytes on a connection: it neither crashes nor hangs, and what it answers is HTTP.
#include <cstdint>
#include <cstdlib>

#include "base/log.h"
#include "net/connection.h"
#include "net/memory_stream.h"

namespace {

using namespace meesh::net;  // NOLINT(build/namespaces)

Service& service() {
  static Service* made = [] {
    auto* s = new Service;
    s->options.access_log = false;
    s->options.max_header_bytes = 4096;
    s->options.max_body_bytes = 8192;
    s->router.add("GET", "/a/{x}", [](Request& q, Response& r) { r.text(q.param("x")); }, {});
    s->router.add("GET", "/s/{rest...}",
                  [](Request& q, Response& r) {
                    for (const auto& [name, value] : q.query) r.write(name + value);
                    r.flush();
                    r.write(q.param("rest"));
                  },
                  {});
    s->router.add("POST", "/e", [](Request& q, Response& r) { r.json(q.body(4096)); }, {});
    s->router.add("POST", "/i", [](Request&, Response& r) { r.empty(204); }, {});
    s->router.add("PUT", "/c",
                  [](Request& q, Response& r) {
                    char piece[7];
                    while (size_t n = q.read(piece, sizeof piece)) r.write({piece, n});
                  },
                  {});
    meesh::log::configure({meesh::log::Level::kOff, meesh::log::Format::kJson, nullptr});
    return s;
  }();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  size_t piece = data[0] < 128 ? data[0] + 1 : 65536;
  auto stream = std::make_unique<MemoryStream>(
      std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1), piece);
  MemoryStream* peer = stream.get();
  Connection connection(std::move(stream), "fuzz", false, service());
  while (connection.advance() == Connection::Next::kServed) {
  }
  const std::string& answer = peer->written();
  if (!answer.empty() && !answer.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
