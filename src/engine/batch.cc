#include "base/error.h"
#include "duckdb/common/type_visitor.hpp"
#include "engine/batch_reader.h"
#include "engine/duck_types.h"

namespace meesh::engine {
namespace {

using duckdb::DataChunk;
using duckdb::FlatVector;
using duckdb::ListVector;
using duckdb::LogicalType;
using duckdb::PhysicalType;
using duckdb::StructVector;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

Layout layout_of(const LogicalType& type) {
  switch (type.InternalType()) {
    case PhysicalType::BOOL:
      return Layout::kBool;
    case PhysicalType::INT8:
      return Layout::kInt8;
    case PhysicalType::INT16:
      return Layout::kInt16;
    case PhysicalType::INT32:
      return Layout::kInt32;
    case PhysicalType::INT64:
      return Layout::kInt64;
    case PhysicalType::INT128:
      return Layout::kInt128;
    case PhysicalType::FLOAT:
      return Layout::kFloat;
    case PhysicalType::DOUBLE:
      return Layout::kDouble;
    case PhysicalType::VARCHAR:
      return Layout::kString;
    case PhysicalType::INTERVAL:
      return Layout::kInterval;
    case PhysicalType::LIST:
      return Layout::kList;
    case PhysicalType::STRUCT:
      return Layout::kStruct;
    default:
      internal_error("no layout for DuckDB type " + type.ToString());
  }
}

size_t fixed_width(Layout layout) {
  switch (layout) {
    case Layout::kBool:
    case Layout::kInt8:
      return 1;
    case Layout::kInt16:
      return 2;
    case Layout::kInt32:
    case Layout::kFloat:
      return 4;
    case Layout::kInt64:
    case Layout::kDouble:
      return 8;
    default:
      return 16;
  }
}

/// Flattens `vector` in place and describes it; adds its size to `bytes`.
ColumnView view_of(Vector& vector, size_t rows, const Type& type, size_t& bytes) {
  vector.Flatten(rows);
  ColumnView view;
  view.type = type;
  view.layout = layout_of(vector.GetType());
  if (type.kind == TypeKind::kTimestampTz) view.zone = zone_of(vector.GetType());
  view.validity = FlatVector::Validity(vector).GetData();
  bytes += rows * fixed_width(view.layout);
  if (view.layout == Layout::kStruct) {
    auto& fields = StructVector::GetEntries(vector);
    for (size_t i = 0; i < fields.size(); ++i) {
      view.children.push_back(view_of(*fields[i], rows, type.children.at(i), bytes));
    }
    return view;
  }
  view.data = FlatVector::GetData(vector);
  if (view.layout == Layout::kList) {
    Vector& child = ListVector::GetEntry(vector);
    const size_t length = ListVector::GetListSize(vector);
    // A map is a list of struct{key, value}: its single child is described as a row of both.
    const Type child_type =
        type.kind == TypeKind::kMap
            ? Type::row({"key", "value"}, {type.children.at(0), type.children.at(1)})
            : type.children.at(0);
    view.children.push_back(view_of(child, length, child_type, bytes));
  } else if (view.layout == Layout::kString) {
    for (size_t row = 0; row < rows; ++row) {
      if (view.is_null(row)) continue;
      const auto length = view.at<StringCell>(row).length;
      if (length > 12) bytes += length;
    }
  }
  return view;
}

}  // namespace

namespace {

/// As the column is handed out: DuckDB's form of Trino's type, values that have each a zone with
/// it.
LogicalType handed_out(const LogicalType& type) {
  const bool zoned = duckdb::TypeVisitor::Contains(type, is_zoned);
  return zoned ? type : to_duckdb(from_duckdb(type));
}

}  // namespace

BatchReader::BatchReader(std::vector<LogicalType> from, const std::vector<Type>& types)
    : types_(types) {
  for (auto& type : from) {
    LogicalType to = handed_out(type);
    casts_ |= type.InternalType() != to.InternalType() || type.id() != to.id();
    physical_.push_back(std::move(to));
  }
}

BatchPtr BatchReader::read(duckdb::unique_ptr<DataChunk> chunk) const {
  if (casts_) {
    auto converted = duckdb::make_uniq<DataChunk>();
    duckdb::vector<LogicalType> types(physical_.begin(), physical_.end());
    converted->Initialize(duckdb::Allocator::DefaultAllocator(), types);
    for (size_t i = 0; i < physical_.size(); ++i) {
      duckdb::VectorOperations::DefaultCast(chunk->data[i], converted->data[i], chunk->size());
    }
    converted->SetCardinality(chunk->size());
    chunk = std::move(converted);
  }
  auto batch = std::make_shared<Batch>();
  batch->rows = chunk->size();
  for (size_t i = 0; i < types_.size(); ++i) {
    batch->columns.push_back(view_of(chunk->data[i], batch->rows, types_[i], batch->bytes));
  }
  batch->owner = std::shared_ptr<DataChunk>(chunk.release());
  return batch;
}

namespace {

/// Digits of a second that are kept in the same unit: up to microseconds, nanoseconds, more.
int unit_of(int32_t precision) { return precision <= 6 ? 0 : precision <= 9 ? 1 : 2; }

/// A row's fields keep their names.
Type refined(Type type, const Type& declared) {
  // DuckDB calls what holds nothing but NULL an integer.
  if (declared.kind == TypeKind::kUnknown && type.kind == TypeKind::kInteger) return declared;
  if (declared.kind != type.kind || declared.children.size() != type.children.size()) return type;
  switch (type.kind) {
    case TypeKind::kVarchar:
      return declared;
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return unit_of(type.precision) == unit_of(declared.precision) ? declared : type;
    default:
      break;
  }
  for (size_t i = 0; i < type.children.size(); ++i) {
    type.children[i] = refined(std::move(type.children[i]), declared.children[i]);
  }
  return type;
}

}  // namespace

Type shown_type(const LogicalType& result, const std::optional<Type>& declared) {
  Type type = from_duckdb(result);
  return declared ? refined(std::move(type), *declared) : type;
}

}  // namespace meesh::engine
