// Whether the parts of a mesh answer. Each is asked on a thread of its own, only while somebody
// wants to know and not oftener than it says, so that neither a reader waits long for a part that
// hangs nor does asking cost anything when nobody looks.
//
//   ServiceProbes probes;
//   const size_t lake = probes.add(5s, [](const std::stop_token&) { …; return Finding{}; });
//   probes.read().at(lake).state;
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace meesh::serve::api {

enum class ServiceState {
  kRunning,
  kDegraded,  // answers, and not all of it is well
  kFailed,
  kOff,      // not wanted: paused, or without what it needs
  kUnknown,  // was not asked yet, or has not answered yet
};
std::string_view word(ServiceState state);  // "running", …

struct Finding {
  ServiceState state = ServiceState::kRunning;
  std::string detail;  // for people: a version, or what is wrong
  /// What `detail` says, for whoever says it in another language: a word for the message and the
  /// numbers in it. "" = it is the same in all languages.
  std::string message{};
  size_t count = 0, of = 0;
};

struct ProbeReading : Finding {
  double latency_ms = -1;  // how long the answer took; -1: there was none
  int64_t checked_ms = 0;  // since 1970; 0: never
};

/// Thread-safe.
class ServiceProbes {
 public:
  /// What it throws is kFailed. Returns soon after a stop was requested.
  using Ask = std::function<Finding(const std::stop_token& stop)>;

  /// `patience`: how long read() waits for those that were asked just now.
  explicit ServiceProbes(std::chrono::milliseconds patience = std::chrono::milliseconds(400))
      : patience_(patience) {}
  ~ServiceProbes();  // asks those that run to stop, and waits for them
  ServiceProbes(const ServiceProbes&) = delete;
  ServiceProbes& operator=(const ServiceProbes&) = delete;

  /// Its place among the readings. All are added before the first read().
  size_t add(std::chrono::milliseconds every, Ask ask);
  /// Asks those whose answer is older than `every`. One that takes more than three seconds is
  /// kFailed until it answers.
  std::vector<ProbeReading> read();

 private:
  struct Probe {
    std::chrono::milliseconds every;
    Ask ask;
    ProbeReading reading;
    bool running = false;
    std::chrono::steady_clock::time_point begun{}, ended{};
    std::jthread thread;
  };
  void begin(Probe& probe);
  void run(Probe& probe, const std::stop_token& stop);

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable_any answered_;
  std::list<Probe> probes_;  // guarded by mutex_, but for `ask`
};

}  // namespace meesh::serve::api
