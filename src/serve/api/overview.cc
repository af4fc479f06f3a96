#include "serve/api/overview.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "base/clock.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;

constexpr int64_t kDay = 24 * 3'600'000;                    // ms
constexpr size_t kMost = 50;                                // of each list
constexpr auto kKept = std::chrono::seconds(3);             // what is stale
constexpr auto kPatience = std::chrono::milliseconds(300);  // for what is not known yet

int64_t ms_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// Something that runs or went wrong, whatever it is. `link`: the console's page about it.
json::object item(std::string_view kind, const std::string& id, const std::string& title,
                  int64_t at_ms, std::string link) {
  return {
      {"kind", kind}, {"id", id}, {"title", title}, {"at_ms", at_ms}, {"link", std::move(link)}};
}

std::string page(std::string_view folder, const std::string& name) {
  return fmt::format("{}/{}", folder, net::percent_encode(name));
}

/// The first line of a statement, as far as people read it in a list.
std::string shortened(const std::string& text) {
  constexpr size_t kLength = 120;
  const size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string::npos) return "";
  std::string line = text.substr(from, text.find('\n', from) - from);
  if (line.size() <= kLength) return line;
  size_t cut = kLength;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
  return line.substr(0, cut) + "…";
}

void add_statements(const engine::Engine& engine, json::array& running, json::array& failed) {
  using engine::QueryState;
  for (const auto& query : engine.queries()) {
    const bool ended = query.state == QueryState::kFinished || query.state == QueryState::kFailed;
    // Of our own rooms, which tell of them themselves.
    if (query.user == "meesh") continue;
    auto told = item("statement", query.id, shortened(query.text), ms_of(query.created),
                     page("/admin/queries", query.id));
    told["user"] = query.user;
    if (!ended && running.size() < kMost) {
      if (query.progress_known) told["progress"] = query.progress / 100;
      running.push_back(std::move(told));
    } else if (query.state == QueryState::kFailed && query.error && failed.size() < kMost) {
      if (query.error->code() == Code::kUserCanceled) continue;
      told["error"] = query.error->what();
      failed.push_back(std::move(told));
    }
  }
}

void add_runs(pipelines::Pipelines& pipelines, json::array& running, json::array& failed) {
  using pipelines::RunState;
  const auto told_of = [](const pipelines::RunRecord& run, int64_t at_ms) {
    auto told = item("run", run.id, run.pipeline, at_ms,
                     page(page("/pipelines", run.pipeline) + "/runs", run.id));
    if (!run.partition.empty()) told["partition"] = run.partition;
    return told;
  };
  for (const RunState state : {RunState::kRunning, RunState::kQueued}) {
    pipelines::RunFilter filter;
    filter.state = state;
    filter.limit = kMost;
    for (const auto& run : pipelines.runs(filter)) {
      auto told = told_of(run, run.started_ms > 0 ? run.started_ms : run.created_ms);
      told["state"] = pipelines::word(run.state);
      running.push_back(std::move(told));
    }
  }
  pipelines::RunFilter filter;
  filter.state = RunState::kFailed;
  filter.limit = kMost;
  for (const auto& run : pipelines.runs(filter)) {
    if (run.ended_ms < base::now_ms() - kDay) continue;
    auto told = told_of(run, run.ended_ms);
    told["error"] = run.error;
    failed.push_back(std::move(told));
  }
}

void add_streams(const streams::Streams& streams, json::array& running, json::array& failed) {
  for (const auto& one : streams.status()) {
    auto told = item("stream", one.name, one.name, one.last_commit_ms, page("/streams", one.name));
    if (one.state == streams::StreamState::kRunning) {
      told["messages_per_second"] = one.messages_per_second;
      running.push_back(std::move(told));
    } else if (one.state == streams::StreamState::kFailed) {
      told["error"] = one.error;
      failed.push_back(std::move(told));
    }
  }
}

/// Those of a run are its steps, and told as such when they fail; here they count as syncs.
void add_syncs(const ingest::Ingest& ingest, json::array& running, json::array& failed) {
  size_t told_failures = 0;
  for (const auto& sync : ingest.history("", 500)) {
    auto told = item("sync", sync.id, sync.source + "." + sync.stream, sync.started_ms,
                     page("/ingestion/sources", sync.source));
    if (sync.state == "running") {
      running.push_back(std::move(told));
    } else if (sync.state == "failed" && sync.started_ms >= base::now_ms() - kDay &&
               told_failures++ < kMost) {
      told["error"] = sync.error;
      failed.push_back(std::move(told));
    }
  }
}

