// What a long piece of work (an ingestion, a model, a step of a pipeline) gets from whoever runs
// it: its parameters, where its log and its progress go, and when to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/log.h"

namespace meesh {

struct TaskContext {
  std::string run_id, pipeline;                   // "" outside of runs
  std::map<std::string, std::string> parameters;  // "run_date" → "2025-01-15"
  /// One line of the task's own log; from any thread. Never empty.
  std::function<void(log::Level, const std::string&)> log = [](log::Level, const std::string&) {};
  /// `total` 0: unknown. From any thread. Never empty.
  std::function<void(uint64_t done, uint64_t total)> progress = [](uint64_t, uint64_t) {};
  std::stop_token stop;

  void info(const std::string& line) const { log(log::Level::kInfo, line); }
  void warn(const std::string& line) const { log(log::Level::kWarn, line); }
  /// "" if there is none.
  std::string parameter(const std::string& name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? "" : found->second;
  }
  /// Throws USER_CANCELED once a stop was asked for.
  void check() const {
    if (stop.stop_requested()) throw Error(Code::kUserCanceled, "The task was canceled");
  }
};

}  // namespace meesh
