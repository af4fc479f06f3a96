// Any text as a value of PostgreSQL's, or as a row of its COPY: read or refused; an array that is
// read is JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "base/text.h"
#include "ingest/cdc/postgres_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::ingest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)read_postgres_date(text);
  (void)read_postgres_time(text);
  (void)read_postgres_timestamp(text);
  (void)read_postgres_decimal(text, 38, 10);
  (void)read_postgres_decimal(text, 5, 2);
  (void)read_postgres_uuid(text);
  (void)read_postgres_bytes(text);
  for (const char* name : {"boolean", "bigint", "double", "varchar"}) {
    const auto json = read_postgres_array(text, meesh::sql::Type::parse(name), 2);
    // Texts come in UTF-8; JSON has no other.
    if (!json || !meesh::base::valid_utf8(text)) continue;
    boost::system::error_code problem;
    if (!boost::json::parse(*json, problem).is_array() || problem) std::abort();
  }
  std::vector<pgoutput::Cell> cells;
  std::string unescaped;
  split_copy_row(text, cells, unescaped);
  if (cells.empty()) std::abort();
  return 0;
}
