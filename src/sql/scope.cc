#include "sql/scope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace meesh::sql {

std::string display_name(const Name& name) {
  std::string out;
  for (const auto& part : name) {
    if (!out.empty()) out += '.';
    out += lower(part.value);
  }
  return out;
}

void fail(Code code, Position pos, std::string message) {
  throw Error(code, std::move(message), {pos.line, pos.column, {}});
}

namespace {

bool ends_with(const std::vector<std::string>& whole, const std::vector<std::string>& parts,
               size_t count) {
  if (count > whole.size()) return false;
  return std::equal(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count),
                    whole.end() - static_cast<std::ptrdiff_t>(count));
}

/// The field that the first `count` parts name, in this scope alone.
const Field* match(const Scope& scope, const std::vector<std::string>& parts, size_t count,
                   Position pos) {
  const Field* found = nullptr;
  for (const auto& field : scope.fields) {
    if (!field.name || lower(*field.name) != parts[count - 1]) continue;
    if (!ends_with(field.qualifier, parts, count - 1)) continue;
    if (found) {
      const std::vector<std::string> shown(parts.begin(),
                                           parts.begin() + static_cast<std::ptrdiff_t>(count));
      fail(Code::kAmbiguousName, pos,
           fmt::format("Column '{}' is ambiguous", fmt::join(shown, ".")));
    }
    found = &field;
  }
  return found;
}

}  // namespace

Found find_field(const Scope& scope, const std::vector<std::string>& parts, Position pos) {
  int depth = 0;
  for (const Scope* s = &scope; s; s = s->parent, ++depth) {
    // The whole name as a column wins over a shorter one with row fields behind it.
    for (size_t count = parts.size(); count > 0; --count)
      if (const Field* field = match(*s, parts, count, pos)) return {field, count, depth};
  }
  return {};
}

std::vector<const Field*> fields_of(const Scope& scope, const std::vector<std::string>& qualifier) {
  std::vector<const Field*> out;
  for (const Scope* s = &scope; s && out.empty(); s = s->parent)
    for (const auto& field : s->fields)
      if (!field.hidden && !field.qualifier.empty() &&
          ends_with(field.qualifier, qualifier, qualifier.size()))
        out.push_back(&field);
  return out;
}

}  // namespace meesh::sql
