// Places where a test may let the process die, as by a power cut of the process alone:
//
//   MEESH_CRASH_POINT=put.before_index:3   the third passing of that point is SIGKILL
//
// Without the variable (read once, at the first passing) a point costs one load.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace meesh::objects {

/// All there are; the kill test arms each.
inline constexpr std::string_view kCrashPoints[] = {
    "put.file_created",      "put.before_sync",       "put.before_index",
    "put.after_index",       "part.before_index",     "complete.before_manifest",
    "complete.before_index", "complete.after_index",  "delete.before_index",
    "delete.after_index",    "copy.before_index",     "index.before_commit",
    "index.after_commit",    "garbage.before_unlink", "garbage.after_unlink",
};

struct ArmedCrashPoint {
  std::string name;
  std::atomic<long> passings_left{0};

  ArmedCrashPoint() {
    const char* armed = std::getenv("MEESH_CRASH_POINT");  // NOLINT(concurrency-mt-unsafe)
    if (!armed) return;
    name = armed;
    passings_left = 1;
    if (const size_t colon = name.find(':'); colon != std::string::npos) {
      passings_left = std::strtol(name.c_str() + colon + 1, nullptr, 10);
      name.resize(colon);
    }
  }
};

inline void crash_point(std::string_view name) {
  static ArmedCrashPoint armed;
  if (armed.name.empty() || armed.name != name) return;
  if (armed.passings_left.fetch_sub(1) == 1) kill(getpid(), SIGKILL);
}

}  // namespace meesh::objects
