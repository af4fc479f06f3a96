#include "ingest/sources/mysql_events.h"

#include <fmt/format.h>
#include <zlib.h>

#include "base/error.h"
#include "base/text.h"

namespace meesh::ingest::binlog {
namespace {

constexpr uint8_t kColumnNames = 4;  // among what a table's description may have beside
constexpr uint8_t kStandalone = 1;
constexpr uint64_t kMostColumns = 65535;

/// Takes an event's fields off its front.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_(bytes) {}

  std::string_view bytes(uint64_t count) {
    if (count > left_.size())
      throw Error(Code::kGenericExternal, "the binlog has an event that ends too early");
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  uint64_t number(size_t size) {
    uint64_t value = 0;
    const auto taken = bytes(size);
    for (size_t i = size; i > 0; --i) value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
    return value;
  }
  /// One that says how long it is.
  uint64_t packed() {
    const uint64_t first = number(1);
    if (first < 251) return first;
    if (first == 252) return number(2);
    if (first == 253) return number(3);
    return number(8);
  }
  /// A name with its length before and a zero behind.
  std::string_view name() {
    const auto taken = bytes(number(1));
    bytes(1);
    return taken;
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

EventType type_of(uint8_t number) {
  switch (number) {
    case 2:
      return EventType::kQuery;
    case 4:
      return EventType::kRotate;
    case 16:
      return EventType::kXid;
    case 19:
      return EventType::kTableMap;
    case 23:
    case 24:
    case 25:
    case 30:
    case 31:
    case 32:
      return EventType::kRows;
    case 27:
      return EventType::kHeartbeat;
    case 33:
      return EventType::kGtidOfMysql;
    case 34:
      return EventType::kAnonymousGtid;
    case 162:
      return EventType::kGtid;
    case 39:   // parts of JSON values
    case 40:   // compressed transactions
    case 165:  // compressed events
    case 166:
    case 167:
    case 168:
    case 169:
    case 170:
    case 171:
      throw Error(Code::kGenericExternal,
                  fmt::format("the binlog has an event of the type {}, which is compressed or "
                              "partial and cannot be read",
                              number))
          .with_hint(
              "log_bin_compress = OFF, binlog_transaction_compression = OFF, "
              "binlog_row_value_options = '' on the server");
    default:
      return EventType::kOther;
  }
}

/// Most events end with a checksum, if the server makes them; some it makes for us do not.
std::string_view without_checksum(std::string_view bytes) {
  constexpr size_t kSize = 4;
  if (bytes.size() <= kSize) return bytes;
  const auto data = bytes.substr(0, bytes.size() - kSize);
  Fields end(bytes.substr(data.size()));
  const auto sum = crc32_z(0, reinterpret_cast<const unsigned char*>(data.data()), data.size());
  return sum == end.number(kSize) ? data : bytes;
}

}  // namespace

Event read_event(std::string_view bytes) {
  bytes = without_checksum(bytes);
  Fields fields(bytes);
  Event event;
  event.timestamp = static_cast<uint32_t>(fields.number(4));
  event.number = static_cast<uint8_t>(fields.number(1));
  event.server = static_cast<uint32_t>(fields.number(4));
  event.length = static_cast<uint32_t>(fields.number(4));
  event.next = static_cast<uint32_t>(fields.number(4));
  fields.number(2);
  event.type = type_of(event.number);
  event.body = fields.rest();
  return event;
}

Rotate read_rotate(const Event& event) {
  Fields fields(event.body);
  Rotate rotate;
  rotate.offset = fields.number(8);
  rotate.file = fields.rest();
  return rotate;
}

Gtid read_gtid(const Event& event) {
  Fields fields(event.body);
  const uint64_t sequence = fields.number(8), domain = fields.number(4), flags = fields.number(1);
  return {fmt::format("{}-{}-{}", domain, event.server, sequence), std::to_string(domain),
          (flags & kStandalone) != 0};
}

std::string read_mysql_gtid(const Event& event) {
  if (event.type == EventType::kAnonymousGtid) return "";
  Fields fields(event.body);
  fields.number(1);
  const std::string uuid = base::to_hex(fields.bytes(16));
  return fmt::format("{}-{}-{}-{}-{}:{}", uuid.substr(0, 8), uuid.substr(8, 4), uuid.substr(12, 4),
                     uuid.substr(16, 4), uuid.substr(20), fields.number(8));
}

Query read_query(const Event& event) {
  Fields fields(event.body);
  fields.bytes(8);  // thread and seconds
  const uint64_t database = fields.number(1);
  fields.bytes(2);  // error
  fields.bytes(fields.number(2));
  Query query;
  query.database = fields.bytes(database);
  fields.bytes(1);
  query.statement = fields.rest();
  return query;
}

TableDescription read_table_description(const Event& event) {
  Fields fields(event.body);
  TableDescription table;
  table.id = fields.number(6);
  fields.number(2);
  table.database = fields.name();
  table.table = fields.name();
  const uint64_t columns = fields.packed();
  if (columns > kMostColumns)
    throw Error(Code::kGenericExternal, "the binlog has a table of impossible width");
  table.types = fields.bytes(columns);
  table.metadata = fields.bytes(fields.packed());
  fields.bytes((columns + 7) / 8);
  while (!fields.rest().empty()) {
    const uint64_t kind = fields.number(1);
    const auto value = fields.bytes(fields.packed());
    if (kind == kColumnNames) table.names = value;
  }
  return table;
}

Rows read_rows(const Event& event) {
  Fields fields(event.body);
  Rows rows;
  rows.table = fields.number(6);
  fields.number(2);
  const bool second = event.number >= 30;
  if (second) {
    const uint64_t extra = fields.number(2);
    if (extra > 2) fields.bytes(extra - 2);
  }
  const int kind = event.number - (second ? 30 : 23);
  rows.kind = kind == 0 ? RowsKind::kInsert : kind == 1 ? RowsKind::kUpdate : RowsKind::kDelete;
  rows.columns = fields.packed();
  if (rows.columns > kMostColumns)
    throw Error(Code::kGenericExternal, "the binlog has rows of impossible width");
  const uint64_t bits = (rows.columns + 7) / 8;
  rows.present = reinterpret_cast<const unsigned char*>(fields.bytes(bits).data());
  if (rows.kind == RowsKind::kUpdate)
    rows.present_after = reinterpret_cast<const unsigned char*>(fields.bytes(bits).data());
  rows.data = fields.rest();
  return rows;
}

}  // namespace meesh::ingest::binlog
