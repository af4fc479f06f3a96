// Child processes: started without a shell, in a session of their own (a Ctrl-C on the terminal is
// ours alone), dying with this process even when it is SIGKILLed, their output in a log file.
//
//   process::Command command{{"/usr/bin/sort", "-n"}};
//   command.log = data / "logs" / "sort.log";
//   process::Result result = process::run(command, std::chrono::seconds(30));
//
//   process::Supervised server("postgres-sales", [=] { return process::start(command); }, options);
//   server.start(); … server.stop(deadline);          // restarts it with back-off meanwhile
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace meesh::process {

using Millis = std::chrono::milliseconds;

/// A user to run as.
struct Identity {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
/// Nothing if the system has no such user.
std::optional<Identity> find_user(const std::string& name);
std::optional<Identity> find_user(uid_t uid);

struct Command {
  std::vector<std::string> arguments;    // arguments[0] is the program's absolute path
  std::vector<std::string> environment;  // NAME=value, added to (or replacing) ours
  bool inherit_environment = true;  // false: `environment` is all it gets (ours may hold secrets)
  std::filesystem::path directory;  // empty: ours
  std::filesystem::path log;        // stdout and stderr are appended; empty: /dev/null
  /// Descriptors that become its stdin, and its stdout instead of the log; they stay the caller's.
  /// -1: nothing to read, the log.
  int input = -1, output = -1;
  std::optional<Identity> user;  // drops to it; only root may
  int death_signal = SIGKILL;    // what the kernel sends when this process dies
};

/// How a process ended.
struct Exit {
  int code = 0;  // meaningful if signal == 0
  int signal = 0;
  bool good() const { return code == 0 && signal == 0; }
  std::string words() const;  // "exit code 1", "signal 9 (Killed)"
};

/// A running child. Not thread-safe, except where stated. Destroying it kills its process group and
/// waits.
class Process {
 public:
  Process(pid_t pid, int pidfd);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// Waits for its end; nothing if the time is over first. Thread-safe with signal().
  std::optional<Exit> wait(Millis at_most);
  /// No effect once it ended. Thread-safe.
  void signal(int number);
  /// The same for everything in its process group.
  void signal_group(int number);

 private:
  std::optional<Exit> reap();

  const pid_t pid_;
  const int pidfd_;
  std::mutex mutex_;
  std::optional<Exit> exit_;  // guarded by mutex_; set once reaped
};

/// Throws IO_ERROR if the program, its directory or its log cannot be used, naming it.
std::unique_ptr<Process> start(const Command& command);

struct Result {
  Exit exit;
  std::string output;  // stdout and stderr, at most 64 KiB of its end; empty if command.log is set
};
/// Runs it to its end. Throws EXCEEDED_TIME_LIMIT, having killed it, when the time is over.
Result run(const Command& command, Millis at_most);

/// Processes, by any user, whose working directory is `directory` (which need not be ours).
std::vector<pid_t> processes_in(const std::filesystem::path& directory);
/// Waits until the process, no child of ours, is gone; false if the time is over first.
bool wait_gone(pid_t pid, Millis at_most);

struct StopSteps {
  int first = SIGTERM;
  Millis first_wait{10'000};
  int second = SIGQUIT;  // then SIGKILL to the group
  Millis second_wait{5'000};
};

/// Keeps one process running: a thread of its own starts it and starts it again when it ends, after
/// 100 ms, twice as long each time up to 30 s, back to 100 ms once it has lived for 60 s.
class Supervised {
 public:
  /// `launch` runs on the supervisor's thread and may throw: that counts as an end.
  /// `report` is told every unexpected end and failed launch, in words; it must not throw.
  Supervised(std::string name, std::function<std::unique_ptr<Process>()> launch, StopSteps steps,
             std::function<void(const std::string&)> report);
  ~Supervised();  // stops it

  /// Launches it for the first time; throws what `launch` throws. Once.
  void start();
  /// Ends it and stays so. Idempotent; waits until it is gone.
  void stop();
  /// 0 while it is not running.
  pid_t pid() const;
  int restarts() const;

 private:
  void work();
  void end_process(Process& process);

  const std::string name_;
  const std::function<std::unique_ptr<Process>()> launch_;
  const StopSteps steps_;
  const std::function<void(const std::string&)> report_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Process> process_;                           // guarded
  std::exception_ptr first_failure_;                           // guarded
  bool launched_ = false, failed_ = false, stopping_ = false;  // guarded
  int restarts_ = 0;                                           // guarded
  std::thread thread_;
};

}  // namespace meesh::process
