// The files of external tables, as Hive lays them out: <location>/<file>, or
// <location>/<column>=<value>/…/<file> for partitions. Files and folders whose name begins with '.'
// or '_' are none of the table's, nor are empty files and files deeper down.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/external.h"
#include "objects/store.h"

namespace meesh::lake {

struct Folder {
  std::string bucket;
  std::string prefix;  // of keys: "" or "a/b/"
  std::string path() const { return "s3://" + bucket + "/" + prefix; }
};
/// "s3://bucket", "s3://bucket/a/b/" (s3a:// and s3n:// mean the same). Throws
/// INVALID_TABLE_PROPERTY for anything else.
Folder parse_folder(std::string_view location);

/// Sorted paths. A folder that is not there has none; nor has one in a bucket that is not there.
std::vector<std::string> list_files(objects::Store& store, const Folder& folder);
/// Of the partitions of one table: `names` are folders below `folder`, as partition_name makes
/// them.
std::vector<std::string> list_files(objects::Store& store, const Folder& folder,
                                    const std::vector<std::string>& names);
/// Whether anything at all lies in the folder.
bool has_objects(objects::Store& store, const Folder& folder);
/// Keys of everything in the folder, hidden files included.
std::vector<std::string> all_keys(objects::Store& store, const Folder& folder);
/// Removes keys of a bucket; those that are not there are passed over.
void remove_keys(objects::Store& store, const std::string& bucket,
                 const std::vector<std::string>& keys);

// A write of several partitions keeps its files out of sight, below the table's folder, until all
// are written.

/// Where the write called `id`, a UUID, keeps them.
Folder staging_folder(const Folder& table, const std::string& id);
/// Removes what killed writes left in the table's folder: staging folders to which nothing has come
/// for so long. Whoever is still at work after a whole day without a new file finds files missing
/// (and has to fail then). Gives how many files were removed.
size_t remove_stale_staging(objects::Store& store, const Folder& table,
                            std::chrono::milliseconds silent_for = std::chrono::days(1));
/// The folders directly in a folder.
std::vector<Folder> folders_in(objects::Store& store, const Folder& folder);

/// "event_date=2025-01-01/country=a%2Fb": special characters as Hive escapes them, NULL as
/// __HIVE_DEFAULT_PARTITION__.
std::string partition_name(const std::vector<std::string>& columns, const PartitionValues& values);
/// Nothing if it is not the folder of a partition by these columns.
std::optional<PartitionValues> parse_partition_name(const std::vector<std::string>& columns,
                                                    std::string_view name, bool case_sensitive);
/// The folder of a partition that lies below the table's own, relative to it, if its name says what
/// its values are: what a reader finds without being told. Nothing otherwise.
std::optional<std::string> folder_in_table(const ExternalTable& table,
                                           const ExternalPartition& partition);
/// The partitions there are folders for, even empty ones that S3 clients made ("a=1/").
std::vector<ExternalPartition> find_partitions(objects::Store& store, const Folder& folder,
                                               const std::vector<std::string>& columns,
                                               bool case_sensitive);

}  // namespace meesh::lake
