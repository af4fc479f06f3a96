// A set digest: the 8192 least hashes of a set with how often each came (MinHash), and a
// HyperLogLog of all of them. Below that many it knows the set exactly. The bytes are those that
// Trino writes.
#pragma once

#include <map>

#include "engine/sketches/hyperloglog.h"

namespace meesh::engine {

class SetDigest {
 public:
  /// Throws GENERIC_INTERNAL_ERROR when the bytes are no set digest.
  static SetDigest parse(std::string_view bytes);

  void add_hash(uint64_t hash);
  void merge(const SetDigest& other);
  bool exact() const { return counts_.size() < most_; }
  int64_t cardinality() const;
  std::string bytes() const;
  /// How often each hash came, at most 32767 times.
  const std::map<int64_t, int16_t>& counts() const { return counts_; }
  size_t memory() const { return sizeof(*this) + 48 * counts_.size() + log_.memory(); }

  static int64_t intersection(const SetDigest& a, const SetDigest& b);
  /// The share of the union that both have; NaN when one is empty.
  static double jaccard_index(const SetDigest& a, const SetDigest& b);

 private:
  static constexpr int kIndexBits = 11;
  void count(int64_t hash, int times);

  size_t most_ = 8192;
  HyperLogLog log_{kIndexBits};
  std::map<int64_t, int16_t> counts_;
};

}  // namespace meesh::engine
