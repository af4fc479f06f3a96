// The events of a binlog, taken apart as far as a follower of rows needs them. Checksums
// are left out. All views are into the event's bytes; what makes no sense throws GENERIC_EXTERNAL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meesh::ingest::binlog {

enum class EventType {
  kOther,
  kRotate,
  kHeartbeat,
  kGtid,         // MariaDB's
  kGtidOfMysql,  // its transaction has a GTID
  kAnonymousGtid,
  kQuery,
  kXid,
  kTableMap,
  kRows,
};

struct Event {
  EventType type = EventType::kOther;
  uint8_t number = 0;      // the type as the binlog has it
  uint32_t timestamp = 0;  // seconds since 1970
  uint32_t server = 0;
  uint32_t length = 0;
  uint32_t next = 0;  // offset of the event after it; 0 of those that are in no file
  std::string_view body;
};
Event read_event(std::string_view bytes);

struct Rotate {
  std::string file;
  uint64_t offset = 0;
};
Rotate read_rotate(const Event& event);

struct Gtid {
  std::string name, domain;  // "0-1-100", "0"
  bool standalone = false;   // one statement follows, and no commit
};
Gtid read_gtid(const Event& event);
/// "uuid:100"; "" of an anonymous one.
std::string read_mysql_gtid(const Event& event);

struct Query {
  std::string_view database, statement;
};
Query read_query(const Event& event);

struct TableDescription {
  uint64_t id = 0;
  std::string_view database, table, types, metadata, names;
};
TableDescription read_table_description(const Event& event);

enum class RowsKind { kInsert, kUpdate, kDelete };
struct Rows {
  uint64_t table = 0;
  RowsKind kind{};
  uint64_t columns = 0;
  const unsigned char* present = nullptr;        // bits, of the only or the old image
  const unsigned char* present_after = nullptr;  // of an update's new one
  std::string_view data;
};
Rows read_rows(const Event& event);

}  // namespace meesh::ingest::binlog
