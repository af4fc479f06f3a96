#include "streams/decode/member_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace meesh::streams {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

const WantedMember* WantedMember::find(std::string_view written) const {
  for (const auto& member : members)
    if (member.name == written) return &member;
  for (const auto& member : members)
    if (same_but_for_case(member.name, written)) return &member;
  return nullptr;
}

WantedMember wanted_members(const std::vector<ColumnConfig>& columns) {
  WantedMember root;
  for (size_t i = 0; i < columns.size(); ++i) {
    WantedMember* member = &root;
    for (const auto& name : path_of(columns[i])) {
      const auto known = std::ranges::find(member->members, name, &WantedMember::name);
      if (known == member->members.end()) {
        member->members.push_back({.name = name});
        member = &member->members.back();
      } else {
        member = &*known;
      }
    }
    member->columns.push_back(i);
  }
  return root;
}

std::vector<std::string> path_of(const ColumnConfig& column) {
  return column.path.empty() ? std::vector{column.name} : column.path;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

ColumnConfig column_of_member(const std::string& member, sql::Type type) {
  ColumnConfig column;
  column.name = member;
  std::ranges::transform(column.name, column.name.begin(), lower);
  column.type = std::move(type);
  if (column.name != member) column.path = {member};
  return column;
}

void check_names(const std::vector<ColumnConfig>& columns) {
  std::set<std::string> names;
  for (const auto& column : columns) {
    if (!names.insert(column.name).second) {
      throw Error(Code::kConfigInvalid,
                  fmt::format("the schema has two fields that are called '{}'", column.name))
          .with_hint("name the columns and where they are");
    }
  }
}

}  // namespace meesh::streams
