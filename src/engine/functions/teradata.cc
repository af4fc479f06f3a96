#include "engine/functions/teradata.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "engine/functions/build.h"

namespace meesh::engine {

std::string joda_of_teradata(std::string_view pattern) {
  // Longer ones before what they begin with.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kParts = {
      {{"yyyy", "yyyy"},
       {"yy", "yy"},
       {"mm", "MM"},
       {"dd", "dd"},
       {"hh24", "HH"},
       {"hh", "hh"},
       {"mi", "mm"},
       {"ss", "ss"}}};
  if (pattern.empty())
    raise(Code::kInvalidFunctionArgument, "Both printing and parsing not supported");
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    const auto rest = pattern.substr(at);
    const auto* part = std::find_if(kParts.begin(), kParts.end(),
                                    [&](const auto& p) { return rest.starts_with(p.first); });
    if (part != kParts.end()) {
      out += part->second;
      at += part->first.size();
    } else if (std::string_view("-/,.;: ").find(rest[0]) != std::string_view::npos) {
      out += rest[0];
      ++at;
    } else {
      raise(Code::kInvalidFunctionArgument,
            fmt::format("Failed to tokenize string [{}] at offset [{}]", rest, at));
    }
  }
  return out;
}

}  // namespace meesh::engine
