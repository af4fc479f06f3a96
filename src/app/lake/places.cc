#include "app/lake/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace meesh::app {

namespace fs = std::filesystem;

std::string Place::text() const {
  return remote ? fmt::format("s3://{}/{}", bucket, key) : path.string();
}

Place parse_place(const std::string& text) {
  Place place;
  if (!text.starts_with("s3://")) {
    place.path = text;
    return place;
  }
  place.remote = true;
  const size_t slash = text.find('/', 5);
  place.bucket = text.substr(5, slash == std::string::npos ? slash : slash - 5);
  if (slash != std::string::npos) place.key = text.substr(slash + 1);
  if (place.bucket.empty()) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' names no bucket", text))
        .with_hint("write s3://bucket/key");
  }
  return place;
}

Place parse_remote(const std::string& text, bool with_key) {
  Place place = parse_place(text);
  if (!place.remote || (with_key && place.key.empty())) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is not an object's address", text))
        .with_hint(with_key ? "write s3://bucket/key" : "write s3://bucket or s3://bucket/prefix");
  }
  return place;
}

void each_object(objects::Store& store, const std::string& bucket, const std::string& prefix,
                 const std::function<void(const objects::Object&)>& each) {
  objects::ListOptions options;
  options.prefix = prefix;
  while (true) {
    const auto page = store.list(bucket, options);
    for (const auto& object : page.objects) each(object);
    if (!page.truncated) return;
    options.after = page.next;
  }
}

namespace {

std::vector<Found> find_objects(objects::Store& store, const Place& place, bool recursive) {
  if (!recursive) {
    const auto object = store.head(place.bucket, place.key, {});
    const size_t slash = place.key.rfind('/');
    return {{slash == std::string::npos ? place.key : place.key.substr(slash + 1), place,
             object.size, object.modified}};
  }
  std::string prefix = place.key;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  std::vector<Found> all;
  each_object(store, place.bucket, prefix, [&](const objects::Object& object) {
    if (object.key == prefix) return;  // the mark some tools leave for an empty folder
    Place at = place;
    at.key = object.key;
    all.push_back({object.key.substr(prefix.size()), at, object.size, object.modified});
  });
  return all;
}

Found local_file(const fs::path& file, std::string name) {
  const auto written = std::chrono::file_clock::to_sys(fs::last_write_time(file));
  Place place;
  place.path = file;
  return {std::move(name), place, fs::file_size(file),
          std::chrono::floor<std::chrono::milliseconds>(written)};
}

}  // namespace

std::vector<Found> find_all(objects::Store& store, const Place& place, bool recursive) {
  if (place.remote) return find_objects(store, place, recursive);
  if (!fs::exists(place.path)) {
    throw Error(Code::kNotFound, fmt::format("there is no '{}'", place.path.string()));
  }
  if (!fs::is_directory(place.path)) {
    return {local_file(place.path, place.path.filename().string())};
  }
  if (!recursive) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is a folder", place.path.string()))
        .with_hint("add -r");
  }
  std::vector<Found> all;
  for (const auto& entry : fs::recursive_directory_iterator(place.path)) {
    if (!entry.is_regular_file()) continue;
    all.push_back(local_file(entry.path(), fs::relative(entry.path(), place.path).string()));
  }
  std::ranges::sort(all, {}, &Found::name);
  return all;
}

}  // namespace meesh::app
