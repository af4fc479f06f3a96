// Stopping as a primitive: refuse new work, tell the old to end, wait for it.
//
//   Gate gate;                                   // in the owner of some work
//   if (auto pass = gate.try_enter()) { … }      // around each piece; nothing after close
//   gate.close(5s);                              // in the owner's stop
//
//   Stop stop;                                   // watched by long loops
//   while (!stop.sleep_for(1s)) check_again();   // request() ends the sleep at once
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace meesh {

/// Counts those inside and can be closed for good. Thread-safe. Must outlive its passes.
class Gate {
 public:
  /// Proof of having entered; leaves when destroyed.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Pass() { leave(); }
    void leave();

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Gate* gate_;
  };

  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Nothing once the gate is closed.
  [[nodiscard]] std::optional<Pass> try_enter();
  /// Throws SERVER_SHUTTING_DOWN once the gate is closed.
  [[nodiscard]] Pass enter();
  /// Lets nobody in from now on and waits until everyone left: true if so, false when `at_most` was
  /// over before. May be called again, by several threads.
  bool close(std::chrono::milliseconds at_most);
  bool closed() const;
  size_t inside() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable left_;
  size_t inside_ = 0;
  bool closed_ = false;
};

/// A flag set once, with waits that it ends. Thread-safe.
class Stop {
 public:
  void request() { source_.request_stop(); }
  bool requested() const { return source_.stop_requested(); }
  std::stop_token token() const { return source_.get_token(); }
  /// Throws SERVER_SHUTTING_DOWN once requested.
  void check() const;

  /// Sleeps; true if ended by request().
  bool sleep_for(std::chrono::milliseconds time) const;

  /// Waits on the caller's condition until `ready` or request(); true if ready. `lock` guards what
  /// `ready` reads and is held when it returns.
  template <typename Ready>
  bool wait(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
            Ready ready) const {
    return condition.wait(lock, source_.get_token(), std::move(ready));
  }
  template <typename Ready>
  bool wait_for(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
                std::chrono::milliseconds at_most, Ready ready) const {
    return condition.wait_for(lock, source_.get_token(), at_most, std::move(ready));
  }

 private:
  std::stop_source source_;
};

/// Calls `function` on the thread that requests the stop (at once if already requested), unless
/// destroyed before; the destructor waits for a call under way.
using OnStop = std::stop_callback<std::function<void()>>;

}  // namespace meesh
