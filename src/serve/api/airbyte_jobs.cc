#include "serve/api/airbyte_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/text.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using ingest::SyncRecord;

constexpr size_t kMostRecords = 5'000;
constexpr size_t kMostEnded = 50;  // jobs that are remembered
/// Whole numbers that JSON's readers keep.
constexpr uint64_t kSafe = (uint64_t{1} << 53) - 1;

int64_t id_of(const SyncRecord& record) {
  if (record.run_id.starts_with("airbyte-")) return std::atoll(record.run_id.c_str() + 8);
  return static_cast<int64_t>(base::checksum(record.id) & kSafe);
}

std::string status_of(const std::vector<SyncRecord>& streams) {
  const auto any = [&](std::string_view state) {
    return std::ranges::any_of(streams, [&](const auto& one) { return one.state == state; });
  };
  if (any("running")) return "running";
  if (any("canceled")) return "cancelled";
  return any("failed") || any("interrupted") ? "failed" : "succeeded";
}

std::string_view attempt_status(const AirbyteJob& job) {
  return job.status == "cancelled" ? std::string_view("failed") : std::string_view(job.status);
}

json::object attempt_json(const AirbyteJob& job) {
  uint64_t rows = 0, bytes = 0;
  json::array streams;
  for (const auto& one : job.streams) {
    rows += one.rows;
    bytes += one.bytes;
    streams.push_back({{"streamName", one.stream},
                       {"stats",
                        {{"recordsEmitted", one.rows},
                         {"bytesEmitted", one.bytes},
                         {"recordsCommitted", one.rows}}}});
  }
  json::object attempt{{"id", 0},
                       {"status", attempt_status(job)},
                       {"createdAt", job.started_ms / 1000},
                       {"updatedAt", std::max(job.started_ms, job.ended_ms) / 1000},
                       {"recordsSynced", rows},
                       {"bytesSynced", bytes},
                       {"totalStats", {{"recordsEmitted", rows}, {"bytesEmitted", bytes}}},
                       {"streamStats", std::move(streams)}};
  if (job.ended_ms > 0) attempt["endedAt"] = job.ended_ms / 1000;
  json::array failures;
  const auto fail = [&](const std::string& text) {
    if (!text.empty())
      failures.push_back(
          {{"failureOrigin", "source"}, {"externalMessage", text}, {"timestamp", job.ended_ms}});
  };
  fail(job.error);
  for (const auto& one : job.streams) fail(one.error);
  if (!failures.empty())
    attempt["failureSummary"] =
        json::object{{"failures", std::move(failures)}, {"partialSuccess", rows > 0}};
  return attempt;
}

json::object bare_job(const AirbyteJob& job) {
  return {{"id", job.id},
          {"configType", "sync"},
          {"configId", airbyte_id("connection", job.source)},
          {"createdAt", job.started_ms / 1000},
          {"startedAt", job.started_ms / 1000},
          {"updatedAt", std::max(job.started_ms, job.ended_ms) / 1000},
          {"status", job.status}};
}

}  // namespace

std::string airbyte_id(std::string_view kind, std::string_view name) {
  const std::string text = fmt::format("{} {}", kind, name);
  const uint64_t high = base::checksum("1 " + text), low = base::checksum("2 " + text);
  // Version 8: made as its maker likes.
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFF, ((low >> 48) & 0x3FFF) | 0x8000, low & 0xFFFFFFFFFFFF);
}

AirbyteJobs::~AirbyteJobs() {
  for (auto& [id, running] : running_) running.thread.request_stop();
  for (auto& [id, running] : running_)
    if (running.thread.joinable()) running.thread.join();
}

std::vector<AirbyteJob> AirbyteJobs::list(const std::string& source) const {
  std::map<int64_t, AirbyteJob> jobs;
  for (auto& record : ingest_.history(source, kMostRecords)) {
    auto& job = jobs[id_of(record)];
    job.id = id_of(record);
    job.source = record.source;
    job.started_ms =
        job.streams.empty() ? record.started_ms : std::min(job.started_ms, record.started_ms);
    job.ended_ms = std::max(job.ended_ms, record.ended_ms);
    job.streams.push_back(std::move(record));
  }
  for (auto& [id, job] : jobs) job.status = status_of(job.streams);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, running] : running_) {
      if (!source.empty() && running.job.source != source) continue;
      auto& job = jobs[id];
      auto streams = std::move(job.streams);
      job = running.job;
      job.streams = std::move(streams);
    }
  }
  std::vector<AirbyteJob> all;
  for (auto& [id, job] : jobs) all.push_back(std::move(job));
  std::ranges::sort(all, std::greater(), &AirbyteJob::started_ms);
  return all;
}

AirbyteJob AirbyteJobs::get(int64_t id) const {
  for (auto& job : list(""))
    if (job.id == id) return job;
  throw Error(Code::kNotFound, fmt::format("there is no job {}", id));
}

AirbyteJob AirbyteJobs::begin(const std::string& source) {
  ingest_.source(source);
  const std::lock_guard lock(mutex_);
  for (const auto& [id, running] : running_) {
    if (running.job.source == source && !running.done)
      throw Error(Code::kAlreadyExists, fmt::format("a sync of '{}' is running", source));
  }
  // The history has those that have ended, but for why some never began.
  std::erase_if(running_, [&](const auto& one) {
    return one.second.done && running_.size() > kMostEnded && one.second.job.source == source;
  });
  int64_t id = base::now_ms();
  while (running_.contains(id)) ++id;
  auto& running = running_[id];
  running.job.id = id;
  running.job.source = source;
  running.job.status = "running";
  running.job.started_ms = base::now_ms();
  running.thread =
      std::jthread([this, &running](const std::stop_token& stop) { run(running, stop); });
  return running.job;
}

void AirbyteJobs::run(Running& running, const std::stop_token& stop) {
  std::string source, failed;
  TaskContext context;
  {
    const std::lock_guard lock(mutex_);
    source = running.job.source;
    context.run_id = run_id(running.job.id);
  }
  context.stop = stop;
  bool good = true;
  try {
    for (const auto& table : ingest_.streams(source)) {
      if (stop.stop_requested()) break;
      try {
        ingest_.sync(source, table.name, {}, context);
      } catch (const Error&) {
        good = false;  // its history tells
      }
    }
  } catch (const Error& error) {
    good = false;
    failed = error.what();
  }
  const std::lock_guard lock(mutex_);
  running.done = true;
  running.job.ended_ms = base::now_ms();
  running.job.error = failed;
  running.job.status = stop.stop_requested() ? "cancelled" : good ? "succeeded" : "failed";
}

AirbyteJob AirbyteJobs::cancel(int64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    if (found != running_.end()) found->second.thread.request_stop();
  }
  return get(id);
}

json::object job_json(const AirbyteJob& job) {
  return {{"job", bare_job(job)}, {"attempts", json::array{attempt_json(job)}}};
}

json::object job_info_json(const AirbyteJob& job) {
  return {{"job", bare_job(job)},
          {"attempts", json::array{json::object{{"attempt", attempt_json(job)},
                                                {"logType", "formatted"},
                                                {"logs", {{"logLines", json::array()}}}}}}};
}

}  // namespace meesh::serve::api
