#include "engine/sketches/tdigest.h"

#include <algorithm>
#include <cmath>

#include "engine/sketches/binary.h"

namespace meesh::engine {
namespace {

/// The greatest share of all values that a cluster at this quantile may hold.
double largest_share(double quantile, double normalizer) {
  return quantile * (1 - quantile) / normalizer;
}

double between(double x, double x0, double y0, double x1, double y1) {
  return y0 + (x - x0) / (x1 - x0) * (y1 - y0);
}

}  // namespace

void Tdigest::add(double value, double weight) {
  const auto most = static_cast<size_t>(6 * (2 * compression_ + 10));
  if (clusters_.size() >= most) compress(2 * compression_);
  clusters_.push_back({value, weight});
  weight_ += weight;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Tdigest::merge(const Tdigest& other) {
  clusters_.insert(clusters_.end(), other.clusters_.begin(), other.clusters_.end());
  weight_ += other.weight_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  const auto most = static_cast<size_t>(6 * (2 * compression_ + 10));
  if (clusters_.size() >= most) compress(2 * compression_);
}

void Tdigest::compress(double factor) {
  if (clusters_.empty()) return;
  std::sort(clusters_.begin(), clusters_.end(), [](const Cluster& a, const Cluster& b) {
    return a.mean != b.mean ? a.mean < b.mean : a.weight < b.weight;
  });
  if (backwards_) std::reverse(clusters_.begin(), clusters_.end());
  const double normalizer = factor / (4 * std::log(weight_ / factor) + 24);
  std::vector<Cluster> joined = {clusters_[0]};
  double before = 0, room = largest_share(0, normalizer);
  for (size_t i = 1; i < clusters_.size(); ++i) {
    const Cluster& next = clusters_[i];
    Cluster& last = joined.back();
    const double both = last.weight + next.weight;
    const double quantile = std::min((before + both) / weight_, 1.0);
    if (both <= weight_ * std::min(room, largest_share(quantile, normalizer))) {
      last.mean += (next.mean - last.mean) * next.weight / both;
      last.weight = both;
    } else {
      before += last.weight;
      room = largest_share(before / weight_, normalizer);
      joined.push_back(next);
    }
  }
  if (backwards_) std::reverse(joined.begin(), joined.end());
  backwards_ = !backwards_;
  clusters_ = std::move(joined);
}

/// The value at a rank of 0 … weight_; the clusters are sorted and at least two.
double Tdigest::value_at(double rank) const {
  const Cluster &first = clusters_.front(), &last = clusters_.back();
  if (rank < 1) return min_;
  if (rank < first.weight / 2) return between(rank, 1, min_, first.weight / 2, first.mean);
  const double rest = weight_ - rank;
  const bool wide = last.weight / 2 > 1;
  const auto from_the_top = [&] { return between(rest, 1, max_, last.weight / 2, last.mean); };
  if (rest >= 1 && rest <= last.weight / 2 && wide) return from_the_top();
  if (rest <= 1) return max_;
  double before = first.weight / 2;
  for (size_t i = 0; i + 1 < clusters_.size(); ++i) {
    const Cluster &left = clusters_[i], &right = clusters_[i + 1];
    double gap = (left.weight + right.weight) / 2, offset = rank - before;
    if (offset >= gap) {
      before += gap;
      continue;
    }
    // Clusters of one value stand for it alone: nothing lies between.
    if (left.weight == 1 && offset < left.weight / 2) return left.mean;
    if (right.weight == 1 && offset >= left.weight / 2) return right.mean;
    if (left.weight == 1) {
      offset -= left.weight / 2;
      gap = right.weight / 2;
    } else if (right.weight == 1) {
      gap = left.weight / 2;
    }
    return between(offset, 0, left.mean, gap, right.mean);
  }
  return wide ? from_the_top() : max_;
}

std::vector<double> Tdigest::values_at(const std::vector<double>& quantiles) const {
  std::vector<double> out;
  for (const double quantile : quantiles) {
    if (clusters_.empty())
      out.push_back(std::nan(""));
    else if (clusters_.size() == 1)
      out.push_back(clusters_[0].mean);
    else
      out.push_back(value_at(quantile * weight_));
  }
  return out;
}

std::vector<double> Tdigest::settled_values_at(const std::vector<double>& quantiles) {
  compress(compression_);
  return values_at(quantiles);
}

std::string Tdigest::bytes() {
  compress(compression_);
  std::string out(1, '\0');  // the number of the format
  for (const double number : {min_, max_, compression_, weight_}) append_number(out, number);
  append_number(out, static_cast<int32_t>(clusters_.size()));
  for (const auto& cluster : clusters_) append_number(out, cluster.mean);
  for (const auto& cluster : clusters_) append_number(out, cluster.weight);
  return out;
}

Tdigest Tdigest::parse(std::string_view bytes) {
  SketchReader in(bytes, "tdigest");
  if (in.read<uint8_t>() != 0) in.refuse();
  Tdigest out;
  out.min_ = in.read<double>();
  out.max_ = in.read<double>();
  out.compression_ = in.read<double>();
  out.weight_ = in.read<double>();
  const auto count = in.read<int32_t>();
  constexpr double kMostCompression = 1e6;
  if (!(out.compression_ >= 10 && out.compression_ <= kMostCompression) || count < 0 ||
      in.left() != size_t{16} * static_cast<size_t>(count))
    in.refuse();
  for (int32_t i = 0; i < count; ++i) out.clusters_.push_back({in.read<double>(), 0});
  for (auto& cluster : out.clusters_) cluster.weight = in.read<double>();
  for (const auto& cluster : out.clusters_)
    if (!std::isfinite(cluster.mean) || !std::isfinite(cluster.weight)) in.refuse();
  return out;
}

}  // namespace meesh::engine
