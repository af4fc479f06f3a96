// For tests of what survives: writers that announce what they are about to do and what was
// acknowledged, and the check of a store against what they said.
//
// Every key belongs to one writer, so that at most one operation on it has no answer when the
// process dies: then both what was before and what was to come are right, nothing else.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "objects/local/test_store.h"

namespace meesh::objects {

/// What a key holds: content_of(size, seed), or nothing.
struct Holding {
  uint32_t size = 0, seed = 0;
  bool operator==(const Holding&) const = default;
};
using Maybe = std::optional<Holding>;

/// One line: "B key size seed" (about to hold it), "B key - -" (about to be removed), "A key" (the
/// last one announced was acknowledged).
class History {
 public:
  void read(const std::string& line);
  size_t acknowledged() const { return acknowledged_; }
  /// Every key is as acknowledged or as announced after that; all of it whole; listing, usage and
  /// files agree. Takes what it found as the new truth.
  void check(Store& store, const std::filesystem::path& payload_folder);

 private:
  std::map<std::string, Maybe> known_;
  std::map<std::string, Maybe> announced_;
  size_t acknowledged_ = 0;
};

inline constexpr const char* kHistoryBucket = "history";
/// Deaths that a store goes through before a new one is begun: each check reads all that it holds.
inline constexpr int kDeathsOfAStore = 25;

/// Does `operations` random operations with the keys of one writer. `tell` is called with each
/// line; what the store throws comes through.
void write_history(Store& store, int writer, uint32_t seed, int operations,
                   const std::function<void(const std::string&)>& tell);

}  // namespace meesh::objects
