#include "pipelines/pipelines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "base/clock.h"
#include "pipelines/pipelines_fixture_test.h"

namespace meesh::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

/// Of the hour, and far from now: no schedule is due while a test runs.
int64_t other_minute() { return (base::now_ms() / 60'000 + 30) % 60; }

constexpr const char* kChain =
    "name: chain\n"
    "partitions: { by: day, from: \"2024-01-01\" }\n"
    "retries: { attempts: 3, delay: 10ms, jitter: false }\n"
    "parameters: { size: small }\n"
    "assets:\n"
    "  lake.silver.a: { fake: \"SELECT 1\" }\n"
    "  lake.silver.b: { fake: \"SELECT * FROM a\" }\n"
    "  lake.silver.c: { fake: \"SELECT * FROM b\" }\n"
    "  lake.silver.d: { fake: \"SELECT 1\" }\n";

TEST_P(PipelinesOnBoth, ARunGoesInOrderAndIsRemembered) {
  write("chain.yaml", kChain);
  start();
  std::string date, size;
  work_.on("lake.silver.b", [&](const StepContext& context) {
    date = context.task.parameter("run_date");
    size = context.task.parameter("size");
    context.task.info("two\nlines");
    return StepResult{7, "fine", {{"k", 1}}};
  });
  const auto id = service().launch(
      {.pipeline = "chain", .parameters = {{"size", "large"}}, .partition = "2024-02-29"});
  const pipelines::Run run = finished(id);
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(date, "2024-02-29");
  EXPECT_EQ(size, "large");
  EXPECT_THAT(work_.ran(), SizeIs(4));
  ASSERT_THAT(run.steps, SizeIs(4));
  const auto b = std::ranges::find(run.steps, "lake.silver.b", &StepRecord::name);
  EXPECT_EQ(b->rows, 7u);
  EXPECT_EQ(b->message, "fine");
  EXPECT_EQ(b->metadata.at("k").as_int64(), 1);
  const std::string log = service().log(id, "lake.silver.b", 0).text;
  EXPECT_THAT(log, HasSubstr("\tinfo\tlake.silver.b\ttwo\n"));
  EXPECT_THAT(log, HasSubstr("\tlines\n"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("lake.silver.c")));
  EXPECT_EQ(service().run(id.substr(0, id.size() - 2)).record.id, id);
}

TEST_P(PipelinesOnBoth, WhatIsAskedForMustMakeSense) {
  write("chain.yaml", kChain);
  start();
  EXPECT_THROW(service().launch({.pipeline = "chian"}), Error);
  EXPECT_THROW(service().launch({.pipeline = "chain", .parameters = {{"siz", "x"}}}), Error);
  EXPECT_THROW(service().launch({.pipeline = "chain", .parameters = {{"size", "'; DROP"}}}), Error);
  EXPECT_THROW(service().launch({.pipeline = "chain", .partition = "2023-01-01"}), Error);
  EXPECT_THROW(service().launch({.pipeline = "chain", .select = {"nothing"}}), Error);
  EXPECT_THROW(service().run("nope"), Error);
  EXPECT_THAT(service().runs({}), IsEmpty());
}

TEST_P(PipelinesOnBoth, AFailedStepIsTriedAgainAndItsDependantsWait) {
  write("chain.yaml", kChain);
  start();
  std::atomic<int> tries = 0;
  work_.on("lake.silver.a", [&](const StepContext& context) -> StepResult {
    EXPECT_EQ(context.attempt, tries + 1);
    if (++tries < 3) throw Error(Code::kUnavailable, "not yet");
    return {};
  });
  const pipelines::Run run = finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(work_.count("lake.silver.b"), 1);
  std::vector<std::string> states;
  for (const auto& attempt : run.attempts) {
    if (attempt.name == "lake.silver.a") states.emplace_back(word(attempt.state));
  }
  EXPECT_THAT(states, ElementsAre("failed", "failed", "succeeded"));
}

TEST_P(PipelinesOnBoth, AMistakeInTheSqlIsNotTriedAgain) {
  write("chain.yaml", kChain);
  start();
  work_.on("lake.silver.a", [](const StepContext&) -> StepResult {
    throw Error(Code::kColumnNotFound, "Column 'x' cannot be resolved");
  });
  const pipelines::Run run = finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(run.record.state, RunState::kFailed);
  EXPECT_THAT(run.record.error, HasSubstr("1 of 4 steps failed: lake.silver.a"));
  EXPECT_EQ(work_.count("lake.silver.a"), 1);
  EXPECT_EQ(state(run, "lake.silver.b"), "upstream_failed");
  EXPECT_EQ(state(run, "lake.silver.c"), "upstream_failed");
  EXPECT_EQ(state(run, "lake.silver.d"), "succeeded");

  work_.on("lake.silver.a", [](const StepContext&) { return StepResult{}; });
  const pipelines::Run again = finished(service().rerun(run.record.id, true, "ana"));
  EXPECT_EQ(again.record.state, RunState::kSucceeded);
  EXPECT_EQ(again.record.rerun_of, run.record.id);
  EXPECT_EQ(work_.count("lake.silver.d"), 1);
  EXPECT_EQ(work_.count("lake.silver.c"), 1);
}

TEST_P(PipelinesOnBoth, AStepThatTakesTooLongIsStopped) {
  write("slow.yaml",
        "name: slow\nassets:\n  s: { fake: \"SELECT 1\", timeout: 50ms, retries: { attempts: 2, "
        "delay: 1ms } }\n");
  start();
  Door door;
  work_.on("s", [&](const StepContext& context) {
    door.pass(context.task);
    return StepResult{};
  });
  const pipelines::Run run = finished(service().launch({.pipeline = "slow"}));
  EXPECT_EQ(run.record.state, RunState::kFailed);
  EXPECT_EQ(work_.count("s"), 2);
  EXPECT_THAT(run.steps[0].error, HasSubstr("longer than its timeout, 0.05 s"));
}

TEST_P(PipelinesOnBoth, CancelingStopsWhatRunsAndBeginsNothing) {
  write("chain.yaml", kChain);
  start();
  Door door;
  work_.on("lake.silver.a", [&](const StepContext& context) {
    door.pass(context.task);
    return StepResult{};
  });
  const auto id = service().launch({.pipeline = "chain"});
  door.wait_for(1);
  service().cancel(id);
  const pipelines::Run run = finished(id);
  EXPECT_EQ(run.record.state, RunState::kCanceled);
  EXPECT_EQ(state(run, "lake.silver.a"), "canceled");
  EXPECT_EQ(state(run, "lake.silver.b"), "canceled");
  EXPECT_EQ(work_.count("lake.silver.b"), 0);
  EXPECT_THROW(service().cancel(id), Error);
}

TEST_P(PipelinesOnBoth, ARestartGoesOnWhereItStopped) {
  write("chain.yaml", kChain);
  start();
  Door door;
  work_.on("lake.silver.b", [&](const StepContext& context) {
    door.pass(context.task);
    return StepResult{};
  });
  const auto id =
      service().launch({.pipeline = "chain", .select = {"lake.silver.c", "+lake.silver.b"}});
  door.wait_for(1);
  service_.reset();  // stops the step; nothing says that it ended
  work_.on("lake.silver.b", [](const StepContext& context) {
    EXPECT_EQ(context.attempt, 1);
    return StepResult{};
  });
  start();
  const pipelines::Run run = finished(id);
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(work_.count("lake.silver.a"), 1);
  EXPECT_EQ(work_.count("lake.silver.b"), 2);
  EXPECT_EQ(work_.count("lake.silver.c"), 1);
}

TEST_P(PipelinesOnBoth, LimitsHold) {
  write("pools.yaml", "db: 2\n");
  std::string assets;
  for (int i = 0; i < 12; ++i) {
    assets += fmt::format("  p{}: {{ fake: \"SELECT 1\"{} }}\n", i, i < 6 ? ", pool: db" : "");
  }
  write("wide.yaml", "name: wide\nconcurrency: 5\nassets:\n" + assets);
  start();
  std::mutex mutex;
  int now = 0, most = 0, pooled = 0, most_pooled = 0;
  for (int i = 0; i < 12; ++i) {
    work_.on(fmt::format("p{}", i), [&, i](const StepContext&) {
      {
        const std::lock_guard lock(mutex);
        most = std::max(most, ++now);
        if (i < 6) most_pooled = std::max(most_pooled, ++pooled);
      }
      std::this_thread::yield();
      const std::lock_guard lock(mutex);
      --now;
      if (i < 6) --pooled;
      return StepResult{};
    });
  }
  EXPECT_EQ(finished(service().launch({.pipeline = "wide"})).record.state, RunState::kSucceeded);
  EXPECT_LE(most, 5);
  EXPECT_LE(most_pooled, 2);
  EXPECT_THAT(work_.ran(), SizeIs(12));
}

TEST_P(PipelinesOnBoth, ABackfillRunsEveryPartitionOnce) {
  write("chain.yaml", kChain);
  start();
  std::mutex mutex;
  std::multiset<std::string> dates;
  work_.on("lake.silver.d", [&](const StepContext& context) {
    const std::lock_guard lock(mutex);
    dates.insert(context.task.parameter("run_date"));
    return StepResult{};
  });
  const auto id = service().backfill({.pipeline = "chain",
                                      .first = "2024-01-30",
                                      .last = "2024-02-02",
                                      .select = {"lake.silver.d"},
                                      .concurrency = 2});
  const auto runs = service().runs({.backfill = id});
  ASSERT_THAT(runs, SizeIs(4));
  for (const auto& run : runs) EXPECT_EQ(finished(run.id).record.state, RunState::kSucceeded);
  EXPECT_THAT(dates, ElementsAre("2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"));
  const auto backfills = service().backfills("chain");
  ASSERT_THAT(backfills, SizeIs(1));
  EXPECT_EQ(backfills[0].runs.at("succeeded"), 4);
}

TEST_P(PipelinesOnBoth, AssetsAreStaleWhenTheirInputsAreNewer) {
  write("chain.yaml",
        "name: chain\nassets:\n"
        "  lake.silver.a: { fake: \"SELECT * FROM lake.bronze.source\" }\n"
        "  lake.silver.b: { fake: \"SELECT * FROM a\" }\n");
  std::atomic<int> version = 1;
  version_ = [&](const std::string& table) {
    return table == "lake.bronze.source" ? std::to_string(version) : "";
  };
  start();
  const auto freshness = [&] {
    std::string all;
    for (const auto& asset : service().assets("")) all += asset.freshness + " ";
    return all;
  };
  EXPECT_EQ(freshness(), "never never ");
  finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(freshness(), "fresh fresh ");
  version = 2;
  EXPECT_EQ(freshness(), "stale fresh ");
  work_.on("lake.silver.a", [](const StepContext&) -> StepResult {
    throw Error(Code::kDivisionByZero, "Division by zero");
  });
  finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(freshness(), "failed fresh ");
}

TEST_P(PipelinesOnBoth, AChangeUpstreamBeginsARunOfWhatReadsIt) {
  write("up.yaml",
        "name: up\nschedule: { on: upstream }\nassets:\n"
        "  lake.silver.a: { fake: \"SELECT * FROM lake.bronze.source\" }\n"
        "  lake.silver.b: { fake: \"SELECT * FROM a\" }\n"
        "  lake.silver.c: { fake: \"SELECT 1\" }\n");
  std::atomic<int> version = 1;
  version_ = [&](const std::string& table) {
    return table == "lake.bronze.source" ? std::to_string(version) : "";
  };
  Door second;
  work_.on("lake.silver.b", [&](const StepContext& context) {
    if (version == 2) second.pass(context.task);
    return StepResult{};
  });
  start();
  const auto wait_for = [&](size_t count) {
    while (true) {
      const auto runs = service().runs({.pipeline = "up"});
      if (runs.size() >= count && ended(runs.front().state)) return runs;
      rest();
    }
  };
  wait_for(1);
  version = 2;
  second.open();
  service().tables_changed();
  const auto runs = wait_for(2);
  EXPECT_EQ(runs.front().trigger, "upstream");
  EXPECT_EQ(work_.count("lake.silver.a"), 2);
  EXPECT_EQ(work_.count("lake.silver.b"), 2);
  EXPECT_EQ(work_.count("lake.silver.c"), 0);
}

TEST_P(PipelinesOnBoth, WhatWasMissedIsCaughtUpAsItsFileSays) {
  for (const char* policy : {"latest", "all", "none"}) {
    write(fmt::format("{}.yaml", policy),
          fmt::format("name: {0}\nschedule: {{ cron: \"{1} * * * *\", catch_up: {0} }}\n"
                      "assets:\n  step_{0}: {{ fake: \"SELECT 1\" }}\n",
                      policy, other_minute()));
  }
  {
    RunStore store(*database_);
    const int64_t before = base::now_ms() - int64_t{5} * 3'600'000;
    store.write([&](soci::session& sql) {
      for (const char* policy : {"latest", "all", "none"}) {
        RunStore::save_schedule(sql, policy, before);
      }
    });
  }
  start();
  const auto runs = [&](const std::string& pipeline) {
    return service().runs({.pipeline = pipeline}).size();
  };
  while (runs("all") < 5) rest();
  while (runs("latest") < 1) rest();
  EXPECT_EQ(runs("latest"), 1u);
  EXPECT_EQ(runs("all"), 5u);
  EXPECT_EQ(runs("none"), 0u);
  EXPECT_EQ(service().runs({.pipeline = "latest"})[0].trigger, "schedule");
}

/// A tenth fails; whatever does not need a failed one runs, once.
TEST_P(PipelinesOnBoth, AThousandAssetsOfWhichATenthFail) {
  std::string text = "name: big\nconcurrency: 16\nassets:\n";
  for (int i = 0; i < 1000; ++i) {
    text += i % 7 == 0
                ? fmt::format("  a{}: {{ fake: \"SELECT 1\" }}\n", i)
                : fmt::format("  a{}: {{ fake: \"SELECT 1\", depends_on: [a{}] }}\n", i, i - 1);
  }
  write("big.yaml", text);
  start();
  std::vector<bool> fails(1000), runs(1000, true);
  for (int i = 0; i < 1000; ++i) {
    fails[static_cast<size_t>(i)] = i % 10 == 3;
    if (i % 7 != 0) {
      const auto before = static_cast<size_t>(i - 1);
      runs[static_cast<size_t>(i)] = runs[before] && !fails[before];
    }
    if (!fails[static_cast<size_t>(i)]) continue;
    work_.on(fmt::format("a{}", i),
             [](const StepContext&) -> StepResult { throw Error(Code::kSyntaxError, "no"); });
  }
  const pipelines::Run run = finished(service().launch({.pipeline = "big"}));
  EXPECT_EQ(run.record.state, RunState::kFailed);
  ASSERT_THAT(run.steps, SizeIs(1000));
  std::map<std::string, int> count;
  for (const std::string& name : work_.ran()) ++count[name];
  for (const StepRecord& step : run.steps) {
    const auto i = static_cast<size_t>(std::stoi(step.name.substr(1)));
    EXPECT_EQ(word(step.state), !runs[i]   ? "upstream_failed"
                                : fails[i] ? "failed"
                                           : "succeeded")
        << step.name;
    EXPECT_EQ(count[step.name], runs[i] ? 1 : 0) << step.name;
  }
}

TEST_P(PipelinesOnBoth, WhatPublishedItsSuccessIsNotMadeAgain) {
  write("chain.yaml", kChain);
  start();
  Door door;
  work_.on("lake.silver.a", [&](const StepContext& context) {
    database_->write([&](soci::session& sql) { context.succeeded(sql); });
    door.pass(context.task);  // as if the server died before it could say more
    return StepResult{};
  });
  const auto id = service().launch({.pipeline = "chain"});
  door.wait_for(1);
  service_.reset();
  start();
  const pipelines::Run run = finished(id);
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(work_.count("lake.silver.a"), 1);
  EXPECT_EQ(work_.count("lake.silver.b"), 1);
  const auto assets = service().assets("chain");
  EXPECT_EQ(assets[0].name, "lake.silver.a");
  EXPECT_EQ(assets[0].record.succeeded_run, id);
}

TEST_P(PipelinesOnBoth, AnErrorAfterWhatWasPublishedIsNoFailure) {
  write("chain.yaml", kChain);
  start();
  work_.on("lake.silver.a", [&](const StepContext& context) -> StepResult {
    database_->write([&](soci::session& sql) { context.succeeded(sql); });
    throw Error(Code::kIoError, "the connection was lost");
  });
  const pipelines::Run run = finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(work_.count("lake.silver.a"), 1);
  EXPECT_THAT(service().log(run.record.id, "lake.silver.a", 0).text,
              HasSubstr("the connection was lost"));
}

TEST_P(PipelinesOnBoth, WhatWasRolledBackDidNotSucceed) {
  write("chain.yaml", kChain);
  start();
  std::atomic<int> tries = 0;
  work_.on("lake.silver.a", [&](const StepContext& context) {
    database_->write([&](soci::session& sql) {
      context.succeeded(sql);
      if (++tries < 3) throw Error(Code::kDiskFull, "the transaction fails");
    });
    return StepResult{};
  });
  const pipelines::Run run = finished(service().launch({.pipeline = "chain"}));
  EXPECT_EQ(run.record.state, RunState::kSucceeded);
  EXPECT_EQ(tries, 3);
}

/// Who lost the lease without noticing must not publish what the other has published.
TEST_P(PipelinesOnBoth, TwoServersPublishAStepOnce) {
  write("chain.yaml", kChain);
  start();
  Door first;
  std::atomic<bool> paused = true;
  std::atomic<int> published = 0;
  std::promise<std::string> refused;
  work_.on("lake.silver.a", [&](const StepContext& context) {
    if (paused.exchange(false)) {
      StepContext deaf = context;
      deaf.task.stop = {};
      first.pass(deaf.task);
    }
    try {
      database_->write([&](soci::session& sql) { context.succeeded(sql); });
      ++published;
    } catch (const Error& error) {
      refused.set_value(error.what());
      throw;
    }
    return StepResult{};
  });
  const auto id = service().launch({.pipeline = "chain", .select = {"lake.silver.a"}});
  first.wait_for(1);
  // The lease is taken from the first one, as if its time had run out.
  database_->write([](soci::session& sql) { sql << "DELETE FROM lease"; });
  Pipelines& other = start_other();
  while (published == 0) rest();
  first.open();
  EXPECT_THAT(refused.get_future().get(), HasSubstr("another server"));
  EXPECT_EQ(published, 1);
  while (!ended(other.run(id).record.state)) rest();
  EXPECT_EQ(other.run(id).record.state, RunState::kSucceeded);
}

TEST_P(PipelinesOnBoth, OneServerRunsWhatTheOtherIsAskedFor) {
  if (GetParam() == meta::Backend::kSqlite) GTEST_SKIP() << "servers share a PostgreSQL";
  write("chain.yaml", kChain);
  start();
  finished(service().launch({.pipeline = "chain", .select = {"lake.silver.d"}}));
  Pipelines& other = start_other();
  // The other one holds no lease: what it is asked for is found by the first.
  const auto id = other.launch({.pipeline = "chain", .select = {"lake.silver.d"}});
  EXPECT_EQ(finished(id).record.state, RunState::kSucceeded);
  EXPECT_EQ(other.run(id).record.state, RunState::kSucceeded);
  EXPECT_EQ(work_.count("lake.silver.d"), 2);
  // The first gives the lease back; the other takes it and goes on.
  service_.reset();
  const auto next = other.launch({.pipeline = "chain", .select = {"lake.silver.d"}});
  while (!ended(other.run(next).record.state)) rest();
  EXPECT_EQ(work_.count("lake.silver.d"), 3);
}

TEST_P(PipelinesOnBoth, ARunThatIsLateIsToldOnce) {
  write("late.yaml",
        fmt::format(
            "name: late\nschedule: {{ cron: \"{} * * * *\" }}\n"
            "alerts: {{ on: [late], late_after: 1ms, webhook: \"http://127.0.0.1:1/hook\" }}\n"
            "assets:\n  s: {{ fake: \"SELECT 1\" }}\n",
            other_minute()));
  {
    RunStore store(*database_);
    store.write([&](soci::session& sql) {
      RunStore::save_schedule(sql, "late", base::now_ms() - 3'600'000);
    });
  }
  Door door;
  work_.on("s", [&](const StepContext& context) {
    door.pass(context.task);
    return StepResult{};
  });
  start();
  door.wait_for(1);
  while (service().alerts(10).empty()) rest();
  door.open();
  finished(service().runs({}).front().id);
  const auto alerts = service().alerts(10);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].event, "late");
  EXPECT_EQ(alerts[0].channel, "webhook");
  EXPECT_THAT(std::string(alerts[0].body.at("text").as_string()), HasSubstr("is late"));
}

TEST_P(PipelinesOnBoth, FullRefreshIsAParameterOfEveryRun) {
  write("chain.yaml", kChain);
  start();
  std::string seen;
  work_.on("lake.silver.d", [&](const StepContext& context) {
    seen = context.task.parameter(kFullRefresh);
    return StepResult{};
  });
  const LaunchRequest plain{.pipeline = "chain", .select = {"lake.silver.d"}};
  finished(service().launch(plain));
  EXPECT_EQ(seen, "");
  LaunchRequest full = plain;
  full.parameters = {{kFullRefresh, "true"}};
  finished(service().launch(full));
  EXPECT_EQ(seen, "true");
  full.parameters = {{kFullRefresh, "yes"}};
  EXPECT_THROW(service().launch(full), Error);
}

INSTANTIATE_TEST_SUITE_P(Databases, PipelinesOnBoth,
                         ::testing::Values(meta::Backend::kSqlite, meta::Backend::kPostgresql),
                         [](const auto& one) {
                           return one.param == meta::Backend::kSqlite ? "Sqlite" : "Postgresql";
                         });

}  // namespace
}  // namespace meesh::pipelines
