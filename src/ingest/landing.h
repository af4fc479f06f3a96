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

/// Which rows of a merge are the same, and which of them is newer.
struct Newest {
  std::vector<std::string> key;    // columns
  bool unique = false;             // the query has each key once, and none is NULL
  std::vector<std::string> order;  // columns of the query that grow, the weightiest first
  std::string cursor;  // a row of the table whose value here is greater stays; "" = none stays
};

class Landing {
 public:
  /// `folder`: the table's own, "s3://bronze/orders"; it must lie in one of the lake's places.
  /// `session`: of its statements. `by_date`: partitioned by _run_date.
  Landing(engine::Engine& engine, sql::TableName table, std::string folder,
          engine::Session session = ingest_session(), bool by_date = true);

  bool exists() const { return !columns_.empty(); }
  const sql::TableName& table() const { return table_; }
  const std::string& folder() const { return folder_; }
  bool by_date() const { return by_date_; }
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
  /// MERGE of the query's rows: one row a key.
  std::string merge(const std::string& query, const std::vector<StreamColumn>& columns,
                    const Newest& newest, const std::string& origin, const std::string& run_date,
                    const std::string& moment) const;
  /// The query's rows, each key once.
  static std::string newest_of(const std::string& query, const std::vector<StreamColumn>& columns,
                               const Newest& newest);
  /// DELETE of rows that landed before.
  std::string sweep(const std::string& moment) const;

 private:
  /// What a query called `s` gives for each column of the table that a row has.
  struct Values {
    std::vector<std::string> names, values;
  };
  Values values(const std::vector<StreamColumn>& columns, const std::string& origin,
                const std::string& run_date, const std::string& moment) const;
  void create(const std::vector<StreamColumn>& columns, const TaskContext& context);
  void run(const std::string& sql, const TaskContext& context);
  void read_columns();
  const StreamColumn* find(const std::string& name) const;

  engine::Engine& engine_;
  const sql::TableName table_;
  const std::string folder_;
  const engine::Session session_;
  const bool by_date_;
  std::vector<StreamColumn> columns_;  // all of the table's; none: there is no table
};

}  // namespace meesh::ingest
