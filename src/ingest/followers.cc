#include "ingest/followers.h"

#include <chrono>
#include <condition_variable>

#include "base/log.h"

namespace meesh::ingest {

namespace {

constexpr auto kLook = std::chrono::milliseconds(100);
constexpr auto kOnItsWay = std::chrono::milliseconds(1500);
constexpr auto kPause = std::chrono::seconds(30);  // after an error in the background

/// False once a stop is asked for.
bool wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

std::shared_ptr<Followers::One> Followers::one(const std::string& source) {
  std::lock_guard lock(mutex_);
  auto& found = all_[source];
  if (!found) found = std::make_shared<One>();
  return found;
}

void Followers::run(One& one, const SourceConfig& config, Capture::Until until,
                    const TaskContext& context) {
  {
    auto capture = one.capture ? nullptr : open_(config);
    std::lock_guard lock(mutex_);
    if (capture) one.capture = std::move(capture);
    one.failure.reset();
  }
  one.capture->run(until, context,
                   [&](const std::string& stream, uint64_t rows, uint64_t rejected) {
                     std::lock_guard lock(mutex_);
                     auto& landed = one.landed[stream];
                     landed.rows += rows;
                     landed.rejected += rejected;
                   });
}

void Followers::work(const std::shared_ptr<One>& one, const SourceConfig& config,
                     std::stop_token stop) {
  TaskContext context;
  context.stop = stop;
  context.log = [&](log::Level level, const std::string& line) {
    if (level >= log::Level::kWarn) log::warn(line, {{"source", config.name}});
  };
  while (!stop.stop_requested()) {
    try {
      std::lock_guard running(one->running);
      run(*one, config, Capture::Until::kForever, context);
    } catch (const Error& error) {
      if (stop.stop_requested()) return;
      log::error("changes are not followed", {{"source", config.name}, {"error", error.what()}});
      std::lock_guard lock(mutex_);
      one->failure = error;
    }
    wait(kPause, stop);
  }
}

void Followers::follow(const SourceConfig& config) {
  const auto one = this->one(config.name);
  std::lock_guard lock(mutex_);
  if (one->thread.joinable()) return;
  one->thread = std::jthread([this, one = one.get(), config](std::stop_token stop) {
    // Whoever stops the thread holds it.
    work(std::shared_ptr<One>(std::shared_ptr<One>(), one), config, std::move(stop));
  });
}

void Followers::stop() {
  std::vector<std::jthread> threads;
  {
    std::lock_guard lock(mutex_);
    for (auto& [name, one] : all_) {
      one->thread.request_stop();
      threads.push_back(std::move(one->thread));
    }
  }
  threads.clear();  // joins
}

void Followers::drop(const std::string& source) {
  std::shared_ptr<One> one;
  {
    std::lock_guard lock(mutex_);
    const auto found = all_.find(source);
    if (found == all_.end()) return;
    one = std::move(found->second);
    all_.erase(found);
  }
  one->thread.request_stop();
  if (one->thread.joinable()) one->thread.join();
}

bool Followers::in_background(const One& one) const {
  std::lock_guard lock(mutex_);
  return one.thread.joinable();
}

LandedRows Followers::take(One& one, const std::string& stream) {
  std::lock_guard lock(mutex_);
  return std::exchange(one.landed[stream], {});
}

void Followers::wait_for(const One& one, const TaskContext& context) const {
  // What was written just now is on its way for that long.
  wait(kOnItsWay, context.stop);
  for (;;) {
    context.check();
    {
      std::lock_guard lock(mutex_);
      if (one.failure) throw Error(*one.failure);
      if (one.capture && one.capture->status().caught_up) return;
    }
    wait(kLook, context.stop);
  }
}

LandedRows Followers::catch_up(const SourceConfig& config, const std::string& stream, bool anew,
                               const TaskContext& context) {
  const auto one = this->one(config.name);
  const bool background = in_background(*one);
  if (background && !anew) {
    wait_for(*one, context);
    return take(*one, stream);
  }
  if (background) {
    std::jthread thread;
    {
      std::lock_guard lock(mutex_);
      thread = std::move(one->thread);
    }
    thread.request_stop();
  }
  {
    std::unique_lock running(one->running, std::try_to_lock);
    while (!running.owns_lock()) {
      context.check();
      wait(kLook, context.stop);
      running.try_lock();
    }
    if (anew) Capture::resync(ledger_, config, stream);
    run(*one, config, Capture::Until::kCaughtUp, context);
  }
  if (background) follow(config);
  return take(*one, stream);
}

std::optional<CaptureStatus> Followers::status(const std::string& source) const {
  std::lock_guard lock(mutex_);
  const auto found = all_.find(source);
  if (found == all_.end() || !found->second->capture) return std::nullopt;
  return found->second->capture->status();
}

}  // namespace meesh::ingest
