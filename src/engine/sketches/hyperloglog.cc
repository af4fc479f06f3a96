#include "engine/sketches/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/sketches/binary.h"

namespace meesh::engine {
namespace {

constexpr uint8_t kSparse = 2, kDense = 3;
constexpr int kPrefixBits = 26, kValueBits = 6;
constexpr uint8_t kMaxDelta = 15;  // of a bucket from the baseline, in four bits

/// Zeros of the hash after its first `taken` bits.
uint32_t zeros_after(uint64_t hash, int taken) {
  return static_cast<uint32_t>(std::countl_zero(hash << taken | uint64_t{1} << (taken - 1)));
}

/// Rounded; what no int64 holds is the nearest that one does.
int64_t rounded(double count) {
  return count < 0x1p63 ? std::llround(count) : std::numeric_limits<int64_t>::max();
}

double linear_count(double empty, double all) { return all * std::log(all / empty); }

// The estimator of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
// which needs no tables of corrections.
double sigma(double x) {
  if (x == 1) return INFINITY;
  double out = x, weight = 1, before = 0;
  do {
    x *= x;
    before = out;
    out += x * weight;
    weight += weight;
  } while (out != before);
  return out;
}
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double weight = 1, out = 1 - x, before = 0;
  do {
    x = std::sqrt(x);
    before = out;
    weight *= 0.5;
    out -= (1 - x) * (1 - x) * weight;
  } while (out != before);
  return out / 3;
}

}  // namespace

void HyperLogLog::add_hash(uint64_t hash) {
  if (buckets_.empty()) {
    add_entry(static_cast<uint32_t>(hash >> (64 - kPrefixBits)), zeros_after(hash, kPrefixBits));
  } else {
    raise_bucket(hash >> (64 - index_bits_),
                 static_cast<uint8_t>(zeros_after(hash, index_bits_) + 1));
  }
}

void HyperLogLog::add_entry(uint32_t prefix, uint32_t zeros) {
  const uint32_t entry = prefix << kValueBits | zeros;
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), prefix << kValueBits);
  if (at != entries_.end() && *at >> kValueBits == prefix) {
    *at = std::max(*at, entry);
    return;
  }
  entries_.insert(at, entry);
  if (4 * entries_.size() > (size_t{1} << index_bits_) / 2) spread();
}

void HyperLogLog::raise_bucket(size_t bucket, uint8_t value) {
  buckets_[bucket] = std::max(buckets_[bucket], value);
}

/// From entries to buckets.
void HyperLogLog::spread() {
  buckets_.assign(size_t{1} << index_bits_, 0);
  const auto rest = static_cast<uint32_t>(kPrefixBits - index_bits_);  // of the prefix
  for (const uint32_t entry : entries_) {
    const auto zeros = static_cast<uint32_t>(std::countl_zero(entry << index_bits_));
    const uint32_t all = zeros < rest ? zeros : rest + (entry & ((1U << kValueBits) - 1));
    raise_bucket(entry >> (32 - index_bits_), static_cast<uint8_t>(all + 1));
  }
  entries_ = {};
}

void HyperLogLog::merge(const HyperLogLog& other) {
  if (index_bits_ != other.index_bits_) {
    throw Error(Code::kInvalidFunctionArgument,
                "Cannot merge HyperLogLogs of different numbers of buckets: " +
                    std::to_string(1 << index_bits_) + " and " +
                    std::to_string(1 << other.index_bits_));
  }
  if (other.buckets_.empty()) {
    for (const uint32_t entry : other.entries_) {
      if (!buckets_.empty()) break;
      add_entry(entry >> kValueBits, entry & ((1U << kValueBits) - 1));
    }
    if (buckets_.empty()) return;
    HyperLogLog spread_other = other;  // what went in already does no harm twice
    spread_other.spread();
    merge(spread_other);
    return;
  }
  if (buckets_.empty()) spread();
  for (size_t i = 0; i < buckets_.size(); ++i) raise_bucket(i, other.buckets_[i]);
}

int64_t HyperLogLog::cardinality() const {
  if (!buckets_.empty()) return estimate();
  const double all = uint64_t{1} << kPrefixBits;
  return rounded(linear_count(all - static_cast<double>(entries_.size()), all));
}

