// How fast passwords may be tried: after some wrong ones, the next try has to wait, longer each
// time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace meesh::serve::api {

/// Thread-safe; in memory. Five wrong tries of one address for one user are free, then it is a
/// second, two, four, … a quarter of an hour. The same for one address with any users after twenty
/// tries (not on loopback, where everybody behind a proxy is one address), and for one user from
/// any address after fifty, there ten seconds at most: nobody can lock another out.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Throttle(std::function<Clock::time_point()> now = Clock::now) : now_(std::move(now)) {}

  /// How long to wait before the next try; 0: none.
  std::chrono::seconds wait(const std::string& user, const std::string& address);
  void failed(const std::string& user, const std::string& address);
  /// A right password: what this address did wrong for this user is forgotten.
  void succeeded(const std::string& user, const std::string& address);

 private:
  struct Tries {
    int wrong = 0;
    Clock::time_point last{}, until{};
  };
  void add(const std::string& key, int free, std::chrono::seconds most);
  void forget_old();

  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::map<std::string, Tries> tries_;  // guarded
};

}  // namespace meesh::serve::api
