// DuckDB's chunks as our batches: see engine/batch.h for the layouts.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "duckdb.hpp"
#include "engine/batch.h"

namespace meesh::engine {

/// The type a client is shown for a result column: DuckDB's, refined by what name resolution knows
/// (varchar(100) of a catalog column, timestamp(3) of a literal).
sql::Type shown_type(const duckdb::LogicalType& result, const std::optional<sql::Type>& declared);

class BatchReader {
 public:
  /// `from`: the result's DuckDB types; `types`: what shown_type() made of them.
  BatchReader(std::vector<duckdb::LogicalType> from, const std::vector<sql::Type>& types);

  /// Takes the chunk over; types without a layout (hugeint, enum, unsigned) are cast on the way.
  BatchPtr read(duckdb::unique_ptr<duckdb::DataChunk> chunk) const;

 private:
  std::vector<sql::Type> types_;
  std::vector<duckdb::LogicalType> physical_;
  bool casts_ = false;
};

}  // namespace meesh::engine
