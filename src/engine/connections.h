// DuckDB connections, made once and lent to statements.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "duckdb.hpp"

namespace meesh::engine {

class ConnectionPool {
 public:
  explicit ConnectionPool(duckdb::DuckDB& db) : db_(db) {}

  struct Pooled {
    explicit Pooled(duckdb::DuckDB& db) : connection(db) {}
    duckdb::Connection connection;
    std::string time_zone;
  };
  /// Gives the connection back when it dies; a connection that may be in a bad state is dropped
  /// instead (discard()).
  class Lease {
   public:
    Lease() = default;
    Lease(ConnectionPool* pool, std::unique_ptr<Pooled> pooled);
    Lease(Lease&&) = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();
    duckdb::Connection& operator*() const { return pooled_->connection; }
    duckdb::Connection* operator->() const { return &pooled_->connection; }
    explicit operator bool() const { return pooled_ != nullptr; }
    void discard() { pooled_.reset(); }
    /// Throws INVALID_SESSION_PROPERTY-like errors for unknown zones.
    void set_time_zone(const std::string& zone);

   private:
    ConnectionPool* pool_ = nullptr;
    std::unique_ptr<Pooled> pooled_;
  };
  Lease acquire(const std::string& time_zone);

 private:
  friend class Lease;
  duckdb::DuckDB& db_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Pooled>> idle_;
};

}  // namespace meesh::engine
