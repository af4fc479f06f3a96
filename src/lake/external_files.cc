#include "lake/external_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace meesh::lake {
namespace {

constexpr std::string_view kNullPartition = "__HIVE_DEFAULT_PARTITION__";
constexpr std::string_view kStaging = ".meesh-";  // then the write's UUID
constexpr size_t kUuidLength = 36;
constexpr std::string_view kSchemes[] = {"s3://", "s3a://", "s3n://"};

bool gone(const objects::ObjectError& error) {
  return error.reason() == objects::Reason::kNoSuchBucket;
}

template <class F>
void each_page(objects::Store& store, const std::string& bucket, objects::ListOptions wanted,
               F&& use) {
  try {
    while (true) {
      const auto page = store.list(bucket, wanted);
      use(page);
      if (!page.truncated) return;
      wanted.after = page.next;
    }
  } catch (const objects::ObjectError& error) {
    if (!gone(error)) throw;
  }
}

template <class F>
void each_object(objects::Store& store, const Folder& folder, F&& use) {
  objects::ListOptions wanted;
  wanted.prefix = folder.prefix;
  each_page(store, folder.bucket, wanted, [&](const objects::Listing& page) {
    for (const auto& object : page.objects) use(object);
  });
}

bool hidden(std::string_view segment) {
  return segment.starts_with('.') || segment.starts_with('_');
}

/// Of "a/b/c" the pair "a/b", "c".
std::pair<std::string_view, std::string_view> split_file(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool is_data(const objects::Object& object, std::string_view file) {
  return object.size > 0 && !file.empty() && !hidden(file);
}

/// As Hive's FileUtils: control characters and those that file systems or queries stumble over.
bool must_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
         std::string_view("\"#%'*/:=?\\{[]^").find(c) != std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (must_escape(c))
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
    };
    if (text[i] == '%' && digit(i + 1) && digit(i + 2)) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

Folder parse_folder(std::string_view location) {
  const auto wrong = [&](const char* why) {
    return Error(Code::kInvalidTableProperty,
                 fmt::format("'{}' is not the place of a table: {}", location.substr(0, 200), why))
        .with_hint("expected s3://bucket/folder/ of this mesh's object store");
  };
  std::string_view rest;
  for (const std::string_view scheme : kSchemes)
    if (location.starts_with(scheme)) rest = location.substr(scheme.size());
  if (rest.empty()) throw wrong("it does not begin with s3://bucket");
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t slash = std::min(rest.find('/'), rest.size());
  Folder folder;
  folder.bucket = rest.substr(0, slash);
  if (folder.bucket.empty()) throw wrong("it names no bucket");
  std::string_view key = rest.substr(std::min(slash + 1, rest.size()));
  if (key.size() > 900) throw wrong("it is longer than 900 bytes");
  while (!key.empty()) {
    const size_t end = std::min(key.find('/'), key.size());
    const std::string_view segment = key.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..")
      throw wrong("it has an empty, '.' or '..' folder in it");
    if (std::any_of(segment.begin(), segment.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      throw wrong("it has control characters in it");
    }
    folder.prefix += std::string(segment) + "/";
    key.remove_prefix(std::min(end + 1, key.size()));
  }
  return folder;
}

std::vector<std::string> list_files(objects::Store& store, const Folder& folder) {
  std::vector<std::string> files;
  each_object(store, folder, [&](const objects::Object& object) {
    const std::string_view file = std::string_view(object.key).substr(folder.prefix.size());
    if (file.find('/') == file.npos && is_data(object, file))
      files.push_back("s3://" + folder.bucket + "/" + object.key);
  });
  return files;
}

std::vector<std::string> list_files(objects::Store& store, const Folder& folder,
                                    const std::vector<std::string>& names) {
  const std::set<std::string, std::less<>> known(names.begin(), names.end());
  std::vector<std::string> files;
  if (known.empty()) return files;
  each_object(store, folder, [&](const objects::Object& object) {
    const auto [inside, file] =
        split_file(std::string_view(object.key).substr(folder.prefix.size()));
    if (is_data(object, file) && known.contains(inside))
      files.push_back("s3://" + folder.bucket + "/" + object.key);
  });
  return files;
}

bool has_objects(objects::Store& store, const Folder& folder) {
  objects::ListOptions wanted;
  wanted.prefix = folder.prefix;
  wanted.limit = 1;
  try {
    return !store.list(folder.bucket, wanted).objects.empty();
  } catch (const objects::ObjectError& error) {
    if (!gone(error)) throw;
    return false;
  }
}

std::vector<std::string> all_keys(objects::Store& store, const Folder& folder) {
  std::vector<std::string> keys;
  each_object(store, folder, [&](const objects::Object& object) { keys.push_back(object.key); });
  return keys;
}

void remove_keys(objects::Store& store, const std::string& bucket,
                 const std::vector<std::string>& keys) {
  constexpr size_t kAtOnce = 1000;
  for (size_t at = 0; at < keys.size(); at += kAtOnce) {
    std::vector<std::pair<std::string, objects::DeleteOptions>> some;
    for (size_t i = at; i < std::min(keys.size(), at + kAtOnce); ++i)
      some.emplace_back(keys[i], objects::DeleteOptions{});
    for (const auto& outcome : store.remove_all(bucket, some)) {
      if (outcome.error && outcome.error->reason() != objects::Reason::kNoSuchKey)
        throw *outcome.error;
    }
  }
}

Folder staging_folder(const Folder& table, const std::string& id) {
  return {table.bucket, table.prefix + std::string(kStaging) + id + "/"};
}

size_t remove_stale_staging(objects::Store& store, const Folder& table,
                            std::chrono::milliseconds silent_for) {
  struct Staging {
    std::vector<std::string> keys;
    objects::Time newest{};
  };
  std::map<std::string, Staging> found;
  const Folder hidden_ones{table.bucket, table.prefix + std::string(kStaging)};
  each_object(store, hidden_ones, [&](const objects::Object& object) {
    const std::string rest = object.key.substr(hidden_ones.prefix.size());
    const size_t slash = rest.find('/');
    if (slash != kUuidLength) return;  // none of ours
    Staging& staging = found[rest.substr(0, slash)];
    staging.keys.push_back(object.key);
    staging.newest = std::max(staging.newest, object.modified);
  });
  const objects::Time youngest =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) - silent_for;
  size_t removed = 0;
  for (const auto& [id, staging] : found) {
    if (staging.newest > youngest) continue;
    remove_keys(store, table.bucket, staging.keys);
    removed += staging.keys.size();
  }
  return removed;
}

std::vector<Folder> folders_in(objects::Store& store, const Folder& folder) {
  std::vector<Folder> found;
  objects::ListOptions wanted;
  wanted.prefix = folder.prefix;
  wanted.delimiter = "/";
  each_page(store, folder.bucket, wanted, [&](const objects::Listing& page) {
    for (const auto& prefix : page.common_prefixes) found.push_back({folder.bucket, prefix});
  });
  return found;
}

std::string partition_name(const std::vector<std::string>& columns, const PartitionValues& values) {
  std::string name;
  for (size_t i = 0; i < columns.size(); ++i) {
    name += fmt::format("{}{}={}", i ? "/" : "", escaped(columns[i]),
                        values.at(i) ? escaped(*values[i]) : std::string(kNullPartition));
  }
  return name;
}

std::optional<PartitionValues> parse_partition_name(const std::vector<std::string>& columns,
                                                    std::string_view name, bool case_sensitive) {
  PartitionValues values;
  for (size_t i = 0; i < columns.size(); ++i) {
    const size_t end = std::min(name.find('/'), name.size());
    const std::string_view segment = name.substr(0, end);
    const size_t equals = segment.find('=');
    if (equals == segment.npos) return std::nullopt;
    const std::string key = unescaped(segment.substr(0, equals));
    if ((case_sensitive ? key : lower(key)) != columns[i]) return std::nullopt;
    const std::string_view value = segment.substr(equals + 1);
    if (value == kNullPartition)
      values.emplace_back();
    else
      values.emplace_back(unescaped(value));
    if (i + 1 < columns.size() && end == name.size()) return std::nullopt;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return name.empty() ? std::optional(values) : std::nullopt;
}

std::optional<std::string> folder_in_table(const ExternalTable& table,
                                           const ExternalPartition& partition) {
  const std::string own = parse_folder(table.location).path();
  const std::string place = parse_folder(partition.location).path();
  if (!place.starts_with(own) || place.size() == own.size()) return std::nullopt;
  std::string name = place.substr(own.size());
  name.pop_back();
  if (parse_partition_name(table.partitioned_by, name, true) != partition.values)
    return std::nullopt;
  return name;
}

std::vector<ExternalPartition> find_partitions(objects::Store& store, const Folder& folder,
                                               const std::vector<std::string>& columns,
                                               bool case_sensitive) {
  std::vector<ExternalPartition> found;
  std::set<std::string, std::less<>> seen;
  std::set<PartitionValues> known;
  each_object(store, folder, [&](const objects::Object& object) {
    const auto [inside, file] =
        split_file(std::string_view(object.key).substr(folder.prefix.size()));
    if (inside.empty() || !seen.emplace(inside).second) return;
    auto values = parse_partition_name(columns, inside, case_sensitive);
    if (values && known.insert(*values).second)
      found.push_back({std::move(*values), folder.path() + std::string(inside)});
  });
  return found;
}

}  // namespace meesh::lake
