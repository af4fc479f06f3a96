// A local store in a folder of its own, for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "objects/local/local_store.h"

namespace meesh::objects {

/// Removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_objects_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Bytes that do not repeat; the same for the same seed.
inline std::string content_of(size_t size, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

inline Object put(Store& store, const std::string& bucket, const std::string& key,
                  std::string_view content, const WriteCondition& condition = {},
                  const WriteOptions& options = {}, const Attributes& attributes = {}) {
  const auto writer = store.put(bucket, key, attributes, options);
  writer->write(content);
  return writer->commit(condition);
}

inline std::string read_all(Reader& reader, size_t step = 1 << 20) {
  std::string content, buffer(step, '\0');
  while (const size_t got = reader.read(content.size(), buffer.data(), buffer.size())) {
    content.append(buffer, 0, got);
  }
  return content;
}

inline std::string get(Store& store, const std::string& bucket, const std::string& key,
                       const ReadOptions& options = {}) {
  return read_all(*store.get(bucket, key, options));
}

/// The reason that `work` fails with; kInternalError-free success is a failure of the test.
template <typename Work>
Reason reason_of(const Work& work) {
  try {
    work();
  } catch (const ObjectError& error) {
    return error.reason();
  }
  ADD_FAILURE() << "no error";
  return Reason::kInternalError;
}
#define EXPECT_REASON(reason_, ...)                                                 \
  EXPECT_EQ(reason_name(::meesh::objects::reason_of([&] { (void)(__VA_ARGS__); })), \
            reason_name(::meesh::objects::Reason::reason_))

inline std::vector<std::string> keys_of(const Listing& listing) {
  std::vector<std::string> keys;
  for (const Object& object : listing.objects) keys.push_back(object.key);
  return keys;
}

/// Empty files, made in advance, do not count.
/// Those that are not empty; some may go while they are counted.
inline size_t files_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::error_code gone;
    count += entry.is_regular_file(gone) && entry.file_size(gone) > 0 && !gone;
  }
  return count;
}

class LocalStoreTest : public testing::Test {
 protected:
  LocalStoreTest() { reopen(); }

  void reopen() {
    store_.reset();
    store_ = open_local(options());
  }
  LocalOptions options() const {
    LocalOptions made;
    made.folder = folder_.path() / "objects";
    made.master_keys = {{"first", std::string(32, 'k')}, {"second", std::string(32, 'l')}};
    made.current_master_key = current_key_;
    return made;
  }
  void make_bucket(const std::string& name, Versioning versioning = Versioning::kNever) {
    store_->create_bucket({.name = name, .owner = "me", .versioning = versioning});
  }
  size_t payloads() {
    maintenance(*store_).collect_garbage({});
    return files_in(folder_.path() / "objects" / "payload");
  }

  TestFolder folder_;
  std::string current_key_ = "first";
  std::unique_ptr<Store> store_;
};

}  // namespace meesh::objects
