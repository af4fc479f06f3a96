#include "serve/api/openapi.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace meesh::serve::api {

void register_openapi(net::Server& server, std::string document) {
  const std::string etag = fmt::format("\"{:016x}\"", base::checksum(document));
  server.route(
      "GET", "/api/v1/openapi.json",
      [document = std::move(document), etag](net::Request& request, net::Response& response) {
        response.headers.set("Cache-Control", "no-cache");
        response.headers.set("ETag", etag);
        const auto known = request.headers.get("If-None-Match").value_or("");
        if (known.find(etag) != std::string_view::npos) return response.empty(304);
        response.json(document);
      });
}

}  // namespace meesh::serve::api
