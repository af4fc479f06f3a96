#include "serve/api/service_probes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace meesh::serve::api {

using std::chrono::steady_clock;

namespace {

constexpr auto kTooLong = std::chrono::seconds(3);

double milliseconds_of(steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::string_view word(ServiceState state) {
  switch (state) {
    case ServiceState::kRunning:
      return "running";
    case ServiceState::kDegraded:
      return "degraded";
    case ServiceState::kFailed:
      return "failed";
    case ServiceState::kOff:
      return "off";
    case ServiceState::kUnknown:
      return "unknown";
  }
  internal_error("a service has no such state");
}

ServiceProbes::~ServiceProbes() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& probe : probes_) probe.thread.request_stop();
  }
  // Joined without the lock, which they take to tell what they found.
  for (auto& probe : probes_)
    if (probe.thread.joinable()) probe.thread.join();
}

size_t ServiceProbes::add(std::chrono::milliseconds every, Ask ask) {
  const std::lock_guard lock(mutex_);
  Probe& probe = probes_.emplace_back();
  probe.every = every;
  probe.ask = std::move(ask);
  probe.reading.state = ServiceState::kUnknown;
  return probes_.size() - 1;
}

void ServiceProbes::begin(Probe& probe) {
  if (probe.thread.joinable()) probe.thread.join();  // it has told its answer and is about to end
  probe.running = true;
  probe.begun = steady_clock::now();
  probe.thread = std::jthread([this, &probe](const std::stop_token& stop) { run(probe, stop); });
}

void ServiceProbes::run(Probe& probe, const std::stop_token& stop) {
  const auto start = steady_clock::now();
  ProbeReading reading;
  try {
    static_cast<Finding&>(reading) = probe.ask(stop);
  } catch (const std::exception& error) {
    reading.state = ServiceState::kFailed;
    reading.detail = error.what();
  }
  const auto end = steady_clock::now();
  if (reading.state == ServiceState::kRunning || reading.state == ServiceState::kDegraded)
    reading.latency_ms = milliseconds_of(end - start);
  reading.checked_ms = base::now_ms();
  const std::lock_guard lock(mutex_);
  probe.reading = std::move(reading);
  probe.running = false;
  probe.ended = end;
  answered_.notify_all();
}

std::vector<ProbeReading> ServiceProbes::read() {
  std::unique_lock lock(mutex_);
  const auto now = steady_clock::now();
  for (auto& probe : probes_) {
    const bool asked = probe.reading.checked_ms != 0;
    if (!probe.running && (!asked || now - probe.ended >= probe.every)) begin(probe);
  }
  // One that hangs since an earlier reading is not waited for again.
  answered_.wait_for(lock, patience_, [&] {
    return std::ranges::none_of(
        probes_, [&](const Probe& probe) { return probe.running && probe.begun >= now; });
  });
  std::vector<ProbeReading> all;
  for (const auto& probe : probes_) {
    all.push_back(probe.reading);
    const auto took = steady_clock::now() - probe.begun;
    if (!probe.running || took < kTooLong) continue;
    all.back().state = ServiceState::kFailed;
    all.back().latency_ms = -1;
    all.back().detail = fmt::format("no answer for {:.0f} s", milliseconds_of(took) / 1000);
  }
  return all;
}

}  // namespace meesh::serve::api
