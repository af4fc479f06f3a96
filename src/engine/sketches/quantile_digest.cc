#include "engine/sketches/quantile_digest.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/sketches/binary.h"

namespace meesh::engine {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr double kNothing = 1e-5;  // a weight below is none
constexpr uint8_t kHasLeft = 1, kHasRight = 2;

uint64_t to_bits(int64_t value) { return static_cast<uint64_t>(value) ^ kSign; }
int64_t to_value(uint64_t bits) { return static_cast<int64_t>(bits ^ kSign); }

bool same_subtree(uint64_t a, uint64_t b, int level) {
  return level == 64 || a >> level == b >> level;
}
/// Whether the bits lie on the right below a node of this level, which is no leaf.
bool on_the_right(uint64_t bits, int level) { return (bits >> (level - 1) & 1) != 0; }

}  // namespace

int64_t ordered_bits(double value) {
  const auto bits = std::bit_cast<int64_t>(value);
  return bits ^ (bits >> 63 & std::numeric_limits<int64_t>::max());
}
int64_t ordered_bits(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return bits ^ (bits >> 31 & std::numeric_limits<int32_t>::max());
}
double double_of_bits(int64_t bits) {
  return std::bit_cast<double>(bits ^ (bits >> 63 & std::numeric_limits<int64_t>::max()));
}
float float_of_bits(int64_t bits) {
  const auto narrow = static_cast<int32_t>(bits);
  return std::bit_cast<float>(narrow ^ (narrow >> 31 & std::numeric_limits<int32_t>::max()));
}

int32_t QuantileDigest::make(uint64_t bits, int level, double count) {
  const Node node{bits, count, kNone, kNone, static_cast<uint8_t>(level)};
  weight_ += count;
  if (free_.empty()) {
    nodes_.push_back(node);
    return static_cast<int32_t>(nodes_.size()) - 1;
  }
  const int32_t at = free_.back();
  free_.pop_back();
  nodes_[static_cast<size_t>(at)] = node;
  return at;
}

/// How many times its weight must grow by one before branches of that weight are cut.
int64_t QuantileDigest::factor() const {
  if (root_ == kNone) return 1;
  const double levels = nodes_[static_cast<size_t>(root_)].level + 1;
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(levels / max_error_, 2147483647.0)));
}

void QuantileDigest::add(int64_t value, double weight) {
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  const double before = weight_;
  insert(to_bits(value), weight);
  const auto step = static_cast<double>(factor());
  if (std::floor(before / step) != std::floor(weight_ / step)) compress();
}

void QuantileDigest::insert(uint64_t bits, double weight) {
  if (weight < kNothing) return;
  int32_t parent = kNone, at = root_;
  bool right = false;
  const auto hang = [&](int32_t child) {
    if (parent == kNone) {
      root_ = child;
    } else {
      Node& above = nodes_[static_cast<size_t>(parent)];
      (right ? above.right : above.left) = child;
    }
  };
  while (at != kNone) {
    Node& node = nodes_[static_cast<size_t>(at)];
    if (!same_subtree(bits, node.bits, node.level)) {
      hang(join(at, make(bits, 0, weight)));
      return;
    }
    if (node.level == 0) {
      node.count += weight;
      weight_ += weight;
      return;
    }
    parent = at;
    right = on_the_right(bits, node.level);
    at = right ? node.right : node.left;
  }
  hang(make(bits, 0, weight));
}

/// A new parent of both, at the level where they part.
int32_t QuantileDigest::join(int32_t first, int32_t second) {
  const uint64_t a = nodes_[static_cast<size_t>(first)].bits;
  const uint64_t b = nodes_[static_cast<size_t>(second)].bits;
  const int level = 64 - std::countl_zero(a ^ b);
  const int32_t parent = make(a, level, 0);
  if (on_the_right(a, level)) std::swap(first, second);
  nodes_[static_cast<size_t>(parent)].left = first;
  nodes_[static_cast<size_t>(parent)].right = second;
  return parent;
}

