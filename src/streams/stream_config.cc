#include "streams/stream_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sql/lexer.h"
#include "streams/stream_shape.h"

namespace meesh::streams {

using sql::lower;
using yaml::Node;

namespace {

std::string text_or(const Node& node, std::string_view key, std::string otherwise = "") {
  const Node* found = node.find(key);
  return found ? found->text : otherwise;
}

bool flag(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found && found->boolean();
}

std::vector<std::string> names(const Node& node, std::string_view key) {
  std::vector<std::string> out;
  if (const Node* found = node.find(key))
    for (const Node& item : found->items) out.push_back(lower(item.text));
  return out;
}

/// "10s", "5m", "1h30m" is not one: a number and ms, s, m, h or d.
std::optional<std::chrono::milliseconds> duration(std::string_view text) {
  int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (failed != std::errc() || count < 0 || count > 1'000'000'000) return std::nullopt;
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "m") return std::chrono::minutes(count);
  if (unit == "h") return std::chrono::hours(count);
  if (unit == "d") return std::chrono::days(count);
  return std::nullopt;
}

/// Reads one checked document into a StreamConfig.
class Parser {
 public:
  Parser(const yaml::Document& document, mesh::MeshFiles& files)
      : document_(document), root_(document.root), files_(files) {}

  StreamConfig read(const std::filesystem::path& file) {
    config_.name = file.stem().string();
    if (const Node* name = root_.find("name"); name && name->text != config_.name)
      complain(
          *name,
          fmt::format("the stream '{}' is in the file '{}'", name->text, file.filename().string()),
          fmt::format("name the file {}.yaml, or leave the name out", name->text));
    config_.text = document_.source;
    config_.description = text_or(root_, "description");
    const Node& sources = *root_.find("sources");
    for (size_t i = 0; i < sources.keys.size(); ++i)
      config_.sources.push_back(read_source(sources.keys[i].name, sources.items[i]));
    if (config_.sources.empty() || config_.sources.size() > 2)
      complain(sources, "a stream has one source, or two that are joined");
    read_sql();
    read_window();
    read_deduplicate();
    const std::string output = text_or(root_, "output", "append");
    config_.output = output == "update"     ? OutputMode::kUpdate
                     : output == "complete" ? OutputMode::kComplete
                                            : OutputMode::kAppend;
    read_trigger();
    for (const Node& sink : root_.find("into")->items) config_.sinks.push_back(read_sink(sink));
    if (config_.sinks.empty()) complain(*root_.find("into"), "the rows go nowhere");
    config_.dead_letter = text_or(root_, "dead_letter", dead_letter());
    config_.max_messages = static_cast<uint64_t>(root_.find("max_messages")->integer().value_or(1));
    config_.max_bytes = base::parse_size(text_or(root_, "max_bytes")).value_or(256u << 20);
    config_.paused = flag(root_, "paused");
    return std::move(config_);
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    files_.problems().push_back(std::move(error));
  }

  std::optional<std::chrono::milliseconds> time(const Node& node, std::string_view key,
                                                int64_t least = 0) {
    const Node* found = node.find(key);
    if (!found) return std::nullopt;
    const auto read = duration(found->text);
    if (!read || read->count() < least) {
      complain(*found, fmt::format("'{}' is a duration such as 500ms, 10s, 5m, 1h or 7d", key));
      return std::chrono::milliseconds(1000);
    }
    return read;
  }

  static KafkaSettings kafka(const Node& node) {
    KafkaSettings settings;
    settings.brokers = text_or(node, "brokers");
    settings.tls = flag(node, "tls");
    settings.ca = text_or(node, "ca");
    settings.certificate = text_or(node, "certificate");
    settings.key = text_or(node, "key_file");
    settings.mechanism = text_or(node, "mechanism");
    settings.user = text_or(node, "user");
    settings.password = text_or(node, "password");
    if (const Node* more = node.find("properties"))
      for (size_t i = 0; i < more->keys.size(); ++i)
        settings.properties[more->keys[i].name] = more->items[i].text;
    return settings;
  }

