#include "engine/duck.h"

#include <filesystem>

namespace meesh::engine {

void Duck::load_extension(const std::string& name) {
  std::lock_guard lock(extension_mutex_);
  if (loaded_.contains(name)) return;
  const auto file = std::filesystem::path(extension_directory) / (name + ".duckdb_extension");
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(Code::kIoError, "DuckDB extension '" + name + "' is not in " + extension_directory)
        .with_hint("run setup/setup.sh, or point the extension folder to where it is");
  }
  run("LOAD " + quote_string(std::filesystem::absolute(file).string()));
  loaded_.insert(name);
}

std::unique_ptr<duckdb::MaterializedQueryResult> Duck::run(const std::string& sql) {
  duckdb::Connection connection(*db);
  auto result = connection.Query(sql);
  if (result->HasError()) throw translate(result->GetErrorObject());
  return std::unique_ptr<duckdb::MaterializedQueryResult>(result.release());
}

}  // namespace meesh::engine
