// Where `meesh lake` reads and writes: local paths and s3:// addresses.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "objects/store.h"

namespace meesh::app {

/// "s3://bucket/key" or a local path; "-" is standard input or output.
struct Place {
  bool remote = false;
  std::string bucket, key;     // remote; key may be "" or end in "/"
  std::filesystem::path path;  // local
  std::string text() const;
};
Place parse_place(const std::string& text);
/// As parse_place, but throws INVALID_ARGUMENTS unless it is s3://, and names a key if `with_key`.
Place parse_remote(const std::string& text, bool with_key);

/// A file or object found, named relative to where the search began.
struct Found {
  std::string name;  // "a/b.csv"
  Place place;
  uint64_t size = 0;
  objects::Time modified{};
};
/// Everything under a folder or prefix; the one file or object if the place names one.
std::vector<Found> find_all(objects::Store& store, const Place& place, bool recursive);

/// Calls `each` for every object under the prefix, page by page.
void each_object(objects::Store& store, const std::string& bucket, const std::string& prefix,
                 const std::function<void(const objects::Object&)>& each);

}  // namespace meesh::app
