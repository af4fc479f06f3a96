// Listings, held against a simple model with random keys.
#include "base/text.h"
#include "objects/local/test_store.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;

/// A listing without cleverness.
Listing model(const std::vector<std::string>& sorted, const ListOptions& options) {
  Listing listing;
  for (const auto& key : sorted) {
    if (!key.starts_with(options.prefix)) continue;
    std::string told = key;
    bool folded = false;
    if (!options.delimiter.empty()) {
      const size_t at = key.find(options.delimiter, options.prefix.size());
      if (at != key.npos) {
        told = key.substr(0, at + options.delimiter.size());
        folded = true;
      }
    }
    if (key <= options.after || told == options.after) continue;
    if (folded && !listing.common_prefixes.empty() && listing.common_prefixes.back() == told) {
      continue;
    }
    if (listing.objects.size() + listing.common_prefixes.size() == options.limit) {
      listing.truncated = true;
      break;
    }
    listing.next = told;
    if (folded) {
      listing.common_prefixes.push_back(told);
    } else {
      Object object;
      object.key = key;
      listing.objects.push_back(object);
    }
  }
  if (!listing.truncated) listing.next.clear();
  return listing;
}

class ListingTest : public LocalStoreTest {
 protected:
  ListingTest() { make_bucket("lake"); }

  void expect_as_model(const std::vector<std::string>& keys, const ListOptions& options) {
    const Listing expected = model(keys, options), found = store_->list("lake", options);
    const std::string what =
        fmt::format("prefix '{}' delimiter '{}' after '{}' limit {}", options.prefix,
                    options.delimiter, options.after, options.limit);
    EXPECT_EQ(keys_of(found), keys_of(expected)) << what;
    EXPECT_EQ(found.common_prefixes, expected.common_prefixes) << what;
    EXPECT_EQ(found.truncated, expected.truncated) << what;
    EXPECT_EQ(found.next, expected.next) << what;
  }
};

TEST_F(ListingTest, AsTheModel) {
  std::mt19937 random(7);
  const auto pick = [&](int count) { return static_cast<int>(random() % count); };
  const auto random_key = [&] {
    const char* pieces[] = {"a", "b", "/", "ab", "//", "ü", "\x7f", "0", "-", "."};
    std::string key;
    for (int i = 0, count = 1 + pick(5); i < count; ++i) key += pieces[pick(10)];
    return key;
  };
  std::set<std::string> unique;
  while (unique.size() < 250) unique.insert(random_key());
  std::vector<std::thread> threads;
  std::vector<std::string> keys(unique.begin(), unique.end());
  for (size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < keys.size(); i += 8) put(*store_, "lake", keys[i], keys[i]);
    });
  }
  for (auto& thread : threads) thread.join();
  expect_as_model(keys, {});
  for (int round = 0; round < 600; ++round) {
    ListOptions options;
    if (pick(2)) options.prefix = random_key().substr(0, static_cast<size_t>(pick(3)));
    if (!base::valid_utf8(options.prefix)) continue;
    if (pick(3)) options.delimiter = pick(4) ? "/" : random_key().substr(0, 1);
    if (!base::valid_utf8(options.delimiter)) continue;
    if (pick(3) == 0) options.after = keys[static_cast<size_t>(pick(250))];
    options.limit = pick(2) ? 1000 : static_cast<size_t>(1 + pick(9));
    expect_as_model(keys, options);
  }
  // Page by page comes to the same as all at once.
  ListOptions paged{.delimiter = "/", .limit = 3};
  std::vector<std::string> told;
  for (Listing page = store_->list("lake", paged);; page = store_->list("lake", paged)) {
    for (const auto& key : keys_of(page)) told.push_back(key);
    told.insert(told.end(), page.common_prefixes.begin(), page.common_prefixes.end());
    if (!page.truncated) break;
    paged.after = page.next;
  }
  const Listing whole = store_->list("lake", {.delimiter = "/"});
  std::vector<std::string> expected = keys_of(whole);
  expected.insert(expected.end(), whole.common_prefixes.begin(), whole.common_prefixes.end());
  std::sort(expected.begin(), expected.end());
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, expected);
}

TEST_F(ListingTest, TellsWhatListingsTell) {
  Attributes attributes{.storage_class = "GLACIER", .owner = "me"};
  const Object made =
      put(*store_, "lake", "k", "abc", {}, {.expected = {{ChecksumKind::kCrc32c, ""}}}, attributes);
  const Object listed = store_->list("lake", {}).objects.at(0);
  EXPECT_EQ(listed.etag, made.etag);
  EXPECT_EQ(listed.size, 3u);
  EXPECT_EQ(listed.modified, made.modified);
  EXPECT_EQ(listed.checksums, made.checksums);
  EXPECT_EQ(listed.attributes.owner, "me");
  EXPECT_EQ(listed.attributes.storage_class, "GLACIER");
  EXPECT_TRUE(store_->list("lake", {.limit = 0}).objects.empty());
}

TEST_F(ListingTest, DeleteMarkersAreNoObjects) {
  make_bucket("versioned", Versioning::kEnabled);
  for (const char* key : {"a/1", "a/2", "b/1", "c"}) put(*store_, "versioned", key, "x");
  store_->remove("versioned", "a/1", {});
  store_->remove("versioned", "b/1", {});
  const Listing listing = store_->list("versioned", {.delimiter = "/"});
  EXPECT_THAT(listing.common_prefixes, ElementsAre("a/"));
  EXPECT_THAT(keys_of(listing), ElementsAre("c"));
}

TEST_F(ListingTest, VersionsPageByPage) {
  make_bucket("versioned", Versioning::kEnabled);
  std::vector<std::string> all;
  for (const char* key : {"a", "b", "c/1", "c/2", "d"}) {
    std::vector<std::string> own;
    for (int i = 0; i < 3; ++i) {
      own.push_back(fmt::format("{} {}", key, put(*store_, "versioned", key, "x").version));
    }
    all.insert(all.end(), own.rbegin(), own.rend());
  }
  for (const size_t limit : {1, 2, 3, 4, 100}) {
    VersionListOptions options{.limit = limit};
    std::vector<std::string> told;
    while (true) {
      const VersionListing page = store_->list_versions("versioned", options);
      EXPECT_LE(page.versions.size(), limit);
      for (const auto& object : page.versions) {
        told.push_back(object.key + " " + object.version);
      }
      if (!page.truncated) break;
      options.key_marker = page.next_key;
      options.version_marker = page.next_version;
    }
    EXPECT_EQ(told, all) << limit;
  }
  const auto folded = store_->list_versions("versioned", {.delimiter = "/"});
  EXPECT_THAT(folded.common_prefixes, ElementsAre("c/"));
  EXPECT_EQ(folded.versions.size(), 9u);
  const auto behind = store_->list_versions("versioned", {.key_marker = "b"});
  EXPECT_EQ(behind.versions.size(), 9u);
  EXPECT_EQ(behind.versions.at(0).key, "c/1");
  const auto prefixed = store_->list_versions("versioned", {.prefix = "c/", .limit = 4});
  EXPECT_TRUE(prefixed.truncated);
  EXPECT_EQ(prefixed.next_key, "c/2");
}

}  // namespace
}  // namespace meesh::objects
