#include "serve/api/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "base/clock.h"
#include "base/log.h"
#include "serve/api/json_api.h"
#include "serve/api/metrics_text.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using streams::StreamState;
using streams::StreamStatus;

constexpr int64_t kDay = 24 * 3'600'000;  // ms

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

/// A number of a stream; nothing when it is not known.
struct StreamMetric {
  const char *name, *type, *help;
  std::function<std::optional<double>(const StreamStatus&)> value;
};

const std::vector<StreamMetric>& stream_metrics() {
  const auto count = [](uint64_t StreamStatus::* member) {
    return
        [member](const StreamStatus& s) { return std::optional(static_cast<double>(s.*member)); };
  };
  static const std::vector<StreamMetric> all{
      {"meesh_stream_lag_messages", "gauge", "Messages that wait in the topics",
       [](const StreamStatus& s) {
         return s.lag < 0 ? std::nullopt : std::optional(static_cast<double>(s.lag));
       }},
      {"meesh_stream_messages_total", "counter", "Messages read", count(&StreamStatus::messages)},
      {"meesh_stream_rows_total", "counter", "Rows written to each sink",
       count(&StreamStatus::rows)},
      {"meesh_stream_malformed_total", "counter", "Messages that could not be read",
       count(&StreamStatus::malformed)},
      {"meesh_stream_late_total", "counter", "Rows dropped for being behind the watermark",
       count(&StreamStatus::late)},
      {"meesh_stream_duplicates_total", "counter", "Rows dropped as duplicates",
       count(&StreamStatus::duplicates)},
      {"meesh_stream_messages_per_second", "gauge", "Messages read a second, over ten seconds",
       [](const StreamStatus& s) { return std::optional(s.messages_per_second); }},
      {"meesh_stream_watermark_seconds", "gauge", "The watermark, in seconds since 1970",
       [](const StreamStatus& s) {
         return s.watermark_ms ? std::optional(seconds(*s.watermark_ms)) : std::nullopt;
       }},
      {"meesh_stream_watermark_delay_seconds", "gauge", "How far the watermark is behind the clock",
       [](const StreamStatus& s) {
         return s.watermark_ms ? std::optional(seconds(base::now_ms() - *s.watermark_ms))
                               : std::nullopt;
       }},
      {"meesh_stream_state_rows", "gauge", "Rows kept from batch to batch",
       count(&StreamStatus::state_rows)},
      {"meesh_stream_state_bytes", "gauge", "Bytes of what is kept from batch to batch",
       count(&StreamStatus::state_bytes)},
      {"meesh_stream_last_commit_timestamp_seconds", "gauge",
       "When the last batch was committed, in seconds since 1970",
       [](const StreamStatus& s) {
         return s.last_commit_ms == 0 ? std::nullopt : std::optional(seconds(s.last_commit_ms));
       }},
      {"meesh_stream_last_batch_seconds", "gauge", "How long the last batch took",
       [](const StreamStatus& s) {
         return s.last_commit_ms == 0 ? std::nullopt : std::optional(seconds(s.last_batch_ms));
       }},
  };
  return all;
}

void add_streams(MetricsText& text, const streams::Streams& streams) {
  const auto all = streams.status();
  for (const auto& metric : stream_metrics()) {
    text.family(metric.name, metric.type, metric.help);
    for (const auto& one : all)
      if (const auto value = metric.value(one)) text.sample({{"stream", one.name}}, *value);
  }
  text.family("meesh_stream_partition_lag_messages", "gauge", "Messages that wait in a partition");
  for (const auto& one : all)
    for (const auto& at : one.partitions)
      if (at.end >= 0)
        text.sample({{"stream", one.name},
                     {"topic", at.partition.topic},
                     {"partition", std::to_string(at.partition.partition)}},
                    static_cast<double>(std::max<int64_t>(at.end - at.committed, 0)));
  text.family("meesh_stream_state", "gauge", "1 for the state that the stream is in");
  for (const auto& one : all)
    for (const auto state : {StreamState::kRunning, StreamState::kPaused, StreamState::kFinished,
                             StreamState::kFailed, StreamState::kElsewhere})
      text.sample({{"stream", one.name}, {"state", streams::state_name(state)}},
                  one.state == state ? 1 : 0);
}

