// The summary of a snapshot, with the names and rules of the Java library.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "lake/manifest.h"
#include "lake/metadata.h"

namespace meesh::lake {

class SummaryCounts {
 public:
  void added(const TableMetadata& table, int spec_id, const DataFile& file);
  void removed(const TableMetadata& table, int spec_id, const DataFile& file);

  /// "append", "overwrite" or "delete": what Java calls a change of such files.
  std::string operation() const;
  /// Writes the counts and, as far as the parent's are known, the totals. `parent` null: there is
  /// none.
  void write(Properties& summary, const Properties* parent) const;

 private:
  struct Sum {
    int64_t data_files = 0, records = 0, bytes = 0;
    int64_t position_files = 0, position_deletes = 0;
    int64_t equality_files = 0, equality_deletes = 0;

    void count(const DataFile& file);
    int64_t delete_files() const { return position_files + equality_files; }
  };
  void partition(const TableMetadata& table, int spec_id, const DataFile& file);

  Sum added_, removed_;
  std::set<std::string> partitions_;
};

}  // namespace meesh::lake
