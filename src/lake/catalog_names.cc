#include "lake/catalog_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace meesh::lake {
namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string display(const Namespace& name) { return fmt::format("{}", fmt::join(name, ".")); }

std::string Identifier::display() const { return lake::display(space) + "." + name; }

std::string joined(const Namespace& name) {
  return fmt::format("{}", fmt::join(name, std::string(1, kLevelMark)));
}

Namespace split(std::string_view text) {
  Namespace name;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(kLevelMark, at), text.size());
    name.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return name;
}

void check_name(const Namespace& name) {
  const auto wrong = [](const std::string& level) {
    return level.empty() || level.size() > 255 || has_control(level);
  };
  if (name.empty() || std::any_of(name.begin(), name.end(), wrong)) {
    throw Error(Code::kInvalidArguments, fmt::format("Invalid namespace: {}", display(name)))
        .with_hint("each level has 1 to 255 bytes, none of them control characters");
  }
}

void check_name(const Identifier& name) {
  check_name(name.space);
  if (name.name.empty() || name.name.size() > 255 || has_control(name.name)) {
    throw Error(Code::kInvalidArguments, fmt::format("Invalid name: '{}'", name.name))
        .with_hint("a name has 1 to 255 bytes, none of them control characters");
  }
}

std::string without_slashes(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

void check_location(const std::string& location) {
  if (location.find_first_of("*?$") == location.npos) return;
  throw Error(Code::kInvalidArguments, fmt::format("'{}' cannot be a location", location))
      .with_hint("leave out *, ? and $");
}

void no_namespace(const Namespace& name) {
  throw Error(Code::kSchemaNotFound, fmt::format("Namespace does not exist: {}", display(name)));
}

void not_found(const Identifier& name, bool view) {
  throw Error(Code::kTableNotFound,
              fmt::format("{} does not exist: {}", view ? "View" : "Table", name.display()));
}

Error already_exists(const Identifier& name, bool view, bool there_view) {
  return Error(Code::kTableAlreadyExists,
               fmt::format("{}{} already exists: {}", there_view ? "View" : "Table",
                           view == there_view ? "" : " with same name", name.display()));
}

}  // namespace meesh::lake
