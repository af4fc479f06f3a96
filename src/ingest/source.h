// A source: somewhere that rows come from. Each kind (PostgreSQL, MySQL, files, REST APIs, Airbyte
// connectors; see ingest/kinds.h for their files) implements this interface and nothing else;
// how rows land in the lake, where positions are kept and what is told of it is the same for all.
//
//   auto source = open_source(config, environment);
//   source->check();
//   for (const Stream& stream : source->discover()) …
//   auto reader = source->read({.table = …, .stream = …, .position = …});
//   while (auto portion = reader->next())          // each portion and the position after it are
//     land(portion->query, portion->position);     // committed in one transaction
//
// Rows travel as SQL: a portion is a query in Trino SQL that gives its rows, so that DuckDB reads
// them in parallel and nothing passes through here row by row. A source that cannot be asked in SQL
// stages its rows as files and gives a query over these (engine/catalogs/files.h).
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "ingest/source_config.h"
#include "sql/type.h"

namespace meesh::ingest {

struct StreamColumn {
  std::string name;  // lower case
  sql::Type type;    // as SQL over the source shows it
  std::string note;  // what is worth telling of how it is kept: "inet is kept as varchar"
};

/// What a source has to give under one name.
struct Stream {
  std::string name;    // lower case; the table's name in the configuration
  std::string origin;  // what "_source" says: "northwind.public.orders"
  /// Where it is, as lineage calls it: "postgres://host:5432/shop.public.orders",
  /// "s3://bucket/folder", "file:///folder"; "" = not known.
  std::string address;
  bool is_view = false;
  std::vector<StreamColumn> columns;
  std::vector<std::string> key;      // the primary key's columns, none if there is none
  bool unique_key = false;           // the source itself sees to it that `key` is unique
  std::vector<std::string> cursors;  // columns that tell what is new, the likeliest first
  double estimated_rows = -1;        // -1: not known
  std::vector<std::string> notes;    // what cannot be read, and why
};

/// What a reader is to give: everything (kFullRefresh) or what came after `position`.
struct ReadRequest {
  TableConfig table;
  Stream stream;
  /// What the last committed portion said; null before the first one and for a full refresh.
  boost::json::value position;
  /// The table the rows go to, quoted, if it exists already: for readers that leave out what is
  /// there. "" if not.
  std::string landed;
  std::vector<StreamColumn> landed_columns;  // of that table
  std::string run_date;                      // "2025-01-15"
  /// The type and the SQL of a source's value as it lands: hashed or masked, if the table wants it.
  /// `join` stands behind the FROM of a query that has such a value.
  std::function<StreamColumn(const StreamColumn& column, std::string& value)> as_landed;
  std::string join;
};

/// Rows a source could not make sense of, with a query that gives them as (_file varchar, _line
/// bigint, _column varchar, _error varchar, _text varchar). Beside these, the position of their
/// portion lands as _position.
struct Rejected {
  uint64_t rows = 0;
  std::string query;           // "" = they are counted only
  std::optional<uint64_t> of;  // of how many rows in all, if it is known without counting
};

struct Portion {
  std::string query;  // Trino SQL; columns by name, those of `columns`
  std::vector<StreamColumn> columns;
  /// True once the portion is committed. An object with a member `snapshot` tells of a reading of
  /// everything that is not at its end: the next run gets it also for a full refresh.
  boost::json::value position;
  /// A column of the query, not among `columns`, that tells which of two rows with one key is
  /// newer where the table's cursor does not: it grows. "" = none.
  std::string order;
  /// No row has the key of one of this or an earlier portion since the position was null.
  bool disjoint = false;
  double estimated_rows = -1;        // for progress
  std::optional<Rejected> rejected;  // lands before the rows
  /// Looks once more, after the rows were read and before they are published: throws if the source
  /// changed meanwhile so that the rows are not those of one state. May be empty.
  std::function<void()> verify;
};

/// Gives the portions of one read, one after another. One thread at a time. What it holds (a staged
/// file, a registered table) is let go when it is destroyed.
class Reader {
 public:
  virtual ~Reader() = default;
  /// Nothing: that was all. A portion may have no rows and still move the position.
  virtual std::optional<Portion> next(const TaskContext& context) = 0;
  /// The portion given last failed with `error` and nothing of it landed: another way to read it,
  /// if there is one. Throws what tells better why it failed.
  virtual std::optional<Portion> again(const Error& error, const TaskContext& context) {
    (void)error, (void)context;
    return std::nullopt;
  }
};

class ChangeSource;  // ingest/cdc/change_source.h

/// Thread-safe. All calls may wait for the network and throw errors of kind kExternal that name the
/// source.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::string_view kind() const = 0;  // "postgresql"
  /// Throws what is wrong with it: unreachable, a schema that is not there. What it found, for a
  /// person: "PostgreSQL 15.4, schema public, 14 tables".
  virtual std::string check() = 0;
  /// All streams there are, whether configured or not, sorted by name.
  virtual std::vector<Stream> discover() = 0;
  /// One of them; throws TABLE_NOT_FOUND.
  virtual Stream describe(const TableConfig& table) = 0;
  virtual std::unique_ptr<Reader> read(ReadRequest request) = 0;
  /// For tables of mode cdc; null: changes of this kind of source cannot be followed.
  virtual std::shared_ptr<ChangeSource> changes() { return nullptr; }
};

}  // namespace meesh::ingest
