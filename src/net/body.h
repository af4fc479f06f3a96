// The body of a request or response, framed by a length, in chunks or by the end of the connection.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/stream.h"

namespace meesh::net {

class BodyReader {
 public:
  enum class Framing { kNone, kLength, kChunked, kUntilEnd };
  struct Limits {
    uint64_t bytes = UINT64_MAX;
    std::chrono::milliseconds stall{60000};  // between two reads
    /// Together all waits may last `stall` plus a second for each so many bytes; 0 = no such limit.
    uint64_t bytes_per_second = 0;
  };
  BodyReader(Input& input, Framing framing, uint64_t length, Limits limits);

  /// Up to `size` bytes, 0 at the end. `wait` false: also 0 when nothing is at hand (see done()).
  /// Throws HttpError 400 (malformed or cut short), 408 (time over), 413 (over the limit).
  size_t read(char* data, size_t size, bool wait = true);
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kData, kSize, kExtension, kSizeEnd, kDataEnd, kTrailer, kDone };

  void check(Io io) const;
  bool fill(bool wait);
  size_t read_data(char* data, size_t size, bool wait);
  bool read_framing(bool wait);
  void take_framing(char c);
  void begin_chunk();
  Deadline deadline(bool wait) const;

  Input& input_;
  Limits limits_;
  Framing framing_;
  State state_;
  uint64_t left_;       // of the body (kLength) or of the chunk
  uint64_t total_ = 0;  // bytes handed out
  Clock::duration waited_{};
  // Chunk framing.
  uint64_t chunk_size_ = 0;
  size_t digits_ = 0, line_ = 0, trailer_ = 0;
  bool after_cr_ = false;
};

}  // namespace meesh::net
