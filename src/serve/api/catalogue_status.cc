// The state of the mesh where monitoring made for OpenMetadata looks for it.
#include <soci/soci.h>

#include <boost/json.hpp>

#include "serve/api/catalogue_parts.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;

json::object step(const char* description, bool passed, const std::string& message) {
  json::object out{{"description", description}, {"passed", passed}};
  if (!message.empty()) out["message"] = message;
  return out;
}

json::object database_step(meta::Database& database) {
  try {
    database.read([](soci::session& sql) {
      int one = 0;
      sql << "SELECT 1", soci::into(one);
    });
    return step("Validate that the metadata database answers.", true, "");
  } catch (const Error& error) {
    return step("Validate that the metadata database answers.", false, error.what());
  }
}

json::object pipelines_step(pipelines::Pipelines& pipelines) {
  try {
    pipelines.pipelines();
    return step("Validate that the pipelines can be run.", true, "");
  } catch (const Error& error) {
    return step("Validate that the pipelines can be run.", false, error.what());
  }
}

}  // namespace

void register_system_status(net::Server& server, governance::Catalogue& catalogue,
                            meta::Database& database, const CatalogueRooms& rooms) {
  const int64_t started = quality::now_ms();
  server.route(
      "GET", "/api/v1/system/status",
      guarded([&catalogue, &database, rooms](Request&, Response& response) {
        const auto problems = catalogue.files().problems();
        const bool filled = catalogue.ready() && problems.empty();
        const std::string why = filled             ? ""
                                : problems.empty() ? "the search index is being filled"
                                                   : problems.front().what();
        answer(
            response,
            json::object{
                {"database", database_step(database)},
                {"searchInstance", step("Validate that the search index is ready.", filled, why)},
                {"pipelineServiceClient", pipelines_step(rooms.pipelines)},
                {"jwks", step("Validate that tokens can be checked.", true, "")},
                {"migrations",
                 step("Validate that the metadata database is up to date.", true, "")}});
      }));
  server.route("GET", "/api/v1/system/version",
               guarded([rooms, started](Request&, Response& response) {
                 answer(response, json::object{{"version", rooms.version},
                                               {"revision", rooms.version},
                                               {"timestamp", started}});
               }));
}

}  // namespace meesh::serve::api
