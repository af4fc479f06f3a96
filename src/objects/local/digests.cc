#include "objects/local/digests.h"

#include <atomic>

#include "base/text.h"

namespace meesh::objects {
namespace {

constexpr uint64_t kLongStream = 4 << 20;
constexpr size_t kMostWaiting = 4;

/// One for every second processor: more would only take them from each other.
std::atomic<int> free_threads =
    static_cast<int>(std::max(2u, std::thread::hardware_concurrency()) / 2);

bool take_thread() {
  int free = free_threads.load();
  while (free > 0) {
    if (free_threads.compare_exchange_weak(free, free - 1)) return true;
  }
  return false;
}

}  // namespace

Digests::~Digests() { stop_thread(); }

void Digests::add(ChecksumKind kind) {
  if (!has(kind)) running_.emplace(kind, Checksum::start(kind));
}

void Digests::update(const Block& block) {
  for (const auto& [kind, checksum] : running_) checksum->update(*block);
  seen_ += block->size();
  if (!thread_.joinable()) {
    if (seen_ < kLongStream || !take_thread()) return md5_.update(*block);
    move_md5_to_a_thread();
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < kMostWaiting; });
  waiting_.push_back(block);
  changed_.notify_all();
}

void Digests::move_md5_to_a_thread() {
  try {
    thread_ = std::thread([this] { hash_what_comes(); });
  } catch (...) {
    ++free_threads;
    throw;
  }
}

void Digests::hash_what_comes() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Block block = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    lock.unlock();
    md5_.update(*block);
    lock.lock();
  }
}

void Digests::stop_thread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
  ++free_threads;
}

void Digests::finish() {
  stop_thread();
  md5_value_ = md5_.raw();
  for (const auto& [kind, checksum] : running_) values_[kind] = base::to_base64(checksum->raw());
}

}  // namespace meesh::objects
