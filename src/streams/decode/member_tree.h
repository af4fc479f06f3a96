// The members that columns name by their paths, as a tree: {"customer", "city"} is the member
// "city" of "customer". Decoders whose schema is known beforehand look their fields up in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/stream_config.h"

namespace meesh::streams {

struct WantedMember {
  std::string name;
  std::vector<size_t> columns;  // whose value it is
  std::vector<WantedMember> members;

  /// By its very name, else without regard to ASCII case; null if nobody asks for it.
  const WantedMember* find(std::string_view name) const;
};

/// The root, which is the message itself.
WantedMember wanted_members(const std::vector<ColumnConfig>& columns);

/// The path of a column: its own name where none is given.
std::vector<std::string> path_of(const ColumnConfig& column);

bool same_but_for_case(std::string_view a, std::string_view b);

/// A column that a schema gives: the member's name in lower case.
ColumnConfig column_of_member(const std::string& member, sql::Type type);
/// Throws CONFIG_INVALID if two have one name.
void check_names(const std::vector<ColumnConfig>& columns);

}  // namespace meesh::streams
