// A vector of any type as rows that can be read one by one, nested ones with their parts.
#pragma once

#include <vector>

#include "duckdb.hpp"
#include "duckdb/common/types/vector.hpp"

namespace meesh::engine {

/// Reads a vector and what is below it; flattens what would otherwise be read through two
/// selections. Valid as long as the vector is.
class VectorTree {
 public:
  VectorTree(duckdb::Vector& vector, duckdb::idx_t count) {
    using duckdb::PhysicalType;
    const auto physical = vector.GetType().InternalType();
    if (physical == PhysicalType::LIST || physical == PhysicalType::STRUCT) vector.Flatten(count);
    vector.ToUnifiedFormat(count, format_);
    if (physical == PhysicalType::LIST) {
      auto& child = duckdb::ListVector::GetEntry(vector);
      children_.emplace_back(child, duckdb::ListVector::GetListSize(vector));
    } else if (physical == PhysicalType::STRUCT) {
      for (auto& entry : duckdb::StructVector::GetEntries(vector))
        children_.emplace_back(*entry, count);
    }
  }

  bool is_null(size_t row) const {
    return !format_.validity.RowIsValid(format_.sel->get_index(row));
  }
  template <class T>
  const T& at(size_t row) const {
    return duckdb::UnifiedVectorFormat::GetData<T>(format_)[format_.sel->get_index(row)];
  }
  /// Where the elements of a list, or the entries of a map, stand in child(0).
  const duckdb::list_entry_t& entry(size_t row) const { return at<duckdb::list_entry_t>(row); }
  /// Of a list its elements, of a row its fields, of a map its entries, each a row of key and
  /// value.
  const VectorTree& child(size_t i) const { return children_[i]; }
  size_t children() const { return children_.size(); }

 private:
  duckdb::UnifiedVectorFormat format_;
  std::vector<VectorTree> children_;
};

/// The rows of a vector that a kernel must look at: one when it is constant, which is then read
/// through a copy that may be flattened.
class ReadVector {
 public:
  ReadVector(duckdb::Vector& vector, duckdb::idx_t count)
      : constant_(vector.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR),
        copy_(vector),
        tree_(copy_, constant_ ? 1 : count) {}

  bool constant() const { return constant_; }
  const VectorTree& tree() const { return tree_; }
  size_t row(size_t i) const { return constant_ ? 0 : i; }

 private:
  bool constant_;
  duckdb::Vector copy_;
  VectorTree tree_;
};

}  // namespace meesh::engine
