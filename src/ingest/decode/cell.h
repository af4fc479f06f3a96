// A column of a decoder: which forms of values it takes, and what becomes of them.
//
//   const Cell cell(column);
//   if (!cell.put_number("12.50", rows, at)) wrong = cell.complaint("12.50");
//
// What is lossless and says the same is taken (the text "12.50" and the number 12.50 for a
// decimal, 3.0 for a bigint, a number for a varchar); what would lose something is not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/catalogs/buffers.h"
#include "ingest/decode/column.h"

namespace meesh::ingest {

/// Every put_ sets the cell `at` of the row that is being filled and is true, or is false.
class Cell {
 public:
  /// Throws CONFIG_INVALID for types that no message can hold.
  explicit Cell(const DecodedColumn& config);

  const DecodedColumn& config() const { return config_; }
  sql::TypeKind kind() const { return kind_; }
  /// Array, map or row.
  bool has_parts() const { return has_parts_; }
  /// tinyint to bigint.
  bool is_integer() const {
    return kind_ >= sql::TypeKind::kTinyint && kind_ <= sql::TypeKind::kBigint;
  }

  /// A text value, UTF-8. For json and columns with parts, it is JSON itself.
  bool put_text(std::string_view text, engine::RowBuffer& rows, size_t at) const;
  /// A number as JSON writes it (is_number).
  bool put_number(std::string_view number, engine::RowBuffer& rows, size_t at) const;
  bool put_integer(int64_t value, engine::RowBuffer& rows, size_t at) const;
  bool put_double(double value, engine::RowBuffer& rows, size_t at) const;
  /// As put_double; text has a float's own digits ("0.1").
  bool put_float(float value, engine::RowBuffer& rows, size_t at) const;
  bool put_boolean(bool value, engine::RowBuffer& rows, size_t at) const;
  /// An enum's.
  bool put_symbol(std::string_view symbol, engine::RowBuffer& rows, size_t at) const;
  bool put_bytes(std::string_view bytes, engine::RowBuffer& rows, size_t at) const;
  bool put_decimal(__int128 unscaled, int scale, engine::RowBuffer& rows, size_t at) const;
  bool put_date(int64_t days, engine::RowBuffer& rows, size_t at) const;
  bool put_time(int64_t micros, engine::RowBuffer& rows, size_t at) const;
  /// An instant, µs since 1970 UTC.
  bool put_instant(int64_t micros, engine::RowBuffer& rows, size_t at) const;
  /// JSON of any kind without spaces, known to be valid.
  bool put_json(std::string_view json, engine::RowBuffer& rows, size_t at) const;

  /// "column 'montant': expected decimal(10,2), found \"abc\"": what was found, at most 60
  /// characters of it.
  std::string complaint(std::string_view found) const;
  std::string missing() const;  // of a required column

 private:
  bool put_micros(int64_t micros, engine::RowBuffer& rows, size_t at) const;
  bool put_varchar(std::string_view text, engine::RowBuffer& rows, size_t at) const;
  bool put_scaled(__int128 unscaled, engine::RowBuffer& rows, size_t at) const;

  DecodedColumn config_;
  sql::TypeKind kind_;
  bool has_parts_;
};

/// At most 60 characters, the rest as "…"; control characters and bytes that are no UTF-8 as "?".
std::string shortened(std::string_view text);

}  // namespace meesh::ingest
