// The table of the lake that a stream's rows land in: made on first use, grown with the source.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/ask.h"
#include "ingest/source.h"
#include "mesh/mesh.h"

namespace meesh::ingest {

/// Columns that every landed row has besides the source's.
inline constexpr const char* kTimestampColumn = "_ingestion_timestamp";
inline constexpr const char* kSourceColumn = "_source";
inline constexpr const char* kDateColumn = "_run_date";

/// Whom statements of ingestion run as. No key or domain can have a name with a space: the rights
/// are those of the SQL port itself.
engine::Session ingest_session();

class Landing {
 public:
  /// `folder`: the table's own, "s3://bronze/orders"; it must lie in one of the lake's places.
  /// `session`: of its statements.
  Landing(engine::Engine& engine, sql::TableName table, std::string folder,
          engine::Session session = ingest_session());

  bool exists() const { return !columns_.empty(); }
  const sql::TableName& table() const { return table_; }
  const std::string& folder() const { return folder_; }
  /// The source's own columns, as they are in the lake.
  std::vector<StreamColumn> columns() const;

  /// Makes the table, or adds and widens columns, so that it takes rows with these columns. What it
  /// changed, a line each. Throws TYPE_MISMATCH for columns that have become something else.
  std::vector<std::string> prepare(const std::vector<StreamColumn>& columns,
                                   const std::string& origin, const TaskContext& context);
  /// INSERT of the query's rows, whose columns are those given to prepare().
  std::string insert(const std::string& query, const std::vector<StreamColumn>& columns,
                     const std::string& origin, const std::string& run_date,
                     const std::string& moment) const;

 private:
  void create(const std::vector<StreamColumn>& columns, const TaskContext& context);
  void run(const std::string& sql, const TaskContext& context);
  void read_columns();
  const StreamColumn* find(const std::string& name) const;

  engine::Engine& engine_;
  const sql::TableName table_;
  const std::string folder_;
  const engine::Session session_;
  std::vector<StreamColumn> columns_;  // all of the table's; none: there is no table
};

}  // namespace meesh::ingest
