// A stream as its file describes it: streams/<name>.yaml.
//
//   sources:
//     ventes:
//       kafka: { brokers: "${KAFKA_BROKERS}", topic: ventes-temps-reel }
//       format: json
//       columns: { pays: varchar, montant: "decimal(12,2)", moment: timestamp(3) }
//       event_time: moment
//       watermark: 10s
//   sql: SELECT pays, sum(montant) AS total_ventes_live, count(*) AS nb_transactions
//        FROM ventes GROUP BY pays
//   output: complete
//   trigger: { every: 1s }
//   into: [{ live: ventes_live }]
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"
#include "ingest/decode/column.h"
#include "mesh/mesh_files.h"
#include "sql/type.h"

namespace meesh::streams {

/// How a Kafka cluster is reached.
struct KafkaSettings {
  std::string brokers;  // "host:port,host:port"
  bool tls = false;
  std::filesystem::path ca, certificate, key;  // PEM files; "" = the system's authorities, none
  std::string mechanism;                       // of SASL: "SCRAM-SHA-512"; "" = no SASL
  std::string user, password;
  std::map<std::string, std::string> properties;  // of librdkafka, beside these
};

/// A schema registry with Confluent's REST API.
struct RegistrySettings {
  std::string url;  // "" = none
  std::string user, password;
  std::filesystem::path ca;
};

enum class Encoding { kJson, kAvro, kProtobuf, kCsv, kRaw };

using ingest::TimeFormat;
/// A column of a source, as messages have it.
using ColumnConfig = ingest::DecodedColumn;

struct FormatConfig {
  Encoding encoding = Encoding::kJson;
  RegistrySettings registry;
  /// Avro and Protobuf without a registry: the schema's text (.avsc, .proto), read from the file
  /// that the configuration names.
  std::string schema;
  std::string message;  // Protobuf: the message's full name; "" = the schema's first
  char delimiter = ',';
  std::vector<std::string> csv_header;  // names of CSV columns; empty: those of the columns
};

struct SourceConfig {
  std::string name;  // lower case; the table's name in the stream's SQL
  KafkaSettings kafka;
  std::vector<std::string> topics;
  FormatConfig format;
  std::vector<ColumnConfig> columns;  // empty: as the schema says; kRaw: none
  /// "earliest", "latest", or milliseconds since 1970.
  std::string start = "earliest";
  std::string event_time;                              // a column; "" = none
  std::optional<std::chrono::milliseconds> watermark;  // how late rows may be
  /// What becomes of messages that cannot be read.
  enum class Malformed { kFail, kSkip, kDeadLetter };
  Malformed malformed = Malformed::kDeadLetter;
  /// Offsets that are gone (retention, a topic made anew): fail, or go on with what there is.
  bool fail_on_data_loss = true;
};

struct WindowConfig {
  std::chrono::milliseconds size{}, slide{};  // equal: tumbling
};

struct DeduplicateConfig {
  std::vector<std::string> columns;
  std::optional<std::chrono::milliseconds> within;  // of event time; nothing: for ever
};

struct SinkConfig {
  enum class Kind { kLake, kLive, kKafka, kDatabase };
  Kind kind = Kind::kLake;
  /// kLake, kDatabase: catalog.schema.table; kLive: the table's name; kKafka: the topic.
  std::string target;
  std::vector<std::string> partitioning;  // kLake: what WITH (partitioning = …) takes
  std::string location;                   // kLake: of a table that is made
  std::vector<std::string> key;  // update: columns that tell rows apart; kKafka: the message's key
  KafkaSettings kafka;           // kKafka
  std::optional<std::chrono::milliseconds> keep;  // kLive, append: how long rows stay
  std::string name() const;  // "lake lake.bronze.sales", the same from start to start
};

enum class OutputMode { kAppend, kUpdate, kComplete };

struct Trigger {
  enum class Kind { kAvailableNow, kEvery, kContinuous };
  Kind kind = Kind::kEvery;
  std::chrono::milliseconds every{1000};
};

struct StreamConfig {
  std::string name, description;
  std::vector<SourceConfig> sources;  // one, or two that are joined
  std::string sql;
  /// Where `sql` stands, for messages: a file, what comes before its first character there, and
  /// how far its other lines are indented.
  std::string sql_file;
  int sql_lines_before = 0, sql_columns_before = 0, sql_indent = 0;
  std::optional<WindowConfig> window;
  std::optional<DeduplicateConfig> deduplicate;
  OutputMode output = OutputMode::kAppend;
  Trigger trigger;
  std::vector<SinkConfig> sinks;
  std::string dead_letter;          // catalog.schema.table of messages that cannot be read
  uint64_t max_messages = 500'000;  // of a micro-batch, all sources together
  uint64_t max_bytes = 256u << 20;
  bool paused = false;  // waits for `meesh streams resume` when the mesh starts
  std::string text;     // of the file
};

/// A document that has been checked against stream_shape(); mistakes go to files.problems().
StreamConfig read_stream(const yaml::Document& document, const std::filesystem::path& file,
                         mesh::MeshFiles& files);
/// streams/*.yaml; mistakes go to files.problems().
std::vector<StreamConfig> load_streams(mesh::MeshFiles& files);

}  // namespace meesh::streams
