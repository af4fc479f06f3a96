// What one micro-batch does with its rows: SQL over them and over what is kept from earlier ones,
// into the sinks.
//
// Everything that is kept stands in tables of a DuckDB file of the stream's own, and moves in one
// transaction after the sinks have taken the batch. A batch that is run again after a crash finds
// the state it found the first time, or, if that transaction had been made, that nothing is left to
// do but to say so.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "streams/progress.h"
#include "streams/sink.h"
#include "streams/source_reader.h"
#include "streams/stream_query.h"

namespace meesh::streams {

/// Catalogs of the engine that streams use.
inline constexpr const char* kBuffersCatalog = "$streams";
inline constexpr const char* kWorkCatalog = "$stream_work";  // in memory, between two statements

struct WorkEnvironment {
  engine::Engine& engine;
  std::shared_ptr<engine::BufferTables> buffers;
  ProgressStore& progress;
  std::filesystem::path folder;  // of the streams' state
  std::string live;
  std::string mesh;  // its name

  /// Under what name Kafka knows a stream.
  std::string group_of(const std::string& stream) const { return "meesh-" + mesh + "-" + stream; }
};

/// Rows of one batch, of every source in the configuration's order.
struct MicroBatch {
  int64_t number = 0;
  std::vector<BatchSource> sources;
  std::shared_ptr<engine::RowBuffer> rejected;
  bool planned = false;  // it is written down as under way
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();

  uint64_t messages() const;
  uint64_t malformed() const;
  std::map<std::string, Offsets> ends(const StreamConfig& config) const;
};

/// A source's columns, as the reader knows them.
struct SourceShape {
  std::vector<ColumnConfig> columns;
  std::vector<engine::BufferColumn> stored;  // with those of the message
  sql::Type event_type;                      // if there is an event time
};

/// Used by one thread.
class BatchWork {
 public:
  BatchWork(const StreamConfig& config, StreamQuery query, std::vector<SourceShape> shapes,
            WorkEnvironment environment);
  ~BatchWork();

  /// Opens state and sinks. Throws what is wrong with the SQL and the tables.
  void open(const Progress& progress, std::stop_token stop);
  /// Runs the batch; what is true after it, which is in the metadata database by then.
  Progress run(const MicroBatch& batch, const Progress& before, std::stop_token stop);
  /// Whether time that has passed between two states makes groups final that an empty batch would
  /// write.
  bool time_has_come(const Progress& before, const Progress& after) const;
  /// Empties the tables the stream writes, as far as they are there.
  static void truncate(const StreamConfig& config, const WorkEnvironment& environment);

  uint64_t state_rows() const { return state_rows_; }
  uint64_t state_bytes() const;
  const std::vector<engine::Column>& columns() const { return columns_; }
  /// Lets the state's file go and removes it.
  static void forget(engine::Engine& engine, const std::filesystem::path& folder,
                     const std::string& stream);

 private:
  using Registration = std::unique_ptr<engine::BufferTables::Registration>;

  engine::Answer ask(const std::string& sql, std::stop_token stop = {}) const;
  engine::Session session() const;
  bool has_state() const;
  bool alone(const MicroBatch& batch) const;
  bool drops_late() const;
  bool groups_drop_late() const;
  std::string state(const std::string& table) const;
  std::string work(const std::string& table) const;
  std::string buffer(size_t source) const;
  std::string rows_of(size_t source) const;

  void open_state(const Progress& progress);
  void open_sinks();
  void probe_types();
  std::string state_query() const;
  void count_state();

  std::vector<Registration> bind(const MicroBatch& batch, std::optional<int64_t> watermark,
                                 bool sources);
  void bind_source(size_t source, const std::string& rows, std::optional<int64_t> watermark,
                   std::vector<Registration>& bound);
  std::string source_query(size_t source, const std::string& rows,
                           std::optional<int64_t> watermark) const;
  std::string windowed(const std::string& rows, const std::string& columns) const;
  std::string late_condition(size_t source, int64_t watermark, bool window) const;
  std::vector<engine::BufferColumn> seen_columns(size_t source) const;

  void look_at_times(const MicroBatch& batch, const Progress& before, Progress& after);
  std::string deduplicate(const Progress& before, Progress& after, std::stop_token stop);
  std::string forgotten_until(const Progress& before) const;
  std::string aggregate(const Progress& before, std::stop_token stop);
  std::string join(const Progress& before, std::stop_token stop);
  void offer(const MicroBatch& batch, const std::string& rows, const Progress& before,
             Progress& after, std::stop_token stop);
  std::vector<std::string> lineage_tags(const MicroBatch& batch);
  void keep_rejected(const MicroBatch& batch, int64_t generation, std::stop_token stop);
  void keep_state(const Progress& after, std::stop_token stop);
  std::string expired(const std::string& from, int64_t watermark) const;
  std::string all_groups() const;

  const StreamConfig& config_;
  StreamQuery query_;
  const std::vector<SourceShape> shapes_;
  WorkEnvironment env_;
  std::vector<engine::Column> columns_;  // of the rows that go to the sinks
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::unique_ptr<Sink> dead_letter_;
  std::vector<std::string> state_changes_;  // of the batch under way
  bool state_is_ahead_ = false;
  bool state_open_ = false;
  bool told_ = false;  // lineage knows of this session
  uint64_t state_rows_ = 0;
};

}  // namespace meesh::streams
