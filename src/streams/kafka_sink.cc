#include "streams/kafka_sink.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "streams/kafka/producer.h"

namespace meesh::streams {

using engine::quote_name;

namespace {

class KafkaSink : public Sink {
 public:
  KafkaSink(SinkConfig config, SinkEnvironment environment)
      : config_(std::move(config)), env_(std::move(environment)) {
    if (!config_.key.empty()) env_.key = config_.key;
  }

  void open() override {
    producer_ = std::make_unique<KafkaProducer>(
        config_.kafka, ProducerOptions{fmt::format("{}-{}", env_.group, config_.target)});
    producer_->create_topic(config_.target, 1);
  }

  uint64_t write(const SinkBatch& batch) override {
    const int64_t number = numbered(batch);
    if (const auto last = producer_->last_number()) {
      if (*last == number) return 0;
      if (*last > number) refuse(*last, batch);
    }
    producer_->begin();
    try {
      const uint64_t rows = send(batch);
      producer_->commit(number, config_.target);
      return rows;
    } catch (const Error&) {
      producer_->abort();
      throw;
    }
  }

  /// What is in a topic stays there.
  void truncate() override {
    log::info("messages of a topic stay when a stream is reset",
              {{"stream", env_.stream}, {"topic", config_.target}});
  }

 private:
  /// A batch is offered again with the number it had; a higher one is another's.
  [[noreturn]] void refuse(int64_t last, const SinkBatch& batch) const {
    throw Error(
        Code::kGenericExternal,
        fmt::format("The topic '{}' has batch {} of the stream '{}' already, and this one "
                    "is at {}: is another data folder's stream of this name at work?",
                    config_.target, last & ((int64_t{1} << 40) - 1), env_.stream, batch.number))
        .with_hint(fmt::format("give the stream another name, or begin anew until its generation "
                               "is the higher one: meesh streams reset {} --to earliest",
                               env_.stream));
  }

  /// Grows over generations too.
  static int64_t numbered(const SinkBatch& batch) {
    return (batch.generation << 40) + batch.number;
  }

  std::string rows_query(const std::string& query) const {
    std::vector<std::string> values, fields, key;
    for (const auto& column : env_.columns) {
      const std::string name = quote_name(column.name);
      const bool bytes = column.type.kind == sql::TypeKind::kVarbinary;
      values.push_back(bytes ? "to_base64(" + name + ")" : name);
      fields.push_back(name + " " + (bytes ? "varchar" : column.type.display()));
    }
    for (const auto& name : env_.key)
      key.push_back(fmt::format("CAST({} AS varchar)", quote_name(name)));
    const std::string key_text = key.empty() ? "CAST(NULL AS varchar)"
                                 : key.size() == 1
                                     ? key[0]
                                     : "concat_ws('|', " + base::join(key, ", ") + ")";
    return fmt::format("SELECT {}, json_text(CAST(ROW({}) AS ROW({}))) FROM ({})", key_text,
                       base::join(values, ", "), base::join(fields, ", "), query);
  }

  uint64_t send(const SinkBatch& batch) {
    const auto rows = engine::ask(env_.engine, rows_query(batch.query), env_.session, batch.stop);
    for (const auto& row : rows.rows) {
      std::optional<std::string_view> key;
      if (row.at(0)) key = *row[0];
      producer_->send(config_.target, key, row.at(1).value_or("{}"));
    }
    return rows.rows.size();
  }

  const SinkConfig config_;
  SinkEnvironment env_;
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace

std::unique_ptr<Sink> make_kafka_sink(const SinkConfig& config, SinkEnvironment environment) {
  return std::make_unique<KafkaSink>(config, std::move(environment));
}

}  // namespace meesh::streams
