#include "ingest/airbyte/child_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

namespace meesh::ingest {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kRead = 1 << 20;
constexpr size_t kLongestLine = 64 << 20;
constexpr size_t kLongestError = 2000;
constexpr size_t kMostErrors = 30;
constexpr int kGlanceMs = 200;
constexpr auto kMemoryEvery = std::chrono::milliseconds(100);
/// How long output may stay open behind the end of the process that it belongs to.
constexpr auto kAfterEnd = std::chrono::seconds(2);
constexpr process::Millis kFarewell{10'000};

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw Error(Code::kIoError, fmt::format("pipe: {}", std::strerror(errno)));
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read = -1, write = -1;
};

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code gone;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

/// Its own and its share of what it has in common with others, bytes.
uint64_t memory_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Pss:")) return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  }
  std::ifstream simple(fmt::format("/proc/{}/statm", pid));
  uint64_t all = 0, resident = 0;
  simple >> all >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Whether it has ended, without its number being free for others yet: what it started is still
/// found by it.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

uint64_t memory_of_all(pid_t pid, int depth = 0) {
  uint64_t sum = memory_of(pid);
  if (depth > 20) return sum;
  for (const pid_t child : children_of(pid)) sum += memory_of_all(child, depth + 1);
  return sum;
}

}  // namespace

ChildLines::ChildLines(Options options) : options_(std::move(options)) {
  Pipe output, errors;
  process::Command command = options_.command;
  command.output = output.write;
  command.log = fmt::format("/proc/self/fd/{}", errors.write);
  process_ = process::start(command);
  output_ = std::exchange(output.read, -1);
  error_output_ = std::exchange(errors.read, -1);
  ::fcntl(error_output_, F_SETFL, O_NONBLOCK);
  ::fcntl(output_, F_SETPIPE_SZ, static_cast<int>(kRead));  // fewer turns; as it is, if refused
  buffer_.resize(kRead);
  if (options_.memory > 0)
    watch_ = std::jthread([this](const std::stop_token& stop) { watch_memory(stop); });
}

ChildLines::~ChildLines() {
  if (watch_.joinable()) {
    watch_.request_stop();
    watch_.join();
  }
  process_->signal_group(SIGKILL);
  process_.reset();
  ::close(output_);
  ::close(error_output_);
}

void ChildLines::watch_memory(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any tick;
  std::unique_lock lock(mutex);
  while (!tick.wait_for(lock, stop, kMemoryEvery, [&] { return stop.stop_requested(); })) {
    if (stop.stop_requested()) return;
    const uint64_t used = memory_of_all(process_->pid());
    if (used <= options_.memory) continue;
    too_much_ = used;
    process_->signal_group(SIGKILL);
    return;
  }
}

std::optional<std::string_view> ChildLines::next(const std::stop_token& stop) {
  for (;;) {
    if (searched_ < end_) {
      const void* found = std::memchr(buffer_.data() + searched_, '\n', end_ - searched_);
      if (found) return take(static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()));
      searched_ = end_;
    }
    if (!fill(stop)) break;
  }
  if (begin_ == end_) return std::nullopt;
  return take(end_);  // the last line has no end
}

std::optional<std::string_view> ChildLines::take(size_t end) {
  const std::string_view line(buffer_.data() + begin_, end - begin_);
  readable_ = buffer_.size() - begin_;
  begin_ = searched_ = std::min(end + 1, end_);
  return line;
}

bool ChildLines::fill(const std::stop_token& stop) {
  if (closed_) return false;
  const auto since = Clock::now();
  std::optional<Clock::time_point> ended;
  for (;;) {
    std::array<pollfd, 2> entries{{{output_, POLLIN, 0}, {error_output_, POLLIN, 0}}};
    const int ready = ::poll(entries.data(), entries.size(), kGlanceMs);
    if (entries[1].revents & POLLIN) read_errors();
    // Not POLLHUP of standard error alone: who closes it may still write.
    if (entries[1].revents == POLLHUP && entries[0].revents == 0) ::usleep(kGlanceMs * 1000);
    if (entries[0].revents != 0) return read_output();
    check_limits(since, stop);
    if (ready > 0) continue;
    if (!ended && has_ended(process_->pid())) ended = Clock::now();
    if (ended && Clock::now() - *ended > kAfterEnd) {  // what it started holds the output open
      closed_ = true;
      return false;
    }
  }
}

bool ChildLines::read_output() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  const size_t room = end_ + kRead / 4 + simdjson::SIMDJSON_PADDING;
  if (buffer_.size() < room) buffer_.resize(std::max(room, 2 * buffer_.size()));
  if (end_ > kLongestLine) {
    give_up(Error(Code::kBadRequest, fmt::format("{} wrote a line of more than {} MiB",
                                                 options_.name, kLongestLine >> 20)));
  }
  ssize_t got = 0;
  do {
    got =
        ::read(output_, buffer_.data() + end_, buffer_.size() - end_ - simdjson::SIMDJSON_PADDING);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    closed_ = true;
    return false;
  }
  end_ += static_cast<size_t>(got);
  return true;
}

void ChildLines::read_errors() {
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while ((got = ::read(error_output_, part.data(), part.size())) > 0) {
    for (const char c : std::string_view(part.data(), static_cast<size_t>(got))) {
      if (c != '\n') {
        if (error_line_.size() < kLongestError) error_line_ += c;
        continue;
      }
      if (!error_line_.empty()) errors_.push_back(std::exchange(error_line_, {}));
      if (errors_.size() > kMostErrors) errors_.pop_front();
    }
  }
}

void ChildLines::check_limits(Clock::time_point since, const std::stop_token& stop) {
  if (stop.stop_requested()) give_up(Error(Code::kUserCanceled, "The task was canceled"));
  if (options_.silence.count() > 0 && Clock::now() - since > options_.silence) {
    give_up(Error(Code::kExceededTimeLimit, fmt::format("{} has said nothing for {} s",
                                                        options_.name, options_.silence.count()))
                .with_hint("timeout: says how long it may take"));
  }
}

void ChildLines::give_up(Error error) {
  process_->signal_group(SIGKILL);
  closed_ = true;
  throw error;
}

process::Exit ChildLines::finish() {
  const auto deadline = Clock::now() + kFarewell;
  while (!has_ended(process_->pid()) && Clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  process_->signal_group(SIGKILL);  // it, or what it has left behind
  const auto exit = process_->wait(kFarewell);
  read_errors();
  if (!error_line_.empty()) errors_.push_back(std::exchange(error_line_, {}));
  if (const uint64_t used = too_much_; used > 0) {
    throw Error(Code::kExceededLocalMemoryLimit,
                fmt::format("{} was stopped: it used {} MB, more than {} MB", options_.name,
                            used / 1'000'000, options_.memory / 1'000'000))
        .with_hint("memory: says how much it may use");
  }
  return exit.value_or(process::Exit{0, SIGKILL});
}

}  // namespace meesh::ingest
