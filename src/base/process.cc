#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <future>

namespace meesh::process {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// What the child could not do, sent back through a pipe that exec closes.
struct Failure {
  enum class Step : int { kGroups, kUser, kDirectory, kProgram, kParentGone };
  Step step;
  int error;
};

struct Plan {
  std::vector<char*> arguments, environment;
  const char* directory = nullptr;
  const Identity* user = nullptr;
  int death_signal = 0;
  pid_t parent = 0;
  int output = -1, errors = -1, input = -1, report = -1;
};

[[noreturn]] void give_up(const Plan& plan, Failure::Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const ssize_t sent = ::write(plan.report, &failure, sizeof failure);
  ::_exit(127);
}

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const Plan& plan) {
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
  ::dup2(plan.input, 0);
  ::dup2(plan.output, 1);
  ::dup2(plan.errors, 2);
  int report = plan.report;
  if (report != 3) {
    ::dup2(report, 3);
    report = 3;
  }
  ::fcntl(report, F_SETFD, FD_CLOEXEC);
  Plan moved{{}, {}, nullptr, nullptr, 0, 0, -1, -1, -1, report};
  if (::syscall(SYS_close_range, 4U, ~0U, 0U) != 0) {
    for (int fd = 4; fd < 4096; ++fd) ::close(fd);
  }
  if (plan.user != nullptr) {
    const auto groups = plan.user->groups.size();
    if (::setgroups(groups, plan.user->groups.data()) != 0 || ::setgid(plan.user->gid) != 0) {
      give_up(moved, Failure::Step::kGroups);
    }
    if (::setuid(plan.user->uid) != 0) give_up(moved, Failure::Step::kUser);
  }
  // After the change of user, which clears it.
  ::prctl(PR_SET_PDEATHSIG, plan.death_signal);
  if (::getppid() != plan.parent) give_up(moved, Failure::Step::kParentGone);
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0)
    give_up(moved, Failure::Step::kDirectory);
  ::execve(plan.arguments[0], plan.arguments.data(), plan.environment.data());
  give_up(moved, Failure::Step::kProgram);
}

// PR_SET_PDEATHSIG goes by the *thread* that forked: all children are forked by one thread that
// never ends. A process forked from ours without exec (a test's) makes its own.
class Forker {
 public:
  static Forker& instance() {
    static std::mutex mutex;
    static Forker* forker = nullptr;
    const std::lock_guard lock(mutex);
    if (forker == nullptr || forker->process_ != ::getpid()) forker = new Forker;  // never ends
    return *forker;
  }

  pid_t fork_and_become(const Plan& plan, int& error) {
    std::packaged_task<std::pair<pid_t, int>()> task([&plan] {
      sigset_t all, before;
      sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
      const pid_t pid = ::fork();
      if (pid == 0) become(plan);
      const int failure = errno;
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      return std::pair(pid, failure);
    });
    auto future = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    const auto [pid, failure] = future.get();
    error = failure;
    return pid;
  }

 private:
  Forker() : process_(::getpid()) {
    std::thread([this] {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
      for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !tasks_.empty(); });
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
      }
    }).detach();
  }

  const pid_t process_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<std::pair<pid_t, int>()>> tasks_;
};

std::vector<std::string> environment_of(const Command& command) {
  const std::vector<std::string>& extra = command.environment;
  if (!command.inherit_environment) return extra;
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view given(*entry);
    const std::string_view name = given.substr(0, given.find('=') + 1);
    const bool replaced =
        std::ranges::any_of(extra, [&](const std::string& e) { return e.starts_with(name); });
    if (!replaced) all.emplace_back(given);
  }
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void throw_failure(const Command& command, const Failure& failure) {
  const std::string user = command.user ? command.user->name : "";
  const char* words = std::strerror(failure.error);
  switch (failure.step) {
    case Failure::Step::kGroups:
    case Failure::Step::kUser:
      throw Error(Code::kPermissionDenied, fmt::format("cannot run as user '{}': {}", user, words));
    case Failure::Step::kDirectory: {
      std::string message = fmt::format("cannot work in {}", command.directory.string());
      if (!user.empty()) message += fmt::format(" as user '{}'", user);
      throw Error(Code::kIoError, fmt::format("{}: {}", message, words));
    }
    case Failure::Step::kProgram:
      throw Error(Code::kIoError, fmt::format("cannot run {}: {}", command.arguments[0], words));
    case Failure::Step::kParentGone:
      break;
  }
  internal_error("the forking process is gone");
}

