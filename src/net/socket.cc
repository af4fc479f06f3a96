#include "net/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace meesh::net {
namespace {

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Addresses resolve(const std::string& host, const std::string& port, int flags, Code code) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  int result = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (result != 0) {
    throw Error(code, fmt::format("cannot resolve '{}': {}", host, ::gai_strerror(result)));
  }
  return {found, ::freeaddrinfo};
}

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// 0, an errno, or ETIMEDOUT.
int finish_connect(int fd, const addrinfo& address, Deadline deadline) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  Io io = wait_for(fd, POLLOUT, deadline);
  if (io == Io::kTimeout) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

void set_no_delay(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int listen_on(const std::string& address, int port, int& bound) {
  auto found = resolve(address, std::to_string(port), AI_PASSIVE, Code::kConfigInvalid);
  Descriptor fd(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw Error(Code::kIoError, "cannot make a socket: " + reason(errno));
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd.get(), 4096) != 0) {
    int error = errno;
    if (error == EADDRINUSE) {
      throw Error(Code::kPortInUse,
                  fmt::format("port {} of {} is in use by another program", port, address))
          .with_hint(fmt::format("choose another with --port, or stop what listens there: "
                                 "ss -ltnp 'sport = :{}' names it",
                                 port));
    }
    if (error == EACCES) {
      throw Error(Code::kPermissionDenied, fmt::format("may not listen on port {}", port))
          .with_hint("ports below 1024 are for root; choose another with --port");
    }
    throw Error(Code::kConfigInvalid,
                fmt::format("cannot listen on {} port {}: {}", address, port, reason(error)));
  }
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size);
  bound = local.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6&>(local).sin6_port)
                                      : ntohs(reinterpret_cast<sockaddr_in&>(local).sin_port);
  return fd.release();
}

int connect_to(const std::string& host, const std::string& port, Deadline deadline) {
  auto found = resolve(host, port, AI_ADDRCONFIG, Code::kUnavailable);
  int error = 0;
  for (const addrinfo* a = found.get(); a != nullptr; a = a->ai_next) {
    Descriptor fd(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = fd.get() < 0 ? errno : finish_connect(fd.get(), *a, deadline);
    if (error == 0) {
      set_no_delay(fd.get());
      return fd.release();
    }
  }
  throw Error(error == ETIMEDOUT ? Code::kExceededTimeLimit : Code::kUnavailable,
              fmt::format("cannot connect to {}:{}: {}", host, port, reason(error)));
}

}  // namespace meesh::net
