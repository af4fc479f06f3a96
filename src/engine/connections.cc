#include "engine/connections.h"

#include <fmt/format.h>

#include "duckdb/main/client_config.hpp"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

constexpr size_t kMostIdle = 32;

/// ICU knows region names; Trino clients also send fixed offsets ("+02:00"), which ICU calls
/// Etc/GMT-2 (the sign is POSIX's). Offsets with minutes have no such name.
std::string icu_zone(const std::string& zone) {
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return zone;
  if (zone.substr(4) != "00")
    return "UTC";  // DuckDB knows whole hours; session_zone() knows better
  const int hours = std::stoi(zone.substr(1, 2));
  if (hours == 0) return "UTC";
  return fmt::format("Etc/GMT{}{}", zone[0] == '+' ? '-' : '+', hours);
}

}  // namespace

ConnectionPool::Lease::Lease(ConnectionPool* pool, std::unique_ptr<Pooled> pooled)
    : pool_(pool), pooled_(std::move(pooled)) {}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(pooled_, other.pooled_);
  return *this;
}

ConnectionPool::Lease::~Lease() {
  if (!pooled_) return;
  std::lock_guard lock(pool_->mutex_);
  if (pool_->idle_.size() < kMostIdle) pool_->idle_.push_back(std::move(pooled_));
}

void ConnectionPool::Lease::set_time_zone(const std::string& zone) {
  if (pooled_->time_zone == zone) return;
  auto result = pooled_->connection.Query("SET TimeZone = " + quote_string(icu_zone(zone)) +
                                          "; SET VARIABLE meesh_zone = " + quote_string(zone));
  if (result->HasError()) {
    throw Error(Code::kInvalidSessionProperty, fmt::format("Time zone not supported: {}", zone))
        .with_hint("use a region name such as Europe/Paris");
  }
  pooled_->time_zone = zone;
}

ConnectionPool::Lease ConnectionPool::acquire(const std::string& time_zone) {
  std::unique_ptr<Pooled> pooled;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      pooled = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!pooled) {
    pooled = std::make_unique<Pooled>(db_);
    auto& config = duckdb::ClientConfig::GetConfig(*pooled->connection.context);
    config.enable_progress_bar = true;
    config.print_progress_bar = false;
    config.wait_time = 0;
    pooled->connection.Query("SET errors_as_json = true");
  }
  Lease lease(this, std::move(pooled));
  lease.set_time_zone(time_zone.empty() ? "UTC" : time_zone);
  return lease;
}

}  // namespace meesh::engine
