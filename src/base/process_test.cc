#include "base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace meesh::process {
namespace {

namespace fs = std::filesystem;

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/meesh-process-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  fs::path folder_;
};

Command shell(const std::string& script) { return Command{{"/bin/sh", "-c", script}}; }

TEST_F(ProcessTest, GivesOutputAndExit) {
  const Result result = run(shell("echo out; echo err >&2; exit 3"), Millis(30'000));
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_EQ(result.exit.code, 3);
  EXPECT_EQ(run(shell("kill -9 $$"), Millis(30'000)).exit.words(), "signal 9 (Killed)");
}

TEST_F(ProcessTest, TalksThroughDescriptors) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Command command = shell("read line; echo \"heard $line\"; echo aside >&2");
  command.input = command.output = ends[1];
  command.log = folder_ / "log";
  const auto child = start(command);
  ::close(ends[1]);
  ASSERT_EQ(::write(ends[0], "you\n", 4), 4);
  std::string heard;
  char buffer[64];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    heard.append(buffer, static_cast<size_t>(got));
  }
  ::close(ends[0]);
  EXPECT_EQ(heard, "heard you\n");
  EXPECT_TRUE(child->wait(Millis(30'000))->good());
  EXPECT_EQ(text_of(folder_ / "log"), "aside\n");
}

TEST_F(ProcessTest, ArgumentsAreNotReadByAShell) {
  EXPECT_EQ(run({{"/bin/echo", "$HOME; ls", "a b"}}, Millis(30'000)).output, "$HOME; ls a b\n");
}

TEST_F(ProcessTest, EnvironmentDirectoryAndLog) {
  Command command = shell("pwd; echo $MEESH_X-$MEESH_SECRET");
  ::setenv("MEESH_SECRET", "s", 1);
  command.environment = {"MEESH_X=1"};
  command.inherit_environment = false;
  command.directory = folder_;
  command.log = folder_ / "log";
  EXPECT_TRUE(run(command, Millis(30'000)).exit.good());
  EXPECT_EQ(text_of(command.log), folder_.string() + "\n1-\n");
  ::unsetenv("MEESH_SECRET");
}

TEST_F(ProcessTest, SaysWhatCannotBeStarted) {
  try {
    start({{"/nowhere/program"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "cannot run /nowhere/program: No such file or directory");
  }
  Command command = shell("true");
  command.directory = folder_ / "gone";
  EXPECT_THROW(start(command), Error);
}

TEST_F(ProcessTest, HasItsOwnSessionAndNoOpenFiles) {
  const int leaked = ::dup(1);  // not close-on-exec
  const Result result =
      run(shell("ls /proc/self/fd | wc -l; ps -o sid= -p $$ | tr -d ' '; echo $$"), Millis(30'000));
  ::close(leaked);
  std::istringstream lines(result.output);
  std::string count, session, pid;
  lines >> count >> session >> pid;
  EXPECT_EQ(count, "4");  // 0, 1, 2 and ls's own look
  EXPECT_EQ(session, pid);
}

TEST_F(ProcessTest, KillsWhatTakesTooLong) {
  EXPECT_THROW(run(shell("sleep 1000"), Millis(50)), Error);
  pid_t pid = 0;
  {
    const auto process = start(shell("sleep 1000 & sleep 1000"));
    pid = process->pid();
    EXPECT_FALSE(process->wait(Millis(0)));
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(ProcessTest, DiesWithTheProcessThatStartedIt) {
  // A forked copy of ours starts a child from a thread that ends at once, then is SIGKILLed.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    std::unique_ptr<Process> child;
    std::thread([&child] { child = start({{"/bin/sleep", "1000"}}); }).join();
    const pid_t pid = child->pid();
    [[maybe_unused]] const auto sent = ::write(ends[1], &pid, sizeof pid);
    ::pause();
    ::_exit(0);
  }
  pid_t child = 0;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  EXPECT_EQ(::kill(child, 0), 0);  // the thread's end did not kill it
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(wait_gone(child, Millis(30'000)));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(ProcessTest, SupervisedIsStartedAgain) {
  std::mutex mutex;
  std::condition_variable changed;
  int launches = 0;
  std::vector<std::string> told;
  Supervised server(
      "sleeper",
      [&] {
        const std::lock_guard lock(mutex);
        ++launches;
        changed.notify_all();
        return start({{"/bin/sleep", "1000"}});
      },
      {},
      [&](const std::string& words) {
        const std::lock_guard lock(mutex);
        told.push_back(words);
      });
  server.start();
  const pid_t first = server.pid();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return launches == 2; }));
    EXPECT_THAT(told,
                testing::ElementsAre(
                    "sleeper ended unexpectedly with signal 9 (Killed); next attempt in 100 ms"));
  }
  server.stop();
  EXPECT_EQ(server.pid(), 0);
  EXPECT_EQ(launches, 2);
}

TEST_F(ProcessTest, SupervisedIsStoppedHarderIfItMust) {
  std::vector<std::string> told;
  Supervised server(
      "stubborn",
      [&] {
        auto process = start(shell("trap '' TERM QUIT; echo > " + (folder_ / "up").string() +
                                   "; while :; do sleep 1000; done"));
        while (!fs::exists(folder_ / "up")) std::this_thread::yield();
        return process;
      },
      {SIGTERM, Millis(20), SIGQUIT, Millis(20)},
      [&](const std::string& words) { told.push_back(words); });
  server.start();
  const pid_t pid = server.pid();
  server.stop();
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(ProcessTest, FirstLaunchFailureIsThrown) {
  Supervised server("none", [] { return start({{"/nowhere"}}); }, {}, [](const std::string&) {});
  EXPECT_THROW(server.start(), Error);
}

TEST_F(ProcessTest, FindsProcessesByFolder) {
  EXPECT_TRUE(processes_in(folder_).empty());
  Command command{{"/bin/sleep", "1000"}};
  command.directory = folder_;
  const auto process = start(command);
  EXPECT_THAT(processes_in(folder_), testing::ElementsAre(process->pid()));
}

}  // namespace
}  // namespace meesh::process
