// What the steps of runs say: one file a run, a line each: time, level, step, text, separated by
// tabs. Bounded: an attempt's lines beyond a limit are counted, not kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"

namespace meesh::pipelines {

/// Thread-safe.
class StepLogs {
 public:
  static constexpr uint64_t kMostOfAttempt = 8 << 20;
  static constexpr size_t kMostOfLine = 16 << 10;

  explicit StepLogs(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Of one attempt. Its lines are written when the call returns; that nothing can be written is
  /// told once and holds up nobody.
  class Writer {
   public:
    Writer(std::filesystem::path file, std::string step);
    ~Writer();  // tells how many lines were left out
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    /// A text of several lines becomes several lines.
    void line(log::Level level, std::string_view text);

   private:
    void write(log::Level level, std::string_view text);

    const std::filesystem::path file_;
    const std::string step_;
    std::mutex mutex_;
    int descriptor_ = -1;  // guarded from here on
    uint64_t bytes_ = 0, left_out_ = 0;
  };
  std::unique_ptr<Writer> writer(const std::string& run_id, const std::string& step) const;

  /// At most a megabyte from `offset` on, whole lines; only those of `step` unless "". `next`:
  /// where to read on; equal to `offset` at the end.
  struct Text {
    std::string text;
    uint64_t next = 0;
  };
  Text read(const std::string& run_id, const std::string& step, uint64_t offset) const;

  /// Removes the logs of days before that one ("2025-01-15").
  void forget_before(const std::string& day) const;

 private:
  std::filesystem::path file_of(const std::string& run_id) const;

  const std::filesystem::path folder_;
};

/// "20250115-060000-3f9a2c81": when it was made, and something nobody else has.
std::string new_id(int64_t now_ms);
/// "2025-01-15T06:00:00.123Z"
std::string time_text(int64_t ms);

}  // namespace meesh::pipelines