void add_checks(quality::Quality& quality, json::array& failed) {
  size_t told_failures = 0;
  for (const auto& result : quality.history().newest()) {
    if (result.outcome == quality::Outcome::kPass || told_failures++ >= kMost) continue;
    auto told = item("check", result.suite + "/" + result.check, result.table + ": " + result.check,
                     result.at_ms, "/quality?table=" + net::percent_encode(result.table));
    told["error"] = result.message;
    failed.push_back(std::move(told));
  }
}

json::array stale_of(const std::vector<pipelines::AssetStatus>& assets) {
  json::array stale;
  for (const auto& asset : assets) {
    if (asset.freshness != "stale" || stale.size() >= kMost) continue;
    auto told = item("asset", asset.name, asset.name, asset.record.succeeded_ms,
                     page("/pipelines", asset.pipeline));
    told["because_of"] = json::array(asset.changed_inputs.begin(), asset.changed_inputs.end());
    stale.push_back(std::move(told));
  }
  return stale;
}

uint64_t resident_bytes() {
  uint64_t whole = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> whole >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

json::object storage(const MeshParts& parts) {
  json::object told;
  std::error_code unknown;
  const auto space = std::filesystem::space(parts.mesh.data, unknown);
  if (!unknown) {
    told["disk_bytes"] = space.capacity;
    told["disk_free_bytes"] = space.available;
  }
  const auto buckets = parts.store.buckets();
  told["buckets"] = buckets.size();
  // A remote store would list every object to know.
  if (parts.mesh.storage.kind != mesh::Storage::Kind::kLocal) return told;
  uint64_t objects = 0, bytes = 0;
  for (const auto& bucket : buckets) {
    const auto usage = parts.store.usage(bucket.name);
    objects += usage.objects;
    bytes += usage.bytes;
  }
  told["objects"] = objects;
  told["object_bytes"] = bytes;
  return told;
}

json::object memory(const engine::Engine& engine) {
  return {{"resident_bytes", resident_bytes()}, {"limit_bytes", engine.options().memory_limit}};
}

/// Newest first.
void sort(json::array& items) {
  std::ranges::sort(items, [](const json::value& a, const json::value& b) {
    return a.at("at_ms").to_number<int64_t>() > b.at("at_ms").to_number<int64_t>();
  });
}

}  // namespace

void Overview::read_assets() {
  std::optional<json::array> stale;
  std::optional<Error> wrong;
  try {
    stale = stale_of(parts_.pipelines.assets(""));
  } catch (const Error& error) {
    wrong = error;
  }
  const std::lock_guard lock(mutex_);
  if (stale) stale_ = std::move(stale);
  wrong_ = std::move(wrong);
  reading_ = false;
  read_at_ = std::chrono::steady_clock::now();
  read_.notify_all();
}

std::optional<json::array> Overview::stale_assets() {
  std::unique_lock lock(mutex_);
  const bool old = std::chrono::steady_clock::now() - read_at_ >= kKept;
  if (!reading_ && (old || (!stale_ && !wrong_))) {
    if (reader_.joinable()) reader_.join();  // it has told what it read and is about to end
    reading_ = true;
    reader_ = std::jthread([this] { read_assets(); });
  }
  read_.wait_for(lock, kPatience, [&] { return !reading_; });
  if (wrong_) throw Error(*wrong_);
  return stale_;
}

json::object Overview::read() {
  json::array running, failed, unreadable, pending;
  std::optional<json::array> stale;
  json::object stored;
  // What cannot be read leaves the rest readable.
  const auto part = [&](std::string_view name, const std::function<void()>& add) {
    try {
      add();
    } catch (const Error& error) {
      unreadable.push_back(json::object{{"part", name}, {"error", error.what()}});
    }
  };
  part("statements", [&] { add_statements(parts_.engine, running, failed); });
  part("runs", [&] { add_runs(parts_.pipelines, running, failed); });
  part("streams", [&] { add_streams(parts_.streams, running, failed); });
  part("syncs", [&] { add_syncs(parts_.ingest, running, failed); });
  part("checks", [&] { add_checks(parts_.quality, failed); });
  part("assets", [&] {
    stale = stale_assets();
    if (!stale) pending.push_back("assets");
  });
  part("storage", [&] { stored = storage(parts_); });
  sort(running);
  sort(failed);
  json::object told{{"running", std::move(running)},
                    {"failed", std::move(failed)},
                    {"stale", stale.value_or(json::array())},
                    {"memory", memory(parts_.engine)},
                    {"storage", std::move(stored)}};
  if (!pending.empty()) told["pending"] = std::move(pending);
  if (!unreadable.empty()) told["unreadable"] = std::move(unreadable);
  return told;
}

}  // namespace meesh::serve::api
