// Rows of a database's table, read as SQL over the engine's catalog of it: everything, at one
// moment or in portions by the primary key, or what is new by a cursor. The same for all databases;
// what only the server itself can tell is asked of a RowsServer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "ingest/source.h"

namespace meesh::ingest {

class RowsServer {
 public:
  virtual ~RowsServer() = default;
  virtual engine::Engine& engine() = 0;
  /// What FROM says of a stream.
  virtual std::string table_sql(const std::string& stream) const = 0;
  /// What a cursor's position may be at most, as "2026-01-31 12:00:00.123456" or "2026-01-31":
  /// before it, nothing new can come but by clocks that are behind.
  virtual std::string horizon(const sql::Type& type) = 0;
  /// The value of the row that is the `rows`th after `after` ("" = the beginning) by this column of
  /// the key, as horizon() writes times; "": there are not so many.
  virtual std::string portion_end(const Stream& stream, const StreamColumn& column,
                                  const std::string& after, double rows) = 0;
};

struct PortionRules {
  int64_t chunk_rows = 5'000'000;  // a table of more rows is read in portions of about so many
  bool consistent = false;         // in one portion, however large
};

/// Everything, or what is new, as the table's mode says.
std::unique_ptr<Reader> read_database_rows(RowsServer& server, ReadRequest request,
                                           const PortionRules& rules);

/// How likely each column tells what is new; the likeliest first.
std::vector<std::string> likely_database_cursors(const Stream& stream);

}  // namespace meesh::ingest