/// stdout and stderr go to `log`, unless the command says otherwise of the first.
std::unique_ptr<Process> start_with_log(const Command& command, int log) {
  if (command.arguments.empty() || !command.arguments[0].starts_with('/')) {
    internal_error("a command needs an absolute path");
  }
  Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(Code::kIoError, fmt::format("pipe: {}", std::strerror(errno)));
  Fd report_read(ends[0]), report_write(ends[1]);
  const std::vector<std::string> environment = environment_of(command);
  Plan plan;
  plan.arguments = pointers(command.arguments);
  plan.environment = pointers(environment);
  plan.directory = command.directory.empty() ? nullptr : command.directory.c_str();
  plan.user = command.user ? &*command.user : nullptr;
  plan.death_signal = command.death_signal;
  plan.parent = ::getpid();
  // Above 3, so that the child's dup2 calls cannot overwrite one another's sources.
  const auto high = [](int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 10)); };
  const Fd high_input = high(command.input >= 0 ? command.input : nothing.get());
  const Fd high_output = high(command.output >= 0 ? command.output : log), high_errors = high(log);
  Fd high_report(::fcntl(report_write.get(), F_DUPFD_CLOEXEC, 10));
  report_write.reset();
  plan.input = high_input.get();
  plan.output = high_output.get();
  plan.errors = high_errors.get();
  plan.report = high_report.get();
  int error = 0;
  const pid_t pid = Forker::instance().fork_and_become(plan, error);
  if (pid < 0) {
    throw Error(Code::kGenericInsufficientResources,
                fmt::format("cannot start a process: {}", std::strerror(error)));
  }
  auto process =
      std::make_unique<Process>(pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  high_report.reset();
  Failure failure{};
  ssize_t got = 0;
  do {
    got = ::read(report_read.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    process->wait(Millis(10'000));
    throw_failure(command, failure);
  }
  return process;
}

Fd open_log(const fs::path& log) {
  const fs::path path = log.empty() ? fs::path("/dev/null") : log;
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    throw Error(Code::kIoError,
                fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return Fd(fd);
}

Millis left(Clock::time_point deadline) {
  return std::max(Millis(0), std::chrono::ceil<Millis>(deadline - Clock::now()));
}

int poll_time(Millis at_most) {
  return static_cast<int>(std::min<int64_t>(at_most.count(), 1'000'000));
}

// True if fd became readable (a pidfd: its process ended).
bool wait_readable(int fd, Millis at_most) {
  const auto deadline = Clock::now() + at_most;
  for (;;) {
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, poll_time(left(deadline)));
    if (ready > 0) return true;
    if (ready == 0 && left(deadline) == Millis(0)) return false;
    if (ready < 0 && errno != EINTR) return true;
  }
}

}  // namespace

std::optional<Identity> find_user(uid_t uid) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return find_user(std::string(entry.pw_name));
}

std::optional<Identity> find_user(const std::string& name) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  Identity identity{name, entry.pw_uid, entry.pw_gid, std::vector<gid_t>(256)};
  int count = static_cast<int>(identity.groups.size());
  if (::getgrouplist(name.c_str(), entry.pw_gid, identity.groups.data(), &count) < 0) {
    identity.groups = {entry.pw_gid};
  } else {
    identity.groups.resize(static_cast<size_t>(count));
  }
  return identity;
}

std::string Exit::words() const {
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit code {}", code);
}

