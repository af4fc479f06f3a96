// One warm dbt: dbt_driver.py in dbt's Python, a command after the other.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/process.h"
#include "transform/dbt_event.h"

namespace meesh::transform {

class DbtProcess {
 public:
  struct Options {
    std::filesystem::path python;
    std::filesystem::path directory;  // it works there
    std::filesystem::path log;        // what Python itself prints
    std::chrono::seconds idle{600};   // it ends after so long without a command
  };
  explicit DbtProcess(Options options);
  ~DbtProcess();  // ends it
  DbtProcess(const DbtProcess&) = delete;
  DbtProcess& operator=(const DbtProcess&) = delete;

  using Environment = std::map<std::string, std::string>;
  /// Gives it a command and its events to `on_event`, the last of which is "done" and is returned.
  /// Starts the process if there is none. Not thread-safe. Throws UNAVAILABLE when the process
  /// cannot be started or dies, USER_CANCELED (having ended it) once a stop is requested.
  DbtEvent run(const std::vector<std::string>& arguments, const Environment& environment,
               const std::stop_token& stop, const std::function<void(const DbtEvent&)>& on_event);

 private:
  void start();
  bool alive();
  bool send(const std::string& line);
  /// The next line; false when the other end is closed.
  bool receive(std::string& line, const std::stop_token& stop);
  void cancel();
  [[noreturn]] void died();

  const Options options_;
  std::unique_ptr<process::Process> process_;
  int channel_ = -1;     // both ways
  std::string pending_;  // read and not yet a whole line
};

}  // namespace meesh::transform
