#include "ingest/sources/mysql_snapshot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>

#include "base/clock.h"
#include "base/text.h"
#include "ingest/sources/mysql_rows.h"

namespace meesh::ingest {

using engine::mysql_name;
using engine::mysql_text;
using engine::MysqlCell;
using engine::MysqlConnection;

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Begins a transaction that sees the server as it was at the place that it gives.
MysqlPlace begin_at_place(MysqlConnection& connection, const std::string& source) {
  constexpr const char* kBegin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
  connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  if (connection.is_mariadb()) {
    connection.query(kBegin);
    MysqlPlace place;
    for (const auto& row : connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'")) {
      const auto name = lower(row.at(0).value_or("")), value = row.at(1).value_or("");
      if (name == "binlog_snapshot_file") place.file = value;
      if (name == "binlog_snapshot_position")
        place.offset = std::strtoull(value.c_str(), nullptr, 10);
    }
    if (place.file.empty()) return binlog_end(connection, source);  // throws why
    place.gtid = gtid_at(connection, place.file, place.offset);
    return place;
  }
  // MySQL does not tell a snapshot's place: nobody writes for the blink that it takes.
  if (!connection.try_query("FLUSH TABLES WITH READ LOCK")) {
    throw Error(Code::kJdbcError,
                fmt::format("Source '{}': a snapshot's place in the binlog is known only under a "
                            "lock of all tables, which the user may not take",
                            source))
        .with_hint("GRANT RELOAD ON *.* TO the user; the lock is held for a blink");
  }
  connection.query(kBegin);
  auto place = binlog_end(connection, source);
  connection.query("UNLOCK TABLES");
  return place;
}

class MysqlSnapshot : public SnapshotReader {
 public:
  MysqlSnapshot(const MysqlChangesOptions& options, const TableConfig& config,
                const MysqlPlace& server, boost::json::value resume)
      : options_(options), connection_(options.server), resume_(std::move(resume)) {
    place_ = begin_at_place(connection_, options.source);
    place_.server = server.server;
    place_.epoch = server.epoch;
    taken_ = base::now_ms() * 1000;
    engine::MysqlMetadata metadata(options.server);
    auto table = metadata.table(lower(options.database), config.name);
    if (!table) {
      throw Error(Code::kTableNotFound,
                  fmt::format("Source '{}' has no table '{}' in the database '{}'", options.source,
                              config.name, options.database));
    }
    table_ = std::move(*table);
    shape_ = mysql_shape(options.source, table_, config);
    ordered_ = resume_.is_object() || (shape_.own_key && table_.rows >= options.ordered_from);
    begin();
  }

  StreamPosition position() const override { return {place_.position(), place_.json()}; }
  double estimated_rows() const override { return table_.rows; }

  std::optional<SnapshotPortion> next(const BatchLimits& limits, std::stop_token stop) override {
    if (done_) return std::nullopt;
    MysqlRows rows(*options_.buffers, shape_);
    const MysqlRows::Change change{place_.position(), "", taken_};
    uint64_t bytes = 0;
    while (!done_ && rows.rows() < limits.changes && bytes < limits.bytes) {
      unsigned long* lengths = nullptr;
      char** cells = connection_.next(lengths);
      if (!cells) {
        done_ = true;
        break;
      }
      rows.add_read(change, cells, lengths);
      for (size_t i = 0; i < shape_.columns.size(); ++i) bytes += lengths[i] + 8;
      if (ordered_ && (rows.rows() == limits.changes || bytes >= limits.bytes))
        remember_key(cells, lengths);
      if (rows.rows() % 1024 == 0 && stop.stop_requested())
        throw Error(Code::kUserCanceled, "The task was canceled");
    }
    SnapshotPortion portion;
    portion.rows = rows.finish();
    portion.resume = resume_;
    portion.last = done_;
    return portion;
  }

 private:
  void begin() {
    std::vector<std::string> columns, key;
    for (const auto& column : shape_.columns) columns.push_back(mysql_expression(column));
    for (const size_t own : shape_.shape->key)
      key.push_back(mysql_name(shape_.columns[own].real_name));
    std::string sql = fmt::format("SELECT {} FROM {}.{}", fmt::join(columns, ", "),
                                  mysql_name(table_.real_schema), mysql_name(table_.real_table));
    if (resume_.is_object()) sql += " WHERE " + beyond(key);
    if (ordered_) sql += fmt::format(" ORDER BY {}", fmt::join(key, ", "));
    connection_.stream(sql);
  }

  /// Rows after the key, said so that the index is used: (a > x) OR (a = x AND b > y).
  std::string beyond(const std::vector<std::string>& key) const {
    const auto& values = resume_.as_object().at("after").as_array();
    std::vector<std::string> parts;
    std::string equal;
    for (size_t i = 0; i < key.size() && i < values.size(); ++i) {
      const auto value = "0x" + std::string(values[i].as_string());
      const auto& column = shape_.columns[shape_.shape->key[i]];
      const bool bytes = column.cell == MysqlCell::kBytes;
      const auto text = base::from_hex(std::string(values[i].as_string())).value_or("");
      const auto literal = bytes ? (text.empty() ? "''" : value) : mysql_text(text);
      parts.push_back(fmt::format("({}{} > {})", equal, key[i], literal));
      equal += fmt::format("{} = {} AND ", key[i], literal);
    }
    return "(" + fmt::format("{}", fmt::join(parts, " OR ")) + ")";
  }

  void remember_key(char** cells, const unsigned long* lengths) {
    boost::json::array after;
    for (const size_t own : shape_.shape->key)
      after.emplace_back(base::to_hex({cells[own], lengths[own]}));
    resume_ = {{"after", std::move(after)}};
  }

  const MysqlChangesOptions options_;
  MysqlConnection connection_;
  MysqlPlace place_;
  boost::json::value resume_;
  engine::MysqlTable table_;
  MysqlShape shape_;
  bool ordered_ = false, done_ = false;
  int64_t taken_ = 0;  // µs since 1970
};

}  // namespace

std::unique_ptr<SnapshotReader> read_mysql_snapshot(const MysqlChangesOptions& options,
                                                    const TableConfig& table,
                                                    const MysqlPlace& server,
                                                    const boost::json::value& resume) {
  return std::make_unique<MysqlSnapshot>(options, table, server, resume);
}

}  // namespace meesh::ingest
