// JSON objects as rows: each column's member becomes its cell, strictly checked.
//
//   JsonRows json(columns);
//   std::string wrong;
//   if (json.put(R"({"id": 7, "name": "ana"})", *rows, 0, wrong)) rows->end_row();
//   else rows->drop_row(), reject(wrong);
//
// What is lossless and says the same is taken ("7" and 7.0 for a bigint, a number for a varchar),
// objects and arrays as JSON text without spaces; see decode/cell.h.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "ingest/decode/column.h"

namespace meesh::ingest {

/// Used by one thread.
class JsonRows {
 public:
  /// Throws CONFIG_INVALID for columns that JSON cannot hold.
  explicit JsonRows(const std::vector<DecodedColumn>& columns);
  ~JsonRows();
  JsonRows(const JsonRows&) = delete;
  JsonRows& operator=(const JsonRows&) = delete;

  /// Sets the cells of columns `first`, `first` + 1, … of the row that is being filled, one for
  /// each column it was made with; a member that is absent or null leaves NULL. False if the text
  /// is no JSON object or a member is not of its column's type: `wrong` says which, what was found
  /// and what was expected, and the row is to be dropped.
  bool put(std::string_view object, engine::RowBuffer& rows, size_t first, std::string& wrong);
  /// The column that the last put() failed for; "" if the text was no JSON object.
  const std::string& wrong_column() const;
  /// Members of the outermost objects that no column asks for, as they are written; a hundred at
  /// most.
  const std::set<std::string>& unasked() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

/// What the columns are kept as in a buffer.
std::vector<engine::BufferColumn> buffer_columns(const std::vector<DecodedColumn>& columns);

}  // namespace meesh::ingest
