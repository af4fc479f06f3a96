#include "transform/dbt_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace meesh::transform {

extern const unsigned char kDbtDriver[];
extern const unsigned long kDbtDriverSize;  // NOLINT(google-runtime-int): as meesh_embed writes it

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

/// How long dbt may take to cancel its statements before it is killed.
constexpr process::Millis kFarewell{5'000};
/// How often a stop is looked for while dbt says nothing.
constexpr int kGlanceMs = 100;

/// Our server is on this machine: no proxy is asked for it, whatever the others go through.
std::string no_proxy() {
  const char* others = std::getenv("no_proxy");
  if (others == nullptr) others = std::getenv("NO_PROXY");
  return fmt::format("no_proxy={},localhost,127.0.0.1,::1", others == nullptr ? "" : others);
}

std::string driver() {
  return {reinterpret_cast<const char*>(kDbtDriver), static_cast<size_t>(kDbtDriverSize)};
}

}  // namespace

DbtProcess::DbtProcess(Options options) : options_(std::move(options)) {}

DbtProcess::~DbtProcess() {
  process_.reset();
  if (channel_ >= 0) ::close(channel_);
}

void DbtProcess::start() {
  process_.reset();
  if (channel_ >= 0) ::close(std::exchange(channel_, -1));
  pending_.clear();
  if (!fs::exists(options_.python)) {
    throw Error(Code::kUnavailable,
                fmt::format("dbt is not installed: there is no {}", options_.python.string()))
        .with_hint("run setup/setup.sh");
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(Code::kIoError, fmt::format("socketpair: {}", std::strerror(errno)));
  }
  channel_ = ends[0];
  process::Command command;
  command.arguments = {options_.python.string(), "-c", driver(),
                       std::to_string(options_.idle.count())};
  command.environment = {"DBT_SEND_ANONYMOUS_USAGE_STATS=false", "PYTHONUNBUFFERED=1", no_proxy()};
  command.directory = options_.directory;
  command.log = options_.log;
  command.input = command.output = ends[1];
  try {
    process_ = process::start(command);
  } catch (...) {
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
}

bool DbtProcess::alive() { return process_ && !process_->wait(process::Millis(0)); }

bool DbtProcess::send(const std::string& line) {
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t went = ::send(channel_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (went < 0 && errno == EINTR) continue;
    if (went <= 0) return false;
    sent += static_cast<size_t>(went);
  }
  return true;
}

bool DbtProcess::receive(std::string& line, const std::stop_token& stop) {
  for (;;) {
    if (const size_t end = pending_.find('\n'); end != std::string::npos) {
      line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return true;
    }
    if (stop.stop_requested()) cancel();
    pollfd entry{channel_, POLLIN, 0};
    if (::poll(&entry, 1, kGlanceMs) <= 0) continue;
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(channel_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    pending_.append(buffer.data(), static_cast<size_t>(got));
  }
}

void DbtProcess::cancel() {
  process_->signal(SIGINT);
  process_->wait(kFarewell);
  process_.reset();
  throw Error(Code::kUserCanceled, "dbt was canceled");
}

void DbtProcess::died() {
  const auto exit = process_->wait(process::Millis(1'000));
  process_.reset();
  throw Error(Code::kUnavailable, fmt::format("dbt ended in the middle of a command{}",
                                              exit ? ", with " + exit->words() : ""))
      .with_hint(fmt::format("what Python said last is in {}", options_.log.string()));
}

DbtEvent DbtProcess::run(const std::vector<std::string>& arguments, const Environment& environment,
                         const std::stop_token& stop,
                         const std::function<void(const DbtEvent&)>& on_event) {
  json::object variables;
  for (const auto& [name, value] : environment) variables[name] = value;
  const std::string command =
      json::serialize(json::object{{"arguments", json::value_from(arguments)},
                                   {"environment", std::move(variables)}}) +
      "\n";
  std::string line;
  bool told = false;
  // An idle process may be ending just now: then a new one gets the command, once.
  for (bool fresh = !alive();; fresh = true) {
    if (fresh) start();
    told = send(command) && receive(line, stop);
    if (told || fresh) break;
  }
  try {
    for (; told; told = receive(line, stop)) {
      const auto event = read_dbt_event(line);
      if (!event) continue;
      if (event->kind == DbtEvent::Kind::kDone) return *event;
      on_event(*event);
    }
  } catch (...) {
    process_.reset();  // it is in the middle of a command that nobody listens to
    throw;
  }
  died();
}

}  // namespace meesh::transform
