// Any bytes as a table's description and rows of a binlog, and as MySQL's JSON: read or refused;
// what is read lies within them, and JSON is JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "base/error.h"
#include "engine/catalogs/mysql_types.h"
#include "ingest/sources/mysql_binlog.h"
#include "ingest/sources/mysql_events.h"
#include "ingest/sources/mysql_json.h"

namespace {

void within(std::string_view all, std::string_view part) {
  if (part.empty()) return;
  if (part.data() < all.data() || part.data() + part.size() > all.data() + all.size()) std::abort();
}

void read_values(std::string_view text) {
  using namespace meesh::engine;
  (void)parse_mysql_integer(text);
  (void)parse_mysql_date(text);
  (void)parse_mysql_time(text);
  (void)parse_mysql_datetime(text);
  (void)parse_mysql_uuid(text);
  (void)parse_mysql_decimal(text, 10);
  (void)parse_mysql_decimal(text, 0);
}

void take_rows(std::string_view bytes) {
  using namespace meesh::ingest::binlog;
  if (bytes.size() < 4) return;
  const size_t columns = std::min<size_t>(static_cast<uint8_t>(bytes[0]), bytes.size() - 1);
  const auto types = bytes.substr(1, columns);
  const auto rest = bytes.substr(1 + columns);
  const std::string present(columns / 8 + 1, '\xff');
  try {
    const auto map = read_table_map("d", "t", types, rest, "");
    std::string_view data = rest;
    std::vector<Cell> cells;
    for (int row = 0; row < 100 && !data.empty(); ++row) {
      const size_t before = data.size();
      read_row(map, reinterpret_cast<const unsigned char*>(present.data()), data, cells);
      for (const auto& cell : cells) within(rest, cell.bytes);
      if (data.size() == before) break;
    }
  } catch (const meesh::Error& error) {
    if (error.message().empty()) std::abort();
  }
}

void read_events(std::string_view bytes) {
  using namespace meesh::ingest::binlog;
  try {
    const auto event = read_event(bytes);
    if (event.type == EventType::kRotate) (void)read_rotate(event);
    if (event.type == EventType::kGtid) (void)read_gtid(event);
    if (event.type == EventType::kGtidOfMysql) (void)read_mysql_gtid(event);
    if (event.type == EventType::kQuery) within(bytes, read_query(event).statement);
    if (event.type == EventType::kTableMap) within(bytes, read_table_description(event).names);
    if (event.type == EventType::kRows) within(bytes, read_rows(event).data);
  } catch (const meesh::Error& error) {
    if (error.message().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::ingest::binlog;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_values(bytes);
  take_rows(bytes);
  read_events(bytes);
  if (const auto json = mysql_json_text(bytes)) {
    boost::system::error_code problem;
    boost::json::parse_options options;
    options.max_depth = 200;
    (void)boost::json::parse(*json, problem, {}, options);
    if (problem) std::abort();
  }
  static TextReader texts;
  std::string text;
  for (const char* charset : {"utf8mb4", "latin1", "ucs2", "sjis", "gb18030"})
    (void)texts.read(charset, bytes, text);
  return 0;
}
