#include "ingest/sources/mysql_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <set>
#include <sstream>

namespace meesh::ingest {

using engine::mysql_text;
using engine::MysqlConnection;

namespace {

constexpr int kBitsOfRow = 20, kBitsOfNumber = 40;

std::set<std::string> parts(const std::string& gtid) {
  std::set<std::string> all;
  std::istringstream text(gtid);
  for (std::string part; std::getline(text, part, ',');) {
    std::erase_if(part, [](char c) { return c == ' '; });
    if (!part.empty()) all.insert(part);
  }
  return all;
}

std::string text_of(const boost::json::object& log, const char* key) {
  const auto* found = log.if_contains(key);
  return found && found->is_string() ? std::string(found->as_string()) : "";
}

uint64_t number_of(const boost::json::object& log, const char* key) {
  const auto* found = log.if_contains(key);
  return found && found->is_number() ? found->to_number<uint64_t>() : 0;
}

}  // namespace

boost::json::value MysqlPlace::json() const {
  return {{"file", file}, {"offset", offset}, {"gtid", gtid}, {"server", server}, {"epoch", epoch}};
}

MysqlPlace MysqlPlace::read(const boost::json::value& log) {
  if (!log.is_object()) return {};
  const auto& object = log.as_object();
  return {text_of(object, "file"), number_of(object, "offset"), text_of(object, "gtid"),
          text_of(object, "server"), number_of(object, "epoch")};
}

ChangePosition MysqlPlace::position() const { return mysql_position(epoch, file, offset, 0); }

uint64_t binlog_number(const std::string& file) {
  return std::strtoull(file.c_str() + std::min(file.rfind('.') + 1, file.size()), nullptr, 10);
}

ChangePosition mysql_position(uint64_t epoch, const std::string& file, uint64_t offset,
                              uint64_t row) {
  return {epoch << kBitsOfNumber | binlog_number(file), offset << kBitsOfRow | row};
}

std::string mysql_identity(MysqlConnection& connection) {
  for (const char* sql : {"SELECT @@server_uuid", "SELECT @@server_uid"})
    if (const auto rows = connection.try_query(sql)) return rows->at(0).at(0).value_or("");
  const auto rows = connection.query("SELECT @@server_id, @@hostname, @@port");
  return fmt::format("{}@{}:{}", rows[0][0].value_or(""), rows[0][1].value_or(""),
                     rows[0][2].value_or(""));
}

MysqlPlace binlog_end(MysqlConnection& connection, const std::string& source) {
  auto rows = connection.try_query("SHOW MASTER STATUS");
  if (!rows) rows = connection.try_query("SHOW BINARY LOG STATUS");
  if (!rows) {
    throw Error(Code::kJdbcError,
                fmt::format("Source '{}': the user may not see where the binlog is", source))
        .with_hint(connection.is_mariadb()
                       ? "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO the user"
                       : "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the user");
  }
  if (rows->empty()) {
    throw Error(Code::kJdbcError, fmt::format("Source '{}': the server writes no binlog", source))
        .with_hint("log_bin = binlog in the server's configuration, and a restart");
  }
  MysqlPlace place;
  place.file = rows->at(0).at(0).value_or("");
  place.offset = std::strtoull(rows->at(0).at(1).value_or("0").c_str(), nullptr, 10);
  return place;
}

std::optional<std::map<std::string, uint64_t>> binlog_files(MysqlConnection& connection) {
  const auto rows = connection.try_query("SHOW BINARY LOGS");
  if (!rows) return std::nullopt;
  std::map<std::string, uint64_t> files;
  for (const auto& row : *rows)
    files[row.at(0).value_or("")] = std::strtoull(row.at(1).value_or("0").c_str(), nullptr, 10);
  return files;
}

std::string gtid_at(MysqlConnection& connection, const std::string& file, uint64_t offset) {
  if (!connection.is_mariadb()) return "";
  const auto rows =
      connection.try_query(fmt::format("SELECT BINLOG_GTID_POS({}, {})", mysql_text(file), offset));
  return rows && !rows->empty() ? rows->at(0).at(0).value_or("") : "";
}

bool same_gtid(const std::string& a, const std::string& b) { return parts(a) == parts(b); }

}  // namespace meesh::ingest
