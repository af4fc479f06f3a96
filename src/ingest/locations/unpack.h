// Packed files: .gz, .zst, .bz2, .xz, and those that hold several, .zip and .tar, by libarchive.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/task.h"

namespace meesh::ingest {

/// The name without the ending of its packing: "a.csv.gz" → "a.csv". Of a .zip or .tar "".
std::string unpacked_name(const std::string& name);
bool is_archive(const std::string& name);  // .zip, .tar, .tar.gz, .tgz, …
bool is_packed(const std::string& name);   // these and .gz, .zst, .bz2, .xz

struct Unpacked {
  std::filesystem::path file;
  std::string name;  // "orders.zip/2024/a.csv", or as unpacked_name()
};

/// Unpacks into the folder; `shown` is the file's name. Folders, hidden and empty files of an
/// archive are left out. Throws INVALID_ARGUMENTS for what cannot be unpacked or would be too
/// large.
std::vector<Unpacked> unpack(const std::filesystem::path& file, const std::string& shown,
                             const std::filesystem::path& folder, const TaskContext& context);

}  // namespace meesh::ingest
