// The process dies in the middle of commits: the table is as before or as after, and what is left
// over goes with the orphans. Every point once by default; MEESH_KILL_ROUNDS for more.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <sstream>

#include "lake/transaction_test_lake.h"
#include "objects/crash_points.h"

namespace meesh::lake {
namespace {

constexpr const char* kFolderVariable = "MEESH_LAKE_KILL_FOLDER";
constexpr int kReportDescriptor = 3;
constexpr int kCommits = 8;
constexpr size_t kDeathsOfATable = 25;
const Identifier kName{{"s"}, "t"};

/// With how often they are passed in a run of the child, about.
constexpr std::pair<const char*, int> kPoints[] = {
    {"lake.data_written", kCommits},
    {"lake.manifest_written", kCommits},
    {"lake.list_written", kCommits},
    {"lake.before_swap", kCommits},
    {"lake.after_swap", kCommits},
    {"put.before_index", 3 * kCommits},
    {"index.before_commit", 3 * kCommits},
    {"index.after_commit", 3 * kCommits},
    {"delete.before_index", 1},
};

/// The child's part: every commit is announced ("B +added -removed…") and then acknowledged ("A").
TEST(LakeKillChild, Commits) {
  const char* folder = std::getenv(kFolderVariable);  // NOLINT(concurrency-mt-unsafe)
  if (!folder) GTEST_SKIP() << "runs in a child of LakeKillTest";
  const auto tell = [](const std::string& line) {
    const std::string text = line + "\n";
    if (write(kReportDescriptor, text.data(), text.size()) < 0) _exit(1);
  };
  TestLake lake(folder);
  std::mt19937 random(std::random_device{}());
  for (int i = 0; i < kCommits; ++i) {
    const Table table = lake.load(kName);
    const DataFile added = lake.write(table, 1);
    objects::crash_point("lake.data_written");
    std::vector<std::string> removed;
    const auto live = lake.live(kName);
    if (live.size() > 2 && i % 3 == 2) removed.push_back(*live.begin());
    tell("B " + added.path + (removed.empty() ? "" : " " + removed.front()));
    lake.commit(kName, lake.change(table, {added}, removed));
    tell("A");
    if (i == kCommits / 2) {
      expire_snapshots(lake.catalog(), lake.cache(), kName,
                       {.older_than_ms = INT64_MAX, .retain_last = 2, .snapshot_ids = {}});
    }
  }
}

class LakeKillTest : public testing::Test {
 protected:
  LakeKillTest() { begin(); }
  void begin() {
    std::filesystem::create_directories(folder());
    TestLake lake(folder());
    lake.create("t", false, {{"commit.manifest.min-count-to-merge", "4"}});
  }
  /// Deaths lengthen the table's history, and each check reads all of it.
  void begin_anew() {
    std::filesystem::remove_all(folder());
    live_.clear();
    begin();
  }
  std::filesystem::path folder() const { return folder_.path() / "lake"; }

  /// Runs the child to its end; what it told is taken over. Its exit status.
  int run_child(const std::string& crash_point) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> environment = {
        fmt::format("{}={}", kFolderVariable, folder().string()), "MEESH_LOG=error", "TMPDIR=/tmp",
        "MEESH_CRASH_POINT=" + crash_point};
    const char* arguments[] = {"/proc/self/exe", "--gtest_filter=LakeKillChild.Commits", nullptr};
    std::vector<char*> variables;
    for (auto& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const pid_t pid = fork();
    if (pid == 0) {
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
    std::string told;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(ends[0], buffer, sizeof buffer)) > 0) {
      told.append(buffer, static_cast<size_t>(got));
    }
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    take(told);
    return status;
  }

  void take(const std::string& told) {
    announced_.reset();
    std::istringstream lines(told);
    for (std::string line; std::getline(lines, line);) {
      if (line == "A") {
        live_ = announced_.value();
        announced_.reset();
        ++acknowledged_;
        continue;
      }
      std::istringstream words(line);
      std::string word, added, removed;
      words >> word >> added >> removed;
      announced_ = live_;
      announced_->insert(added);
      announced_->erase(removed);
    }
  }

  void round(const std::string& crash_point) {
    SCOPED_TRACE(crash_point);
    const int status = run_child(crash_point);
    ASSERT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
                (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        << status;
    died_ += WIFSIGNALED(status);
    TestLake lake(folder());
    const auto live = lake.live(kName);
    const std::set<std::string> found(live.begin(), live.end());
    ASSERT_EQ(live.size(), found.size());
    ASSERT_TRUE(found == live_ || (announced_ && found == *announced_));
    live_ = found;
    const auto check_files = [&] {
      const Table table = lake.load(kName);
      for (const std::string& path : lake.needed(table)) {
        ASSERT_TRUE(lake.files().exists(path)) << path;
      }
      for (const std::string& path : live_) {
        ASSERT_EQ(lake.files().read(path), TestLake::content(path));
      }
    };
    check_files();
    left_over_ +=
        remove_orphan_files(lake.catalog(), lake.cache(), kName,
                            {.older_than = std::chrono::milliseconds(-1000), .only_list = false})
            .files.size();
    check_files();
    const Table table = lake.load(kName);
    ASSERT_EQ(lake.stored(table), lake.needed(table));
    lake.append(kName);  // it can be written to
    const auto after = lake.live(kName);
    live_ = {after.begin(), after.end()};
  }

  objects::TestFolder folder_;
  std::set<std::string> live_;
  std::optional<std::set<std::string>> announced_;
  int acknowledged_ = 0, died_ = 0;
  size_t left_over_ = 0;
};

TEST_F(LakeKillTest, TablesAreAsBeforeOrAfter) {
  const char* wanted = std::getenv("MEESH_KILL_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
  constexpr size_t kCount = std::size(kPoints);
  const size_t rounds = wanted ? std::strtoul(wanted, nullptr, 10) : kCount;
  std::mt19937 random(std::random_device{}());
  for (size_t i = 0; i < rounds && !HasFailure(); ++i) {
    if (i > 0 && i % kDeathsOfATable == 0) begin_anew();
    const auto& [point, passings] = kPoints[i % kCount];
    round(fmt::format("{}:{}", point, 1 + random() % static_cast<unsigned>(passings)));
  }
  EXPECT_GE(static_cast<size_t>(died_) * 10, rounds * 8) << "points that are never passed";
  EXPECT_GT(acknowledged_, 0);
  EXPECT_GT(left_over_, 0U) << "nothing was ever left over: the points do not do their work";
}

}  // namespace
}  // namespace meesh::lake
