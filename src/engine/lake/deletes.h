// Rows of data files that delete files took away.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/common/multi_file/multi_file_data.hpp"
#include "lake/scan.h"

namespace meesh::engine {

/// Rising positions of deleted rows.
using DeletedRows = std::shared_ptr<const std::vector<int64_t>>;

/// The delete files of one plan; each position delete file is read once. Thread-safe.
class DeleteFiles {
 public:
  /// Positions of the deleted rows of `plan.files[file]`; null: none. Reads with DuckDB on a
  /// connection of its own. Throws DuckDB's exceptions.
  DeletedRows deleted_rows(duckdb::ClientContext& context, const lake::TableMetadata& table,
                           const lake::ScanPlan& plan, size_t file);

 private:
  /// What one position delete file says, by data file.
  using Positions = std::unordered_map<std::string, std::vector<int64_t>>;
  struct Loaded {
    std::once_flag once;
    Positions positions;
  };
  const Positions& positions(duckdb::ClientContext& context, const std::string& path);

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Loaded>> loaded_;  // the map guarded by mutex_
};

/// What DuckDB's reader asks for each batch of rows.
duckdb::unique_ptr<duckdb::DeleteFilter> make_delete_filter(DeletedRows rows);

}  // namespace meesh::engine
