#include <fmt/format.h>

#include <algorithm>

#include "engine/catalogs/mysql_scan.h"

namespace meesh::engine {
namespace {

constexpr int kAttempts = 3;

/// Where the transaction's snapshot stands in the binlog, or where the server stands now; "" = it
/// writes none, or does not tell this user.
std::string place(MysqlConnection& connection) {
  if (connection.is_mariadb()) {
    const auto rows = connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'");
    std::string text;
    for (const auto& row : rows) {
      const std::string& name = row.at(0).value_or("");
      if (name.ends_with("file") || name.ends_with("position"))
        text += row.at(1).value_or("") + " ";
    }
    return text.find_first_not_of("0 ") == std::string::npos ? "" : text;
  }
  for (const char* words : {"SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"}) {
    const auto rows = connection.try_query(words);
    if (rows && !rows->empty())
      return rows->at(0).at(0).value_or("") + " " + rows->at(0).at(1).value_or("");
  }
  return "";
}

void begin(MysqlConnection& connection) {
  connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
}

using Connections = std::vector<std::unique_ptr<MysqlConnection>>;

/// Whether all began at one place. In MariaDB each transaction knows its own; MySQL tells only
/// where the server is, which must not have moved meanwhile.
bool begin_at_one_place(Connections& all) {
  const bool mariadb = all[0]->is_mariadb();
  const std::string before = mariadb ? "" : place(*all[0]);
  for (auto& one : all) begin(*one);
  const std::string first = mariadb ? place(*all[0]) : before;
  if (first.empty()) return false;
  if (!mariadb) return place(*all[0]) == before;
  return std::ranges::all_of(all, [&](auto& one) { return place(*one) == first; });
}

/// While nobody may write the table. Only if the lock is to be had at once.
bool begin_under_lock(const MysqlOptions& options, Connections& all, const std::string& table) {
  if (table.empty() || !all[0]->is_mariadb()) return false;
  MysqlConnection locker(options);
  if (!locker.try_query("LOCK TABLES " + table + " READ NOWAIT")) return false;
  for (auto& one : all) begin(*one);
  return true;  // the lock goes with its connection
}

}  // namespace

Connections mysql_snapshot(const MysqlOptions& options, size_t wanted, const std::string& lock) {
  Connections all;
  all.push_back(std::make_unique<MysqlConnection>(options));
  while (all.size() < wanted) all.push_back(std::make_unique<MysqlConnection>(options));
  bool one_state = all.size() == 1;
  for (int i = 0; i < kAttempts && !one_state; ++i) one_state = begin_at_one_place(all);
  if (!one_state) one_state = begin_under_lock(options, all, lock);
  if (one_state && all.size() > 1) return all;
  all.resize(1);
  begin(*all[0]);
  return all;
}

const MysqlColumn* mysql_range_column(const MysqlTable& table) {
  if (table.key.empty()) return nullptr;
  const auto found = std::ranges::find(table.columns, table.key[0], &MysqlColumn::name);
  if (found == table.columns.end() || found->data_type == "bit") return nullptr;
  // Beyond 63 bits of an unsigned one nothing is cut: see mysql_ranges.
  const bool whole = found->cell == MysqlCell::kInteger ||
                     (found->cell == MysqlCell::kDecimal && found->is_unsigned &&
                      found->type.scale == 0 && found->data_type == "bigint");
  return whole ? &*found : nullptr;
}

std::vector<std::string> mysql_ranges(MysqlConnection& connection, const MysqlTable& table,
                                      size_t parts) {
  const MysqlColumn* key = mysql_range_column(table);
  if (!key || parts < 2) return {""};
  const std::string name = mysql_name(key->real_name);
  const auto rows =
      connection.query(fmt::format("SELECT min({0}), max({0}) FROM {1}.{2}", name,
                                   mysql_name(table.real_schema), mysql_name(table.real_table)));
  const auto least = rows.at(0).at(0) ? parse_mysql_integer(*rows[0][0]) : std::nullopt;
  const auto most = rows.at(0).at(1) ? parse_mysql_integer(*rows[0][1]) : std::nullopt;
  if (!least || !most || *most <= *least) return {""};
  const auto span = static_cast<unsigned __int128>(static_cast<__int128>(*most) - *least);
  std::vector<std::string> ranges;
  __int128 from = *least;
  for (size_t i = 1; i <= parts; ++i) {
    const auto to = static_cast<int64_t>(*least + static_cast<__int128>(span * i / parts));
    if (i < parts && to <= from) continue;
    std::string condition;
    if (!ranges.empty()) condition = fmt::format("{} >= {}", name, static_cast<int64_t>(from));
    if (i < parts)
      condition += fmt::format("{}{} < {}", condition.empty() ? "" : " AND ", name, to);
    ranges.push_back(condition);
    from = to;
  }
  return ranges;
}

}  // namespace meesh::engine
