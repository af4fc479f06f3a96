// Programs that DuckDB text names by a number: the statement owns them, and as long as it does the
// engine finds them here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace meesh::sql {

/// T has an `int64_t id`, 0 until it is published, and calls remove(id) when it ends. Thread-safe.
template <class T>
class Published {
 public:
  static void add(const std::shared_ptr<T>& program) {
    std::lock_guard lock(all().mutex);
    program->id = all().next++;
    all().programs.emplace(program->id, program);
  }
  /// Null if there is none of this id any more.
  static std::shared_ptr<const T> find(int64_t id) {
    std::lock_guard lock(all().mutex);
    const auto found = all().programs.find(id);
    return found == all().programs.end() ? nullptr : found->second.lock();
  }
  static void remove(int64_t id) {
    if (id == 0) return;
    std::lock_guard lock(all().mutex);
    all().programs.erase(id);
  }

 private:
  struct All {
    std::mutex mutex;
    int64_t next = 1;
    std::map<int64_t, std::weak_ptr<const T>> programs;
  };
  static All& all() {
    static auto* made = new All;
    return *made;
  }
};

}  // namespace meesh::sql
