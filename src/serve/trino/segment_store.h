// Where the segments of spooled results wait for their clients: a file each, in a folder that is
// emptied at the start. A segment goes when the client says that it has read it, when its statement
// is canceled, and when its time is over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace meesh::serve::trino {

struct SegmentOptions {
  std::filesystem::path folder;     // made if missing; must be nobody else's
  uint64_t max_bytes = 4ull << 30;  // of all segments together
  std::chrono::milliseconds keep = std::chrono::hours(1);
};

/// An open segment: stays readable when it is removed meanwhile.
class OpenSegment {
 public:
  OpenSegment(int fd, uint64_t size) : fd_(fd), size_(size) {}
  OpenSegment(OpenSegment&& other) noexcept;
  OpenSegment& operator=(OpenSegment&&) = delete;
  ~OpenSegment();
  int fd() const { return fd_; }
  uint64_t size() const { return size_; }

 private:
  int fd_;
  uint64_t size_;
};

/// Thread-safe.
class SegmentStore {
 public:
  /// Throws IO_ERROR when the folder cannot be made or emptied.
  explicit SegmentStore(SegmentOptions options);
  ~SegmentStore();  // empties the folder
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;

  /// The id under which the segment is kept, which cannot be guessed. Nothing when there is no
  /// room for it: the rows must go another way.
  std::optional<std::string> put(std::string_view bytes, const std::string& owner,
                                 const std::string& query);

  // `asker`: who is known to ask, "" if nobody knows; somebody else's segments are not there.
  std::optional<OpenSegment> open(const std::string& id, std::string_view asker) const;
  /// False if it is not there (any more).
  bool remove(const std::string& id, std::string_view asker);
  void remove_of(const std::string& query);

  uint64_t bytes() const;

 private:
  struct Segment {
    std::string owner, query;
    uint64_t size = 0;
    std::chrono::steady_clock::time_point until;
  };
  using Segments = std::map<std::string, Segment>;

  std::filesystem::path file(const std::string& id) const { return options_.folder / id; }
  Segments::iterator erase(Segments::iterator at);
  /// Removes what is over, until the store ends.
  void sweep(const std::stop_token& stop);

  const SegmentOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Segments segments_;   // guarded by mutex_
  uint64_t bytes_ = 0;  // of segments_, guarded by mutex_
  std::jthread sweeper_;
};

}  // namespace meesh::serve::trino
