// Where a feed's rows come from. A source gives portions, each a query in Trino SQL and the
// position after it; how they land is the same for all.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "streams/feeds/feed_config.h"

namespace meesh::streams {

struct FeedColumn {
  std::string name;  // lower case
  sql::Type type;    // as SQL over the source shows it
};

struct FeedPortion {
  std::string query;                  // gives `columns` by name
  boost::json::value position;        // true once the portion is committed
  double estimated_rows = -1;         // for progress; -1: not known
  std::shared_ptr<const void> holds;  // what must live until the query has run
};

/// The feed's table as it is, for sources that look at what landed.
struct Landed {
  std::string table;                // quoted; "" = there is none
  std::vector<FeedColumn> columns;  // of the source, in the table's types
};

/// Used by one thread.
class FeedSource {
 public:
  virtual ~FeedSource() = default;
  /// Throws if it cannot be reached.
  virtual std::vector<FeedColumn> columns() = 0;
  /// Where it is, as lineage calls it; "" = its tables are known to SQL.
  virtual std::string address() const { return ""; }
  /// Of streams: what came after `position` (null: everything), or nothing if nothing did. Of
  /// tables: all of it, once.
  virtual std::optional<FeedPortion> next(const boost::json::value& position, const Landed& landed,
                                          const TaskContext& context) = 0;
};

/// Whom statements of feeds run as: nobody else's name has a space.
engine::Session feed_session();
/// Columns of a table as information_schema tells them. Throws TABLE_NOT_FOUND.
std::vector<FeedColumn> columns_of_table(engine::Engine& engine, const sql::TableName& table);
/// "name", "name" of all.
std::string names_of(const std::vector<FeedColumn>& columns);

/// A table of SQL. What is new of a stream is told by its columns _partition and _offset (and
/// _topic, if there is one), else by `cursor`; without these, everything is new each time.
std::unique_ptr<FeedSource> table_source(engine::Engine& engine, const FeedConfig& feed,
                                         const sql::TableName& table);
/// A stream or table of ksqlDB.
std::unique_ptr<FeedSource> ksqldb_source(const KsqldbSettings& settings, const FeedConfig& feed,
                                          std::shared_ptr<engine::BufferTables> buffers);

}  // namespace meesh::streams
