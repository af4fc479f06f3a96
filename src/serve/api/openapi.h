// GET /api/v1/openapi.json: the description of the API that the console's build makes of
// console/openapi/.
#pragma once

#include <string>

#include "net/http.h"

namespace meesh::serve::api {

void register_openapi(net::Server& server, std::string document);

}  // namespace meesh::serve::api
