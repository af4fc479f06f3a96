// The store's process dies at any moment: what it acknowledged is whole, nothing is half there.
// A few rounds by default; MEESH_KILL_ROUNDS for more.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "objects/crash_points.h"
#include "objects/local/history.h"

namespace meesh::objects {
namespace {

constexpr int kWriters = 8;
constexpr const char* kFolderVariable = "MEESH_KILL_FOLDER";
constexpr int kReportDescriptor = 3;

/// The child's part: writes until it is killed or has done enough.
TEST(KillChild, Writes) {
  const char* folder = std::getenv(kFolderVariable);  // NOLINT(concurrency-mt-unsafe)
  if (!folder) GTEST_SKIP() << "runs in a child of KillTest";
  const auto seed = static_cast<uint32_t>(getpid());
  LocalOptions options;
  options.folder = folder;
  const auto store = open_local(options);
  const std::function<void(const std::string&)> tell = [](const std::string& line) {
    // Short enough to be written at once, whoever else writes.
    const std::string text = line + "\n";
    if (write(kReportDescriptor, text.data(), text.size()) < 0) _exit(1);
  };
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] { write_history(*store, i, seed, 60, tell); });
  }
  for (auto& writer : writers) writer.join();
}

class Child {
 public:
  /// `crash_point` may be empty.
  Child(const std::filesystem::path& folder, const std::string& crash_point) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> environment = {fmt::format("{}={}", kFolderVariable, folder.string()),
                                            "MEESH_LOG=warn", "TMPDIR=/tmp",
                                            "MEESH_CRASH_POINT=" + crash_point};
    const char* arguments[] = {"/proc/self/exe", "--gtest_filter=KillChild.Writes", nullptr};
    std::vector<char*> variables;
    for (auto& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(nothing, STDOUT_FILENO);
      // dup2 onto itself would leave the descriptor to be closed.
      if (ends[1] == kReportDescriptor) {
        fcntl(ends[1], F_SETFD, 0);
      } else {
        dup2(ends[1], kReportDescriptor);
      }
      execve("/proc/self/exe", const_cast<char**>(arguments), variables.data());
      _exit(127);
    }
    close(nothing);
    close(ends[1]);
    lines_ = fdopen(ends[0], "r");
  }
  ~Child() {
    fclose(lines_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  /// Reads until the child has ended, killing it after so many lines. Its exit status.
  int follow(History& history, size_t lines_to_live) {
    char line[256];
    for (size_t count = 0; fgets(line, sizeof line, lines_); ++count) {
      if (count == lines_to_live) kill(pid_, SIGKILL);
      const std::string_view text(line);
      if (text.ends_with('\n')) history.read(std::string(text.substr(0, text.size() - 1)));
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_ = -1;
  FILE* lines_ = nullptr;
};

class KillTest : public testing::Test {
 protected:
  KillTest() { begin(); }
  void begin() { open_local(options())->create_bucket({.name = kHistoryBucket}); }
  void begin_anew() {
    acknowledged_ += std::exchange(history_, {}).acknowledged();
    std::filesystem::remove_all(options().folder);
    begin();
  }
  LocalOptions options() const {
    LocalOptions made;
    made.folder = folder_.path() / "objects";
    return made;
  }
  void round(const std::string& crash_point, size_t lines_to_live) {
    SCOPED_TRACE(fmt::format("crash point '{}', {} lines", crash_point, lines_to_live));
    const int status = Child(options().folder, crash_point).follow(history_, lines_to_live);
    ASSERT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
                (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        << status;
    died_ += WIFSIGNALED(status);
    history_.check(*open_local(options()), options().folder / "payload");
  }

  TestFolder folder_;
  History history_;
  int died_ = 0;
  size_t acknowledged_ = 0;  // by earlier stores
};

TEST_F(KillTest, WhatWasAcknowledgedIsWhole) {
  const char* wanted = std::getenv("MEESH_KILL_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
  constexpr size_t kPoints = std::size(kCrashPoints);
  const size_t rounds = wanted ? std::strtoul(wanted, nullptr, 10) : kPoints + 3;
  std::mt19937 random(std::random_device{}());
  for (size_t i = 0; i < rounds && !HasFailure(); ++i) {
    if (i > 0 && i % kDeathsOfAStore == 0) begin_anew();
    const size_t point = i % (kPoints + 3);
    if (point < kPoints) {
      round(fmt::format("{}:{}", kCrashPoints[point], 1 + random() % 6), SIZE_MAX);
    } else {
      round("", random() % 500);
    }
  }
  EXPECT_GT(acknowledged_ + history_.acknowledged(), rounds);
  EXPECT_GE(static_cast<size_t>(died_) * 2, rounds) << "crash points that are never passed";
}

}  // namespace
}  // namespace meesh::objects
