// One result column's cells as the JSON of Trino's protocol (design: "JSON values"). Built once for
// a column, then shown every batch, then asked row by row; it keeps no rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "engine/batch.h"
#include "serve/trino/json_text.h"

namespace meesh::serve::trino {

/// Whether the client knows timestamp(p): without it, times are rounded to milliseconds.
enum class DateTimes { kParametric, kMilliseconds };

class ValueEncoder {
 public:
  /// `session_zone` shows timestamps with time zone whose column names no zone of its own.
  ValueEncoder(const sql::Type& type, DateTimes date_times,
               std::shared_ptr<const TimeZone> session_zone);

  /// To be called with each batch's column before its rows are written.
  void begin(const engine::ColumnView& column);

  /// Appends the cell's JSON value.
  void write(const engine::ColumnView& column, size_t row, JsonText& out) const {
    if (column.is_null(row)) {
      out.raw("null");
      return;
    }
    write_(*this, column, row, out);
  }

 private:
  friend struct CellWriters;
  using Writer = void (*)(const ValueEncoder&, const engine::ColumnView&, size_t, JsonText&);

  Writer write_;
  sql::Type type_;
  bool round_to_millis_;
  int digits_;  // of fractional seconds shown
  std::vector<ValueEncoder> children_;
  std::shared_ptr<const TimeZone> session_zone_, zone_;
  std::string zone_name_;  // what zone_ was looked up by
  mutable TimeZone::Span span_{0, 0, 0};
  mutable int32_t zone_number_ = -1;  // of values that have each a zone: the last one's
  mutable std::shared_ptr<const TimeZone> value_zone_;
};

}  // namespace meesh::serve::trino
