// A bar for what takes longer than a moment; on standard error, and only on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace meesh::app {

/// Thread-safe.
class ProgressBar {
 public:
  /// `amount` words a quantity: "1.2 MB", "300 rows".
  explicit ProgressBar(std::function<std::string(double)> amount);
  void show(uint64_t done, uint64_t total);
  /// Takes the bar away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const std::function<std::string(double)> amount_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  Clock::time_point shown_{};
  bool visible_ = false;
};

/// "1.2 GB": decimal units, as discs are sold.
std::string human_bytes(double bytes);

}  // namespace meesh::app
