// JSON as MySQL keeps it in a binlog: a tree of offsets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::ingest::binlog {

/// Nothing for bytes that make no sense.
std::optional<std::string> mysql_json_text(std::string_view bytes);

}  // namespace meesh::ingest::binlog