void QuantileDigest::merge(const QuantileDigest& other) {
  root_ = merged(root_, other, other.root_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  compress();
}

int32_t QuantileDigest::copied(const QuantileDigest& other, int32_t from) {
  if (from == kNone) return kNone;
  const Node& node = other.nodes_[static_cast<size_t>(from)];
  const int32_t out = make(node.bits, node.level, node.count);
  const int32_t left = copied(other, node.left), right = copied(other, node.right);
  nodes_[static_cast<size_t>(out)].left = left;
  nodes_[static_cast<size_t>(out)].right = right;
  return out;
}

int32_t QuantileDigest::merged(int32_t node, const QuantileDigest& other, int32_t from) {
  if (from == kNone) return node;
  if (node == kNone) return copied(other, from);
  const Node mine = nodes_[static_cast<size_t>(node)];
  const Node& theirs = other.nodes_[static_cast<size_t>(from)];
  if (!same_subtree(mine.bits, theirs.bits, std::max(mine.level, theirs.level)))
    return join(node, copied(other, from));
  if (mine.level < theirs.level) return merged_below(node, other, from);
  int32_t left = mine.left, right = mine.right;
  if (mine.level == theirs.level) {
    weight_ += theirs.count;
    nodes_[static_cast<size_t>(node)].count += theirs.count;
    left = merged(left, other, theirs.left);
    right = merged(right, other, theirs.right);
  } else if (on_the_right(theirs.bits, mine.level)) {
    right = merged(right, other, from);
  } else {
    left = merged(left, other, from);
  }
  nodes_[static_cast<size_t>(node)].left = left;
  nodes_[static_cast<size_t>(node)].right = right;
  return node;
}

/// Our node belongs below theirs, which becomes one of ours.
int32_t QuantileDigest::merged_below(int32_t node, const QuantileDigest& other, int32_t from) {
  const Node& theirs = other.nodes_[static_cast<size_t>(from)];
  const bool right = on_the_right(nodes_[static_cast<size_t>(node)].bits, theirs.level);
  const int32_t with = merged(node, other, right ? theirs.right : theirs.left);
  const int32_t aside = copied(other, right ? theirs.left : theirs.right);
  const int32_t out = make(theirs.bits, theirs.level, theirs.count);
  nodes_[static_cast<size_t>(out)].left = right ? aside : with;
  nodes_[static_cast<size_t>(out)].right = right ? with : aside;
  return out;
}

/// What stands in the node's place when its count goes to its parent.
int32_t QuantileDigest::without(int32_t node) {
  Node& gone = nodes_[static_cast<size_t>(node)];
  if (gone.left != kNone && gone.right != kNone) {
    gone.count = 0;  // it still holds its children together
    return node;
  }
  free_.push_back(node);
  return gone.left != kNone ? gone.left : gone.right;
}

void QuantileDigest::compress() {
  const double bound = std::floor(weight_ / static_cast<double>(factor()));
  for (const int32_t at : in_order()) {
    Node& node = nodes_[static_cast<size_t>(at)];
    const auto count_of = [&](int32_t child) {
      return child == kNone ? 0.0 : nodes_[static_cast<size_t>(child)].count;
    };
    const double left = count_of(node.left), right = count_of(node.right);
    const bool light = node.count + left + right < bound;
    if (node.left != kNone && (light || left < kNothing)) {
      node.left = without(node.left);
      node.count += left;
    }
    if (node.right != kNone && (light || right < kNothing)) {
      node.right = without(node.right);
      node.count += right;
    }
  }
  if (root_ != kNone && nodes_[static_cast<size_t>(root_)].count < kNothing) root_ = without(root_);
}

std::vector<int32_t> QuantileDigest::in_order(bool right_first) const {
  std::vector<int32_t> out, open;
  if (root_ != kNone) open.push_back(root_);
  while (!open.empty()) {  // parents before their children, and then the other way round
    const int32_t at = open.back();
    open.pop_back();
    out.push_back(at);
    const Node& node = nodes_[static_cast<size_t>(at)];
    const int32_t first = right_first ? node.right : node.left;
    const int32_t second = right_first ? node.left : node.right;
    if (first != kNone) open.push_back(first);
    if (second != kNone) open.push_back(second);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

int64_t QuantileDigest::lowest(const Node& node) const {
  const uint64_t below = node.level == 64 ? ~uint64_t{0} : (uint64_t{1} << node.level) - 1;
  return to_value(node.bits & ~below);
}
int64_t QuantileDigest::highest(const Node& node) const {
  const uint64_t below = node.level == 64 ? ~uint64_t{0} : (uint64_t{1} << node.level) - 1;
  return to_value(node.bits | below);
}

std::vector<int64_t> QuantileDigest::values_at(const std::vector<double>& quantiles) const {
  std::vector<int64_t> out;
  double sum = 0;
  for (const int32_t at : in_order()) {
    const Node& node = nodes_[static_cast<size_t>(at)];
    sum += node.count;
    while (out.size() < quantiles.size() && sum > quantiles[out.size()] * weight_)
      out.push_back(std::min(highest(node), max_));
  }
  out.resize(quantiles.size(), max_);
  return out;
}

std::optional<double> QuantileDigest::quantile_of(int64_t value) const {
  int64_t low = min_, high = max_;
  for (const bool down : {false, true}) {
    for (const int32_t at : in_order(down)) {
      const Node& node = nodes_[static_cast<size_t>(at)];
      if (node.count < kNothing) continue;
      (down ? high : low) = down ? std::min(max_, highest(node)) : std::max(min_, lowest(node));
      break;
    }
  }
  if (empty() || value < low || value > high) return std::nullopt;
  double below = 0;
  for (const int32_t at : in_order()) {
    const Node& node = nodes_[static_cast<size_t>(at)];
    if (value <= highest(node)) break;
    below += node.count;
  }
  return below / weight_;
}

std::string QuantileDigest::bytes() {
  compress();
  std::string out(1, '\0');  // the number of the format
  append_number(out, max_error_);
  append_number(out, 0.0);         // how fast values are forgotten: never
  append_number(out, int64_t{0});  // since when
  append_number(out, min_);
  append_number(out, max_);
  const auto order = in_order();
  append_number(out, static_cast<int32_t>(order.size()));
  for (const int32_t at : order) {
    const Node& node = nodes_[static_cast<size_t>(at)];
    const int level = std::max(node.level - 1, 0);
    out += static_cast<char>(level << 2 | (node.left != kNone ? kHasLeft : 0) |
                             (node.right != kNone ? kHasRight : 0));
    append_number(out, node.count);
    append_number(out, node.bits);
  }
  return out;
}

/// The nodes come as in_order() gives them, so that their children are those read last. The level
/// of a node with children is written less one, that of others as well, and stays so.
void QuantileDigest::read_nodes(SketchReader& in, int32_t count) {
  std::vector<int32_t> open;
  for (int32_t i = 0; i < count; ++i) {
    const auto shape = in.read<uint8_t>();
    Node node{};
    node.level = static_cast<uint8_t>((shape >> 2) + ((shape & (kHasLeft | kHasRight)) != 0));
    node.left = node.right = kNone;
    node.count = in.read<double>();
    node.bits = in.read<uint64_t>();
    if (!(node.count >= 0) || !std::isfinite(node.count)) in.refuse();
    const auto child = [&](bool right) {
      if (open.empty()) in.refuse();
      const int32_t at = open.back();
      open.pop_back();
      const Node& below = nodes_[static_cast<size_t>(at)];
      if (below.level >= node.level || !same_subtree(below.bits, node.bits, node.level) ||
          on_the_right(below.bits, node.level) != right)
        in.refuse();
      return at;
    };
    if (shape & kHasRight) node.right = child(true);
    if (shape & kHasLeft) node.left = child(false);
    open.push_back(i);
    weight_ += node.count;
    nodes_.push_back(node);
  }
  if (open.size() > 1) in.refuse();
  root_ = open.empty() ? kNone : open.back();
}

QuantileDigest QuantileDigest::parse(std::string_view bytes) {
  SketchReader in(bytes, "qdigest");
  if (in.read<uint8_t>() != 0) in.refuse();
  QuantileDigest out(in.read<double>());
  const auto alpha = in.read<double>();
  in.read<int64_t>();
  out.min_ = in.read<int64_t>();
  out.max_ = in.read<int64_t>();
  const auto count = in.read<int32_t>();
  constexpr size_t kNodeSize = 17;
  if (!(out.max_error_ > 0 && out.max_error_ <= 1) || alpha != 0 || count < 0 ||
      in.left() != kNodeSize * static_cast<size_t>(count))
    in.refuse();
  out.read_nodes(in, count);
  return out;
}

}  // namespace meesh::engine