  SourceConfig read_source(const std::string& name, const Node& node) {
    SourceConfig source;
    source.name = lower(name);
    const Node& kafka_node = *node.find("kafka");
    source.kafka = kafka(kafka_node);
    if (const Node* topics = kafka_node.find("topics"))
      for (const Node& one : topics->items) source.topics.push_back(one.text);
    if (const Node* topic = kafka_node.find("topic")) source.topics.push_back(topic->text);
    if (source.topics.empty()) complain(kafka_node, "no topic is named", "topic: sales");
    read_format(node, source.format);
    if (const Node* columns = node.find("columns"))
      for (size_t i = 0; i < columns->keys.size(); ++i)
        source.columns.push_back(read_column(columns->keys[i], columns->items[i]));
    const auto encoding = source.format.encoding;
    if (source.columns.empty() && (encoding == Encoding::kJson || encoding == Encoding::kCsv))
      complain(node, fmt::format("the source '{}' needs 'columns'", name),
               "columns: { id: bigint, amount: \"decimal(12,2)\" }");
    read_times(node, source);
    const std::string malformed = text_or(node, "malformed", "dead_letter");
    source.malformed = malformed == "fail"   ? SourceConfig::Malformed::kFail
                       : malformed == "skip" ? SourceConfig::Malformed::kSkip
                                             : SourceConfig::Malformed::kDeadLetter;
    source.fail_on_data_loss = text_or(node, "on_data_loss", "fail") == "fail";
    return source;
  }

  void read_times(const Node& node, SourceConfig& source) {
    source.start = text_or(node, "start", "earliest");
    if (source.start != "earliest" && source.start != "latest") {
      int64_t ms = 0;
      const auto& text = source.start;
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ms);
      if (failed != std::errc() || end != text.data() + text.size())
        complain(*node.find("start"),
                 "'start' is earliest, latest, or milliseconds since 1970-01-01");
    }
    source.event_time = lower(text_or(node, "event_time"));
    source.watermark = time(node, "watermark");
    if (source.watermark && source.event_time.empty())
      complain(*node.find("watermark"), "a watermark needs the column it is about",
               "event_time: the column that says when it happened");
    if (source.event_time.empty() || source.columns.empty() || source.event_time == "_timestamp")
      return;
    const auto found = std::ranges::find(source.columns, source.event_time, &ColumnConfig::name);
    if (found == source.columns.end())
      return complain(*node.find("event_time"),
                      fmt::format("the source has no column '{}'", source.event_time));
    if (found->type.kind != sql::TypeKind::kTimestamp &&
        found->type.kind != sql::TypeKind::kTimestampTz)
      complain(*node.find("event_time"), fmt::format("'{}' is no timestamp", source.event_time));
  }

  void read_format(const Node& node, FormatConfig& format) {
    const std::string encoding = text_or(node, "format", "json");
    format.encoding = encoding == "avro"       ? Encoding::kAvro
                      : encoding == "protobuf" ? Encoding::kProtobuf
                      : encoding == "csv"      ? Encoding::kCsv
                      : encoding == "raw"      ? Encoding::kRaw
                                               : Encoding::kJson;
    if (const Node* registry = node.find("registry")) {
      format.registry.url = text_or(*registry, "url");
      format.registry.user = text_or(*registry, "user");
      format.registry.password = text_or(*registry, "password");
      format.registry.ca = text_or(*registry, "ca");
    }
    if (const Node* schema = node.find("schema")) {
      try {
        format.schema = files_.text(schema->text);
      } catch (const Error& error) {
        complain(*schema, error.message());
      }
    }
    format.message = text_or(node, "message");
    format.delimiter = text_or(node, "delimiter", ",").at(0);
    if (const Node* header = node.find("csv_header"))
      for (const Node& one : header->items) format.csv_header.push_back(one.text);
    const bool needs_schema =
        format.encoding == Encoding::kAvro || format.encoding == Encoding::kProtobuf;
    if (needs_schema && format.schema.empty() && format.registry.url.empty())
      complain(node, fmt::format("the format {} needs 'schema' or 'registry'", encoding),
               "registry: { url: http://localhost:8081 }");
  }