void add_statements(MetricsText& text, const engine::Engine& engine) {
  using engine::QueryState;
  constexpr std::array kAll{QueryState::kQueued,    QueryState::kPlanning, QueryState::kRunning,
                            QueryState::kFinishing, QueryState::kFinished, QueryState::kFailed};
  std::map<QueryState, uint64_t> states;
  uint64_t memory = 0, spilled = 0;
  for (const auto& query : engine.queries()) {
    ++states[query.state];
    if (query.state == QueryState::kFinished || query.state == QueryState::kFailed) continue;
    memory += query.peak_memory;
    spilled += query.spilled;
  }
  text.family("meesh_statements", "gauge",
              "Statements by state; those that ended, as long as they are remembered (15 minutes)");
  for (const auto state : kAll)
    text.sample({{"state", engine::state_name(state)}}, static_cast<double>(states[state]));
  text.family("meesh_statements_memory_bytes", "gauge", "Peak memory of the statements at work");
  text.sample(static_cast<double>(memory));
  text.family("meesh_statements_spilled_bytes", "gauge",
              "What the statements at work have spilled");
  text.sample(static_cast<double>(spilled));
}

/// How statements of people and tools fared, over those that are remembered.
void add_performance(MetricsText& text, const engine::Engine& engine) {
  double elapsed = 0, slowest = 0, queued = 0;
  uint64_t finished = 0, failed = 0, read = 0;
  for (const auto& query : engine.queries()) {
    const bool done = query.state == engine::QueryState::kFinished;
    failed += query.state == engine::QueryState::kFailed;
    if (!done || query.user == "meesh") continue;
    ++finished;
    elapsed += seconds(query.elapsed_ms);
    queued += seconds(query.queued_ms);
    slowest = std::max(slowest, seconds(query.elapsed_ms));
    read += query.rows_read;
  }
  const auto count = static_cast<double>(std::max<uint64_t>(finished, 1));
  text.family("meesh_statement_mean_seconds", "gauge",
              "Mean duration of people's statements that finished within 15 minutes");
  text.sample(elapsed / count);
  text.family("meesh_statement_mean_queued_seconds", "gauge",
              "How long they waited for their turn");
  text.sample(queued / count);
  text.family("meesh_statement_slowest_seconds", "gauge", "The slowest of them");
  text.sample(slowest);
  text.family("meesh_statement_rows_read", "gauge", "Rows that they read");
  text.sample(static_cast<double>(read));
  text.family("meesh_statement_failures", "gauge", "Statements that failed within 15 minutes");
  text.sample(static_cast<double>(failed));
  text.family("meesh_memory_limit_bytes", "gauge", "Memory that statements may use together");
  text.sample(static_cast<double>(engine.options().memory_limit));
}

/// One number of each stream of each source; nothing when it is not known.
struct SyncMetric {
  const char *name, *type, *help;
  std::function<std::optional<double>(const ingest::StreamStatus&)> value;
};

const std::vector<SyncMetric>& sync_metrics() {
  using Status = ingest::StreamStatus;
  static const std::vector<SyncMetric> all{
      {"meesh_sync_success_ratio", "gauge", "Of the syncs that are kept, how many succeeded",
       [](const Status& s) {
         return s.syncs == 0 ? std::nullopt
                             : std::optional(static_cast<double>(s.succeeded) /
                                             static_cast<double>(s.syncs));
       }},
      {"meesh_sync_mean_seconds", "gauge", "Mean duration of syncs that succeeded",
       [](const Status& s) {
         return s.succeeded == 0 ? std::nullopt : std::optional(s.mean_seconds);
       }},
      {"meesh_sync_rows", "gauge", "Rows that the syncs that are kept brought",
       [](const Status& s) { return std::optional(static_cast<double>(s.rows)); }},
      {"meesh_sync_rejected_rows", "gauge", "Rows that made no sense",
       [](const Status& s) { return std::optional(static_cast<double>(s.rejected)); }},
      {"meesh_sync_last_timestamp_seconds", "gauge", "When the last sync began",
       [](const Status& s) {
         return s.last ? std::optional(seconds(s.last->started_ms)) : std::nullopt;
       }},
  };
  return all;
}

