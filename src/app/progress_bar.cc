#include "app/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

namespace meesh::app {

ProgressBar::ProgressBar(std::function<std::string(double)> amount) : amount_(std::move(amount)) {}

void ProgressBar::show(uint64_t done, uint64_t total) {
  if (!isatty(STDERR_FILENO)) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(100) && done < total) return;
  shown_ = now;
  visible_ = true;
  const double part = total ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const auto filled = static_cast<size_t>(std::min(part, 1.0) * 40);
  fmt::print(stderr, "\r\x1b[K[{}{}] {:3.0f}%  {} / {}  {}/s", std::string(filled, '='),
             std::string(40 - filled, ' '), part * 100, amount_(static_cast<double>(done)),
             amount_(static_cast<double>(total)),
             amount_(static_cast<double>(done) / std::max(seconds, 0.001)));
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  if (visible_) fmt::print(stderr, "\r\x1b[K");
  visible_ = false;
}

std::string human_bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace meesh::app
