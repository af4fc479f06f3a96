#include "objects/index/sqlite.h"

#include <fmt/format.h>

#include "base/error.h"
#include "objects/error.h"

namespace meesh::objects::sqlite {
namespace {

/// Another process may be looking at the file (sqlite3, a backup); never one of ours for long.
constexpr int kBusyMs = 10'000;
constexpr int kReadCacheKib = 2048, kWriteCacheKib = 16384;

sqlite3_destructor_type lifetime(Binding binding) {
  return binding == Binding::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, Mode mode) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &db,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::kWrite ? SQLITE_OPEN_CREATE : 0),
      nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) {
    throw Error(Code::kIoError, fmt::format("cannot open the object index '{}': {}", file.string(),
                                            db ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
  }
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyMs);
  if (mode == Mode::kWrite) {
    // FULL: COMMIT returns when the log is on disk. Checkpoints are the index's own affair.
    execute(
        fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                    "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{}",
                    kWriteCacheKib));
  } else {
    execute(fmt::format("PRAGMA query_only = ON; PRAGMA cache_size = -{}", kReadCacheKib));
  }
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Connection::fail(int code) const {
  const int system = sqlite3_system_errno(db_.get());
  if ((code & 0xff) == SQLITE_FULL || ((code & 0xff) == SQLITE_IOERR && system == ENOSPC)) {
    ObjectError full(Reason::kStorageFull, fmt::format("No space left on the disk of '{}'",
                                                       sqlite3_db_filename(db_.get(), "main")));
    full.with_hint("free some space there; nothing was written");
    throw full;
  }
  throw Error(Code::kIoError,
              fmt::format("object index: {} ({})", sqlite3_errmsg(db_.get()), code));
}

Connection::Prepared& Connection::prepare(const char* sql) {
  auto& same = prepared_[sql];
  for (const auto& one : same) {
    if (!one->busy) return *one;
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  same.push_back(std::make_unique<Prepared>());
  same.back()->statement.reset(statement);
  return *same.back();
}

Snapshot::~Snapshot() { sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr); }

Query::Query(Connection& db, const char* sql, Binding binding, int)
    : db_(db), prepared_(db.prepare(sql)), binding_(binding) {
  prepared_.busy = true;
}

Query::~Query() {
  sqlite3_reset(prepared_.statement.get());
  sqlite3_clear_bindings(prepared_.statement.get());
  prepared_.busy = false;
}

bool Query::next() {
  const int code = sqlite3_step(prepared_.statement.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) db_.fail(code);
  return false;
}

void Query::bind_number(int index, int64_t value) {
  if (const int code = sqlite3_bind_int64(prepared_.statement.get(), index, value)) db_.fail(code);
}

void Query::bind(int index, Bytes value) {
  // A null pointer would bind NULL.
  const char* data = value.view.data() ? value.view.data() : "";
  if (const int code = sqlite3_bind_blob64(prepared_.statement.get(), index, data,
                                           value.view.size(), lifetime(binding_))) {
    db_.fail(code);
  }
}

void Query::bind(int index, std::string_view value) {
  const char* data = value.data() ? value.data() : "";
  if (const int code = sqlite3_bind_text64(prepared_.statement.get(), index, data, value.size(),
                                           lifetime(binding_), SQLITE_UTF8)) {
    db_.fail(code);
  }
}

}  // namespace meesh::objects::sqlite
