#include "lake/theta_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace meesh::lake {
namespace {

static_assert(std::endian::native == std::endian::little, "sketches are little-endian");

constexpr uint64_t kSeed = 9001;
constexpr size_t kFewestSlots = 64;
constexpr size_t kMostSlots = 4 * ThetaSketch::kNominalEntries;  // at most half of them are taken

constexpr uint8_t kSerialVersion = 3;
constexpr uint8_t kCompactFamily = 3;
constexpr uint8_t kBigEndian = 1, kReadOnly = 2, kEmpty = 4, kCompact = 8, kOrdered = 16,
                  kSingle = 32;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

constexpr uint64_t kFirst = 0x87c37b91114253d5, kSecond = 0x4cf5ad432745937f;

uint64_t scrambled_first(uint64_t k) { return std::rotl(k * kFirst, 31) * kSecond; }
uint64_t scrambled_second(uint64_t k) { return std::rotl(k * kSecond, 33) * kFirst; }

uint64_t finished(uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

/// Up to eight bytes, the missing ones 0.
uint64_t load_some(const char* from, size_t count) {
  uint64_t value = 0;
  std::memcpy(&value, from, count);
  return value;
}

/// The first half of MurmurHash3_x64_128.
uint64_t murmur3(std::string_view bytes, uint64_t seed) {
  uint64_t h1 = seed, h2 = seed;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 16; left -= 16, at += 16) {
    h1 ^= scrambled_first(load<uint64_t>(at));
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= scrambled_second(load<uint64_t>(at + 8));
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  if (left > 8) h2 ^= scrambled_second(load_some(at + 8, left - 8));
  if (left > 0) h1 ^= scrambled_first(load_some(at, std::min<size_t>(left, 8)));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  return finished(h1) + finished(h2);
}

uint16_t seed_hash() {
  static const auto hash = static_cast<uint16_t>(
      murmur3({reinterpret_cast<const char*>(&kSeed), sizeof kSeed}, 0) & 0xffff);
  return hash;
}

double estimate_of(uint64_t count, uint64_t theta) {
  return static_cast<double>(count) * (0x1p63 / static_cast<double>(theta));
}

[[noreturn]] void fail(const std::string& what) {
  throw Error(Code::kIcebergBadData, "a theta sketch " + what);
}

}  // namespace

void ThetaSketch::add(std::string_view bytes) {
  if (!bytes.empty()) add_hash(murmur3(bytes, kSeed) >> 1);
}

void ThetaSketch::add_hash(uint64_t hash) {
  if (hash < theta_ && hash != 0) insert(hash);
}

void ThetaSketch::insert(uint64_t hash) {
  if (slots_.empty()) slots_.resize(kFewestSlots);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] == hash) return;
  }
  slots_[at] = hash;
  ++count_;
  if (count_ <= slots_.size() / 2) return;
  std::vector<uint64_t> kept = hashes();
  if (slots_.size() < kMostSlots) return rebuild(kept, slots_.size() * 4);
  const auto bound = kept.begin() + kNominalEntries;
  std::nth_element(kept.begin(), bound, kept.end());
  theta_ = *bound;
  kept.resize(kNominalEntries);
  rebuild(kept, kMostSlots);
}

void ThetaSketch::rebuild(const std::vector<uint64_t>& hashes, size_t slots) {
  slots_.assign(slots, 0);
  count_ = hashes.size();
  for (const uint64_t hash : hashes) {
    size_t at = hash & (slots - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots - 1);
    slots_[at] = hash;
  }
}

void ThetaSketch::merge(const ThetaSketch& other) {
  if (other.theta_ < theta_) {
    theta_ = other.theta_;
    std::vector<uint64_t> kept = hashes();
    std::erase_if(kept, [&](uint64_t hash) { return hash >= theta_; });
    rebuild(kept, std::max(slots_.size(), kFewestSlots));
  }
  for (const uint64_t hash : other.slots_) add_hash(hash);
}

std::vector<uint64_t> ThetaSketch::hashes() const {
  std::vector<uint64_t> found;
  found.reserve(count_);
  for (const uint64_t hash : slots_) {
    if (hash != 0) found.push_back(hash);
  }
  return found;
}

std::vector<uint64_t> ThetaSketch::result(uint64_t* theta) const {
  std::vector<uint64_t> found = hashes();
  *theta = theta_;
  // Which of more were kept would depend on the order in which they came.
  if (theta_ != kEverything && found.size() > kNominalEntries) {
    const auto bound = found.begin() + kNominalEntries;
    std::nth_element(found.begin(), bound, found.end());
    *theta = *bound;
    found.resize(kNominalEntries);
  }
  return found;
}

double ThetaSketch::estimate() const {
  uint64_t theta = 0;
  const size_t count = result(&theta).size();
  return theta == kEverything ? static_cast<double>(count) : estimate_of(count, theta);
}

std::string ThetaSketch::compact() const {
  uint64_t theta = 0;
  std::vector<uint64_t> found = result(&theta);
  std::sort(found.begin(), found.end());
  const bool exact = theta == kEverything;
  const bool empty = exact && found.empty(), single = exact && found.size() == 1;
  uint8_t flags = kReadOnly | kCompact | kOrdered;
  if (empty) flags |= kEmpty;
  if (single) flags |= kSingle;
  std::string out;
  put<uint8_t>(out, empty || single ? 1 : exact ? 2 : 3);  // eight-byte words before the hashes
  put(out, kSerialVersion);
  put(out, kCompactFamily);
  put<uint16_t>(out, 0);
  put(out, flags);
  put<uint16_t>(out, empty ? 0 : seed_hash());
  if (!empty && !single) {
    put(out, static_cast<uint32_t>(found.size()));
    put(out, 1.0F);  // every value was looked at
  }
  if (!exact) put(out, theta);
  for (const uint64_t hash : found) put(out, hash);
  return out;
}

double theta_estimate(std::string_view compact) {
  if (compact.size() < 8) fail("is cut short");
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(compact[at]); };
  const size_t words = byte(0) & 0x3f;
  if (byte(2) != kCompactFamily) fail(fmt::format("of family {} is not a compact one", byte(2)));
  if (byte(1) != kSerialVersion || (byte(5) & kBigEndian) != 0) {
    throw Error(Code::kNotSupported,
                fmt::format("a theta sketch of serial version {}{} cannot be read", byte(1),
                            (byte(5) & kBigEndian) != 0 ? ", big-endian," : ""))
        .with_hint("version 3, little-endian, is understood");
  }
  if ((byte(5) & kEmpty) != 0) return 0;
  if (load<uint16_t>(compact.data() + 6) != seed_hash()) fail("has another seed than 9001");
  if (words < 1 || words > 3) fail(fmt::format("has {} words before its hashes", words));
  if (compact.size() < words * 8) fail("is cut short");
  const uint64_t count = words == 1 ? 1 : load<uint32_t>(compact.data() + 8);
  if ((compact.size() - words * 8) / 8 < count) fail("is cut short");
  if (words < 3) return static_cast<double>(count);
  const auto theta = load<uint64_t>(compact.data() + 16);
  if (theta == 0 || theta >> 63 != 0) fail(fmt::format("has the bound {}", theta));
  return estimate_of(count, theta);
}

}  // namespace meesh::lake
