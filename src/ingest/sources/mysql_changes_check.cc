#include "ingest/sources/mysql_changes_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "ingest/sources/mysql_place.h"

namespace meesh::ingest {

using engine::mysql_text;
using engine::MysqlConnection;

namespace {

constexpr double kShortestExpiry = 86400;  // seconds

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// A server's variable; "" if it has none of the name.
std::string variable(MysqlConnection& connection, const std::string& name) {
  const auto rows = connection.try_query("SELECT @@GLOBAL." + name);
  return rows && !rows->empty() ? rows->at(0).at(0).value_or("") : "";
}

void need(MysqlConnection& connection, const std::string& source, const std::string& name,
          const std::vector<std::string>& wanted) {
  const auto is = variable(connection, name);
  if (is.empty() || std::ranges::count(wanted, is) > 0) return;
  throw Error(Code::kJdbcError, fmt::format("Source '{}': changes cannot be followed while the "
                                            "server has {} = {}",
                                            source, name, is))
      .with_hint(fmt::format("SET GLOBAL {0} = {1}, and {0} = {1} in its configuration; sessions "
                             "that are open keep the old value",
                             name, wanted[0]));
}

void need_right(MysqlConnection& connection, const std::string& source) {
  std::string all;
  for (const auto& row : connection.query("SHOW GRANTS")) all += row.at(0).value_or("") + "\n";
  const bool may = all.find("REPLICATION SLAVE") != std::string::npos ||
                   all.find("REPLICATION REPLICA") != std::string::npos ||
                   all.find("ALL PRIVILEGES ON *.*") != std::string::npos ||
                   all.find("GRANT `") != std::string::npos;  // by way of a role
  if (may) return;
  throw Error(Code::kJdbcError,
              fmt::format("Source '{}': the user may not read the binlog", source))
      .with_hint(connection.is_mariadb()
                     ? "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO the user"
                     : "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the user");
}

void check_table(const MysqlChangesOptions& options, MysqlConnection& connection,
                 const engine::MysqlTable& table, std::vector<std::string>& notes) {
  const std::string name = fmt::format("{}.{}.{}", options.source, table.schema, table.table);
  if (table.is_view) {
    throw Error(Code::kNotSupported,
                fmt::format("{} is a view: it has no changes of its own", name))
        .with_hint("mode: full_refresh takes it");
  }
  if (table.key.empty())
    notes.push_back(name + " has no primary key: only a history of it can be kept");
  const auto rows = connection.query(
      fmt::format("SELECT engine FROM information_schema.tables WHERE table_schema = {} AND "
                  "table_name = {}",
                  mysql_text(table.real_schema), mysql_text(table.real_table)));
  const auto engine = rows.empty() ? "" : rows[0].at(0).value_or("");
  if (engine != "InnoDB" && engine != "ROCKSDB") {
    notes.push_back(
        fmt::format("{} is kept by {}, which has no snapshots: what changes while it "
                    "is read first may be met twice",
                    name, engine));
  }
}

double expiry(MysqlConnection& connection) {
  const auto seconds = variable(connection, "binlog_expire_logs_seconds");
  if (!seconds.empty() && seconds != "0") return std::atof(seconds.c_str());
  return std::atof(variable(connection, "expire_logs_days").c_str()) * 86400;
}

}  // namespace

std::vector<std::string> check_mysql_changes(const MysqlChangesOptions& options,
                                             const std::vector<TableConfig>& tables) {
  MysqlConnection connection(options.server);
  const std::string& source = options.source;
  if (variable(connection, "log_bin") == "0") {
    throw Error(Code::kJdbcError, fmt::format("Source '{}': the server writes no binlog", source))
        .with_hint("log_bin = binlog and server_id = 1 in its configuration, and a restart");
  }
  need(connection, source, "binlog_format", {"ROW"});
  need(connection, source, "binlog_row_image", {"FULL"});
  need(connection, source, "binlog_row_value_options", {""});
  need(connection, source, "binlog_transaction_compression", {"0"});
  need(connection, source, "log_bin_compress", {"0"});
  need_right(connection, source);
  (void)binlog_end(connection, source);
  std::vector<std::string> notes;
  if (variable(connection, "server_id") == std::to_string(options.server_id)) {
    throw Error(Code::kJdbcError, fmt::format("Source '{}': the server itself has the server_id {}",
                                              source, options.server_id))
        .with_hint("give the source another: server_id: 4711");
  }
  if (lower(variable(connection, "binlog_row_metadata")) != "full") {
    notes.push_back(
        "the binlog does not name columns: a column that is dropped or put in the middle while "
        "nobody follows makes its table begin anew; SET GLOBAL binlog_row_metadata = FULL avoids "
        "that");
  }
  engine::MysqlMetadata metadata(options.server);
  for (const auto& config : tables) {
    const auto table = metadata.table(lower(options.database), config.name);
    if (!table) {
      throw Error(Code::kTableNotFound,
                  fmt::format("Source '{}' has no table '{}' in the database '{}'", source,
                              config.name, options.database),
                  {config.line, config.column, ""});
    }
    check_table(options, connection, *table, notes);
  }
  for (auto& warning : binlog_warnings(connection, source, "")) notes.push_back(std::move(warning));
  return notes;
}

std::vector<std::string> binlog_warnings(MysqlConnection& connection, const std::string& source,
                                         const std::string& file) {
  std::vector<std::string> warnings;
  const double kept = expiry(connection);
  if (kept > 0 && kept < kShortestExpiry) {
    warnings.push_back(fmt::format(
        "the server keeps its binlogs for {:.0f} seconds: a pause that is longer makes '{}' begin "
        "anew; binlog_expire_logs_seconds = 604800 keeps them for a week",
        kept, source));
  }
  const auto files = binlog_files(connection);
  if (!file.empty() && files && files->size() > 1 && files->begin()->first == file) {
    warnings.push_back(
        fmt::format("'{}' still needs {}, the oldest of the server's {} binlogs: "
                    "the next one to go",
                    source, file, files->size()));
  }
  return warnings;
}

}  // namespace meesh::ingest
