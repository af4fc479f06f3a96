// A child process whose output is read line by line, no faster than its reader asks: meanwhile the
// pipe is full and the child waits.
//
//   ChildLines child({.command = command, .name = "source-faker", .silence = 30min});
//   while (const auto line = child.next(stop)) use(*line);
//   const process::Exit exit = child.finish();
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/process.h"

namespace meesh::ingest {

/// Used by one thread. Destroying it kills the child and what it started.
class ChildLines {
 public:
  struct Options {
    process::Command command;         // output and log are set here
    std::string name;                 // for messages
    std::chrono::seconds silence{0};  // it is killed after so long without a word; 0: never
    uint64_t memory = 0;              // bytes of it and its children together; 0: no limit
  };
  explicit ChildLines(Options options);
  ~ChildLines();
  ChildLines(const ChildLines&) = delete;
  ChildLines& operator=(const ChildLines&) = delete;

  /// The next line of its standard output without its end, valid until the next call; nothing when
  /// there is no more. Throws USER_CANCELED once a stop is requested, EXCEEDED_TIME_LIMIT after its
  /// silence, EXCEEDED_LOCAL_MEMORY_LIMIT, and BAD_REQUEST for a line of more than 64 MiB; the
  /// child is killed then.
  std::optional<std::string_view> next(const std::stop_token& stop);
  /// Bytes that may be read from the line's beginning.
  size_t readable() const { return readable_; }

  /// After the last line: waits for its end, and kills what does not end.
  process::Exit finish();
  /// The last lines of its standard error.
  const std::deque<std::string>& errors() const { return errors_; }

 private:
  std::optional<std::string_view> take(size_t end);
  /// False at the end of the output.
  bool fill(const std::stop_token& stop);
  bool read_output();
  void read_errors();
  void watch_memory(const std::stop_token& stop);
  void check_limits(std::chrono::steady_clock::time_point since, const std::stop_token& stop);
  [[noreturn]] void give_up(Error error);

  const Options options_;
  int output_ = -1, error_output_ = -1;
  std::unique_ptr<process::Process> process_;
  std::string buffer_;  // what was read, from `begin_`; room behind `end_`
  size_t begin_ = 0, end_ = 0;
  size_t searched_ = 0;  // no line ends before it
  size_t readable_ = 0;
  bool closed_ = false;
  std::string error_line_;
  std::deque<std::string> errors_;
  std::atomic<uint64_t> too_much_{0};  // the memory that was too much
  std::jthread watch_;
};

}  // namespace meesh::ingest
