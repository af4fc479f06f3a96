// Micro-batches of one source: messages of its topics, decoded into rows in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/shutdown.h"
#include "engine/catalogs/buffers.h"
#include "streams/decode/decoder.h"
#include "streams/decode/schema_registry.h"
#include "streams/kafka/consumer.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// What a batch has of one source.
struct BatchSource {
  std::shared_ptr<engine::RowBuffer> rows;
  Offsets ends;  // behind the last message
  uint64_t messages = 0, malformed = 0, skipped = 0;
};

/// How much a batch takes at most.
struct BatchLimits {
  uint64_t messages = 500'000, bytes = 256u << 20;
  std::chrono::steady_clock::time_point until;  // for waiting and reading
  /// Where it must end, by partition (a batch that is read again, a stream that does what is there
  /// now); partitions that are not named have nothing to give.
  std::optional<Offsets> ends;
};

/// The names of what a message is beside its value: "_key", "_offset" ….
const std::vector<engine::BufferColumn>& message_columns();

/// Used by one thread, except for interrupt().
class SourceReader {
 public:
  /// `with`: which of message_columns() the rows have. `group`: whom offsets are told.
  SourceReader(const SourceConfig& config, std::set<std::string> with, const std::string& group,
               engine::BufferTables& buffers);

  const SourceConfig& config() const { return config_; }
  /// Columns of the source as its SQL sees them, and as they are kept in a buffer.
  const std::vector<ColumnConfig>& columns() const { return columns_; }
  std::vector<engine::BufferColumn> buffer_columns() const;
  /// The type of the event time column.
  sql::Type event_type() const;

  /// Reads on from there, or from where the configuration says, and from the beginning of
  /// partitions that are not named. Throws DataLoss unless the configuration goes on with what
  /// there is.
  void open(const Offsets& from);
  const Offsets& positions() const { return positions_; }
  /// After a read() that was to end somewhere: gives what is behind its end.
  void go_on_from(const Offsets& from);
  Offsets ends() { return consumer_.ends(); }
  Offsets at_time(int64_t ms) { return consumer_.at_time(ms); }

  /// Reads until the limits, or until there is no more. Messages that cannot be read go to
  /// `rejected`, which has rejected_columns(). True if it came to the end of all partitions.
  bool read(const BatchLimits& limits, engine::RowBuffer& rejected, BatchSource& into);
  /// Partitions that are new are read from their beginning on; asked now and then.
  void look_for_partitions();
  void tell_group(const Offsets& offsets) { consumer_.tell_group(offsets); }
  /// A read() that is at work, and those that follow, end at once.
  void interrupt() {
    interrupted_ = true;
    consumer_.interrupt();
  }

 private:
  bool reached(const Offsets& ends) const;
  void take(const Message& message, engine::RowBuffer& rejected, BatchSource& into);
  void set_message_cells(const Message& message, engine::RowBuffer& rows);
  void reject(const Message& message, const std::string& wrong, engine::RowBuffer& rejected,
              BatchSource& into);
  Offsets checked(Offsets from);

  const SourceConfig config_;
  engine::BufferTables& buffers_;
  std::unique_ptr<SchemaRegistry> registry_;
  std::vector<ColumnConfig> columns_;
  std::vector<std::pair<size_t, std::string>> with_;  // which message column, its name
  std::unique_ptr<Decoder> decoder_;
  KafkaConsumer consumer_;
  Offsets positions_;
  std::atomic<bool> interrupted_ = false;
  std::chrono::steady_clock::time_point looked_;
  std::string wrong_;
};

/// _stream, _topic, _partition, _offset, _timestamp, _key, _value, _error.
std::vector<engine::BufferColumn> rejected_columns();

}  // namespace meesh::streams
