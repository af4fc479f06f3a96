// ksqlDB's words for columns and types: "`ID` BIGINT KEY, `ITEMS` ARRAY<STRUCT<`NAME` STRING>>" of
// answers, and the JSON of DESCRIBE.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "streams/ksqldb/client.h"

namespace meesh::streams {

/// The columns of a header of /query. Throws GENERIC_EXTERNAL.
std::vector<KsqldbColumn> columns_of_ksqldb(std::string_view schema);

/// The type of DESCRIBE's `schema` as ksqlDB writes it in SQL: {"type": "ARRAY", "memberSchema":
/// {"type": "STRING"}} → "ARRAY<STRING>". Throws GENERIC_EXTERNAL.
std::string ksqldb_type_text(const boost::json::object& schema);

/// `name` → a name in back-quotes.
std::string quote_ksqldb(std::string_view name);

}  // namespace meesh::streams
