// The remote store against an S3 that is there already. Runs when MEESH_TEST_S3_ENDPOINT names one
// (with MEESH_TEST_S3_ACCESS_KEY and MEESH_TEST_S3_SECRET_KEY); it makes a bucket and removes it.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>

#include "objects/store.h"

namespace meesh::objects {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : "";
}

TEST(RemoteLive, WritesReadsListsAndRemoves) {
  RemoteOptions options;
  options.endpoint = setting("MEESH_TEST_S3_ENDPOINT");
  if (options.endpoint.empty()) GTEST_SKIP() << "MEESH_TEST_S3_ENDPOINT names no S3";
  options.access_key = setting("MEESH_TEST_S3_ACCESS_KEY");
  options.secret_key = setting("MEESH_TEST_S3_SECRET_KEY");
  auto store = open_remote(options);
  Bucket bucket;
  bucket.name =
      "meesh-test-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  store->create_bucket(bucket);
  const std::string large(17 << 20, 'x');
  const std::pair<std::string, std::string> contents[] = {
      {"a b+é/1", "small"}, {"empty", ""}, {"large", large}};
  for (const auto& [key, content] : contents) {
    auto writer = store->put(bucket.name, key, {}, {});
    writer->write(content);
    EXPECT_EQ(writer->commit({.if_none_match = "*"}).size, content.size());
    auto reader = store->get(bucket.name, key, {});
    std::string read(content.size() + 1, '\0');
    read.resize(reader->read(0, read.data(), read.size()));
    EXPECT_TRUE(read == content) << key;
  }
  Listing listing = store->list(bucket.name, {.delimiter = "/"});
  EXPECT_EQ(listing.objects.size(), 2u);
  EXPECT_THAT(listing.common_prefixes, testing::ElementsAre("a b+é/"));
  for (const auto& outcome :
       store->remove_all(bucket.name, {{"a b+é/1", {}}, {"empty", {}}, {"large", {}}})) {
    EXPECT_FALSE(outcome.error);
  }
  store->delete_bucket(bucket.name);
}

}  // namespace
}  // namespace meesh::objects
