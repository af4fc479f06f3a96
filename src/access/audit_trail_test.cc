#include "access/audit_trail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>

#include "base/log.h"

namespace meesh::access {
namespace {

using namespace std::chrono_literals;

class AuditTrailTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "meesh-audit-XXXXXX").string();
    base_ = mkdtemp(pattern.data());
    folder_ = base_ / "deep" / "audit";
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  static AuditEvent event(Time time, const std::string& action) {
    AuditEvent made;
    made.time = time;
    made.action = action;
    made.outcome = "allowed";
    return made;
  }
  std::vector<boost::json::object> lines(const std::string& day) const {
    std::ifstream file(folder_ / (day + ".jsonl"));
    std::vector<boost::json::object> all;
    for (std::string line; std::getline(file, line);) {
      all.push_back(boost::json::parse(line).as_object());
    }
    return all;
  }
  static unsigned mode(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }

  // 2026-05-01T00:00:00Z
  static constexpr Time kMidnight{std::chrono::milliseconds(1'777'593'600'000)};
  std::filesystem::path base_, folder_;
};

TEST_F(AuditTrailTest, OneLineAnEventOneFileADayForItsOwnerAlone) {
  {
    AuditTrail trail(folder_);
    trail.add(event(kMidnight - 1ms, "s3:GetObject"));
    trail.add(event(kMidnight, "s3:PutObject"));
    trail.add(event(kMidnight + 5ms, "s3:DeleteObject"));
    trail.add(event(kMidnight - 1ms, "s3:ListBucket"));
  }
  const auto before = lines("2026-04-30");
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].at("time"), "2026-04-30T23:59:59.999Z");
  EXPECT_EQ(before[0].at("action"), "s3:GetObject");
  EXPECT_EQ(before[1].at("action"), "s3:ListBucket");
  const auto after = lines("2026-05-01");
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[1].at("time"), "2026-05-01T00:00:00.005Z");
  EXPECT_EQ(mode(folder_), 0700u);
  EXPECT_EQ(mode(folder_ / "2026-05-01.jsonl"), 0600u);
}

TEST_F(AuditTrailTest, TellsAllOfAnEventWhateverItHolds) {
  AuditEvent odd = event(kMidnight, "s3:PutObject");
  odd.request_id = "4711";
  odd.user = "ann";
  odd.access_key = "AKIA";
  odd.remote_address = "::1";
  odd.resource =
      "arn:aws:s3:::b/\"quoted\"\n\x01\xff"
      "é";
  odd.outcome = "denied";
  odd.status = 403;
  odd.reason = "of postgresql://u:hunter2@host/x";
  {
    AuditTrail(folder_).add(odd);
  }
  const auto found = lines("2026-05-01");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].at("request_id"), "4711");
  EXPECT_EQ(found[0].at("user"), "ann");
  EXPECT_EQ(found[0].at("access_key"), "AKIA");
  EXPECT_EQ(found[0].at("remote_address"), "::1");
  const std::string_view resource = found[0].at("resource").as_string();
  EXPECT_THAT(resource, ::testing::StartsWith("arn:aws:s3:::b/\"quoted\"\n\x01"));
  EXPECT_EQ(found[0].at("outcome"), "denied");
  EXPECT_EQ(found[0].at("status").as_int64(), 403);
  EXPECT_THAT(std::string_view(found[0].at("reason").as_string()),
              ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST_F(AuditTrailTest, GoesOnAfterALineCutShort) {
  {
    AuditTrail(folder_).add(event(kMidnight, "s3:GetObject"));
  }
  std::ofstream(folder_ / "2026-05-01.jsonl", std::ios::app) << "{\"time\":\"20";
  {
    AuditTrail(folder_).add(event(kMidnight, "s3:PutObject"));
  }
  std::ifstream file(folder_ / "2026-05-01.jsonl");
  std::vector<std::string> all;
  for (std::string line; std::getline(file, line);) all.push_back(line);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(boost::json::parse(all[2]).at("action"), "s3:PutObject");
}

TEST_F(AuditTrailTest, EveryEventOfManyThreadsIsThere) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 2000;
  {
    AuditTrail trail(folder_);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEvents; ++i) {
          trail.add(event(kMidnight, "t" + std::to_string(t) + "-" + std::to_string(i)));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  std::set<std::string> actions;
  for (const auto& line : lines("2026-05-01")) {
    actions.emplace(std::string_view(line.at("action").as_string()));
  }
  EXPECT_EQ(actions.size(), size_t{kThreads * kEvents});
}

TEST_F(AuditTrailTest, AFolderThatCannotBeIsTold) {
  EXPECT_THROW(AuditTrail("/proc/no-such-folder/audit"), Error);
}

TEST_F(AuditTrailTest, KeepsEventsWhileTheFileCannotBeWritten) {
  std::atomic<bool> told = false;
  log::configure({.sink = [&](std::string_view line) {
    if (line.find("audit trail") != std::string_view::npos) told = true;
  }});
  {
    AuditTrail trail(folder_);
    // A folder in the file's place: opening it fails until it is gone.
    std::filesystem::create_directory(folder_ / "2026-05-01.jsonl");
    trail.add(event(kMidnight, "s3:PutObject"));
    while (!told) std::this_thread::yield();
    std::filesystem::remove(folder_ / "2026-05-01.jsonl");
  }
  log::configure({});
  ASSERT_EQ(lines("2026-05-01").size(), 1u);
}

}  // namespace
}  // namespace meesh::access
