// A bucket's lifecycle: what goes by itself, and when. The document is the bucket's "lifecycle"
// text, S3's LifecycleConfiguration XML (both the current form with Filter and the older one with
// Prefix).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/store.h"

namespace meesh::objects {

struct LifecycleRule {
  std::string id;
  bool enabled = false;
  std::string prefix;
  Tags tags;
  std::optional<uint64_t> larger_than, smaller_than;  // bytes, exclusive

  std::optional<int> days;   // Expiration
  std::optional<Time> date;  // Expiration
  bool expired_markers = false;
  std::optional<int> noncurrent_days;
  int newer_noncurrent = 0;  // this many older versions stay in any case
  std::optional<int> abort_days;

  /// Whether the rule speaks of this version. Size and tags do not apply to delete markers.
  bool matches(const Object& object) const;
};

/// Throws kMalformedXML, kInvalidArgument (values), kNotImplemented (transitions: there is one
/// storage class).
std::vector<LifecycleRule> parse_lifecycle(std::string_view xml);

/// When something that happened at `from` is `days` old as S3 counts: the next midnight UTC after
/// that many days.
Time due(Time from, int days);

}  // namespace meesh::objects