void add_ingestion(MetricsText& text, const ingest::Ingest& ingest) {
  const auto all = ingest.status();
  for (const auto& metric : sync_metrics()) {
    text.family(metric.name, metric.type, metric.help);
    for (const auto& one : all)
      if (const auto value = metric.value(one))
        text.sample({{"source", one.source}, {"stream", one.stream}}, *value);
  }
  text.family("meesh_syncs", "gauge", "Syncs that are kept, by how they ended");
  for (const auto& one : all) {
    const auto succeeded = static_cast<double>(one.succeeded);
    const MetricsText::Labels labels{{"source", one.source}, {"stream", one.stream}};
    const auto with = [&](std::string_view state) {
      auto more = labels;
      more.emplace_back("state", state);
      return more;
    };
    text.sample(with("succeeded"), succeeded);
    text.sample(with("failed"), static_cast<double>(one.syncs) - succeeded);
  }
}

void add_changes(MetricsText& text, const ingest::Ingest& ingest) {
  std::vector<std::pair<std::string, ingest::CaptureStatus>> all;
  for (const auto& config : ingest.sources())
    if (auto status = ingest.changes(config.name)) all.emplace_back(config.name, *status);
  text.family("meesh_change_lag_seconds", "gauge", "Age of the oldest change that has not landed");
  for (const auto& [name, status] : all) text.sample({{"source", name}}, status.lag_seconds);
  text.family("meesh_change_lag_bytes", "gauge", "Bytes of the source's log that have not landed");
  for (const auto& [name, status] : all)
    text.sample({{"source", name}}, static_cast<double>(status.lag_bytes));
}

void add_dbt(MetricsText& text, const transform::Dbt& dbt) {
  const auto all = dbt.totals();
  const auto by_status = [&](std::map<std::string, uint64_t> transform::Dbt::Totals::* which) {
    for (const auto& [project, totals] : all)
      for (const auto& [status, count] : totals.*which)
        text.sample({{"project", project}, {"status", status}}, static_cast<double>(count));
  };
  text.family("meesh_dbt_models_total", "counter", "Models run since the start, by outcome");
  by_status(&transform::Dbt::Totals::models);
  text.family("meesh_dbt_tests_total", "counter", "Tests run since the start, by outcome");
  by_status(&transform::Dbt::Totals::tests);
  text.family("meesh_dbt_commands_total", "counter", "Commands run since the start");
  for (const auto& [project, totals] : all)
    text.sample({{"project", project}}, static_cast<double>(totals.commands));
  text.family("meesh_dbt_failed_commands_total", "counter", "Commands that failed");
  for (const auto& [project, totals] : all)
    text.sample({{"project", project}}, static_cast<double>(totals.failed_commands));
  text.family("meesh_dbt_last_run_seconds", "gauge", "Duration of the last command");
  for (const auto& [project, totals] : all)
    if (totals.commands > 0) text.sample({{"project", project}}, totals.last_seconds);
}

void add_quality(MetricsText& text, quality::Quality& quality) {
  text.family("meesh_quality_score", "gauge", "Score of a table, from 0 to 100");
  for (const auto& score : quality.table_scores())
    text.sample({{"table", score.name}}, score.score);
  text.family("meesh_quality_product_score", "gauge", "Score of a data product, from 0 to 100");
  for (const auto& score : quality.product_scores())
    text.sample({{"product", score.name}, {"domain", score.domain}}, score.score);
  std::map<std::string_view, uint64_t> outcomes;
  for (const auto& result : quality.history().newest())
    ++outcomes[quality::outcome_name(result.outcome)];
  text.family("meesh_quality_checks", "gauge", "Checks by the outcome of their newest run");
  for (const auto& [outcome, count] : outcomes)
    text.sample({{"outcome", outcome}}, static_cast<double>(count));
}

