// One poller thread accepts connections and parks idle ones in epoll; worker threads serve those
// with something to read.
//
// A connection belongs to exactly one of: parked_, queue_, a worker (then it is in active_).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "net/connection.h"
#include "net/http.h"
#include "net/socket.h"
#include "net/tls.h"

namespace meesh::net {
namespace {

constexpr int kDefaultWorkers = 64;
constexpr std::chrono::milliseconds kSweepGrain{10};
constexpr std::chrono::milliseconds kAcceptPause{100};  // when descriptors run out

class Event {
 public:
  Event() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(Code::kIoError, "cannot make an eventfd");
  }
  ~Event() { ::close(fd_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  int fd() const { return fd_; }
  void set() {
    uint64_t one = 1;
    [[maybe_unused]] ssize_t n = ::write(fd_, &one, sizeof one);
  }
  void clear() {
    uint64_t value = 0;
    [[maybe_unused]] ssize_t n = ::read(fd_, &value, sizeof value);
  }

 private:
  int fd_;
};

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text,
                sizeof text);
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
                sizeof text);
  }
  return text;
}

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions options) {
    service.options = std::move(options);
    if (service.options.workers <= 0) service.options.workers = kDefaultWorkers;
  }

  using ConnectionPtr = std::unique_ptr<Connection>;

  void start();
  void stop(std::chrono::milliseconds grace);

  // The poller.
  void poll_loop();
  int poll_timeout();
  void accept_all();
  void admit(int fd, const sockaddr_storage& address);
  void wake(Connection* connection);
  void sweep();
  void close_idle();

  // Workers.
  void enqueue(ConnectionPtr connection);  // under mutex
  void work_loop();
  void serve(ConnectionPtr connection);
  bool linger(Connection& connection);
  bool park(ConnectionPtr& connection, bool known);
  bool wanted_elsewhere();

  Service service;
  std::unique_ptr<TlsServer> tls;
  int listener = -1, epoll = -1, port = 0;
  Event wake_poller;
  Event nudge;  // readable while requests wait for a worker: those that linger let go
  std::thread poller;
  std::atomic<size_t> connections{0};
  Clock::time_point accept_again{};  // the poller's own; epoch: accepting

  mutable std::mutex mutex;
  std::condition_variable work, idle_now;
  std::unordered_map<Connection*, ConnectionPtr> parked;
  std::deque<ConnectionPtr> queue;
  std::unordered_set<Connection*> active;
  std::vector<std::thread> workers;
  size_t waiting = 0;  // workers without work
  Deadline next_sweep = Deadline::max();
  bool exiting = false;
};

void Server::Impl::start() {
  // sendfile(2) raises it when the client is gone, and has no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  if (poller.joinable() || service.draining) internal_error("an HTTP server starts once");
  if (service.options.tls) tls = std::make_unique<TlsServer>(*service.options.tls);
  listener = listen_on(service.options.address, service.options.port, port);
  epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw Error(Code::kIoError, "cannot make an epoll instance");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &listener;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.ptr = &wake_poller;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake_poller.fd(), &event);
  poller = std::thread([this] { poll_loop(); });
  log::debug("HTTP server listens",
             {{"address", service.options.address}, {"port", port}, {"tls", tls != nullptr}});
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
  if (!poller.joinable()) return;
  service.draining = true;
  nudge.set();
  wake_poller.set();
  {
    std::unique_lock lock(mutex);
    idle_now.wait_for(lock, grace, [&] { return active.empty() && queue.empty(); });
    service.cut = true;
    exiting = true;
    for (Connection* connection : active) connection->stream().cut();
  }
  work.notify_all();
  wake_poller.set();
  poller.join();  // first: it starts workers
  std::vector<std::thread> ending;
  {
    std::lock_guard lock(mutex);
    ending.swap(workers);
  }
  for (std::thread& worker : ending) worker.join();
  std::lock_guard lock(mutex);
  connections -= queue.size() + parked.size();
  queue.clear();
  parked.clear();
  ::close(epoll);
  epoll = -1;
}

