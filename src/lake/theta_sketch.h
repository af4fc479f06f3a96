// Theta sketches of Apache DataSketches: about how many different values there are, in some 32 KiB.
// The serialized form is DataSketches' compact one (serial version 3, ordered, seed 9001), which
// Iceberg keeps in blobs of type apache-datasketches-theta-v1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::lake {

/// Gathers values. What comes of the same values is the same, in whatever order and however spread
/// over sketches that are merged. Up to 2 * kNominalEntries different ones are counted exactly, of
/// more the standard error is 1.6 %.
class ThetaSketch {
 public:
  static constexpr size_t kNominalEntries = 4096;

  /// A value as lake::to_bytes writes it. No bytes are no value, as DataSketches has it.
  void add(std::string_view bytes);
  void merge(const ThetaSketch& other);

  double estimate() const;
  std::string compact() const;

 private:
  void add_hash(uint64_t hash);
  void insert(uint64_t hash);
  /// Keeps these alone in a table of so many slots, a power of two.
  void rebuild(const std::vector<uint64_t>& hashes, size_t slots);
  std::vector<uint64_t> hashes() const;
  /// The hashes that are told and the bound all of them are below.
  std::vector<uint64_t> result(uint64_t* theta) const;

  static constexpr uint64_t kEverything = (uint64_t{1} << 63) - 1;
  uint64_t theta_ = kEverything;  // hashes from here on are not kept
  size_t count_ = 0;
  std::vector<uint64_t> slots_;  // open addressing; 0 is free
};

/// The estimate of a compact sketch, from any writer. Error(kIcebergBadData) for what is none, and
/// Error(kNotSupported) for other versions than 3.
double theta_estimate(std::string_view compact);

}  // namespace meesh::lake
