// MySQL's column types as Trino's, and cells of them as the engine keeps them.
//
//   tinyint … bigint, date, double      the same; float is real, year smallint
//   unsigned ones                       the next wider: smallint, integer, bigint; bigint unsigned
//                                       is decimal(20)
//   decimal(p,s)                        the same; of more than 38 digits varchar
//   bit(1)                              boolean; bit(n) bigint, bit(64) decimal(20)
//   varchar(n)                          the same; char(n) too, as MySQL takes the padding off;
//                                       tinytext … longtext varchar(255), …, varchar
//   binary, varbinary, blobs            varbinary; spatial types too, as well-known binary
//   datetime(p)                         timestamp(p)
//   timestamp(p)                        timestamp(p) with time zone
//   time(p)                             time(p); what is no time of a day is NULL
//   json                                json; also MariaDB's, which is a longtext with a check
//   uuid                                uuid
//   enum, set, inet4, inet6             varchar
//
// Dates with a zero for year, month or day are NULL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.h"
#include "sql/type.h"

namespace meesh::engine {

/// How a cell's text is read.
enum class MysqlCell {
  kInteger,
  kBoolean,
  kDecimal,
  kFloat,  // real and double
  kDate,
  kTime,
  kDatetime,  // timestamp and datetime
  kText,
  kBytes,
  kGeometry,  // four bytes of reference system, then well-known binary
  kUuid,
};

struct MysqlColumn {
  std::string name, real_name;  // lower case, and as the server spells it
  std::string data_type;        // "varchar", lower case
  std::string shown;            // "enum('a','b')", "int(10) unsigned"
  std::string charset;          // of text; "" = bytes
  sql::Type type;
  MysqlCell cell = MysqlCell::kText;
  bool is_unsigned = false;
  bool nullable = true;
  std::vector<std::string> labels;  // of enum and set
  size_t ordinal = 0;               // in the table, from 0
  std::string comment, default_value;
};

/// Sets type, cell, is_unsigned and labels by data_type and shown and by what
/// information_schema.columns says else; -1: NULL there. `json`: the column is checked to be JSON.
/// False: a type that cannot be read.
struct MysqlTypeFacts {
  int64_t length = -1, precision = -1, scale = -1, fraction = -1;
  bool json = false;
};
bool set_mysql_type(MysqlColumn& column, const MysqlTypeFacts& facts);

/// What a SELECT asks for so that the cell's text says all there is.
std::string mysql_expression(const MysqlColumn& column);

/// What a table of such a column is made with; throws NOT_SUPPORTED.
std::string mysql_type_name(const sql::Type& type);

// Of text as the server writes it; nothing for what is no such value.
std::optional<int64_t> parse_mysql_integer(std::string_view text);
std::optional<Int128> parse_mysql_decimal(std::string_view text, int scale);
std::optional<int64_t> parse_mysql_date(std::string_view text);      // days since 1970
std::optional<int64_t> parse_mysql_time(std::string_view text);      // µs of the day
std::optional<int64_t> parse_mysql_datetime(std::string_view text);  // µs since 1970
std::optional<Int128> parse_mysql_uuid(std::string_view text);
double parse_mysql_number(std::string_view text);

/// The days since 1970 of a date that is in the calendar, else nothing.
std::optional<int64_t> mysql_days(int64_t year, unsigned month, unsigned day);

/// Sets a cell of a RowBuffer, or of whatever has its calls. False: the text makes no sense, and
/// the cell is left NULL.
template <class Sink>
bool put_mysql_text(Sink& sink, size_t at, const MysqlColumn& column, std::string_view text) {
  switch (column.cell) {
    case MysqlCell::kInteger: {
      const auto value = parse_mysql_integer(text);
      return value && sink.integer(at, *value);
    }
    case MysqlCell::kBoolean:
      sink.boolean(at, text != "0");
      return true;
    case MysqlCell::kDecimal: {
      const auto value = parse_mysql_decimal(text, column.type.scale);
      return value && sink.decimal(at, *value);
    }
    case MysqlCell::kFloat:
      sink.number(at, parse_mysql_number(text));
      return true;
    case MysqlCell::kDate: {
      const auto value = parse_mysql_date(text);
      return !value || sink.integer(at, *value);
    }
    case MysqlCell::kTime: {
      const auto value = parse_mysql_time(text);
      return !value || sink.integer(at, *value);
    }
    case MysqlCell::kDatetime: {
      const auto value = parse_mysql_datetime(text);
      return !value || sink.integer(at, *value);
    }
    case MysqlCell::kGeometry:
      if (text.size() < 4) return false;
      sink.text(at, text.substr(4));
      return true;
    case MysqlCell::kUuid: {
      const auto value = parse_mysql_uuid(text);
      return value && sink.decimal(at, *value);
    }
    default:
      sink.text(at, text);
      return true;
  }
}

}  // namespace meesh::engine