  ColumnConfig read_column(const yaml::Key& key, const Node& node) {
    ColumnConfig column;
    column.name = lower(key.name);
    const Node* type = node.is_scalar() ? &node : node.find("type");
    if (!type) {
      complain(node, fmt::format("the column '{}' has no type", key.name), "type: varchar");
      return column;
    }
    try {
      column.type = sql::Type::parse(type->text);
    } catch (const Error& error) {
      complain(*type, error.message(), "types are those of SQL: bigint, decimal(10,2)");
    }
    if (node.is_scalar()) return column;
    for (const auto& known : node.keys)
      if (known.name != "type" && known.name != "path" && known.name != "time" &&
          known.name != "required")
        complain(node, fmt::format("a column has no '{}'", known.name),
                 "type, path, time, required");
    if (const Node* path = node.find("path")) {
      if (path->kind == Node::Kind::kSequence)
        for (const Node& part : path->items) column.path.push_back(part.text);
      else
        for (size_t from = 0; from <= path->text.size();) {
          const size_t dot = std::min(path->text.find('.', from), path->text.size());
          column.path.push_back(path->text.substr(from, dot - from));
          from = dot + 1;
        }
    }
    const std::string time = text_or(node, "time", "text");
    if (time == "text")
      column.time = TimeFormat::kText;
    else if (time == "seconds")
      column.time = TimeFormat::kSeconds;
    else if (time == "milliseconds")
      column.time = TimeFormat::kMillis;
    else if (time == "microseconds")
      column.time = TimeFormat::kMicros;
    else
      complain(*node.find("time"), "'time' is text, seconds, milliseconds or microseconds");
    column.required = flag(node, "required");
    return column;
  }

  void read_sql() {
    const Node* sql = root_.find("sql");
    const Node* file = root_.find("file");
    if ((sql == nullptr) == (file == nullptr))
      return complain(root_, "a stream has one of 'sql' and 'file'");
    config_.sql_file = document_.file;
    if (sql) {
      config_.sql = sql->text;
      find_sql(*sql);
      return;
    }
    try {
      config_.sql = files_.text(file->text);
      config_.sql_file = files_.shown(file->text);
    } catch (const Error& error) {
      complain(*file, error.message());
    }
  }

  /// A block (`|`) begins on the line below, behind its indentation.
  void find_sql(const Node& sql) {
    size_t at = 0;
    for (int line = 1; line < sql.line && at != std::string::npos; ++line) {
      at = document_.source.find('\n', at);
      if (at != std::string::npos) ++at;
    }
    config_.sql_lines_before = sql.line - 1;
    config_.sql_columns_before = sql.column - 1 + (sql.plain ? 0 : 1);
    const size_t mark = at == std::string::npos ? at : at + static_cast<size_t>(sql.column) - 1;
    if (mark >= document_.source.size()) return;
    if (document_.source[mark] != '|' && document_.source[mark] != '>') return;
    const size_t below = document_.source.find('\n', mark);
    if (below == std::string::npos) return;
    const size_t text = document_.source.find_first_not_of(" \n", below);
    if (text == std::string::npos) return;
    config_.sql_lines_before = sql.line;
    config_.sql_indent = static_cast<int>(text - document_.source.rfind('\n', text) - 1);
    config_.sql_columns_before = config_.sql_indent;
  }

  void read_window() {
    const Node* window = root_.find("window");
    if (!window) return;
    WindowConfig read;
    read.size = time(*window, "size", 1).value_or(std::chrono::seconds(1));
    read.slide = time(*window, "slide", 1).value_or(read.size);
    if (read.slide > read.size || read.size / read.slide > 1000)
      complain(*window, "'slide' is at most 'size', and at least a thousandth of it");
    for (const auto& source : config_.sources)
      if (source.event_time.empty())
        complain(*window, fmt::format("windows need the event_time of '{}'", source.name));
    config_.window = read;
  }

