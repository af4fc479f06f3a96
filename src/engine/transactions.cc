#include "engine/transactions.h"

#include <random>

#include "engine/duck.h"

namespace meesh::engine {
namespace {

std::string random_uuid() {
  std::random_device source;
  auto word = [&] { return static_cast<uint32_t>(source()); };
  const uint32_t a = word(), b = word(), c = word(), d = word();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16, b & 0xfff,
                     0x8000 | (c >> 18), c & 0xffff, d);
}

}  // namespace

std::shared_ptr<Transaction> Transactions::begin(ConnectionPool::Lease connection,
                                                 const std::string& user,
                                                 const std::string& isolation, bool read_only) {
  auto transaction = std::make_shared<Transaction>();
  transaction->connection = std::move(connection);
  transaction->user = user;
  transaction->info.id = random_uuid();
  transaction->info.read_only = read_only;
  if (!isolation.empty()) transaction->info.isolation_level = isolation;
  transaction->info.created = std::chrono::system_clock::now();
  auto begun = transaction->connection->Query("BEGIN TRANSACTION");
  if (begun->HasError()) throw translate(begun->GetErrorObject());
  std::lock_guard lock(mutex_);
  open_[transaction->info.id] = transaction;
  return transaction;
}

std::shared_ptr<Transaction> Transactions::get(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto it = open_.find(id);
  if (it == open_.end()) {
    throw Error(Code::kUnknownTransaction, fmt::format("Unknown transaction ID: {}", id))
        .with_hint("it ended, or was idle too long and was rolled back");
  }
  it->second->last_used = std::chrono::steady_clock::now();
  return it->second;
}

void Transactions::remove(const std::string& id) {
  std::lock_guard lock(mutex_);
  open_.erase(id);
}

std::vector<TransactionInfo> Transactions::list() const {
  std::lock_guard lock(mutex_);
  std::vector<TransactionInfo> out;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [id, transaction] : open_) {
    out.push_back(transaction->info);
    out.back().idle_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now - transaction->last_used).count();
  }
  return out;
}

void Transactions::expire(std::chrono::seconds idle) {
  std::lock_guard lock(mutex_);
  const auto limit = std::chrono::steady_clock::now() - idle;
  for (auto it = open_.begin(); it != open_.end();) {
    // use_count 1: no statement is at work in it.
    if (it->second->last_used < limit && it->second.use_count() == 1) {
      it->second->connection.discard();  // closing the connection rolls back
      it = open_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace meesh::engine
