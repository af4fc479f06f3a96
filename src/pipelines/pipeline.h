// A pipeline as its file describes it: assets, when they run and how. See docs/pipelines.md.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipelines/asset_kind.h"
#include "pipelines/cron.h"
#include "pipelines/partitions.h"

namespace meesh::pipelines {

using Millis = std::chrono::milliseconds;

/// How often a step is tried, and how long it waits before it is tried again.
struct Retries {
  int attempts = 1;  // in all
  Millis delay{10'000};
  double backoff = 2;
  Millis max_delay{300'000};
  bool jitter = true;

  /// Before attempt `next` (2, 3 …); `random` in [0, 1) takes up to half of it away.
  Millis wait_before(int next, double random) const;
};

enum class CatchUp { kLatest, kAll, kNone };

struct Schedule {
  std::optional<Cron> cron;
  std::string timezone = "UTC";
  bool on_upstream = false;             // when snapshots of lake tables it reads differ
  CatchUp catch_up = CatchUp::kLatest;  // what was missed while no server ran
};

struct Alerts {
  bool failure = false, recovery = false, late = false;
  Millis late_after{0};  // a scheduled run that has not succeeded this long after its time
  std::string webhook;   // URL; "" = none
  std::vector<std::string> email;

  bool any() const { return (failure || recovery || late) && (!webhook.empty() || !email.empty()); }
};

/// An asset in a pipeline: what a run's step runs.
struct PipelineAsset {
  std::string name;  // unique in the mesh
  std::string kind;
  std::string description;
  std::unique_ptr<Asset> asset;
  std::vector<TableUse> depends_on;  // names of assets or tables
  std::vector<std::string> tags;
  Retries retries;
  Millis timeout{0};  // of one attempt; 0 = none
  std::string pool;   // "" = none
  Location where;
};

struct Pipeline {
  std::string name, description, file;
  Schedule schedule;
  std::optional<Partitions> partitions;
  std::map<std::string, std::string> parameters;
  int concurrency = 4;  // steps of one run at once
  int max_runs = 1;     // runs at once, backfills apart
  Alerts alerts;
  std::vector<PipelineAsset> assets;

  const PipelineAsset* find(const std::string& asset) const;
};

}  // namespace meesh::pipelines
