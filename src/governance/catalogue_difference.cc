#include "governance/catalogue_difference.h"

#include <fmt/format.h>

#include <map>

namespace meesh::governance {
namespace {

using yaml::Node;
using Flat = std::map<std::string, std::string>;

constexpr size_t kLongest = 300;

std::string label_of(const Node& item, size_t at) {
  for (const char* key : {"id", "name", "property", "column", "server", "element"}) {
    const Node* found = item.find(key);
    if (found && found->is_scalar() && !found->text.empty()) return found->text;
  }
  if (item.is_scalar()) return item.text;
  return std::to_string(at + 1);
}

void flatten(const Node& node, const std::string& path, Flat& out) {
  if (node.is_scalar()) {
    out[path] = node.text.substr(0, kLongest);
    return;
  }
  if (node.items.empty()) out[path] = node.kind == Node::Kind::kMap ? "{}" : "[]";
  std::map<std::string, int> labels;
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (node.kind == Node::Kind::kMap) {
      flatten(node.items[i], path.empty() ? node.keys[i].name : path + "." + node.keys[i].name,
              out);
      continue;
    }
    std::string label = label_of(node.items[i], i);
    if (const int before = labels[label]++; before > 0) label += fmt::format(" ({})", before + 1);
    flatten(node.items[i], fmt::format("{}[{}]", path, label), out);
  }
}

}  // namespace

std::vector<Difference> differences(const Node& before, const Node& after) {
  Flat old, now;
  flatten(before, "", old);
  flatten(after, "", now);
  std::vector<Difference> out;
  for (const auto& [where, value] : old) {
    const auto found = now.find(where);
    if (found == now.end()) {
      out.push_back({"removed", where, value, ""});
    } else if (found->second != value) {
      out.push_back({"changed", where, value, found->second});
    }
  }
  for (const auto& [where, value] : now) {
    if (!old.contains(where)) out.push_back({"added", where, "", value});
  }
  return out;
}

}  // namespace meesh::governance
