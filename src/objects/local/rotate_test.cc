// The master key replaced by another.
#include <fmt/format.h>

#include <thread>

#include "objects/encryption.h"
#include "objects/local/background.h"
#include "objects/local/test_store.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr size_t kPart = 5 << 20;

class RotateTest : public LocalStoreTest {
 protected:
  RotateTest() {
    make_bucket("lake", Versioning::kEnabled);
    seal("inline", "tiny");
    for (uint32_t version : {1u, 2u, 3u}) seal("versions", content_of(50'000, version));
    put(*store_, "lake", "plain", "open to all");
    put(*store_, "lake", "private", content_of(30'000, 4), {},
        {.encryption = Encryption::kCustomer, .customer_key = CustomerKey(32, 'c')});
    upload_ = store_->start_upload("lake", "parts", {}, {}, true, kSealed).id;
    add_part(1, kPart);
    complete();
    upload_ = store_->start_upload("lake", "under way", {}, {}, true, kSealed).id;
    parts_.clear();
    add_part(1, kPart);
  }

  void seal(const std::string& key, std::string_view content) {
    put(*store_, "lake", key, content, {}, kSealed);
  }
  void add_part(int number, size_t size) {
    const auto writer = store_->put_part("lake", parts_key(), upload_, number, kSealed);
    writer->write(content_of(size, static_cast<uint32_t>(number)));
    parts_.push_back({number, writer->commit({}).etag, {}});
  }
  void complete() {
    store_->complete_upload("lake", parts_key(), upload_, parts_, {}, {});
    completed_ = true;
  }
  std::string parts_key() const { return completed_ ? "under way" : "parts"; }

  /// Opens the store with these keys; the last is the current one.
  void open_with(const std::vector<std::string>& keys) {
    store_.reset();
    LocalOptions with = options();
    with.master_keys.clear();
    for (const auto& key : keys) with.master_keys[master_key_id(key)] = key;
    with.current_master_key = master_key_id(keys.back());
    store_ = open_local(with);
  }
  void expect_readable() {
    EXPECT_EQ(get(*store_, "lake", "inline"), "tiny");
    uint32_t version = 3;
    for (const Object& object : store_->list_versions("lake", {.prefix = "versions"}).versions) {
      EXPECT_TRUE(get(*store_, "lake", "versions", {.version = object.version}) ==
                  content_of(50'000, version--));
    }
    EXPECT_EQ(version, 0u);
    EXPECT_TRUE(get(*store_, "lake", "parts") == content_of(kPart, 1));
    EXPECT_EQ(get(*store_, "lake", "plain"), "open to all");
    EXPECT_TRUE(get(*store_, "lake", "private", {.customer_key = CustomerKey(32, 'c')}) ==
                content_of(30'000, 4));
    EXPECT_THAT(maintenance(*store_).scrub({}).damaged, IsEmpty());
  }

  static inline const WriteOptions kSealed{.encryption = Encryption::kS3};
  const std::string old_ = std::string(32, 'k');  // "first" of the fixture, named by hand
  const std::string new_ = std::string(32, 'n');
  std::string upload_;
  std::vector<CompletedPart> parts_;
  bool completed_ = false;
};

TEST_F(RotateTest, WhatWasSealedWithAnOldKeyStaysReadable) {
  open_with({old_, new_});
  expect_readable();
  open_with({new_});
  EXPECT_REASON(kInternalError, get(*store_, "lake", "inline"));
  try {
    get(*store_, "lake", "inline");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("'first'"));
    EXPECT_THAT(error.what(), testing::HasSubstr("storage.old_master_keys"));
  }
}

TEST_F(RotateTest, EveryKeyIsWrappedAnew) {
  open_with({old_, new_});
  const RotateReport report = maintenance(*store_).rotate_key({});
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.sealed, 6u)
      << "inline, three versions, a part of an object and one of an upload";
  EXPECT_EQ(report.rewrapped, 6u);
  EXPECT_THAT(report.missing_keys, IsEmpty());
  EXPECT_EQ(maintenance(*store_).rotate_key({}).rewrapped, 0u);
  open_with({new_});
  expect_readable();
  add_part(2, 1000);
  complete();
  EXPECT_TRUE(get(*store_, "lake", "under way") == content_of(kPart, 1) + content_of(1000, 2));
  store_->copy("lake", "versions", {}, "lake", "copied", {}, kSealed, {});
  EXPECT_TRUE(get(*store_, "lake", "copied") == content_of(50'000, 3));
}

TEST_F(RotateTest, TellsWhichKeyIsMissing) {
  open_with({new_});
  seal("new", content_of(20'000));
  const RotateReport report = maintenance(*store_).rotate_key({});
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.rewrapped, 0u);
  EXPECT_EQ(report.sealed, 7u);
  EXPECT_THAT(report.missing_keys, ElementsAre(Pair("first", 6)));
  open_with({old_, new_});
  EXPECT_TRUE(maintenance(*store_).rotate_key({}).complete);
  open_with({new_});
  expect_readable();
  EXPECT_TRUE(get(*store_, "lake", "new") == content_of(20'000));
}

TEST_F(RotateTest, GoesOnWhereItWasInterrupted) {
  {
    std::vector<std::jthread> writers;  // that share commits
    for (int writer = 0; writer < 24; ++writer) {
      writers.emplace_back([this, writer] {
        for (int i = writer; i < 1200; i += 24) seal(fmt::format("many/{:04}", i), "x");
      });
    }
  }
  open_with({old_, new_});
  uint64_t pages = 0;
  const RotateReport first = maintenance(*store_).rotate_key([&](uint64_t done, uint64_t total) {
    EXPECT_LE(done, total);
    return ++pages < 2;
  });
  EXPECT_FALSE(first.complete);
  EXPECT_GE(first.rewrapped, 500u);
  EXPECT_LT(first.rewrapped, 1206u);
  open_with({old_, new_});
  expect_readable();
  const RotateReport second = maintenance(*store_).rotate_key({});
  EXPECT_TRUE(second.complete);
  EXPECT_EQ(first.rewrapped + second.rewrapped, 1206u);
  open_with({new_});
  expect_readable();
  for (int i = 0; i < 1200; ++i) {
    ASSERT_EQ(get(*store_, "lake", fmt::format("many/{:04}", i)), "x") << i;
  }
}

TEST_F(RotateTest, CopiesMadeMeanwhileHaveTheNewKey) {
  open_with({old_, new_});
  std::atomic<bool> stop = false;
  std::thread copying([&] {
    for (int i = 0; !stop; ++i) {
      const std::string from = i == 0 ? "versions" : fmt::format("copy/{}", i - 1);
      store_->copy("lake", from, {}, "lake", fmt::format("copy/{}", i), {}, kSealed, {});
    }
  });
  const RotateReport report = maintenance(*store_).rotate_key({});
  stop = true;
  copying.join();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(maintenance(*store_).rotate_key({}).rewrapped, 0u);
}

TEST(MasterKeyId, IsAShortHash) {
  const std::string id = master_key_id(std::string(32, 'k'));
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(id, master_key_id(std::string(32, 'k')));
  EXPECT_NE(id, master_key_id(std::string(32, 'l')));
}

TEST(TimeToLifecycle, MinutesAfterTheStartAndAnHourAfterTheLast) {
  using std::chrono::minutes;
  const Time start = now();
  EXPECT_EQ(time_to_lifecycle(start, std::nullopt), minutes(3));
  EXPECT_EQ(time_to_lifecycle(start, start - minutes(600)), minutes(3));
  EXPECT_EQ(time_to_lifecycle(start, start - minutes(58)), minutes(3));
  EXPECT_EQ(time_to_lifecycle(start, start - minutes(20)), minutes(40));
  EXPECT_EQ(time_to_lifecycle(start, start + minutes(90)), minutes(3)) << "a clock set back";
}

}  // namespace
}  // namespace meesh::objects
