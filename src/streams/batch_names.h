// Names and cells that a batch's parts share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/ask.h"
#include "engine/catalogs/buffers.h"

namespace meesh::streams {

/// The catalog of what a stream keeps.
inline std::string state_catalog(const std::string& stream) { return "$stream_state_" + stream; }

/// "a", "b"
inline std::string names_of(const std::vector<engine::BufferColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(engine::quote_name(column.name));
  return base::join(names, ", ");
}

/// A cell of an answer; 0 for NULL.
inline int64_t whole(const std::optional<std::string>& text) {
  return text ? std::stoll(*text) : 0;
}

}  // namespace meesh::streams
