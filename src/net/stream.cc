#include "net/stream.h"

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace meesh::net {
namespace {

constexpr size_t kFirstBuffer = 4096;

class PlainStream final : public Stream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}
  ~PlainStream() override { ::close(fd_); }

  Io read(char* data, size_t size, Deadline deadline, size_t& got) override {
    for (;;) {
      ssize_t n = ::recv(fd_, data, size, 0);
      if (n > 0) {
        got = static_cast<size_t>(n);
        return Io::kOk;
      }
      if (n == 0) return Io::kEof;
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return Io::kError;
      if (Io io = wait_for(fd_, POLLIN, deadline); io != Io::kOk) return io;
    }
  }

  Io write(std::string_view first, std::string_view second,
           std::chrono::milliseconds stall) override {
    return write(first, second, stall, MSG_NOSIGNAL);
  }

  bool send_file(std::string_view first, int file, uint64_t offset, uint64_t size,
                 std::chrono::milliseconds stall, Io& io) override {
    io = write(first, {}, stall, MSG_NOSIGNAL | MSG_MORE);
    auto at = static_cast<off_t>(offset);
    while (io == Io::kOk && size > 0) {
      ssize_t n = ::sendfile(fd_, file, &at, std::min<uint64_t>(size, 1 << 30));
      if (n > 0) {
        size -= static_cast<uint64_t>(n);
      } else if (n == 0) {
        io = Io::kEof;  // the file is shorter than told
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        io = wait_for(fd_, POLLOUT, Clock::now() + stall);
      } else if (errno != EINTR) {
        io = Io::kError;
      }
    }
    return true;
  }

  void end_writing() override { ::shutdown(fd_, SHUT_WR); }
  void cut() override { ::shutdown(fd_, SHUT_RDWR); }
  int fd() const override { return fd_; }

  bool peer_gone() override {
    pollfd p{fd_, POLLRDHUP, 0};
    return ::poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

 private:
  Io write(std::string_view first, std::string_view second, std::chrono::milliseconds stall,
           int flags) {
    while (!first.empty() || !second.empty()) {
      iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                        {const_cast<char*>(second.data()), second.size()}};
      msghdr message{};
      message.msg_iov = first.empty() ? parts + 1 : parts;
      message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
      ssize_t n = ::sendmsg(fd_, &message, flags);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return Io::kError;
        if (Io io = wait_for(fd_, POLLOUT, Clock::now() + stall); io != Io::kOk) return io;
        continue;
      }
      size_t sent = static_cast<size_t>(n);
      size_t of_first = std::min(sent, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(sent - of_first);
    }
    return Io::kOk;
  }

  int fd_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(int fd) { return std::make_unique<PlainStream>(fd); }

Io wait_for(int fd, short events, Deadline deadline) {
  if (deadline == kNow) return Io::kTimeout;
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Io::kTimeout;
    pollfd p{fd, events, 0};
    int n = ::poll(&p, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (n > 0) return Io::kOk;
    if (n < 0 && errno != EINTR) return Io::kError;
  }
}

void Input::consume(size_t size) {
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

Io Input::fill(Deadline deadline) {
  if (end_ == capacity_) {
    if (begin_ > 0 && begin_ >= capacity_ / 2) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    } else {
      size_t capacity = std::max(kFirstBuffer, capacity_ * 2);
      std::unique_ptr<char[]> grown(new char[capacity]);
      if (end_ > begin_) std::memcpy(grown.get(), data_.get() + begin_, end_ - begin_);
      data_ = std::move(grown);
      capacity_ = capacity;
    }
    end_ -= begin_;
    begin_ = 0;
  }
  size_t got = 0;
  Io io = stream_.read(data_.get() + end_, capacity_ - end_, deadline, got);
  if (io == Io::kOk) end_ += got;
  return io;
}

Io Input::read(char* data, size_t size, Deadline deadline, size_t& got) {
  if (begin_ == end_) return stream_.read(data, size, deadline, got);
  got = std::min(size, end_ - begin_);
  std::memcpy(data, data_.get() + begin_, got);
  consume(got);
  return Io::kOk;
}

void Input::release() {
  if (begin_ != end_) return;
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace meesh::net
