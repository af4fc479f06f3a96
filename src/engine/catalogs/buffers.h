// The catalog kind `buffers`: rows that a part of the program holds in memory, as tables, for as
// long as it holds them. Micro-batches of streams are read through it.
//
//   auto buffers = std::make_shared<BufferTables>("$streams");
//   engine.add_catalog(make_buffers_catalog(buffers));
//   auto rows = buffers->buffer({{"id", Type::of(kBigint)}, {"name", Type::varchar()}});
//   rows->integer(0, 7), rows->text(1, "ana"), rows->end_row();
//   rows->finish();
//   const auto table = buffers->add("sales", "orders", {.rows = rows});
//   engine.submit("SELECT * FROM " + quote_table(table->name()), session);
//
// Their memory is the engine's: it counts towards its limit, and pages that are not in use go to
// the spill folder when it is short.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.h"
#include "engine/catalog.h"
#include "sql/type.h"

namespace meesh::engine {

struct BufferColumn {
  std::string name;  // lower case, unique
  sql::Type type;    // none with parts: array, map and row travel as JSON text in a varchar
  bool hidden = false;
};

/// Rows of one shape. Filled by one thread, cell by cell, a cell that is not set is NULL; read by
/// statements once it is finished.
class RowBuffer {
 public:
  ~RowBuffer();
  RowBuffer(const RowBuffer&) = delete;
  RowBuffer& operator=(const RowBuffer&) = delete;

  const std::vector<BufferColumn>& columns() const;

  void boolean(size_t column, bool value);
  /// tinyint … bigint, date (days since 1970-01-01), time (µs of the day), timestamp with and
  /// without time zone (µs since the epoch). False, and nothing is set, if it does not fit.
  [[nodiscard]] bool integer(size_t column, int64_t value);
  void number(size_t column, double value);  // real, double
  /// The unscaled value; of a uuid, as engine/batch.h lays it out. False, and nothing is set, if it
  /// has more digits than the column.
  [[nodiscard]] bool decimal(size_t column, Int128 unscaled);
  /// varchar, json (which must be valid), varbinary. varchar must be UTF-8.
  void text(size_t column, std::string_view value);

  void end_row();
  void drop_row();  // forgets what was set since the last row ended
  uint64_t rows() const;
  uint64_t bytes() const;  // about
  /// No rows are added after it. Called before statements read it.
  void finish();

 private:
  friend class BufferTables;
  friend class BuffersCatalog;
  struct State;
  explicit RowBuffer(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

/// What a name stands for: the rows, or a query over other tables in Trino's words.
struct BufferTable {
  std::shared_ptr<const RowBuffer> rows;
  std::string query;                        // if there are no rows: a view with these columns
  std::vector<BufferColumn> query_columns;  // may have parts
};

class BufferTables : public std::enable_shared_from_this<BufferTables> {
 public:
  explicit BufferTables(std::string catalog);
  ~BufferTables();

  const std::string& catalog() const { return catalog_; }

  /// Empty. The catalog must have been added to an engine.
  std::shared_ptr<RowBuffer> buffer(std::vector<BufferColumn> columns);

  /// As long as it is held, the rows are the table "<catalog>".<schema>.<table>.
  class Registration {
   public:
    Registration(std::shared_ptr<BufferTables> tables, std::string schema, std::string table);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    sql::TableName name() const;

   private:
    const std::shared_ptr<BufferTables> tables_;
    const std::string schema_, table_;
  };
  /// Throws ALREADY_EXISTS.
  std::unique_ptr<Registration> add(const std::string& schema, const std::string& table,
                                    BufferTable what);

 private:
  friend class BuffersCatalog;
  struct Tables;
  const std::string catalog_;
  const std::unique_ptr<Tables> tables_;
};

std::unique_ptr<Catalog> make_buffers_catalog(std::shared_ptr<BufferTables> tables);

}  // namespace meesh::engine
