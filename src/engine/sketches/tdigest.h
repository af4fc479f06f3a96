// A t-digest (Dunning, Ertl: "Computing extremely accurate quantiles using t-digests"): the values
// as clusters that are small towards both ends. The bytes are those that Trino writes.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::engine {

class Tdigest {
 public:
  /// Throws GENERIC_INTERNAL_ERROR when the bytes are no t-digest.
  static Tdigest parse(std::string_view bytes);

  /// Both must be finite, which the caller sees to.
  void add(double value, double weight);
  void merge(const Tdigest& other);
  /// Quantiles of 0 … 1 in increasing order; NaN of nothing.
  std::vector<double> values_at(const std::vector<double>& quantiles) const;
  /// The same of rows just added or merged.
  std::vector<double> settled_values_at(const std::vector<double>& quantiles);
  /// Joins clusters until they are few.
  std::string bytes();
  size_t memory() const { return sizeof(*this) + sizeof(Cluster) * clusters_.capacity(); }

 private:
  struct Cluster {
    double mean, weight;
  };
  void compress(double factor);
  double value_at(double rank) const;

  double compression_ = 100;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
  double weight_ = 0;
  bool backwards_ = false;  // clusters are joined from either end by turns
  std::vector<Cluster> clusters_;
};

}  // namespace meesh::engine