Process::Process(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

Process::~Process() {
  if (!wait(Millis(0))) {
    signal_group(SIGKILL);
    while (!wait(Millis(60'000))) signal_group(SIGKILL);
  }
  if (pidfd_ >= 0) ::close(pidfd_);
}

std::optional<Exit> Process::wait(Millis at_most) {
  {
    const std::lock_guard lock(mutex_);
    if (exit_) return exit_;
  }
  if (pidfd_ >= 0 && !wait_readable(pidfd_, at_most)) return std::nullopt;
  const auto deadline = Clock::now() + at_most;
  for (;;) {
    if (auto exit = reap()) return exit;
    if (pidfd_ >= 0 || Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(Millis(5));  // a kernel or sandbox without pidfds
  }
}

std::optional<Exit> Process::reap() {
  const std::lock_guard lock(mutex_);
  if (exit_) return exit_;
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &status, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return std::nullopt;
  if (reaped < 0) {
    exit_ = Exit{127, 0};  // reaped by someone else
  } else {
    exit_ = WIFSIGNALED(status) ? Exit{0, WTERMSIG(status)} : Exit{WEXITSTATUS(status), 0};
  }
  return exit_;
}

void Process::signal(int number) {
  const std::lock_guard lock(mutex_);
  if (!exit_) ::kill(pid_, number);
}

void Process::signal_group(int number) {
  const std::lock_guard lock(mutex_);
  if (!exit_) ::kill(-pid_, number);
}

std::unique_ptr<Process> start(const Command& command) {
  return start_with_log(command, open_log(command.log).get());
}

Result run(const Command& command, Millis at_most) {
  const auto deadline = Clock::now() + at_most;
  Result result;
  std::unique_ptr<Process> process;
  Fd output;
  if (!command.log.empty()) {
    process = start(command);
  } else {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw Error(Code::kIoError, fmt::format("pipe: {}", std::strerror(errno)));
    output.reset(ends[0]);
    const Fd write_end(ends[1]);
    process = start_with_log(command, write_end.get());
  }
  bool timed_out = false;
  while (output.get() >= 0) {
    if (!wait_readable(output.get(), left(deadline))) {
      timed_out = true;
      break;
    }
    char buffer[8192];
    const ssize_t got = ::read(output.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    result.output.append(buffer, static_cast<size_t>(got));
    if (result.output.size() > 128 * 1024) result.output.erase(0, result.output.size() - 64 * 1024);
  }
  const auto exit = timed_out ? std::nullopt : process->wait(left(deadline));
  if (!exit) {
    throw Error(
        Code::kExceededTimeLimit,
        fmt::format("{} did not end within {} s", command.arguments[0], at_most.count() / 1000));
  }
  result.exit = *exit;
  return result;
}

std::vector<pid_t> processes_in(const fs::path& directory) {
  std::vector<pid_t> found;
  std::error_code failure;
  const fs::path wanted = fs::canonical(directory, failure);
  if (failure) return found;
  for (const auto& entry : fs::directory_iterator("/proc", failure)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code unreadable;
    if (fs::read_symlink(entry.path() / "cwd", unreadable) == wanted && !unreadable) {
      found.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  return found;
}

bool wait_gone(pid_t pid, Millis at_most) {
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() >= 0) return wait_readable(pidfd.get(), at_most);
  const auto deadline = Clock::now() + at_most;
  while (::kill(pid, 0) == 0 || errno == EPERM) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(Millis(5));
  }
  return true;
}

Supervised::Supervised(std::string name, std::function<std::unique_ptr<Process>()> launch,
                       StopSteps steps, std::function<void(const std::string&)> report)
    : name_(std::move(name)),
      launch_(std::move(launch)),
      steps_(steps),
      report_(std::move(report)) {}

Supervised::~Supervised() { stop(); }

void Supervised::start() {
  thread_ = std::thread([this] { work(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return launched_ || failed_; });
  if (failed_) {
    const std::exception_ptr failure = first_failure_;
    lock.unlock();
    thread_.join();
    std::rethrow_exception(failure);
  }
}

void Supervised::stop() {
  std::shared_ptr<Process> process;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    process = process_;
  }
  changed_.notify_all();
  if (process) end_process(*process);
  if (thread_.joinable()) thread_.join();
}

pid_t Supervised::pid() const {
  const std::lock_guard lock(mutex_);
  return process_ ? process_->pid() : 0;
}

int Supervised::restarts() const {
  const std::lock_guard lock(mutex_);
  return restarts_;
}

void Supervised::end_process(Process& process) {
  process.signal(steps_.first);
  if (process.wait(steps_.first_wait)) return;
  report_(fmt::format("{} did not stop within {} s, stopping it harder", name_,
                      steps_.first_wait.count() / 1000));
  process.signal(steps_.second);
  if (process.wait(steps_.second_wait)) return;
  process.signal_group(SIGKILL);
  while (!process.wait(Millis(10'000))) report_(fmt::format("{} cannot be killed", name_));
}

void Supervised::work() {
  constexpr Millis kShortest(100), kLongest(30'000), kHealthy(60'000);
  Millis pause = kShortest;
  for (;;) {
    std::string what;
    const auto began = Clock::now();
    try {
      std::shared_ptr<Process> process = launch_();
      std::unique_lock lock(mutex_);
      process_ = process;
      if (launched_) ++restarts_;
      launched_ = true;
      const bool stop_missed_it = stopping_;
      lock.unlock();
      changed_.notify_all();
      if (stop_missed_it) end_process(*process);
      std::optional<Exit> exit;
      while (!exit) exit = process->wait(Millis(3'600'000));
      lock.lock();
      process_.reset();
      if (stopping_) return;
      lock.unlock();
      what = fmt::format("{} ended unexpectedly with {}", name_, exit->words());
    } catch (const std::exception& e) {
      std::unique_lock lock(mutex_);
      if (!launched_) {
        first_failure_ = std::current_exception();
        failed_ = true;
        lock.unlock();
        changed_.notify_all();
        return;
      }
      if (stopping_) return;
      what = fmt::format("{} could not be started again: {}", name_, e.what());
    }
    if (Clock::now() - began > kHealthy) pause = kShortest;
    report_(fmt::format("{}; next attempt in {} ms", what, pause.count()));
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, pause, [this] { return stopping_; })) return;
    pause = std::min(pause * 2, kLongest);
  }
}

}  // namespace meesh::process
