#include "dashboards/leased_loop.h"

#include <algorithm>

#include "base/log.h"

namespace meesh::dashboards {
namespace {

constexpr std::chrono::seconds kLease{60};
constexpr LeasedLoop::Millis kLongest{15'000};  // the lease is renewed as often
constexpr LeasedLoop::Millis kShortest{50};

}  // namespace

LeasedLoop::LeasedLoop(meta::Database& database, std::string name, std::string holder, Round round)
    : name_(std::move(name)),
      holder_(std::move(holder)),
      round_(std::move(round)),
      leases_(database) {}

void LeasedLoop::start() {
  thread_ = std::thread([this] { work(); });
}

void LeasedLoop::stop() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void LeasedLoop::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void LeasedLoop::work() {
  while (!stop_.requested()) {
    Millis wait = kLongest;
    try {
      if (!lease_ || !leases_.renew(*lease_, kLease))
        lease_ = leases_.acquire(name_, holder_, kLease);
      if (lease_) wait = round_(stop_.token());
    } catch (const std::exception& error) {
      log::warn("work on dashboards is put off", {{"work", name_}, {"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    stop_.wait_for(changed_, lock, std::clamp(wait, kShortest, kLongest), [&] { return woken_; });
    woken_ = false;
  }
  try {
    if (lease_) leases_.release(*lease_);
  } catch (const std::exception& error) {
    log::warn("a lease is left to expire", {{"work", name_}, {"error", error.what()}});
  }
}

}  // namespace meesh::dashboards
