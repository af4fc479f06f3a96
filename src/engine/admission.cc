#include "engine/admission.h"

#include "base/error.h"

namespace meesh::engine {

Admission::Admission(Limits limits) : limits_(limits) {}

Admission::~Admission() { stop(); }

void Admission::submit(std::string user, std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (stopping_) throw Error(Code::kServerShuttingDown, "The server is shutting down");
  if (static_cast<int>(queue_.size()) >= limits_.queued) {
    throw Error(Code::kQueryQueueFull, fmt::format("Too many queued queries ({})", limits_.queued))
        .with_hint("try again when some have ended, or raise compute.max_queued in meesh.yaml");
  }
  queue_.push_back({std::move(user), std::move(job)});
  if (idle_ == 0 && static_cast<int>(threads_.size()) < limits_.running) {
    threads_.emplace_back([this] { work(); });
  }
  wake_.notify_one();
}

void Admission::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::deque<Admission::Job>::iterator Admission::next_runnable() {
  return std::find_if(queue_.begin(), queue_.end(), [this](const Job& job) {
    if (limits_.running_per_user <= 0) return true;
    auto it = running_by_user_.find(job.user);
    return it == running_by_user_.end() || it->second < limits_.running_per_user;
  });
}

void Admission::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    auto next = next_runnable();
    if (next == queue_.end()) {
      if (stopping_ && queue_.empty()) return;
      ++idle_;
      wake_.wait(lock);
      --idle_;
      continue;
    }
    Job job = std::move(*next);
    queue_.erase(next);
    ++running_by_user_[job.user];
    lock.unlock();
    job.run();
    job.run = nullptr;
    lock.lock();
    if (--running_by_user_[job.user] == 0) running_by_user_.erase(job.user);
    wake_.notify_all();
  }
}

}  // namespace meesh::engine
