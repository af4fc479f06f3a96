// JSON whose numbers keep their digits: ksqlDB writes DECIMAL as a JSON number, and one with more
// digits than a double holds would come back as another number.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace meesh::streams {

/// Integers of 64 bits and doubles as such; a number that is neither exactly is a string with its
/// text. Throws GENERIC_EXTERNAL with `what` ("a row of ksqlDB"), which is not JSON.
boost::json::value parse_exact_json(std::string_view text, std::string_view what);

/// Compact; doubles as people write them (10.5, not 1.05E1).
void write_json(const boost::json::value& value, std::string& out);

}  // namespace meesh::streams
