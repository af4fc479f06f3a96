// What the machine's loopback carries at most: a thread hands a cached file to sendfile for each
// client, the client has the kernel throw away what it reads, as load.cc does. No HTTP, no disk.
//
//   objects_loopback CLIENTS SIZE COUNT      prints {"bytes": …, "seconds": …}
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

void serve(int socket, int file, off_t size) {
  for (char asked; ::recv(socket, &asked, 1, 0) == 1;) {
    for (off_t at = 0; at < size;) {
      check(::sendfile(socket, file, &at, static_cast<size_t>(size - at)) > 0, "sendfile");
    }
  }
  ::close(socket);
}

void fetch(int socket, uint64_t size, uint64_t count) {
  for (; count > 0; --count) {
    check(::send(socket, "?", 1, 0) == 1, "send");
    for (uint64_t left = size; left > 0;) {
      const ssize_t got = ::recv(socket, nullptr, std::min<uint64_t>(left, 4 << 20), MSG_TRUNC);
      check(got > 0, "recv");
      left -= static_cast<uint64_t>(got);
    }
  }
  ::close(socket);
}

}  // namespace

int main(int argc, char** argv) {
  check(argc == 4, "CLIENTS SIZE COUNT");
  const int clients = std::atoi(argv[1]);
  const uint64_t size = std::strtoull(argv[2], nullptr, 10);
  const uint64_t count = std::strtoull(argv[3], nullptr, 10);
  const int file = ::memfd_create("loopback", 0);
  const std::string piece(1 << 20, 'x');
  for (uint64_t at = 0; at < size; at += piece.size()) {
    check(::write(file, piece.data(), std::min<uint64_t>(piece.size(), size - at)) > 0, "write");
  }
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  check(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  check(::listen(listener, clients) == 0, "listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::vector<std::thread> threads;
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < clients; ++n) {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    check(::connect(client, reinterpret_cast<sockaddr*>(&address), length) == 0, "connect");
    const int accepted = ::accept(listener, nullptr, nullptr);
    check(accepted >= 0, "accept");
    threads.emplace_back(serve, accepted, file, static_cast<off_t>(size));
    threads.emplace_back(fetch, client, size, count);
  }
  for (auto& thread : threads) thread.join();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"bytes\": %.0f, \"seconds\": %.6f}\n",
              static_cast<double>(size) * static_cast<double>(count) * clients, seconds);
}
