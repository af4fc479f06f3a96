// The audit trail: one JSON object a line, one file a day (UTC), for its owner's eyes alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "access/access.h"

namespace meesh::access {

/// Thread-safe. Lines are written by a thread of its own, at most every 200 ms; while the disk
/// refuses them they are kept, up to 100,000, and then the newest are lost, which a line of the
/// trail tells afterwards: {"time":…,"outcome":"lost","events":N}.
class AuditTrail {
 public:
  /// Makes the folder (mode 0700) if missing; throws IO_ERROR.
  explicit AuditTrail(std::filesystem::path folder);
  /// Writes what is left.
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  void add(const AuditEvent& event);

 private:
  struct Line {
    std::string day, text;
  };
  void run();
  /// Takes from `lines` what was written; false if something was not.
  bool write(std::deque<Line>& lines);
  bool open(const std::string& day);
  void close();

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> lines_;  // guarded by mutex_
  size_t lost_ = 0;         // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_

  // The thread's own.
  int file_ = -1;
  std::string open_day_;
  bool complained_ = false;
  std::thread thread_;
};

}  // namespace meesh::access
