// Bytes in and out of a connection, plain or TLS, each wait with its limit; and the buffer from
// which requests and responses are read.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace meesh::net {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// A deadline of this kind never waits: only what is at hand.
inline constexpr Deadline kNow = Deadline::min();

enum class Io { kOk, kEof, kTimeout, kError };

/// Not thread-safe, but for cut() and peer_gone().
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte (kOk), or why there is none.
  virtual Io read(char* data, size_t size, Deadline deadline, size_t& got) = 0;
  /// All of `first` then `second`; kTimeout when not one byte went out for `stall`.
  virtual Io write(std::string_view first, std::string_view second,
                   std::chrono::milliseconds stall) = 0;
  /// All of `first`, then `size` bytes of a file without taking them through this process. False,
  /// with nothing written: this stream cannot, read the file and write() it.
  virtual bool send_file(std::string_view first, int file, uint64_t offset, uint64_t size,
                         std::chrono::milliseconds stall, Io& io) {
    static_cast<void>(first), static_cast<void>(file), static_cast<void>(offset);
    static_cast<void>(size), static_cast<void>(stall), static_cast<void>(io);
    return false;
  }
  /// Tells the peer that no more is written; reading goes on.
  virtual void end_writing() = 0;
  virtual bool peer_gone() = 0;
  /// Makes every read and write, also one under way on another thread, end.
  virtual void cut() = 0;
  /// The TLS handshake is done (always so for plain ones).
  virtual bool established() const { return true; }
  /// read() found nothing because it must write first (TLS).
  virtual bool wants_write() const { return false; }
  virtual int fd() const { return -1; }
};

/// Owns the descriptor, which must not block.
std::unique_ptr<Stream> plain_stream(int fd);

/// Waits for poll events on a descriptor.
Io wait_for(int fd, short events, Deadline deadline);

/// What has been read and not yet used.
class Input {
 public:
  explicit Input(Stream& stream) : stream_(stream) {}

  std::string_view buffered() const { return {data_.get() + begin_, end_ - begin_}; }
  void consume(size_t size);
  /// Reads more behind what is buffered.
  Io fill(Deadline deadline);
  /// Buffered bytes first, then straight from the stream.
  Io read(char* data, size_t size, Deadline deadline, size_t& got);
  /// Gives the memory back if nothing is buffered.
  void release();

 private:
  Stream& stream_;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace meesh::net
