// One client's connection: reads a request when it is whole, runs its handler, answers. Knows
// nothing of threads and epoll, so that a test can feed it from memory.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "net/head.h"
#include "net/router.h"
#include "net/stream.h"

namespace meesh::net {

/// What connections share with their server; outlives them.
struct Service {
  ServerOptions options;
  Router router;
  std::atomic<bool> draining{false};  // answers carry Connection: close
  std::atomic<bool> cut{false};       // nobody is answered any more
  std::atomic<uint64_t> requests{0};
  std::atomic<size_t> running{0};
};

class Connection {
 public:
  Connection(std::unique_ptr<Stream> stream, std::string remote_address, bool tls,
             Service& service);

  enum class Next {
    kServed,  // one request is answered, advance() may find another
    kWait,    // for bytes, until deadline()
    kClose,
  };
  /// Takes what has arrived; serves at most one request. Blocks only for a request's body and
  /// answer.
  Next advance();
  /// When waiting ends; call time_out() then.
  Deadline deadline() const { return deadline_; }
  /// Says 408 if a request had begun. The connection is to be closed.
  void time_out();
  /// Gives buffers back before a long wait.
  void park() { input_.release(); }
  /// Waits for bytes without any of a request here.
  bool idle() const { return phase_ == Phase::kHead && input_.buffered().empty(); }
  Stream& stream() { return *stream_; }

 private:
  enum class Phase { kHead, kClosing };

  Next serve();
  Next refuse(const Problem& problem);
  Next begin_closing();
  Next discard();
  void next_head();

  std::unique_ptr<Stream> stream_;
  Input input_;
  std::string remote_address_;
  bool tls_;
  Service& service_;
  HeadScanner scanner_;
  Phase phase_ = Phase::kHead;
  bool begun_ = false;  // bytes of a request (or of the TLS handshake) are here
  Deadline deadline_;
  size_t discarded_ = 0;
};

}  // namespace meesh::net
