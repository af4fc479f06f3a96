// Which delete files apply to a data file. Source: the Iceberg table spec, "Scan Planning".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lake/scan.h"

namespace meesh::lake {

/// A spec and the values of a partition as bytes: equal exactly for the same partition.
std::string partition_key(int spec_id, std::span<const Value> partition);

class DeleteIndex {
 public:
  /// `deletes` outlives it and does not change.
  DeleteIndex(const TableMetadata& table, const std::vector<ScanDelete>& deletes);

  /// Places in `deletes`, rising.
  std::vector<uint32_t> find(const DataFile& file, int spec_id, int64_t sequence_number) const;

 private:
  using Places = std::vector<uint32_t>;
  void collect(const Places& places, const DataFile& file, int64_t sequence_number,
               Places& out) const;

  const std::vector<ScanDelete>& deletes_;
  std::unordered_map<std::string_view, Places> of_file_;
  std::unordered_map<std::string, Places> of_partition_;
  Places everywhere_;  // equality deletes of unpartitioned specs
};

}  // namespace meesh::lake
