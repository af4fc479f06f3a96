// Statements of our own rooms: asked, waited for, and their few rows taken as text.
//
//   const auto answer = ask(engine, "SELECT count(*) FROM " + table, session, context.stop);
//   std::stoll(*answer.rows.at(0).at(0));
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace meesh::engine {

struct Answer {
  std::vector<Column> columns;
  /// As CAST(… AS VARCHAR) writes them; nothing for NULL.
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::optional<uint64_t> update_count;
  QueryInfo info;
};

/// Runs a statement to its end, all rows in memory. Throws the query's Error, and USER_CANCELED
/// when `stop` is requested. `watch` sees the query about ten times a second while it runs. Columns
/// may be of any type that has no parts; for arrays, maps and rows: NOT_SUPPORTED, write
/// json_format.
Answer ask(Engine& engine, std::string sql, Session session, std::stop_token stop = {},
           const std::function<void(const QueryInfo&)>& watch = {});

/// "name", and 'text', as Trino SQL writes them.
std::string quote_name(std::string_view name);
std::string quote_text(std::string_view text);
/// "catalog"."schema"."table"
std::string quote_table(const sql::TableName& table);

}  // namespace meesh::engine
