#include "engine/sketches/set_digest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sketches/binary.h"

namespace meesh::engine {

void SetDigest::count(int64_t hash, int times) {
  int16_t& held = counts_[hash];
  held = static_cast<int16_t>(std::min<int>(held + times, std::numeric_limits<int16_t>::max()));
  while (counts_.size() > most_) counts_.erase(std::prev(counts_.end()));
}

void SetDigest::add_hash(uint64_t hash) {
  count(static_cast<int64_t>(hash), 1);
  log_.add_hash(hash);
}

void SetDigest::merge(const SetDigest& other) {
  log_.merge(other.log_);
  for (const auto& [hash, times] : other.counts_) count(hash, times);
}

int64_t SetDigest::cardinality() const {
  return exact() ? static_cast<int64_t>(counts_.size()) : log_.cardinality();
}

double SetDigest::jaccard_index(const SetDigest& a, const SetDigest& b) {
  const size_t smaller = std::min(a.counts_.size(), b.counts_.size());
  auto left = a.counts_.begin(), right = b.counts_.begin();
  double common = 0;
  for (size_t i = 0; i < smaller; ++i) {  // of the least of the union, as many as the smaller has
    const bool in_left = left != a.counts_.end(), in_right = right != b.counts_.end();
    if (in_left && in_right && left->first == right->first) {
      ++common;
      ++left;
      ++right;
    } else if (in_left && (!in_right || left->first < right->first)) {
      ++left;
    } else {
      ++right;
    }
  }
  return smaller == 0 ? std::nan("") : common / static_cast<double>(smaller);
}

int64_t SetDigest::intersection(const SetDigest& a, const SetDigest& b) {
  if (a.exact() && b.exact()) {
    return std::count_if(a.counts_.begin(), a.counts_.end(),
                         [&](const auto& entry) { return b.counts_.contains(entry.first); });
  }
  SetDigest both = a;
  both.merge(b);
  const auto shared = std::llround(jaccard_index(a, b) * static_cast<double>(both.cardinality()));
  return std::min({static_cast<int64_t>(shared), a.cardinality(), b.cardinality()});
}

std::string SetDigest::bytes() const {
  std::string out(1, '\x01');  // the number of the format
  const std::string log = log_.bytes();
  append_number(out, static_cast<int32_t>(log.size()));
  out += log;
  append_number(out, static_cast<int32_t>(most_));
  append_number(out, static_cast<int32_t>(counts_.size()));
  for (const auto& [hash, times] : counts_) append_number(out, hash);
  for (const auto& [hash, times] : counts_) append_number(out, times);
  return out;
}

SetDigest SetDigest::parse(std::string_view bytes) {
  SketchReader in(bytes, "SetDigest");
  if (in.read<uint8_t>() != 1) in.refuse();
  SetDigest out;
  const auto log_size = in.read<int32_t>();
  if (log_size < 0) in.refuse();
  out.log_ = HyperLogLog::parse(in.take(static_cast<size_t>(log_size)));
  const auto most = in.read<int32_t>(), count = in.read<int32_t>();
  if (most <= 0 || count < 0 || count > most ||
      in.left() != size_t{10} * static_cast<size_t>(count))
    in.refuse();
  out.most_ = static_cast<size_t>(most);
  std::vector<int64_t> hashes;
  for (int32_t i = 0; i < count; ++i) hashes.push_back(in.read<int64_t>());
  for (const int64_t hash : hashes) out.counts_[hash] = in.read<int16_t>();
  return out;
}

}  // namespace meesh::engine
