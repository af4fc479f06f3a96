#include "lake/maintenance_reach.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "lake/files.h"
#include "lake/transaction_merge.h"

namespace meesh::lake {

std::string place_of(const std::string& path) {
  try {
    const FilePath where = parse_path(path);
    return where.bucket + "/" + where.key;
  } catch (const Error&) {
    return "";
  }
}

void Reach::add(ManifestCache& cache, const TableMetadata& table, const Snapshot& snapshot) {
  const ManifestList list = cache.list(table, snapshot);
  if (!snapshot.manifest_list.empty()) lists.insert(snapshot.manifest_list);
  for (const ManifestFile& file : *list) manifests.emplace(file.path, file);
}

void Reach::add_statistics(const TableMetadata& table) {
  for (const StatisticsFile& file : table.statistics) statistics.insert(file.path);
  for (const PartitionStatisticsFile& file : table.partition_statistics) {
    statistics.insert(file.path);
  }
}

std::vector<std::string> removable(const Files& files, std::vector<std::string> paths) {
  std::erase_if(paths, [&](const std::string& path) {
    const auto holds = [&](const std::string& place) { return lies_below(path, place); };
    return place_of(path).empty() || std::ranges::none_of(files.places(), holds);
  });
  return paths;
}

void require_gc(const TableMetadata& table, const char* what) {
  if (flag_property(table.properties, "gc.enabled", true)) return;
  throw Error(
      Code::kInvalidArguments,
      fmt::format("Cannot {}: GC is disabled (deleting files may corrupt other tables)", what))
      .with_hint("set the table property gc.enabled to true if no other table uses its files");
}

}  // namespace meesh::lake
