// The rows of one table of an API, portion by portion.
#pragma once

#include <chrono>
#include <memory>

#include "engine/catalogs/buffers.h"
#include "ingest/json_rows.h"
#include "ingest/rest/cursor_value.h"
#include "ingest/rest/record_set.h"
#include "ingest/rest/walk.h"
#include "ingest/source.h"

namespace meesh::ingest {

class RestReader : public Reader {
 public:
  /// `config` and `resources` outlive it.
  RestReader(const SourceConfig& config, const Resources& resources, ReadRequest request);
  ~RestReader() override;

  std::optional<Portion> next(const TaskContext& context) override;

 private:
  using Registration = engine::BufferTables::Registration;

  // How far it is.
  void begin();
  void begin_walk(const boost::json::value& state);
  boost::json::value position() const;
  boost::json::object marks() const;
  bool incremental() const { return request_.table.mode == Mode::kIncremental; }
  /// Rows of this read may have landed before.
  bool overlaps() const;

  // Pages into records.
  void collect(RecordSet& set, const TaskContext& context);
  std::optional<RestPage> next_page(const TaskContext& context);
  bool wanted(std::optional<std::string_view> cursor);
  bool full(const RecordSet& set, std::chrono::steady_clock::time_point began) const;
  void need_columns(const RecordSet& set) const;

  // Records into rows.
  std::vector<DecodedColumn> columns_of(const RecordSet& set) const;
  sql::Type type_of(const std::string& name, const sql::Type& seen) const;
  Portion portion(RecordSet& set);
  void fill(RecordSet& set, const std::vector<DecodedColumn>& columns, Portion& portion);
  std::string query(const std::vector<DecodedColumn>& columns) const;
  std::string each_once(const std::string& query, const std::vector<DecodedColumn>& columns) const;
  std::string not_landed(const std::vector<DecodedColumn>& columns) const;

  const SourceConfig& config_;
  const Resources& resources_;
  const ReadRequest request_;
  const RestTable& rest_;
  HttpClient http_;
  Window window_;
  std::unique_ptr<TableWalk> walk_;
  bool done_ = false, resumed_ = false;
  size_t pages_ = 0;                    // of this portion
  uint64_t without_cursor_ = 0;         // records
  int64_t now_ = 0;                     // µs since 1970, when the walk began
  std::optional<CursorValue> since_;    // older records are not wanted
  std::optional<CursorValue> known_;    // the greatest of earlier runs
  std::optional<CursorValue> highest_;  // of this walk
  std::vector<StreamColumn> last_columns_;
  std::unique_ptr<Registration> rows_, rejected_;
};

}  // namespace meesh::ingest
