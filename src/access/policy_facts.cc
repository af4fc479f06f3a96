#include "access/policy_facts.h"

#include <fmt/chrono.h>

#include <chrono>

namespace meesh::access {
namespace {

/// Nothing for keys that do not follow from the request.
std::optional<std::vector<std::string>> derive(const PolicyRequest& request, std::string_view key) {
  using Values = std::vector<std::string>;
  const bool anonymous = request.principal.empty();
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (key == "aws:username" || key == "aws:userid") {
    return anonymous ? Values{} : Values{std::string(request.principal)};
  }
  if (key == "aws:principalarn") {
    return anonymous ? Values{} : Values{fmt::format("arn:aws:iam:::user/{}", request.principal)};
  }
  if (key == "aws:principaltype") return Values{anonymous ? "Anonymous" : "User"};
  if (key == "aws:currenttime")
    return Values{fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))};
  if (key == "aws:epochtime") return Values{std::to_string(now)};
  return std::nullopt;
}

}  // namespace

const std::vector<std::string>* Facts::find(const std::string& key) const {
  const bool ours = key == "aws:username" || key == "aws:userid" || key == "aws:principalarn";
  if (!ours && request_.context) {
    const auto given = request_.context->find(key);
    if (given != request_.context->end()) return given->second.empty() ? nullptr : &given->second;
  }
  auto found = derived_.find(key);
  if (found == derived_.end()) {
    auto values = derive(request_, key);
    if (!values) return nullptr;
    found = derived_.emplace(key, std::move(*values)).first;
  }
  return found->second.empty() ? nullptr : &found->second;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

}  // namespace meesh::access
