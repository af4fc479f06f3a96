// Files and folders of the data folder, with owner and mode said at each one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/process.h"

namespace meesh::mesh {

/// Makes the folder (its parent exists) with this mode and owner, or leaves it as it is. Throws
/// IO_ERROR naming it.
void make_folder(const std::filesystem::path& folder, mode_t mode,
                 const std::optional<process::Identity>& owner = {});

/// The whole file; nothing if there is none. Throws IO_ERROR.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// Replaces the file as a whole (mode 0600), durably. Throws IO_ERROR or DISK_FULL.
void write_file(const std::filesystem::path& path, const std::string& text,
                const std::optional<process::Identity>& owner = {});

/// Makes everything under the folder durable, with one call instead of one a file. Throws IO_ERROR.
void sync_tree(const std::filesystem::path& folder);

/// The first folder on the way to `folder` (itself included) that the user may not enter, going by
/// owner, group and mode; nothing if there is none.
std::optional<std::filesystem::path> blocked_folder(const std::filesystem::path& folder,
                                                    const process::Identity& user);

/// 32 random letters and digits, from the kernel.
std::string random_password();

}  // namespace meesh::mesh
