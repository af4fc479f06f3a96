// A message as a topic holds it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meesh::streams {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

/// By partition, the offset of the message that is read next.
using Offsets = std::map<TopicPartition, int64_t>;

using Header = std::pair<std::string_view, std::optional<std::string_view>>;

/// Views are good for as long as the call that it is handed to lasts.
struct Message {
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;                     // since 1970; -1: it has none
  std::optional<std::string_view> key, value;    // nothing: null (a tombstone has no value)
  const std::vector<Header>* headers = nullptr;  // null unless they were asked for
};

}  // namespace meesh::streams
