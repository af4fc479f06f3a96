// ksqlDB's errors as ours.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace meesh::streams {

/// {"@type": "statement_error", "error_code": 40001, "message": "line 1:15: …"} → its words and its
/// number. Numbers begin with an HTTP status: 401, 403 PERMISSION_DENIED, 404 NOT_FOUND, 429 and
/// 503 UNAVAILABLE, else 4xx GENERIC_USER_ERROR, and GENERIC_EXTERNAL the rest.
Error ksqldb_error(const boost::json::object& error);

/// Of an answer that is not 2xx, whatever its body is. `where` is the server's address.
Error ksqldb_error(long status, std::string_view body, const std::string& where);

}  // namespace meesh::streams