void Server::Impl::poll_loop() {
  epoll_event events[256];
  for (;;) {
    int count = ::epoll_wait(epoll, events, std::size(events), poll_timeout());
    for (int i = 0; i < count; ++i) {
      void* tag = events[i].data.ptr;
      if (tag == &listener) {
        accept_all();
      } else if (tag == &wake_poller) {
        wake_poller.clear();
      } else {
        wake(static_cast<Connection*>(tag));
      }
    }
    if (service.draining && listener >= 0) {
      ::close(listener);
      listener = -1;
      close_idle();
    }
    if (listener >= 0 && accept_again != Clock::time_point() && Clock::now() >= accept_again) {
      accept_again = {};
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &listener;
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    }
    sweep();
    std::lock_guard lock(mutex);
    if (exiting) break;
  }
  if (listener >= 0) ::close(listener);
  listener = -1;
}

int Server::Impl::poll_timeout() {
  std::lock_guard lock(mutex);
  Deadline until = next_sweep;
  if (accept_again != Clock::time_point()) until = std::min(until, accept_again);
  if (until == Deadline::max()) return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

void Server::Impl::accept_all() {
  for (;;) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                       SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd, address);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    log::warn("cannot accept connections for a moment",
              {{"error", std::generic_category().message(errno)}});
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, listener, nullptr);
    accept_again = Clock::now() + kAcceptPause;
    return;
  }
}

