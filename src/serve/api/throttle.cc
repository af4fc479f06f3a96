#include "serve/api/throttle.h"

#include <algorithm>

namespace meesh::serve::api {
namespace {

using std::chrono::seconds;

constexpr int kFreeOfPair = 5, kFreeOfAddress = 20, kFreeOfUser = 50;
constexpr seconds kMost{900}, kMostOfUser{10}, kForgotten{3600};
constexpr size_t kMostKept = 20'000;

bool loopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("::1") ||
         address.starts_with("[::1]") || address.starts_with("::ffff:127.");
}

/// The network of a customer: whoever has one IPv6 address has 2^64.
std::string network(const std::string& address) {
  if (std::ranges::count(address, ':') < 2) return address;
  size_t end = 0;
  for (int groups = 0; groups < 4 && end != std::string::npos; ++groups)
    end = address.find(':', end == 0 ? 0 : end + 1);
  return address.substr(0, end);
}

std::string pair_key(const std::string& user, const std::string& address) {
  return "both " + network(address) + ' ' + user;
}
std::string address_key(const std::string& address) { return "from " + network(address); }
std::string user_key(const std::string& user) { return "user " + user; }

}  // namespace

seconds Throttle::wait(const std::string& user, const std::string& address) {
  const std::lock_guard lock(mutex_);
  auto until = now_();
  for (const auto& key : {pair_key(user, address), address_key(address), user_key(user)})
    if (const auto found = tries_.find(key); found != tries_.end())
      until = std::max(until, found->second.until);
  return std::chrono::ceil<seconds>(until - now_());
}

void Throttle::failed(const std::string& user, const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (tries_.size() >= kMostKept) forget_old();
  add(pair_key(user, address), kFreeOfPair, kMost);
  if (!loopback(address)) add(address_key(address), kFreeOfAddress, kMost);
  add(user_key(user), kFreeOfUser, kMostOfUser);
}

void Throttle::succeeded(const std::string& user, const std::string& address) {
  const std::lock_guard lock(mutex_);
  tries_.erase(pair_key(user, address));
}

void Throttle::add(const std::string& key, int free, seconds most) {
  Tries& tries = tries_[key];
  const auto now = now_();
  if (tries.wrong > 0 && now - tries.last > kForgotten) tries = {};
  tries.last = now;
  const int beyond = ++tries.wrong - free;
  if (beyond >= 0) tries.until = now + std::min(most, seconds(1LL << std::min(beyond, 20)));
}

void Throttle::forget_old() {
  const auto now = now_();
  std::erase_if(tries_, [&](const auto& one) { return now - one.second.last > kForgotten; });
  // A flood of made-up names: those that wait for nothing go.
  if (tries_.size() >= kMostKept)
    std::erase_if(tries_, [&](const auto& one) { return one.second.until <= now; });
  if (tries_.size() >= kMostKept) tries_.clear();
}

}  // namespace meesh::serve::api
