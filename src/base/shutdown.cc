#include "base/shutdown.h"

#include "base/error.h"

namespace meesh {

void Gate::Pass::leave() {
  Gate* gate = std::exchange(gate_, nullptr);
  if (gate == nullptr) return;
  std::lock_guard lock(gate->mutex_);
  // Notified under the lock: close() may return and the gate be destroyed right after it.
  if (--gate->inside_ == 0) gate->left_.notify_all();
}

std::optional<Gate::Pass> Gate::try_enter() {
  std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  ++inside_;
  return Pass(this);
}

Gate::Pass Gate::enter() {
  auto pass = try_enter();
  if (!pass) throw Error(Code::kServerShuttingDown, "the server is shutting down");
  return std::move(*pass);
}

bool Gate::close(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  return left_.wait_for(lock, at_most, [&] { return inside_ == 0; });
}

bool Gate::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

size_t Gate::inside() const {
  std::lock_guard lock(mutex_);
  return inside_;
}

void Stop::check() const {
  if (requested()) throw Error(Code::kServerShuttingDown, "the server is shutting down");
}

bool Stop::sleep_for(std::chrono::milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, source_.get_token(), time, [] { return false; });
  return requested();
}

}  // namespace meesh
