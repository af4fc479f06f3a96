// HyperLogLog as Trino keeps it: how many distinct values there are, from the hashes of them all.
//
// Few values are a sorted list of 32 bits each (26 bits of the hash, then how many zeros follow);
// when that outgrows it, 2^p buckets, each the greatest number of zeros seen in it. The bytes are
// those that Trino writes, so that sketches of either can be merged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::engine {

class HyperLogLog {
 public:
  /// 4096 buckets: a standard error of 1.625 %.
  static constexpr int kIndexBits = 12;

  explicit HyperLogLog(int index_bits = kIndexBits) : index_bits_(index_bits) {}
  /// Throws GENERIC_INTERNAL_ERROR when the bytes are no sketch.
  static HyperLogLog parse(std::string_view bytes);

  void add_hash(uint64_t hash);
  /// Throws when the other has another number of buckets.
  void merge(const HyperLogLog& other);
  int64_t cardinality() const;
  std::string bytes() const;
  size_t memory() const { return sizeof(*this) + 4 * entries_.capacity() + buckets_.capacity(); }

 private:
  void add_entry(uint32_t prefix, uint32_t zeros);
  void raise_bucket(size_t bucket, uint8_t value);
  void spread();
  int64_t estimate() const;
  std::string dense_bytes() const;
  void read_entries(class SketchReader& in);
  void read_buckets(class SketchReader& in);

  int index_bits_;
  std::vector<uint32_t> entries_;  // while there are no buckets, sorted
  std::vector<uint8_t> buckets_;   // zeros + 1 of each; 0 = nothing fell into it
};

}  // namespace meesh::engine
