// Where in a server's binlogs: file, offset, and in MariaDB the GTID that says the same on any
// server of the replication.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/catalogs/mysql_connection.h"
#include "ingest/cdc/change_source.h"

namespace meesh::ingest {

/// A place between transactions.
struct MysqlPlace {
  std::string file;  // "binlog.000003"
  uint64_t offset = 0;
  std::string gtid;    // MariaDB: "0-1-100"; "" = not known
  std::string server;  // whose binlogs these are
  uint64_t epoch = 0;  // grows when another server takes over

  boost::json::value json() const;
  static MysqlPlace read(const boost::json::value& log);
  /// As a position that no change has.
  ChangePosition position() const;
};

/// The position of the `row`th row (from 1) of the event at `offset`; 0: where the event begins.
ChangePosition mysql_position(uint64_t epoch, const std::string& file, uint64_t offset,
                              uint64_t row);
/// "000003" of "binlog.000003" as a number.
uint64_t binlog_number(const std::string& file);

/// The server's own name for itself.
std::string mysql_identity(engine::MysqlConnection& connection);
/// The end of the binlog now. Throws what tells that there is none, or that one may not ask.
MysqlPlace binlog_end(engine::MysqlConnection& connection, const std::string& source);
/// Names and sizes of the binlogs there are, oldest first; nothing if one may not ask.
std::optional<std::map<std::string, uint64_t>> binlog_files(engine::MysqlConnection& connection);
/// MariaDB: the GTID at a place between transactions; "" = not known.
std::string gtid_at(engine::MysqlConnection& connection, const std::string& file, uint64_t offset);
/// The same domains and numbers, in any order.
bool same_gtid(const std::string& a, const std::string& b);

}  // namespace meesh::ingest
