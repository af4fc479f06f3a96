// What was read once and never changes, as long as there is room: the values used last stay.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace meesh::base {

/// Thread-safe. What it gave stays valid after it dropped it.
template <typename Value>
class LruCache {
 public:
  using Pointer = std::shared_ptr<const Value>;

  /// `budget`: what all weights may add up to.
  explicit LruCache(size_t budget) : budget_(budget) {}

  /// Null if it is not kept.
  Pointer find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(key);
    if (place == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, place->second);
    return entries_.front().value;
  }

  /// Too heavy a value is not kept.
  void keep(const std::string& key, Pointer value, size_t weight) {
    const std::lock_guard lock(mutex_);
    if (weight > budget_ || places_.contains(key)) return;
    entries_.push_front({key, std::move(value), weight});
    places_[key] = entries_.begin();
    for (weight_ += weight; weight_ > budget_;) drop(entries_.back().key);
  }

  void erase(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (places_.contains(key)) drop(std::string(key));
  }

 private:
  struct Entry {
    std::string key;
    Pointer value;
    size_t weight = 0;
  };

  void drop(const std::string key) {  // NOLINT: a copy, as the entry that has it goes
    const auto place = places_.find(key);
    weight_ -= place->second->weight;
    entries_.erase(place->second);
    places_.erase(place);
  }

  const size_t budget_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // used last first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> places_;
  size_t weight_ = 0;
};

}  // namespace meesh::base
