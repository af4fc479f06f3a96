#include "quality/parameters.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace meesh::quality {
namespace {

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/// Calls `value` for each {{ name }}, with where it begins.
std::string replace(std::string_view text,
                    const std::function<std::string(std::string_view, size_t)>& value) {
  std::string filled;
  size_t done = 0;
  while (true) {
    const size_t open = text.find("{{", done);
    const size_t close = open == text.npos ? text.npos : text.find("}}", open);
    if (close == text.npos) break;
    std::string_view name = text.substr(open + 2, close - open - 2);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    filled += text.substr(done, open - done);
    filled += value(name, open);
    done = close + 2;
  }
  return filled += text.substr(done);
}

[[noreturn]] void fail(std::string_view text, size_t offset, std::string message,
                       std::string hint) {
  const auto position = base::position_of(text, offset);
  throw Error(Code::kConfigInvalid, std::move(message), {position.line, position.column, ""})
      .with_hint(std::move(hint));
}

}  // namespace

std::string fill_parameters(std::string_view text,
                            const std::map<std::string, std::string>& values) {
  return replace(text, [&](std::string_view name, size_t offset) {
    if (name.empty() || name.find_first_not_of(kNameCharacters) != name.npos)
      fail(text, offset, fmt::format("'{}' is no name of a parameter", name),
           "write {{ run_date }}");
    const auto found = values.find(std::string(name));
    if (found != values.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, value] : values) names.push_back(known);
    fail(text, offset, fmt::format("parameter '{}' has no value", name),
         base::did_you_mean(name, names, "parameters are "));
  });
}

void check_parameters(const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    for (const char c : value) {
      if (kNameCharacters.find(c) != kNameCharacters.npos ||
          std::string_view(" .:+-").find(c) != std::string_view::npos)
        continue;
      throw Error(Code::kInvalidFunctionArgument,
                  fmt::format("the value of parameter '{}' holds '{}'", name, c))
          .with_hint("letters, digits, spaces and _ . : + - may stand in it");
    }
  }
}

std::string without_parameters(std::string_view text) {
  return replace(text, [](std::string_view name, size_t) {
    return std::string(name == "table" || name == "this" ? kTablePlaceholder : "1");
  });
}

}  // namespace meesh::quality
