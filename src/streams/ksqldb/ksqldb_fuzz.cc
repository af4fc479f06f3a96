// Answers to queries, types and values of ksqlDB of any bytes. The first byte says what they are.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "streams/ksqldb/exact_json.h"
#include "streams/ksqldb/ksqldb_cells.h"
#include "streams/ksqldb/ksqldb_types.h"
#include "streams/ksqldb/query_answer.h"

namespace {

using namespace meesh::streams;  // NOLINT(build/namespaces)

/// The rows of an answer that comes in pieces of `piece` bytes, and how it ended.
std::string rows_of(QueryAnswer::Shape shape, std::string_view text, size_t piece) {
  std::string rows;
  QueryAnswer answer(
      shape, [&](const auto& columns) { rows += std::to_string(columns.size()) + "\n"; },
      [&](const KsqldbRow& row) {
        write_json(row, rows);
        rows += '\n';
        return true;
      });
  try {
    for (size_t at = 0; at < text.size(); at += piece) answer.add(text.substr(at, piece));
    answer.end();
  } catch (const meesh::Error& error) {
    rows += error.what();
  }
  return rows;
}

void read_values(std::string_view text) {
  if (const auto days = date_of_ksqldb(text); days && text.size() != 10) std::abort();
  time_of_ksqldb(text);
  timestamp_of_ksqldb(text);
  for (const int scale : {0, 2, 38}) decimal_of_ksqldb(text, scale);
  // What was written exactly is read as the same.
  std::string once, twice;
  write_json(parse_exact_json(text, "it"), once);
  write_json(parse_exact_json(once, "it"), twice);
  if (once != twice) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 < 2) {
    const auto shape =
        data[0] % 4 == 0 ? QueryAnswer::Shape::kDelimited : QueryAnswer::Shape::kArray;
    if (rows_of(shape, text, text.size() + 1) != rows_of(shape, text, 1 + data[0] / 4))
      std::abort();
    return 0;
  }
  try {
    if (data[0] % 4 == 2) {
      columns_of_ksqldb(text);
      type_of_ksqldb(std::string(text));
    } else {
      read_values(text);
    }
  } catch (const meesh::Error&) {
    return 0;
  }
  return 0;
}
