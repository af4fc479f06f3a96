// For tests: a server on a free port and a client of raw bytes.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/socket.h"

namespace meesh::net {

using namespace std::chrono_literals;  // NOLINT(build/namespaces): in tests only

/// Bytes over a socket, no HTTP knowledge but finding the end of an answer with a length.
class RawPeer {
 public:
  explicit RawPeer(int port)
      : stream_(plain_stream(connect_to("127.0.0.1", std::to_string(port),
                                        Clock::now() + std::chrono::seconds(20)))) {}

  void send(std::string_view data) { stream_->write(data, {}, std::chrono::seconds(20)); }
  void end_writing() { stream_->end_writing(); }

  /// Reads until `size` bytes are buffered; false at the end or after 20 s.
  bool fill(size_t size) {
    while (buffer_.size() < size) {
      char piece[65536];
      size_t got = 0;
      if (stream_->read(piece, sizeof piece, Clock::now() + std::chrono::seconds(20), got) !=
          Io::kOk) {
        return false;
      }
      buffer_.append(piece, got);
    }
    return true;
  }
  /// One answer, head and body, by its Content-Length; "" if there is none.
  std::string answer(bool head_only = false) {
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill(buffer_.size() + 1)) return "";
    }
    size_t length = 0;
    std::string head = buffer_.substr(0, end);
    if (size_t at = head.find("Content-Length: "); at != std::string::npos && !head_only) {
      length = std::stoul(head.substr(at + 16));
    }
    fill(end + 4 + length);
    std::string out = buffer_.substr(0, end + 4 + length);
    buffer_.erase(0, out.size());
    return out;
  }
  /// Everything until the server closes.
  std::string rest() {
    while (fill(buffer_.size() + 1)) {
    }
    return std::exchange(buffer_, {});
  }
  /// The server has closed (waits for it).
  bool closed() { return !fill(buffer_.size() + 1); }

 private:
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
};

inline ServerOptions test_options() {
  ServerOptions options;
  options.port = 0;
  options.access_log = false;
  return options;
}

inline std::string get(std::string_view path, std::string_view more = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

}  // namespace meesh::net
