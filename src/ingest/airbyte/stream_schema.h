// What a connector's streams are: from Airbyte's catalog with its JSON Schemas to columns, and back
// to the catalog that a read is asked for with.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "ingest/decode/column.h"
#include "ingest/source.h"

namespace meesh::ingest {

/// A stream as the connector's catalog has it.
struct ConnectorStream {
  std::string name, name_space;        // as the connector writes them
  boost::json::object schema;          // json_schema
  boost::json::object described;       // all of it
  std::vector<DecodedColumn> columns;  // lower case, unique; each one's path is its member
  std::vector<std::string> notes;      // by column: "is kept as varchar", or ""
  bool full_refresh = true, incremental = false;
  bool own_cursor = false;                    // the connector knows what is new by itself
  std::vector<std::string> cursor;            // default_cursor_field, as written
  std::vector<std::vector<std::string>> key;  // source_defined_primary_key, as written

  std::string table;  // its name in sources/*.yaml, unique within the catalog
};

/// "My Sheet (2)" → "my_sheet_2": what a table can be called.
std::string table_of(const std::string& stream);

/// Throws BAD_REQUEST for a catalog that is none.
std::vector<ConnectorStream> read_catalog(const boost::json::object& catalog);

/// A JSON Schema's properties as columns, and what is worth telling of each.
std::vector<DecodedColumn> columns_of_schema(const boost::json::object& schema,
                                             std::vector<std::string>& notes);

/// What discover() tells of it.
Stream stream_of(const ConnectorStream& stream, const std::string& source,
                 const std::string& connector);

/// The catalog of one stream that `read` takes. Throws CONFIG_INVALID, without a place, for a mode
/// that the stream does not have, and for cursors and keys that it needs and does not get.
boost::json::object configured_catalog(const ConnectorStream& stream, const TableConfig& table);

}  // namespace meesh::ingest