/// {"runs": {"succeeded": 3, …}, "mean_seconds": …} of each pipeline, {"steps": …, "rows"} of each
/// kind of asset.
void add_pipelines(MetricsText& text, pipelines::Pipelines& pipelines) {
  const json::object told = pipelines.metrics(base::now_ms() - kDay);
  const auto states = [&](const char* label, const json::object& all, const char* counts) {
    for (const auto& [name, value] : all)
      for (const auto& [state, count] : value.at(counts).as_object())
        text.sample({{label, name}, {"state", state}}, count.to_number<double>());
  };
  const auto numbers = [&](const char* label, const json::object& all, const char* key) {
    for (const auto& [name, value] : all)
      if (const auto* number = value.as_object().if_contains(key); number && number->is_number())
        text.sample({{label, name}}, number->to_number<double>());
  };
  const auto& all = told.at("pipelines").as_object();
  const auto& kinds = told.at("kinds").as_object();
  text.family("meesh_pipeline_runs", "gauge", "Runs of the last 24 hours by state");
  states("pipeline", all, "runs");
  text.family("meesh_pipeline_run_seconds", "gauge", "Mean duration of runs of the last 24 hours");
  numbers("pipeline", all, "mean_seconds");
  text.family("meesh_pipeline_success_ratio", "gauge",
              "Of the runs of the last 24 hours that ended, how many succeeded");
  numbers("pipeline", all, "success_rate");
  text.family("meesh_pipeline_steps", "gauge", "Steps of the last 24 hours by kind and state");
  states("kind", kinds, "steps");
  text.family("meesh_pipeline_rows", "gauge", "Rows that steps of the last 24 hours wrote");
  numbers("kind", kinds, "rows");
}

void add_server(MetricsText& text, const net::Server& server) {
  const auto load = server.load();
  text.family("meesh_http_connections", "gauge", "Open connections");
  text.sample(static_cast<double>(load.connections));
  text.family("meesh_http_requests_running", "gauge", "Requests that are being served");
  text.sample(static_cast<double>(load.running));
  text.family("meesh_http_requests_total", "counter", "Requests served");
  text.sample(static_cast<double>(load.requests));
}

double of_timeval(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Under the names that Prometheus' own clients use.
void add_process(MetricsText& text, double started) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  text.family("process_cpu_seconds_total", "counter", "Processor time of this process");
  text.sample(of_timeval(used.ru_utime) + of_timeval(used.ru_stime));
  uint64_t virtual_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  text.family("process_resident_memory_bytes", "gauge", "Resident memory of this process");
  text.sample(static_cast<double>(resident_pages) * page);
  text.family("process_virtual_memory_bytes", "gauge", "Virtual memory of this process");
  text.sample(static_cast<double>(virtual_pages) * page);
  std::error_code unreadable;
  const auto files = std::filesystem::directory_iterator("/proc/self/fd", unreadable);
  if (!unreadable) {
    text.family("process_open_fds", "gauge", "Open file descriptors");
    text.sample(static_cast<double>(std::distance(begin(files), end(files))));
  }
  text.family("process_start_time_seconds", "gauge", "When this process began to serve");
  text.sample(started);
}

}  // namespace

namespace {

void send_metrics(const net::Server& server, const MeshParts& parts, const MoreMetrics& more,
                  double started, net::Response& response) {
  MetricsText text;
  std::vector<std::string_view> failed;
  // What cannot be read (the metadata database is away) leaves the rest readable.
  const auto part = [&](std::string_view name, const std::function<void()>& add) {
    try {
      add();
    } catch (const Error& error) {
      log::warn("metrics are incomplete", {{"part", std::string(name)}, {"error", error.what()}});
      failed.push_back(name);
    }
  };
  part("streams", [&] { add_streams(text, parts.streams); });
  part("statements", [&] {
    add_statements(text, parts.engine);
    add_performance(text, parts.engine);
  });
  part("pipelines", [&] { add_pipelines(text, parts.pipelines); });
  part("ingestion", [&] { add_ingestion(text, parts.ingest); });
  part("changes", [&] { add_changes(text, parts.ingest); });
  part("dbt", [&] { add_dbt(text, parts.dbt); });
  part("quality", [&] { add_quality(text, parts.quality); });
  for (const auto& one : more) part(one.first, [&] { one.second(text); });
  add_server(text, server);
  add_process(text, started);
  text.family("meesh_metrics_incomplete", "gauge",
              "1 for each part of these metrics that could not be read");
  for (const auto name : failed) text.sample({{"part", name}}, 1);
  response.text(text.text(), MetricsText::kContentType);
}

}  // namespace

void register_metrics(net::Server& server, const MeshParts& parts, MoreMetrics more) {
  const double started = seconds(base::now_ms());
  server.route("GET", "/metrics",
               guarded([&server, parts, more = std::move(more), started](net::Request&,
                                                                         net::Response& response) {
                 send_metrics(server, parts, more, started, response);
               }));
}

}  // namespace meesh::serve::api
