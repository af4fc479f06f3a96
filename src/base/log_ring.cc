#include "base/log_ring.h"

#include <algorithm>
#include <cctype>

namespace meesh::log {
namespace {

bool holds(const std::string& text, const std::string& search) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), search.begin(), search.end(), same) != text.end();
}

}  // namespace

void Ring::add(Level level, std::string json) {
  const std::lock_guard lock(mutex_);
  bytes_ += json.size();
  lines_.push_back({++newest_, level, std::move(json)});
  while (lines_.size() > most_lines_ || (bytes_ > most_bytes_ && lines_.size() > 1)) {
    bytes_ -= lines_.front().json.size();
    lines_.pop_front();
  }
  changed_.notify_all();
}

std::vector<KeptLine> Ring::after(uint64_t id, Level least, const std::string& search,
                                  size_t most) const {
  std::vector<KeptLine> found;
  const std::lock_guard lock(mutex_);
  for (auto line = lines_.rbegin(); line != lines_.rend() && line->id > id; ++line) {
    if (found.size() == most) break;
    if (line->level >= least && (search.empty() || holds(line->json, search)))
      found.push_back(*line);
  }
  std::ranges::reverse(found);
  return found;
}

uint64_t Ring::wait(uint64_t id, std::chrono::milliseconds at_most) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return newest_ != id; });
  return newest_;
}

Ring& recent() {
  static auto* ring = new Ring;  // lines are written until the very end
  return *ring;
}

}  // namespace meesh::log
