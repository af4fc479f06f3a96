// What the engine's tests against real PostgreSQL share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/postgres_server_test.h"
#include "engine/catalog.h"
#include "engine/duck.h"

namespace meesh::engine {

struct PostgresServer : meesh::PostgresServer {
  using meesh::PostgresServer::PostgresServer;
  PostgresOptions options(const std::string& catalog) const {
    PostgresOptions options;
    options.name = catalog;
    options.host = "127.0.0.1";
    options.port = port();
    options.database = database();
    options.user = "boss";
    options.password = kTestPassword;
    return options;
  }
};

/// An in-memory DuckDB with the extensions of this checkout.
struct TestDuck : Duck {
  TestDuck() {
    db = std::make_unique<duckdb::DuckDB>(nullptr);
    for (const auto& entry : std::filesystem::directory_iterator(".deps")) {
      if (entry.path().filename().string().starts_with("duckdb-"))
        extension_directory = entry.path() / "extensions";
    }
  }
  /// Every row as "a|b|NULL".
  std::vector<std::string> rows(const std::string& sql) {
    auto result = run(sql);
    std::vector<std::string> found;
    for (auto& row : *result) {
      std::string line;
      for (duckdb::idx_t i = 0; i < result->ColumnCount(); ++i) {
        line += (i ? "|" : "") + row.GetBaseValue(i).ToString();
      }
      found.push_back(line);
    }
    return found;
  }
};

/// The Error that `action` throws.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kGenericInternalError, "no error");
}

}  // namespace meesh::engine
