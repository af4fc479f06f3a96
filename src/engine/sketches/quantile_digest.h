// A q-digest (Shrivastava and others: "Medians and beyond"): counts over a binary tree of the
// values' bits, whose branches of little weight are cut. The bytes are those that Trino writes.
//
// Values are 64-bit integers; doubles and reals come as integers in the same order.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::engine {

class QuantileDigest {
 public:
  explicit QuantileDigest(double max_error = 0.01) : max_error_(max_error) {}
  /// Throws GENERIC_INTERNAL_ERROR when the bytes are no q-digest.
  static QuantileDigest parse(std::string_view bytes);

  void add(int64_t value, double weight);
  void merge(const QuantileDigest& other);
  bool empty() const { return root_ == kNone; }
  double max_error() const { return max_error_; }
  /// For each of the quantiles, 0 … 1 in increasing order, the value there or a little above.
  std::vector<int64_t> values_at(const std::vector<double>& quantiles) const;
  /// The share of the values below this one; nullopt outside of what was seen.
  std::optional<double> quantile_of(int64_t value) const;
  std::string bytes();
  size_t memory() const { return sizeof(*this) + sizeof(Node) * nodes_.capacity(); }

 private:
  static constexpr int32_t kNone = -1;
  /// Stands for the values that have all bits from `level` on in common with `bits`.
  struct Node {
    uint64_t bits;
    double count;
    int32_t left, right;
    uint8_t level;  // 0 = one value, 64 = all of them
  };

  int32_t make(uint64_t bits, int level, double count);
  void insert(uint64_t bits, double weight);
  int32_t join(int32_t first, int32_t second);
  int32_t merged(int32_t node, const QuantileDigest& other, int32_t from);
  int32_t merged_below(int32_t node, const QuantileDigest& other, int32_t from);
  int32_t copied(const QuantileDigest& other, int32_t from);
  int32_t without(int32_t node);
  void compress();
  int64_t factor() const;
  /// Children before their parent; `right_first` goes from the greatest value down.
  std::vector<int32_t> in_order(bool right_first = false) const;
  int64_t lowest(const Node& node) const;
  int64_t highest(const Node& node) const;
  void read_nodes(class SketchReader& in, int32_t count);

  double max_error_;
  double weight_ = 0;
  int64_t min_ = std::numeric_limits<int64_t>::max(), max_ = std::numeric_limits<int64_t>::min();
  int32_t root_ = kNone;
  std::vector<Node> nodes_;
  std::vector<int32_t> free_;  // places of nodes that are gone
};

/// Doubles and reals as integers in the same order.
int64_t ordered_bits(double value);
int64_t ordered_bits(float value);
double double_of_bits(int64_t bits);
float float_of_bits(int64_t bits);

}  // namespace meesh::engine