int64_t HyperLogLog::estimate() const {
  const double all = static_cast<double>(buckets_.size());
  const int most = 64 - index_bits_;  // zeros after the index
  std::array<double, 66> counts{};
  double sum = 0;
  for (const uint8_t value : buckets_) {
    counts[std::min<size_t>(value, static_cast<size_t>(most) + 1)] += 1;
    sum += std::ldexp(1.0, -value);
  }
  if (counts[0] > 0.4 * all) return rounded(linear_count(counts[0], all));
  const double raw = 0.7213 / (1 + 1.079 / all) * all * all / sum;
  if (raw > 5 * all) return rounded(raw);  // its bias is gone
  double z = all * tau(1 - counts[static_cast<size_t>(most) + 1] / all);
  for (int k = most; k >= 1; --k) z = 0.5 * (z + counts[static_cast<size_t>(k)]);
  z += all * sigma(counts[0] / all);
  return rounded(all * all / (2 * std::log(2.0) * z));
}

std::string HyperLogLog::bytes() const {
  if (!buckets_.empty()) return dense_bytes();
  std::string out = {static_cast<char>(kSparse), static_cast<char>(index_bits_)};
  append_number(out, static_cast<uint16_t>(entries_.size()));
  for (const uint32_t entry : entries_) append_number(out, entry);
  return out;
}

std::string HyperLogLog::dense_bytes() const {
  const uint8_t baseline = *std::min_element(buckets_.begin(), buckets_.end());
  std::string out = {static_cast<char>(kDense), static_cast<char>(index_bits_),
                     static_cast<char>(baseline)};
  std::string over_buckets, over_values;
  for (size_t i = 0; i < buckets_.size(); i += 2) {
    uint8_t pair = 0;
    for (const size_t bucket : {i, i + 1}) {
      const int delta = buckets_[bucket] - baseline;
      pair = static_cast<uint8_t>(pair << 4 | std::min<int>(delta, kMaxDelta));
      if (delta <= kMaxDelta) continue;
      append_number(over_buckets, static_cast<uint16_t>(bucket));
      over_values += static_cast<char>(delta - kMaxDelta);
    }
    out += static_cast<char>(pair);
  }
  append_number(out, static_cast<uint16_t>(over_values.size()));
  return out + over_buckets + over_values;
}

void HyperLogLog::read_entries(SketchReader& in) {
  const auto count = in.read<uint16_t>();
  if (in.left() != size_t{4} * count) in.refuse();
  for (size_t i = 0; i < count; ++i) {
    const auto entry = in.read<uint32_t>();
    const bool grows = entries_.empty() || entries_.back() >> kValueBits < entry >> kValueBits;
    if (!grows || (entry & ((1U << kValueBits) - 1)) > 64 - kPrefixBits) in.refuse();
    entries_.push_back(entry);
  }
}

void HyperLogLog::read_buckets(SketchReader& in) {
  const auto baseline = in.read<uint8_t>();
  const auto pairs = in.take((size_t{1} << index_bits_) / 2);
  for (const char byte : pairs) {
    const auto pair = static_cast<uint8_t>(byte);
    for (const int delta : {pair >> 4, pair & 15})
      buckets_.push_back(static_cast<uint8_t>(std::min(baseline + delta, 255)));
  }
  const auto over = in.read<uint16_t>();
  const auto over_buckets = in.take(size_t{2} * over), over_values = in.take(over);
  for (size_t i = 0; i < over; ++i) {
    uint16_t bucket = 0;
    std::memcpy(&bucket, over_buckets.data() + 2 * i, 2);
    if (bucket >= buckets_.size()) in.refuse();
    const int value = buckets_[bucket] + static_cast<uint8_t>(over_values[i]);
    buckets_[bucket] = static_cast<uint8_t>(std::min(value, 255));
  }
  const int most = 64 - index_bits_ + 1;
  for (const uint8_t value : buckets_)
    if (value > most) in.refuse();
}

HyperLogLog HyperLogLog::parse(std::string_view bytes) {
  SketchReader in(bytes, "HyperLogLog");
  const auto format = in.read<uint8_t>();
  const auto index_bits = in.read<uint8_t>();
  if (index_bits < 1 || index_bits > 16) in.refuse();
  HyperLogLog out(index_bits);
  if (format == kSparse) {
    out.read_entries(in);
  } else if (format == kDense) {
    out.read_buckets(in);
  } else {
    in.refuse();
  }
  if (in.left() != 0) in.refuse();
  return out;
}

}  // namespace meesh::engine
