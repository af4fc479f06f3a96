#include "lake/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace meesh::lake {
namespace {

constexpr std::string_view kSchemes[] = {"s3://", "s3a://", "s3n://"};

/// "bucket/key…" of a path, or nothing.
std::string_view without_scheme(std::string_view path) {
  for (const std::string_view scheme : kSchemes) {
    if (path.starts_with(scheme)) return path.substr(scheme.size());
  }
  return {};
}

bool plain_key(std::string_view key) {
  if (key.empty()) return false;
  while (true) {
    const size_t slash = key.find('/');
    const std::string_view segment = key.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (slash == key.npos) break;
    key.remove_prefix(slash + 1);
  }
  return true;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

FilePath parse_path(std::string_view path) {
  const std::string_view rest = without_scheme(path);
  const size_t slash = rest.find('/');
  if (rest.empty() || slash == rest.npos || slash == 0 || has_control(path) ||
      !plain_key(rest.substr(slash + 1))) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("'{}' is not the path of a file", path.substr(0, 200)))
        .with_hint("expected s3://bucket/key");
  }
  return {std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

bool lies_below(std::string_view path, std::string_view place) {
  const std::string_view inner = without_scheme(path);
  std::string_view outer = without_scheme(place);
  while (outer.ends_with('/')) outer.remove_suffix(1);
  return !outer.empty() && inner.starts_with(outer) &&
         (inner.size() == outer.size() || inner[outer.size()] == '/');
}

void Files::check(std::string_view path) const {
  parse_path(path);
  require(path, path);
}

void Files::check_folder(std::string_view folder) const {
  std::string_view bare = folder;
  while (bare.ends_with('/')) bare.remove_suffix(1);
  parse_path(fmt::format("{}/-", bare));
  require(bare, folder);
}

bool Files::holds(std::string_view path) const {
  return std::ranges::any_of(places_, [&](const auto& place) { return lies_below(path, place); });
}

void Files::require(std::string_view path, std::string_view shown) const {
  if (holds(path)) return;
  throw Error(Code::kPermissionDenied,
              fmt::format("'{}' lies outside the warehouse", shown.substr(0, 200)))
      .with_hint(fmt::format("its files lie below {}; allowed_locations of the lake, in meesh.yaml "
                             "or domain.yaml, adds places",
                             fmt::join(places_, ", ")));
}

std::string Files::read(const std::string& path, uint64_t most) const {
  check(path);
  const FilePath where = parse_path(path);
  try {
    const auto reader = store_.get(where.bucket, where.key, {});
    const uint64_t size = reader->object().size;
    if (size > most) {
      throw Error(Code::kIcebergBadData,
                  fmt::format("'{}' has {} bytes, more than the {} allowed", path, size, most));
    }
    std::string bytes(size, '\0');
    bytes.resize(reader->read(0, bytes.data(), bytes.size()));
    if (bytes.size() != size) {
      throw Error(Code::kIcebergBadData, fmt::format("'{}' ends early", path));
    }
    return bytes;
  } catch (const objects::ObjectError& error) {
    if (error.reason() != objects::Reason::kNoSuchKey &&
        error.reason() != objects::Reason::kNoSuchBucket) {
      throw;
    }
    throw Error(Code::kIcebergMissingData, fmt::format("the file '{}' is missing", path));
  }
}

void Files::write(const std::string& path, std::string_view bytes, const char* content_type) const {
  check(path);
  const FilePath where = parse_path(path);
  objects::Attributes attributes;
  attributes.content_type = content_type;
  const auto writer =
      store_.put(where.bucket, where.key, attributes, {.customer_key = {}, .size = bytes.size()});
  writer->write(bytes);
  try {
    writer->commit({.if_match = {}, .if_none_match = "*"});
  } catch (const objects::ObjectError& error) {
    if (error.reason() != objects::Reason::kPreconditionFailed) throw;
    throw Error(Code::kAlreadyExists, fmt::format("the file '{}' exists already", path));
  }
}

void Files::remove(const std::vector<std::string>& paths) const {
  std::map<std::string, std::vector<std::pair<std::string, objects::DeleteOptions>>> of_bucket;
  for (const auto& path : paths) {
    check(path);
    FilePath where = parse_path(path);
    of_bucket[where.bucket].emplace_back(std::move(where.key), objects::DeleteOptions{});
  }
  constexpr size_t kAtOnce = 1000;
  for (const auto& [bucket, keys] : of_bucket) {
    for (size_t at = 0; at < keys.size(); at += kAtOnce) {
      const auto end = keys.begin() + static_cast<ptrdiff_t>(std::min(keys.size(), at + kAtOnce));
      const auto outcomes =
          store_.remove_all(bucket, {keys.begin() + static_cast<ptrdiff_t>(at), end});
      for (const auto& outcome : outcomes) {
        if (outcome.error && outcome.error->reason() != objects::Reason::kNoSuchKey) {
          throw *outcome.error;
        }
      }
    }
  }
}

bool Files::exists(const std::string& path) const {
  check(path);
  const FilePath where = parse_path(path);
  try {
    store_.head(where.bucket, where.key, {});
    return true;
  } catch (const objects::ObjectError& error) {
    if (error.reason() != objects::Reason::kNoSuchKey) throw;
    return false;
  }
}

}  // namespace meesh::lake
