#include "ingest/cdc/change_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace meesh::ingest {

using sql::Type;
using sql::TypeKind;

namespace {

constexpr int kMicroseconds = 6;
constexpr const char* kLost = "cannot be followed any more: ";

bool same_column(const StreamColumn& a, const StreamColumn& b) {
  return a.name == b.name && a.type == b.type;
}

/// As it travels in a buffer.
Type carried(const Type& type) { return type.children.empty() ? type : Type::varchar(); }

}  // namespace

bool TableShape::operator==(const TableShape& other) const {
  return table == other.table && origin == other.origin && key == other.key &&
         std::ranges::equal(columns, other.columns, same_column);
}

std::vector<engine::BufferColumn> change_columns(const TableShape& shape) {
  const Type text = Type::varchar(), number = Type::of(TypeKind::kBigint);
  std::vector<engine::BufferColumn> columns = {
      {"_seq", number},     {"_op", text},
      {"_major", number},   {"_minor", number},
      {"_tx", text},        {"_committed", Type::of(TypeKind::kTimestampTz, kMicroseconds)},
      {"_unchanged", text}, {"_error", text},
      {"_raw", text}};
  for (const auto& column : shape.columns) columns.push_back({column.name, carried(column.type)});
  for (const size_t at : shape.key) {
    const auto& column = shape.columns.at(at);
    columns.push_back({std::string(kBeforePrefix) + column.name, carried(column.type)});
  }
  return columns;
}

Error lost_position(const std::string& source, const std::string& what) {
  return Error(Code::kJdbcNonTransientError, fmt::format("Source '{}' {}{}", source, kLost, what))
      .with_hint(fmt::format("meesh ingest run {} --full-refresh takes its tables anew and follows "
                             "from there",
                             source));
}

bool is_lost_position(const Error& error) {
  return error.code() == Code::kJdbcNonTransientError &&
         error.message().find(kLost) != std::string::npos;
}

}  // namespace meesh::ingest
