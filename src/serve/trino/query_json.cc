#include "serve/trino/query_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

namespace meesh::serve::trino {
namespace {

using engine::QueryInfo;
using engine::QueryState;

struct Splits {
  int total = 0, queued = 0, running = 0, done = 0;
};

Splits splits_of(const QueryInfo& info) {
  switch (info.state) {
    case QueryState::kQueued:
    case QueryState::kPlanning:
      return {};
    case QueryState::kFinished:
      return {100, 0, 0, 100};
    default:
      break;
  }
  const int done = info.progress_known ? std::clamp(static_cast<int>(info.progress), 0, 99) : 0;
  const int running = info.state == QueryState::kFailed ? 0 : 1;
  return {100, 100 - done - running, running, done};
}

void write_splits(const Splits& splits, JsonText& out) {
  out.member("totalSplits", splits.total);
  out.member("queuedSplits", splits.queued);
  out.member("runningSplits", splits.running);
  out.member("completedSplits", splits.done);
}

std::string iso_time(std::chrono::system_clock::time_point time) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), millis % 1000);
}

bool ended(const QueryInfo& info) {
  return info.state == QueryState::kFinished || info.state == QueryState::kFailed;
}

void write_failure_info(const Error& error, const std::string& message, JsonText& out) {
  out.raw('{');
  out.member("type", error.code() == Code::kSyntaxError ? "io.trino.sql.parser.ParsingException"
                                                        : "io.trino.spi.TrinoException");
  out.member("message", message);
  out.raw("\"suppressed\":[],\"stack\":[],");
  out.key("errorInfo");
  out.raw('{');
  out.member("code", trino_number(error.code()));
  out.member("name", code_name(error.code()));
  out.member("type", kind_name(error.kind()));
  out.close('}');
  if (error.location().known() && error.location().file.empty()) {
    out.raw(fmt::format(",\"errorLocation\":{{\"lineNumber\":{},\"columnNumber\":{}}}",
                        error.location().line, error.location().column));
  }
  out.raw('}');
}

std::string error_message(const Error& error) {
  std::string message = error.sql_message();
  if (!error.hint().empty() && error.kind() != ErrorKind::kUser) {
    message += fmt::format(" ({})", error.hint());
  }
  return message;
}

void write_query_stats(const QueryInfo& info, JsonText& out) {
  const Splits splits = splits_of(info);
  out.raw('{');
  out.member("createTime", iso_time(info.created));
  if (ended(info)) out.member("endTime", iso_time(info.ended));
  out.member("queuedTime", succinct_duration(info.queued_ms));
  out.member("planningTime", succinct_duration(info.planning_ms));
  out.member("elapsedTime", succinct_duration(info.elapsed_ms));
  out.member("executionTime",
             succinct_duration(std::max<int64_t>(0, info.elapsed_ms - info.queued_ms)));
  out.member("totalCpuTime", succinct_duration(info.cpu_ms));
  out.member("elapsedTimeMillis", info.elapsed_ms);
  out.member("totalDrivers", splits.total);
  out.member("queuedDrivers", splits.queued);
  out.member("runningDrivers", splits.running);
  out.member("completedDrivers", splits.done);
  out.member("rawInputPositions", info.rows_read);
  out.member("processedInputPositions", info.rows_read);
  out.member("physicalInputDataSize", fmt::format("{}B", info.bytes_read));
  out.member("outputPositions", info.rows_out);
  out.member("outputDataSize", fmt::format("{}B", info.bytes_out));
  out.member("peakUserMemoryReservation", fmt::format("{}B", info.peak_memory));
  out.member("spilledDataSize", fmt::format("{}B", info.spilled));
  if (info.progress_known) out.member("progressPercentage", info.progress);
  out.close('}');
}

}  // namespace

