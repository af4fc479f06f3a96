// Patterns of files' names, for those who list files themselves.
#pragma once

#include <string_view>

namespace meesh::engine {

/// As FileTables::find has them: * and ? stay within a folder, ** spans any number, [a-z].
bool file_matches(std::string_view pattern, std::string_view path);

}  // namespace meesh::engine
