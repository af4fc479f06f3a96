// Explicit transactions (START TRANSACTION … COMMIT): each holds one DuckDB connection from its
// first statement to its last. The client carries the id from statement to statement.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/catalog_set.h"
#include "engine/connections.h"

namespace meesh::engine {

struct Transaction {
  TransactionInfo info;
  std::string user;
  ConnectionPool::Lease connection;
  bool failed = false;                                // only ROLLBACK is left to it
  std::vector<std::function<void()>> once_committed;  // what its statements leave to be done then
  std::mutex statement;                               // one statement at a time
  std::chrono::steady_clock::time_point last_used = std::chrono::steady_clock::now();
};

class Transactions {
 public:
  std::shared_ptr<Transaction> begin(ConnectionPool::Lease connection, const std::string& user,
                                     const std::string& isolation, bool read_only);
  /// Throws UNKNOWN_TRANSACTION.
  std::shared_ptr<Transaction> get(const std::string& id) const;
  /// Takes it out of the list; what it holds ends with the last pointer.
  void remove(const std::string& id);
  std::vector<TransactionInfo> list() const;
  /// Rolls back what nobody has used for `idle`.
  void expire(std::chrono::seconds idle);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Transaction>> open_;
};

}  // namespace meesh::engine
