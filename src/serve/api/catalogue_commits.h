// The last commits of files of the mesh's folder, if it is a work tree of Git.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace meesh::serve::api {

struct Commit {
  std::string id, author, subject;
  int64_t time_ms = 0;  // since 1970
};

struct Commits {
  bool repository = false;      // false: no work tree, no git, or it took too long
  std::vector<Commit> commits;  // newest first
};

/// `files`: relative to the folder. Never throws: Git is never required.
Commits commits_of(const std::filesystem::path& folder, const std::vector<std::string>& files,
                   size_t limit);

}  // namespace meesh::serve::api
