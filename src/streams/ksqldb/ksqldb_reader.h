// The rows of a ksqlDB stream or table as rows of a buffer, from a known position on.
//
//   KsqldbReader reader(client, client.describe("transaction_stream"));
//   auto rows = buffers->buffer(reader.columns());
//   const KsqldbRead read = reader.read({.from = last.next}, *rows, stop);
//   rows->finish();                       // read.next is where the next read begins
//
// A stream is read by a push query, since ksqlDB refuses ROWPARTITION and ROWOFFSET in pull
// queries: from its first message on, without those before `from`. ksqlDB tells nobody where the
// end is: a read ends when no row came for `idle`, when rows have come for so long that are newer
// than the read, or `at_most` after the first new row. Rows that are behind it are the next read's;
// none is lost or read twice. Needs ksqlDB 0.23 or newer.
// A table is what it holds now, one row a key, by a pull query: ksqlDB answers it for tables made
// by CREATE TABLE … AS SELECT, and says what to do about others.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "sql/type.h"
#include "streams/ksqldb/client.h"

namespace meesh::streams {

/// Of a stream, by partition: the offset of the row that is read next. A partition that is not
/// named is read from its beginning.
using KsqldbPosition = std::map<int32_t, int64_t>;

struct KsqldbReadOptions {
  KsqldbPosition from;
  uint64_t rows = 0;  // at most; 0: all. Of a stream, the rest is read by the next read
  /// Of streams: none came for so long, so that there are no more for now. The first may take
  /// longer: the server starts a consumer for each query.
  std::chrono::milliseconds idle{3000}, first{15000};
  std::chrono::milliseconds at_most{60'000};  // since the first new row; 0: however long
};

struct KsqldbRead {
  uint64_t rows = 0;
  bool more = false;      // it ended because there were `rows` of them: read on at once
  KsqldbPosition next;    // of a stream: `from`, moved behind the rows that were read
  int64_t newest_ms = 0;  // the newest ROWTIME, since 1970; 0: no row
};

/// Used by one thread. The client outlives it.
class KsqldbReader {
 public:
  /// `source` as client.describe() gives it. Throws TYPE_NOT_FOUND for a column of a type unknown.
  KsqldbReader(KsqldbClient& client, KsqldbSource source);
  ~KsqldbReader();

  /// The source's columns, lower case, then rowtime (bigint, milliseconds since 1970), and of a
  /// stream rowpartition (integer) and rowoffset (bigint); windowed tables have windowstart and
  /// windowend before them (bigint, milliseconds). BYTES are varbinary; arrays, maps and structs
  /// are varchar with JSON text, fields of structs in lower case (type() says what they are).
  std::vector<engine::BufferColumn> columns() const;
  /// What a column is in SQL, with its parts: CAST(json_parse(products) AS <display>).
  const sql::Type& type(size_t column) const;

  /// Appends to `rows`, which has columns() and is not finished here. A value that is not of its
  /// column's type ends it with GENERIC_EXTERNAL, which names the column and the row's position.
  /// Rows that came before an error stay in `rows`, so that it is to be thrown away then.
  KsqldbRead read(const KsqldbReadOptions& options, engine::RowBuffer& rows,
                  std::stop_token stop = {});

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::streams
