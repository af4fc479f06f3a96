// Rows of a MySQL table as DuckDB reads them: a table function that takes them from the server's
// connections as they come, so that nothing is kept. Large tables with a whole number as key are
// read in ranges of it, over several connections that see the same state.
//
// What a statement asks of the rows goes along to the server where it can only leave out rows that
// DuckDB would leave out too; DuckDB looks again, as MySQL's idea of equal text is a wider one.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/catalogs/mysql_metadata.h"

namespace meesh::engine {

struct Duck;

/// What the table function reads of one server. Shared by its catalog and its running scans.
class MysqlTables {
 public:
  explicit MysqlTables(MysqlOptions options);
  ~MysqlTables();

  MysqlMetadata& metadata() { return metadata_; }
  const MysqlOptions& options() const { return options_; }
  /// What FROM says; `table` is kept for it.
  std::string source(const std::shared_ptr<const MysqlTable>& table);
  std::shared_ptr<const MysqlTable> find(const std::string& schema, const std::string& table);

  /// Connections that rows come from; whoever reads tells when it begins and ends.
  void begin(MysqlConnection& connection);
  void end(MysqlConnection& connection);
  /// Ends what the server is doing for them.
  void interrupt_all();

  static void register_function(Duck& duck);

 private:
  const MysqlOptions options_;
  const int64_t number_;
  MysqlMetadata metadata_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const MysqlTable>>
      known_;                           // guarded by mutex_
  std::set<MysqlConnection*> reading_;  // guarded by mutex_
};

/// Connections that are in transactions which see the same state of the server, as many as could be
/// had of `wanted`, at least one. `lock`: a table, quoted, that may be locked for the moment it
/// takes; "" = none.
std::vector<std::unique_ptr<MysqlConnection>> mysql_snapshot(const MysqlOptions& options,
                                                             size_t wanted,
                                                             const std::string& lock);

/// Conditions on a whole-number column that cut it into about `parts`; one, "", if there is nothing
/// to cut.
std::vector<std::string> mysql_ranges(MysqlConnection& connection, const MysqlTable& table,
                                      size_t parts);
/// The first column of the key, if it is a whole number.
const MysqlColumn* mysql_range_column(const MysqlTable& table);

}  // namespace meesh::engine
