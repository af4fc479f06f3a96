#include "serve/api/stream_json.h"

#include <fmt/format.h>

#include <charconv>

#include "governance/open_lineage.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using streams::ResetTo;
using streams::SinkConfig;

constexpr const char* kMoments =
    "such as 2025-01-15T06:00:00Z, 2025-01-15 06:00 (UTC), or "
    "milliseconds since 1970";

json::value known(int64_t value) { return value < 0 ? json::value(nullptr) : json::value(value); }

std::string_view kind_name(SinkConfig::Kind kind) {
  switch (kind) {
    case SinkConfig::Kind::kLake:
      return "lake";
    case SinkConfig::Kind::kLive:
      return "live";
    case SinkConfig::Kind::kKafka:
      return "kafka";
    case SinkConfig::Kind::kDatabase:
      return "database";
  }
  internal_error("a sink has no such kind");
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number value{};
  const char* last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), last, value);
  if (failed != std::errc{} || end != last || value < 0) return std::nullopt;
  return value;
}

/// "orders:0=1500"; topics may hold colons' relatives (. _ -), but neither of these two.
std::pair<streams::TopicPartition, int64_t> offset_of(std::string_view text) {
  const size_t colon = text.find(':'), equal = text.find('=');
  if (colon != std::string_view::npos && equal != std::string_view::npos && 0 < colon &&
      colon < equal) {
    const auto partition = whole<int32_t>(text.substr(colon + 1, equal - colon - 1));
    const auto offset = whole<int64_t>(text.substr(equal + 1));
    if (partition && offset)
      return {{.topic = std::string(text.substr(0, colon)), .partition = *partition}, *offset};
  }
  throw Error(Code::kBadRequest, fmt::format("'{}' is no offset of a partition", text))
      .with_hint("TOPIC:PARTITION=OFFSET, such as orders:0=1500,orders:1=980");
}

}  // namespace

std::string instant_text(int64_t ms) { return governance::time_text(governance::from_ms(ms)); }

int64_t instant_of(const std::string& text, std::string_view what) {
  if (const auto ms = whole<int64_t>(text); ms && text.size() > 4) return *ms;
  // As written, without an offset, and a day alone.
  for (const char* rest : {"", "Z", "T00:00:00Z"})
    if (const auto time = governance::parse_time(text + rest)) return governance::to_ms(*time);
  throw Error(Code::kBadRequest, fmt::format("{}: '{}' is no moment", what, text))
      .with_hint(kMoments);
}

ResetTo reset_to(const std::string& text) {
  ResetTo to;
  if (text == "earliest") return to;
  if (text == "latest") {
    to.kind = ResetTo::Kind::kLatest;
  } else if (text.find('=') == std::string::npos) {
    to.kind = ResetTo::Kind::kTime;
    to.time_ms = instant_of(text, "to");
  } else {
    to.kind = ResetTo::Kind::kOffsets;
    for (size_t from = 0; from <= text.size();) {
      const size_t comma = std::min(text.find(',', from), text.size());
      const auto [partition, offset] = offset_of(std::string_view(text).substr(from, comma - from));
      if (!to.offsets.emplace(partition, offset).second)
        throw Error(Code::kBadRequest, fmt::format("partition {} of '{}' is named twice",
                                                   partition.partition, partition.topic));
      from = comma + 1;
    }
  }
  return to;
}

json::object to_json(const streams::StreamStatus& status) {
  json::array partitions;
  for (const auto& one : status.partitions) {
    partitions.push_back(
        {{"topic", one.partition.topic},
         {"partition", one.partition.partition},
         {"committed", one.committed},
         {"end", known(one.end)},
         {"lag", known(one.end < 0 ? -1 : std::max<int64_t>(one.end - one.committed, 0))}});
  }
  json::object told{{"name", status.name},
                    {"description", status.description},
                    {"state", streams::state_name(status.state)},
                    {"output", status.output},
                    {"trigger", status.trigger},
                    {"sources", json::array(status.sources.begin(), status.sources.end())},
                    {"sinks", json::array(status.sinks.begin(), status.sinks.end())},
                    {"generation", status.generation},
                    {"batch", status.batch},
                    {"messages", status.messages},
                    {"rows", status.rows},
                    {"malformed", status.malformed},
                    {"late", status.late},
                    {"duplicates", status.duplicates},
                    {"messages_per_second", status.messages_per_second},
                    {"lag", known(status.lag)},
                    {"watermark", nullptr},
                    {"state_rows", status.state_rows},
                    {"state_bytes", status.state_bytes},
                    {"last_commit_ms", status.last_commit_ms},
                    {"last_batch_ms", status.last_batch_ms},
                    {"last_batch_messages", status.last_batch_messages},
                    {"partitions", std::move(partitions)}};
  if (status.watermark_ms) told["watermark"] = instant_text(*status.watermark_ms);
  if (!status.error.empty()) told["error"] = status.error;
  if (status.retry_ms > 0) told["retry_ms"] = status.retry_ms;
  return told;
}

json::object to_json(const streams::StreamConfig& config) {
  json::array sources, sinks;
  for (const auto& source : config.sources) {
    json::object told{{"name", source.name},
                      {"topics", json::array(source.topics.begin(), source.topics.end())}};
    if (!source.event_time.empty()) told["event_time"] = source.event_time;
    if (source.watermark) told["watermark_delay_ms"] = source.watermark->count();
    sources.push_back(std::move(told));
  }
  for (const auto& sink : config.sinks)
    sinks.push_back({{"kind", kind_name(sink.kind)}, {"target", sink.target}});
  json::object told{
      {"sql", config.sql}, {"sources", std::move(sources)}, {"sinks", std::move(sinks)}};
  if (!config.dead_letter.empty()) told["dead_letter"] = config.dead_letter;
  return told;
}

}  // namespace meesh::serve::api
