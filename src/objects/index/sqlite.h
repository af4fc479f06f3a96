// SQLite's C API with owners: connections that keep their statements prepared, and queries that
// reset theirs when they end.
//
//   sqlite::Connection db(file, sqlite::Mode::kWrite);
//   db.run("INSERT INTO t VALUES (?, ?)", 1, sqlite::Bytes(text));
//   for (sqlite::Query q(db, "SELECT a FROM t WHERE b = ?", 7); q.next();) use(q.bytes(0));
//
// SQL texts are string literals: statements are kept by the literal's address. Errors: kStorageFull
// when the disk is full, otherwise IO_ERROR.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace meesh::objects::sqlite {

enum class Mode { kRead, kWrite };
enum class Binding { kCopied, kBorrowed };

/// A BLOB parameter: keys and records are bytes, compared as such.
struct Bytes {
  explicit Bytes(std::string_view v) : view(v) {}
  std::string_view view;
};

struct CloseConnection {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Query;

/// One thread at a time.
class Connection {
 public:
  Connection(const std::filesystem::path& file, Mode mode);

  sqlite3* handle() const { return db_.get(); }
  /// Several statements, without parameters.
  void execute(const std::string& sql);
  /// One statement that gives no rows.
  template <typename... Arguments>
  void run(const char* sql, const Arguments&... arguments);
  int64_t changes() const { return sqlite3_changes64(db_.get()); }
  int64_t last_id() const { return sqlite3_last_insert_rowid(db_.get()); }
  /// False after SQLite rolled a transaction back by itself (disk full, I/O error).
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }
  [[noreturn]] void fail(int code) const;

 private:
  friend class Query;
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalize> statement;
    bool busy = false;
  };
  Prepared& prepare(const char* sql);

  std::unique_ptr<sqlite3, CloseConnection> db_;
  // By literal; several when one is used inside the loop of another.
  std::unordered_map<const char*, std::vector<std::unique_ptr<Prepared>>> prepared_;
};

/// One state of the database for all queries on a reading connection while it lives; several
/// queries also begin and end faster within one.
class Snapshot {
 public:
  explicit Snapshot(Connection& db) : db_(db) { db_.run("BEGIN"); }
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& db_;
};

/// A statement with its parameters bound. Does not outlive its connection.
class Query {
 public:
  template <typename... Arguments>
  Query(Connection& db, const char* sql, const Arguments&... arguments)
      : Query(db, sql, Binding::kCopied, 0) {
    bind_all(arguments...);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  /// Steps to the next row; false at the end.
  bool next();
  /// Begins anew with other parameters.
  template <typename... Arguments>
  void restart(const Arguments&... arguments) {
    sqlite3_reset(prepared_.statement.get());
    bind_all(arguments...);
  }

  // Of the row stepped to; views are valid until the next step.
  int64_t number(int column) const {
    return sqlite3_column_int64(prepared_.statement.get(), column);
  }
  bool null(int column) const {
    return sqlite3_column_type(prepared_.statement.get(), column) == SQLITE_NULL;
  }
  std::string_view bytes(int column) const {
    const void* data = sqlite3_column_blob(prepared_.statement.get(), column);
    const int size = sqlite3_column_bytes(prepared_.statement.get(), column);
    return data ? std::string_view(static_cast<const char*>(data), static_cast<size_t>(size))
                : std::string_view();
  }
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  friend class Connection;
  Query(Connection& db, const char* sql, Binding binding, int);

  template <typename... Arguments>
  void bind_all(const Arguments&... arguments) {
    int index = 0;
    (bind(++index, arguments), ...);
  }
  void bind(int index, std::integral auto value) {
    bind_number(index, static_cast<int64_t>(value));
  }
  void bind(int index, Bytes value);
  void bind(int index, std::string_view value);
  void bind_number(int index, int64_t value);

  Connection& db_;
  Connection::Prepared& prepared_;
  const Binding binding_;
};

template <typename... Arguments>
void Connection::run(const char* sql, const Arguments&... arguments) {
  // The arguments live until the end of the full expression: SQLite may use them in place.
  Query query(*this, sql, Binding::kBorrowed, 0);
  query.bind_all(arguments...);
  query.next();
}

}  // namespace meesh::objects::sqlite
