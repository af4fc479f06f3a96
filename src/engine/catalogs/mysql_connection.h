// Connections to a MySQL or MariaDB server over libmariadb: statements whose rows are few, and rows
// of large tables as they come. Everything is text in UTF-8 and in UTC.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalogs/attached.h"

struct st_mysql;
struct st_mysql_res;

namespace meesh::engine {

/// "host:port" or the socket's path; never a secret.
std::string mysql_address(const MysqlOptions& options);
/// EXTERNAL: "Catalog 'shop': the MySQL server at host:port cannot be reached: reason".
Error mysql_unreachable(const MysqlOptions& options, std::string_view reason);
/// Whether the number that libmariadb gives tells of a server that went away.
bool mysql_lost(unsigned int number);

/// `name`, quoted.
std::string mysql_name(std::string_view name);
/// 'text', quoted for a connection of this kind, whose backslashes are plain text.
std::string mysql_text(std::string_view text);

/// Not thread-safe but for interrupt().
class MysqlConnection {
 public:
  using Row = std::vector<std::optional<std::string>>;

  /// Connects. Throws EXTERNAL (kJdbcError): unreachable, or what the server said.
  explicit MysqlConnection(const MysqlOptions& options);
  ~MysqlConnection();
  MysqlConnection(const MysqlConnection&) = delete;
  MysqlConnection& operator=(const MysqlConnection&) = delete;

  /// All rows of one statement; none of one that gives none.
  std::vector<Row> query(const std::string& sql);
  /// The same, and what the server refused is nothing, not an error. A lost server still throws.
  std::optional<std::vector<Row>> try_query(const std::string& sql);

  /// Begins a statement whose rows come one by one; each must be taken, or the connection is of no
  /// use any more.
  void stream(const std::string& sql);
  /// The next row's cells, which are good until the next call; null after the last one. `lengths`
  /// has the cells' lengths; a NULL is a null pointer.
  char** next(unsigned long*& lengths);

  bool is_mariadb() const { return mariadb_; }
  /// "10.11.6-MariaDB"
  std::string version() const;
  unsigned long thread_id() const;
  st_mysql* handle() { return handle_.get(); }
  /// From any thread: whoever waits for the server gives up. The connection is of no use then.
  void interrupt();

 private:
  [[noreturn]] void fail() const;
  std::vector<Row> rows_of_result();

  const MysqlOptions options_;
  std::unique_ptr<st_mysql, void (*)(st_mysql*)> handle_;
  std::unique_ptr<st_mysql_res, void (*)(st_mysql_res*)> result_;  // of stream()
  bool mariadb_ = false;
};

}  // namespace meesh::engine
