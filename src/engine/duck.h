// The one DuckDB instance and what hangs on it. Only engine sources include this.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "duckdb.hpp"
#include "engine/batch.h"

namespace meesh::engine {

/// Cells of a virtual table: NULL, or the value in DuckDB's own Value.
using VirtualRow = std::vector<duckdb::Value>;
/// What a statement asks of a virtual table; filters are hints, the engine filters again.
struct VirtualRequest {
  std::string user;
  std::string catalog, schema, table;                      // which virtual table
  std::optional<std::string> schema_equals, table_equals;  // pushed-down equality hints
};

struct Duck {
  std::unique_ptr<duckdb::DuckDB> db;
  std::string extension_directory;

  /// LOADs an extension by absolute path once; thread-safe; throws EXTERNAL/IO errors.
  void load_extension(const std::string& name);
  /// Runs SQL on a connection of its own; throws translated Errors.
  std::unique_ptr<duckdb::MaterializedQueryResult> run(const std::string& sql);

 private:
  std::mutex extension_mutex_;
  std::set<std::string> loaded_;
};

/// Quotes an identifier / a string for DuckDB.
std::string quote_ident(std::string_view name);
std::string quote_string(std::string_view text);

/// DuckDB's error as ours: code by type and subtype, position translated by the caller. Never
/// leaks DuckDB's "Candidate functions" lists.
Error translate(const duckdb::ErrorData& error);

/// Registers every trino_… function, type alias and macro. Called once when the instance opens.
void register_functions(duckdb::DatabaseInstance& instance);

}  // namespace meesh::engine