  void read_deduplicate() {
    const Node* node = root_.find("deduplicate");
    if (!node) return;
    DeduplicateConfig read;
    read.columns = names(*node, "columns");
    read.within = time(*node, "within", 1);
    const auto& source = config_.sources.front();
    if (config_.sources.size() > 1) complain(*node, "a stream with two sources cannot deduplicate");
    if (read.within && !source.watermark)
      complain(*node, "'within' needs a watermark of the source", "watermark: 10m");
    config_.deduplicate = read;
  }

  void read_trigger() {
    const Node* found = root_.find("trigger");
    if (!found) return;
    const Node& node = *found;
    if (node.kind == Node::Kind::kMap) {
      for (const auto& key : node.keys)
        if (key.name != "every") complain(node, fmt::format("a trigger has no '{}'", key.name));
      config_.trigger.every = time(node, "every", 1).value_or(std::chrono::seconds(1));
      return;
    }
    if (node.text == "available-now")
      config_.trigger.kind = Trigger::Kind::kAvailableNow;
    else if (node.text == "continuous")
      config_.trigger.kind = Trigger::Kind::kContinuous;
    else
      complain(node, "'trigger' is available-now, continuous, or { every: 1s }");
  }

  SinkConfig read_sink(const Node& node) {
    SinkConfig sink;
    int kinds = 0;
    const auto is = [&](const char* word, SinkConfig::Kind kind) {
      const Node* found = node.find(word);
      if (!found) return;
      ++kinds;
      sink.kind = kind;
      sink.target = kind == SinkConfig::Kind::kKafka ? found->text : lower(found->text);
    };
    is("lake", SinkConfig::Kind::kLake);
    is("live", SinkConfig::Kind::kLive);
    is("kafka", SinkConfig::Kind::kKafka);
    is("database", SinkConfig::Kind::kDatabase);
    if (kinds != 1) complain(node, "rows go to one of lake, live, kafka and database");
    if (const Node* by = node.find("partitioning"))
      for (const Node& one : by->items) sink.partitioning.push_back(one.text);
    sink.location = text_or(node, "location");
    sink.key = names(node, "key");
    sink.keep = time(node, "keep");
    if (sink.kind == SinkConfig::Kind::kKafka) {
      sink.kafka = kafka(node);
      if (sink.kafka.brokers.empty()) sink.kafka = config_.sources.front().kafka;
    }
    const bool table =
        sink.kind == SinkConfig::Kind::kLake || sink.kind == SinkConfig::Kind::kDatabase;
    if (table && std::ranges::count(sink.target, '.') != 2)
      complain(node, fmt::format("'{}' is no table", sink.target), "catalog.schema.table");
    return sink;
  }

  /// Beside the first table of the lake that the stream writes.
  std::string dead_letter() const {
    for (const auto& sink : config_.sinks)
      if (sink.kind == SinkConfig::Kind::kLake) return sink.target + "__rejected";
    return "lake.bronze." + config_.name + "__rejected";
  }

  const yaml::Document& document_;
  const Node& root_;
  mesh::MeshFiles& files_;
  StreamConfig config_;
};

}  // namespace

std::string SinkConfig::name() const {
  switch (kind) {
    case Kind::kLake:
      return "lake " + target;
    case Kind::kLive:
      return "live " + target;
    case Kind::kKafka:
      return "kafka " + target;
    case Kind::kDatabase:
      return "database " + target;
  }
  return target;
}

StreamConfig read_stream(const yaml::Document& document, const std::filesystem::path& file,
                         mesh::MeshFiles& files) {
  return Parser(document, files).read(file);
}

std::vector<StreamConfig> load_streams(mesh::MeshFiles& files) {
  std::vector<StreamConfig> streams;
  for (const auto& file : files.list("streams", ".yaml")) {
    const auto document = files.read(file, stream_shape());
    if (document) streams.push_back(read_stream(*document, file, files));
  }
  return streams;
}

}  // namespace meesh::streams