void write_statement_stats(const QueryInfo& info, JsonText& out) {
  const bool waiting = info.state == QueryState::kQueued;
  const bool scheduled = !waiting && info.state != QueryState::kPlanning;
  const Splits splits = splits_of(info);
  const auto state = engine::state_name(info.state);
  const double progress =
      info.state == QueryState::kFinished ? 100 : std::clamp(info.progress, 0.0, 100.0);
  const int64_t wall = std::max<int64_t>(0, info.elapsed_ms - info.queued_ms);
  out.raw('{');
  out.member("state", state);
  out.member("queued", waiting);
  out.member("scheduled", scheduled);
  if (info.progress_known || info.state == QueryState::kFinished) {
    out.member("progressPercentage", progress);
    out.member("runningPercentage", splits.running > 0 ? 1.0 : 0.0);
  }
  out.member("nodes", scheduled ? 1 : 0);
  write_splits(splits, out);
  out.member("planningTimeMillis", info.planning_ms);
  out.member("cpuTimeMillis", info.cpu_ms);
  out.member("wallTimeMillis", wall);
  out.member("queuedTimeMillis", info.queued_ms);
  out.member("elapsedTimeMillis", info.elapsed_ms);
  out.member("processedRows", info.rows_read);
  out.member("processedBytes", info.bytes_read);
  out.member("physicalInputBytes", info.bytes_read);
  out.member("physicalWrittenBytes", 0);
  out.member("peakMemoryBytes", info.peak_memory);
  out.member("spilledBytes", info.spilled);
  // The Trino CLI draws the stage tree whenever there are splits and fails without one.
  if (scheduled) {
    out.raw("\"rootStage\":{\"stageId\":\"0\",");
    out.member("state", state);
    out.member("done", ended(info));
    out.member("nodes", 1);
    write_splits(splits, out);
    out.member("cpuTimeMillis", info.cpu_ms);
    out.member("wallTimeMillis", wall);
    out.member("processedRows", info.rows_read);
    out.member("processedBytes", info.bytes_read);
    out.member("physicalInputBytes", info.bytes_read);
    out.raw("\"failedTasks\":0,\"coordinatorOnly\":false,\"subStages\":[]}");
  }
  out.close('}');
}

void write_error(const Error& error, JsonText& out) {
  const std::string message = error_message(error);
  out.raw('{');
  out.member("message", message);
  out.member("errorCode", trino_number(error.code()));
  out.member("errorName", code_name(error.code()));
  out.member("errorType", kind_name(error.kind()));
  if (error.location().known() && error.location().file.empty()) {
    out.raw(fmt::format("\"errorLocation\":{{\"lineNumber\":{},\"columnNumber\":{}}},",
                        error.location().line, error.location().column));
  }
  if (!error.hint().empty()) out.member("hint", error.hint());
  out.key("failureInfo");
  write_failure_info(error, message, out);
  out.raw('}');
}

void write_query_info(const QueryInfo& info, const std::string& base_uri, bool full,
                      JsonText& out) {
  out.raw('{');
  out.member("queryId", info.id);
  out.key("session");
  out.raw('{');
  out.member("queryId", info.id);
  out.member("user", info.user);
  if (!info.source.empty()) out.member("source", info.source);
  if (!info.catalog.empty()) out.member("catalog", info.catalog);
  if (!info.schema.empty()) out.member("schema", info.schema);
  if (!info.trace_token.empty()) out.member("traceToken", info.trace_token);
  out.close('}');
  out.raw(',');
  out.member("state", engine::state_name(info.state));
  out.member("scheduled", info.state != QueryState::kQueued && info.state != QueryState::kPlanning);
  out.member("self", base_uri + "/v1/query/" + info.id);
  out.member("query", info.text);
  if (!info.update_type.empty()) out.member("updateType", info.update_type);
  out.key("queryStats");
  write_query_stats(info, out);
  if (info.error) {
    out.raw(',');
    out.member("errorType", kind_name(info.error->kind()));
    out.key("errorCode");
    out.raw('{');
    out.member("code", trino_number(info.error->code()));
    out.member("name", code_name(info.error->code()));
    out.member("type", kind_name(info.error->kind()));
    out.close('}');
    if (full) {
      out.raw(",\"failureInfo\":");
      write_failure_info(*info.error, error_message(*info.error), out);
    }
  }
  if (full) {
    out.raw(",\"warnings\":[],");
    out.member("finalQueryInfo", ended(info));
  }
  out.close('}');
}

std::string succinct_duration(int64_t milliseconds) {
  const auto value = static_cast<double>(milliseconds);
  if (milliseconds < 1000) return fmt::format("{:.2f}ms", value);
  if (milliseconds < 60000) return fmt::format("{:.2f}s", value / 1000);
  if (milliseconds < 3600000) return fmt::format("{:.2f}m", value / 60000);
  if (milliseconds < 86400000) return fmt::format("{:.2f}h", value / 3600000);
  return fmt::format("{:.2f}d", value / 86400000);
}

}  // namespace meesh::serve::trino
