// What a MySQL server's information_schema says of its tables.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalogs/mysql_connection.h"
#include "engine/catalogs/mysql_types.h"

namespace meesh::engine {

struct MysqlTable {
  std::string schema, table;            // lower case
  std::string real_schema, real_table;  // as the server spells them
  bool is_view = false;
  std::vector<MysqlColumn> columns;
  size_t column_count = 0;          // with those that cannot be read
  std::vector<std::string> unread;  // columns of types that cannot be read: "x of type y"
  std::vector<std::string> key;     // the primary key's columns, lower case, in its order
  std::string comment;
  double rows = -1;
  std::string made;  // changes when the table is made anew or altered, as far as the server tells
};

/// Names go in lower case; of tables whose names are the same but for case, the first in order is
/// the one that is meant.
class MysqlMetadata {
 public:
  explicit MysqlMetadata(MysqlOptions options) : options_(std::move(options)) {}

  /// Without the server's own, unless one of them is asked for as the only one.
  std::vector<std::string> schemas();
  std::optional<std::string> real_schema(const std::string& schema);
  /// Sorted.
  std::vector<std::string> tables(const std::string& schema);
  std::optional<MysqlTable> table(const std::string& schema, const std::string& table);
  /// Empty schema = all.
  std::vector<MysqlTable> describe(const std::string& schema) { return find(schema, "", false); }
  bool is_mariadb();
  std::string version();
  /// One statement; not repeated if the connection breaks.
  std::vector<MysqlConnection::Row> run(const std::string& sql);
  const MysqlOptions& options() const { return options_; }

 private:
  /// `exact`: names as they are written, which the server finds without looking at all tables.
  std::vector<MysqlTable> find(const std::string& schema, const std::string& table, bool exact);
  /// A kept connection that turns out dead is replaced once: for statements that only read.
  std::vector<MysqlConnection::Row> read(const std::string& sql);
  std::unique_ptr<MysqlConnection> take();
  void give_back(std::unique_ptr<MysqlConnection> connection);
  std::string shown_schemas(const std::string& column) const;
  void read_columns(std::map<std::pair<std::string, std::string>, MysqlTable>& tables,
                    const std::string& where);

  const MysqlOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<MysqlConnection>> idle_;  // guarded by mutex_
};

}  // namespace meesh::engine
