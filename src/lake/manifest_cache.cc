#include "lake/manifest_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace meesh::lake {
namespace {

// Threads that read beside the caller's, one for every few files that are not kept.
constexpr size_t kMostReaders = 7, kFilesOfAReader = 4;

size_t size_of(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

size_t size_of(const ManifestFile& file) {
  size_t bytes = sizeof file + size_of(file.path);
  if (file.key_metadata) bytes += size_of(*file.key_metadata);
  if (!file.partitions) return bytes;
  for (const FieldSummary& summary : *file.partitions) {
    bytes += sizeof summary;
    if (summary.lower) bytes += size_of(*summary.lower);
    if (summary.upper) bytes += size_of(*summary.upper);
  }
  return bytes;
}

size_t size_of(const ManifestEntry& entry) {
  constexpr size_t kColumn = 56;  // of FileMetrics, without its bounds
  const DataFile& file = entry.file;
  size_t bytes = sizeof entry + size_of(file.path) + size_of(file.referenced_data_file);
  for (const Value& value : file.partition) {
    const auto* text = std::get_if<std::string>(&value);
    bytes += sizeof value + (text ? size_of(*text) : 0);
  }
  bytes += file.metrics.size() * kColumn;
  for (size_t i = 0; i < file.metrics.size(); ++i) {
    const ColumnMetrics column = file.metrics.at(i);
    bytes += column.lower.value_or("").size() + column.upper.value_or("").size();
  }
  bytes += file.split_offsets.size() * sizeof(int64_t) + file.equality_ids.size() * sizeof(int);
  return bytes + (file.key_metadata ? size_of(*file.key_metadata) : 0);
}

template <typename T>
size_t size_of(const std::vector<T>& items) {
  size_t bytes = 0;
  for (const T& item : items) bytes += size_of(item);
  return bytes;
}

/// Of a manifest that no list describes (format version 1).
ManifestFile described(const std::string& path, std::string_view bytes, const Snapshot& snapshot) {
  ManifestFile file;
  file.path = path;
  file.length = static_cast<int64_t>(bytes.size());
  file.spec_id = read_manifest_header(bytes, path).spec_id;
  file.added_snapshot_id = snapshot.id;
  return file;
}

/// The numbers that its entries inherit belong to it: a list that lost a race may give others.
std::string key_of(const ManifestFile& file) {
  return fmt::format("{}#{}#{}", file.path, file.sequence_number, file.added_snapshot_id);
}

}  // namespace

ManifestList ManifestCache::list(const TableMetadata& table, const Snapshot& snapshot) {
  const bool listed = !snapshot.manifest_list.empty();
  const std::string key =
      listed ? snapshot.manifest_list : fmt::format("{}#{}", table.location, snapshot.id);
  if (auto known = kept_.find(key))
    return std::static_pointer_cast<const std::vector<ManifestFile>>(known);
  auto files = std::make_shared<std::vector<ManifestFile>>();
  if (listed) {
    *files = read_manifest_list(files_.read(snapshot.manifest_list), snapshot.manifest_list);
  }
  for (const std::string& path : snapshot.manifests) {
    if (!listed) files->push_back(described(path, files_.read(path), snapshot));
  }
  kept_.keep(key, files, size_of(*files) + key.size());
  return files;
}

Manifest ManifestCache::manifest(const TableMetadata& table, const ManifestFile& file) {
  // The numbers that its entries inherit belong to the key: a list that lost a race may give
  // others.
  const std::string key =
      fmt::format("{}#{}#{}", file.path, file.sequence_number, file.added_snapshot_id);
  if (auto known = kept_.find(key))
    return std::static_pointer_cast<const std::vector<ManifestEntry>>(known);
  const PartitionSpec* spec = table.find_spec(file.spec_id);
  if (spec == nullptr) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("table {}: manifest '{}' has the partition spec {}, which the table "
                            "does not have",
                            table.location, file.path, file.spec_id));
  }
  const std::string bytes = files_.read(file.path);
  if (file.length != static_cast<int64_t>(bytes.size())) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("table {}: manifest '{}' has {} bytes, its manifest list says {}",
                            table.location, file.path, bytes.size(), file.length))
        .with_hint(
            "the file was changed or damaged: restore it, or roll back to an older snapshot");
  }
  auto entries = std::make_shared<std::vector<ManifestEntry>>(read_manifest(bytes, file, *spec));
  kept_.keep(key, entries, size_of(*entries) + key.size());
  return entries;
}

std::vector<Manifest> ManifestCache::manifests(const TableMetadata& table,
                                               const std::vector<const ManifestFile*>& files) {
  std::vector<Manifest> out(files.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < files.size(); ++i) {
    out[i] =
        std::static_pointer_cast<const std::vector<ManifestEntry>>(kept_.find(key_of(*files[i])));
    if (out[i] == nullptr) missing.push_back(i);
  }
  std::atomic<size_t> next{0};
  std::mutex failed_mutex;
  std::exception_ptr failed;
  const auto work = [&] {
    try {
      for (size_t at = next++; at < missing.size(); at = next++) {
        out[missing[at]] = manifest(table, *files[missing[at]]);
      }
    } catch (...) {
      next = missing.size();
      const std::lock_guard lock(failed_mutex);
      if (!failed) failed = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> readers;
    const size_t wanted = std::min(kMostReaders, missing.size() / kFilesOfAReader);
    for (size_t i = 0; i < wanted; ++i) readers.emplace_back(work);
    work();
  }
  if (failed) std::rethrow_exception(failed);
  return out;
}

}  // namespace meesh::lake