void Server::Impl::admit(int fd, const sockaddr_storage& address) {
  set_no_delay(fd);
  if (connections >= static_cast<size_t>(service.options.max_connections)) {
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n"
        "Connection: close\r\n\r\ntoo many connections\n";
    if (!tls) {
      [[maybe_unused]] ssize_t n =
          ::send(fd, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ::close(fd);
    return;
  }
  try {
    auto stream = tls ? tls->accept(fd) : plain_stream(fd);
    auto connection = std::make_unique<Connection>(std::move(stream), address_text(address),
                                                   tls != nullptr, service);
    ++connections;
    park(connection, false);
  } catch (const std::exception& e) {
    log::error("cannot serve a connection", {{"error", e.what()}});
  }
}

void Server::Impl::wake(Connection* connection) {
  std::lock_guard lock(mutex);
  auto it = parked.find(connection);
  if (it == parked.end()) return;
  ConnectionPtr taken = std::move(it->second);
  parked.erase(it);
  enqueue(std::move(taken));
}

// Closes the parked connections whose time is over.
void Server::Impl::sweep() {
  std::vector<ConnectionPtr> over;
  {
    std::lock_guard lock(mutex);
    auto now = Clock::now();
    if (now < next_sweep) return;
    next_sweep = Deadline::max();
    for (auto it = parked.begin(); it != parked.end();) {
      if (it->second->deadline() <= now) {
        over.push_back(std::move(it->second));
        it = parked.erase(it);
      } else {
        next_sweep = std::min(next_sweep, it->second->deadline());
        ++it;
      }
    }
    if (next_sweep != Deadline::max()) next_sweep = std::max(next_sweep, now + kSweepGrain);
  }
  for (ConnectionPtr& connection : over) connection->time_out();
  connections -= over.size();
}

void Server::Impl::close_idle() {
  std::vector<ConnectionPtr> idle;
  std::lock_guard lock(mutex);
  for (auto it = parked.begin(); it != parked.end();) {
    if (it->second->idle()) {
      idle.push_back(std::move(it->second));
      it = parked.erase(it);
    } else {
      ++it;
    }
  }
  connections -= idle.size();
}

void Server::Impl::enqueue(ConnectionPtr connection) {
  queue.push_back(std::move(connection));
  if (queue.size() > waiting && workers.size() < static_cast<size_t>(service.options.workers)) {
    try {
      workers.emplace_back([this] { work_loop(); });
    } catch (const std::system_error& e) {
      if (workers.empty()) throw;
      log::warn("cannot start another HTTP worker", {{"error", e.what()}});
    }
  } else if (queue.size() > waiting) {
    nudge.set();
  }
  work.notify_one();
}

void Server::Impl::work_loop() {
  std::unique_lock lock(mutex);
  for (;;) {
    ++waiting;
    work.wait(lock, [&] { return exiting || !queue.empty(); });
    --waiting;
    if (exiting) return;
    ConnectionPtr connection = std::move(queue.front());
    queue.pop_front();
    if (queue.empty() && !service.draining) nudge.clear();
    Connection* key = connection.get();
    active.insert(key);
    lock.unlock();
    serve(std::move(connection));
    lock.lock();
    if (active.empty() && queue.empty()) idle_now.notify_all();
  }
}

// Serves until the connection is closed, parked or handed on; it leaves `active` here.
void Server::Impl::serve(ConnectionPtr connection) {
  for (;;) {
    auto next = Connection::Next::kClose;
    try {
      next = connection->advance();
    } catch (const std::exception& e) {
      log::error("connection failed", {{"error", e.what()}});
    }
    if (next == Connection::Next::kServed) {
      if (!wanted_elsewhere()) continue;
      std::lock_guard lock(mutex);
      active.erase(connection.get());
      enqueue(std::move(connection));  // behind those that wait
      return;
    }
    if (next == Connection::Next::kWait) {
      if (linger(*connection)) continue;
      if (park(connection, true)) return;
    }
    std::unique_lock lock(mutex);
    active.erase(connection.get());
    lock.unlock();
    --connections;
    return;  // closes
  }
}

bool Server::Impl::wanted_elsewhere() {
  std::lock_guard lock(mutex);
  return queue.size() > waiting && workers.size() >= static_cast<size_t>(service.options.workers);
}

// Waits a little for the next request, which often follows at once; true if bytes are here.
bool Server::Impl::linger(Connection& connection) {
  auto until = std::min(Clock::now() + service.options.linger, connection.deadline());
  pollfd fds[2] = {{connection.stream().fd(),
                    static_cast<short>(connection.stream().wants_write() ? POLLOUT : POLLIN), 0},
                   {nudge.fd(), POLLIN, 0}};
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  if (left <= 0) return false;
  int count = ::poll(fds, 2, static_cast<int>(left));
  return count > 0 && fds[0].revents != 0;
}

// Gives the connection to epoll; false if it is to be closed instead. `known`: epoll has seen it.
bool Server::Impl::park(ConnectionPtr& connection, bool known) {
  Connection* key = connection.get();
  connection->park();
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLONESHOT;
  event.events |= connection->stream().wants_write() ? EPOLLOUT : EPOLLIN;
  event.data.ptr = key;
  std::lock_guard lock(mutex);
  if (exiting || (service.draining && connection->idle())) {
    if (!known) --connections;
    return false;
  }
  Deadline deadline = connection->deadline();
  int fd = connection->stream().fd();
  active.erase(key);
  parked.emplace(key, std::move(connection));
  if (::epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) {
    connection = std::move(parked.at(key));
    parked.erase(key);
    if (!known) --connections;
    return false;
  }
  if (deadline < next_sweep) {
    next_sweep = deadline;
    wake_poller.set();
  }
  return true;
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

void Server::route(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  impl_->service.router.add(method, pattern, std::move(handler), options);
}

void Server::start() { impl_->start(); }

int Server::port() const { return impl_->port; }

void Server::stop(std::chrono::milliseconds grace) { impl_->stop(grace); }

Server::Load Server::load() const {
  std::lock_guard lock(impl_->mutex);
  return {impl_->connections, impl_->parked.size(), impl_->workers.size(), impl_->service.running,
          impl_->service.requests};
}

}  // namespace meesh::net
