#include "serve/trino/trino.h"

#include "serve/trino/protocol.h"

namespace meesh::serve::trino {

void register_trino(net::Server& server, engine::Engine& engine, Options options) {
  const uint64_t statement_bytes = options.max_statement_bytes;
  auto protocol = std::make_shared<Protocol>(engine, std::move(options));
  using Endpoint = void (Protocol::*)(net::Request&, net::Response&);
  const auto bind = [&](Endpoint endpoint) -> net::Handler {
    return [protocol, endpoint](net::Request& request, net::Response& response) {
      ((*protocol).*endpoint)(request, response);
    };
  };
  const auto add = [&](const char* method, const char* pattern, Endpoint endpoint) {
    server.route(method, pattern, bind(endpoint));
  };
  server.route("POST", "/v1/statement", bind(&Protocol::post_statement), {statement_bytes});
  for (const char* pattern : {"/v1/statement/queued/{id}/{slug}/{token}",
                              "/v1/statement/executing/{id}/{slug}/{token}"}) {
    add("GET", pattern, &Protocol::get_page);
    add("HEAD", pattern, &Protocol::head_page);
    add("DELETE", pattern, &Protocol::delete_statement);
  }
  // Segments are packed already; what is called {token} stays out of the log.
  server.route("GET", "/v1/spooled/download/{token}", bind(&Protocol::get_segment),
               {std::nullopt, false});
  add("GET", "/v1/spooled/ack/{token}", &Protocol::acknowledge_segment);
  add("GET", "/v1/query", &Protocol::list_queries);
  add("GET", "/v1/query/{id}", &Protocol::get_query);
  add("DELETE", "/v1/query/{id}", &Protocol::delete_query);
  add("PUT", "/v1/query/{id}/killed", &Protocol::kill_query);
  add("GET", "/v1/info", &Protocol::info);
  add("GET", "/v1/status", &Protocol::status);
  add("HEAD", "/v1/status", &Protocol::status);
  server.route("GET", "/v1/info/state",
               [](net::Request&, net::Response& response) { response.json("\"ACTIVE\""); });
  server.route("GET", "/v1/info/coordinator",
               [](net::Request&, net::Response& response) { response.text(""); });
}

}  // namespace meesh::serve::trino
