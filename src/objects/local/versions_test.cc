// Versions, delete markers, listings of them, locks.
#include "objects/local/versions.h"

#include "objects/local/test_store.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;

class VersionsTest : public LocalStoreTest {
 protected:
  VersionsTest() { make_bucket("lake", Versioning::kEnabled); }

  void suspend() {
    store_->edit_bucket("lake", [](Bucket& bucket) { bucket.versioning = Versioning::kSuspended; });
  }
  /// "content" of versions, "-" for markers, "*" before the latest, newest first.
  std::vector<std::string> history(const std::string& key) {
    std::vector<std::string> found;
    for (const Object& object : store_->list_versions("lake", {.prefix = key}).versions) {
      found.push_back(
          (object.latest ? "*" : "") +
          (object.delete_marker ? "-" : get(*store_, "lake", key, {.version = object.version})));
    }
    return found;
  }
};

TEST_F(VersionsTest, EveryPutIsAVersion) {
  const Object first = put(*store_, "lake", "k", "1");
  const Object second = put(*store_, "lake", "k", "2");
  EXPECT_NE(first.version, second.version);
  EXPECT_EQ(get(*store_, "lake", "k"), "2");
  EXPECT_EQ(get(*store_, "lake", "k", {.version = first.version}), "1");
  EXPECT_THAT(history("k"), ElementsAre("*2", "1"));
  EXPECT_REASON(kNoSuchVersion, get(*store_, "lake", "k", {.version = std::string(31, '0') + "1"}));
  EXPECT_REASON(kNoSuchVersion, get(*store_, "lake", "k", {.version = "null"}));
  EXPECT_REASON(kInvalidArgument, get(*store_, "lake", "k", {.version = "nonsense"}));
  EXPECT_EQ(store_->usage("lake").versions, 2u);
  EXPECT_EQ(store_->usage("lake").objects, 1u);
  // The other half of its id must fit too.
  std::string forged = first.version;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_REASON(kNoSuchVersion, get(*store_, "lake", "k", {.version = forged}));
}

TEST_F(VersionsTest, DeleteMarkersHideAndAreRemoved) {
  const Object first = put(*store_, "lake", "k", "1");
  const Deleted marker = store_->remove("lake", "k", {});
  EXPECT_TRUE(marker.delete_marker);
  EXPECT_FALSE(marker.version.empty());
  try {
    store_->head("lake", "k", {});
    FAIL();
  } catch (const ObjectError& error) {
    EXPECT_EQ(error.reason(), Reason::kNoSuchKey);
    EXPECT_TRUE(error.delete_marker);
    EXPECT_EQ(error.version, marker.version);
  }
  EXPECT_REASON(kMethodNotAllowed, store_->head("lake", "k", {.version = marker.version}));
  EXPECT_TRUE(store_->list("lake", {}).objects.empty());
  EXPECT_EQ(store_->usage("lake").objects, 0u);
  EXPECT_THAT(history("k"), ElementsAre("*-", "1"));
  EXPECT_REASON(kNoSuchKey, put(*store_, "lake", "k", "x", {.if_match = "*"}));
  EXPECT_REASON(kPreconditionFailed, store_->remove("lake", "k", {.condition = {.if_match = "*"}}));
  const Deleted undone = store_->remove("lake", "k", {.version = marker.version});
  EXPECT_TRUE(undone.delete_marker);
  EXPECT_EQ(get(*store_, "lake", "k"), "1");
  EXPECT_EQ(store_->usage("lake").objects, 1u);
  store_->remove("lake", "k", {.version = first.version});
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "k", {}));
  EXPECT_EQ(store_->usage("lake").versions, 0u);
  // A key that never was gets a marker all the same; a version that is not there is gone already.
  EXPECT_TRUE(store_->remove("lake", "none", {}).delete_marker);
  EXPECT_FALSE(store_->remove("lake", "k", {.version = first.version}).delete_marker);
}

TEST_F(VersionsTest, SuspendedBucketsReplaceTheNullVersion) {
  const Object first = put(*store_, "lake", "k", "1");
  suspend();
  EXPECT_EQ(put(*store_, "lake", "k", "2").version, "null");
  EXPECT_EQ(put(*store_, "lake", "k", "3").version, "null");
  EXPECT_THAT(history("k"), ElementsAre("*3", "1"));
  const Deleted marker = store_->remove("lake", "k", {});
  EXPECT_TRUE(marker.delete_marker);
  EXPECT_EQ(marker.version, "null");
  EXPECT_THAT(history("k"), ElementsAre("*-", "1"));
  store_->edit_bucket("lake", [](Bucket& bucket) { bucket.versioning = Versioning::kEnabled; });
  put(*store_, "lake", "k", "4");
  EXPECT_THAT(history("k"), ElementsAre("*4", "-", "1"));
  suspend();
  put(*store_, "lake", "k", "5");
  EXPECT_THAT(history("k"), ElementsAre("*5", "4", "1")) << "the null marker inside gave way";
  store_->remove("lake", "k", {.version = "null"});
  EXPECT_THAT(history("k"), ElementsAre("*4", "1"));
  EXPECT_EQ(store_->usage("lake").versions, 2u);
  EXPECT_REASON(kInvalidBucketState, store_->edit_bucket("lake", [](Bucket& bucket) {
    bucket.versioning = Versioning::kNever;
  }));
}

TEST_F(VersionsTest, ObjectsFromBeforeVersioningAreNull) {
  make_bucket("old");
  put(*store_, "old", "k", content_of(40'000));
  store_->edit_bucket("old", [](Bucket& bucket) { bucket.versioning = Versioning::kEnabled; });
  const Object second = put(*store_, "old", "k", "2");
  EXPECT_TRUE(get(*store_, "old", "k", {.version = "null"}) == content_of(40'000));
  store_->set_tags("old", "k", "null", {{"a", "b"}});
  EXPECT_EQ(store_->head("old", "k", {.version = "null"}).attributes.tags.size(), 1u);
  store_->remove("old", "k", {.version = second.version});
  EXPECT_EQ(store_->head("old", "k", {}).version, "null");
  EXPECT_EQ(store_->head("old", "k", {}).attributes.tags.size(), 1u);
}

class LockTest : public LocalStoreTest {
 protected:
  LockTest() { store_->create_bucket({.name = "vault", .owner = "me", .lock_enabled = true}); }

  Object put_locked(LockMode mode, std::chrono::seconds length, bool hold = false) {
    Attributes attributes;
    attributes.retention = {mode, now() + length};
    attributes.legal_hold = hold;
    return put(*store_, "vault", "k", "x", {}, {}, attributes);
  }
  void remove(const std::string& version, bool bypass = false) {
    store_->remove("vault", "k", {.version = version, .bypass_governance = bypass});
  }
};

constexpr auto kHour = std::chrono::hours(1);

TEST_F(LockTest, ComplianceCannotBePassed) {
  const Object made = put_locked(LockMode::kCompliance, kHour);
  EXPECT_REASON(kAccessDenied, remove(made.version, true));
  EXPECT_TRUE(store_->remove("vault", "k", {}).delete_marker) << "a marker destroys nothing";
  const Retention longer{LockMode::kCompliance, now() + 2 * kHour};
  store_->set_retention("vault", "k", made.version, longer, false);
  EXPECT_REASON(kAccessDenied, store_->set_retention("vault", "k", made.version,
                                                     {LockMode::kCompliance, now() + kHour}, true));
  EXPECT_REASON(kAccessDenied, store_->set_retention("vault", "k", made.version, {}, true));
  EXPECT_REASON(kAccessDenied,
                store_->set_retention("vault", "k", made.version,
                                      {LockMode::kGovernance, now() + 9 * kHour}, true));
  EXPECT_EQ(store_->head("vault", "k", {.version = made.version}).attributes.retention.until,
            longer.until);
}

TEST_F(LockTest, GovernanceCanBeBypassed) {
  const Object made = put_locked(LockMode::kGovernance, kHour);
  EXPECT_REASON(kAccessDenied, remove(made.version));
  EXPECT_REASON(kAccessDenied, store_->set_retention("vault", "k", made.version, {}, false));
  remove(made.version, true);
  const Object next = put_locked(LockMode::kGovernance, kHour);
  store_->set_retention("vault", "k", next.version, {}, true);
  remove(next.version);
}

TEST_F(LockTest, LegalHoldKeepsUntilTakenOff) {
  const Object made = put(*store_, "vault", "k", "x");
  store_->set_legal_hold("vault", "k", made.version, true);
  EXPECT_REASON(kAccessDenied, remove(made.version, true));
  const auto outcomes = store_->remove_all("vault", {{"k", {.version = made.version}}});
  EXPECT_EQ(outcomes[0].error->reason(), Reason::kAccessDenied);
  store_->set_legal_hold("vault", "k", made.version, false);
  remove(made.version);
}

TEST_F(LockTest, DefaultsAndLimits) {
  store_->edit_bucket(
      "vault", [](Bucket& bucket) { bucket.default_retention = {LockMode::kGovernance, 3, 0}; });
  const Object made = put(*store_, "vault", "k", "x");
  EXPECT_EQ(made.attributes.retention.mode, LockMode::kGovernance);
  EXPECT_EQ(made.attributes.retention.until, made.modified + std::chrono::days(3));
  EXPECT_REASON(kInvalidArgument, put_locked(LockMode::kGovernance, -kHour));
  EXPECT_REASON(kInvalidBucketState, store_->edit_bucket("vault", [](Bucket& bucket) {
    bucket.versioning = Versioning::kSuspended;
  }));
  EXPECT_REASON(kInvalidArgument, store_->edit_bucket("vault", [](Bucket& bucket) {
    bucket.default_retention = {LockMode::kGovernance, 3, 3};
  }));
  make_bucket("plain");
  EXPECT_REASON(kInvalidRequest, put(*store_, "plain", "k", "x", {}, {}, {.legal_hold = true}));
  put(*store_, "plain", "k", "x");
  EXPECT_REASON(kInvalidRequest, store_->set_legal_hold("plain", "k", "", true));
}

TEST(Retention, YearsEndOnTheLastOfFebruary) {
  const Time leap_day = std::chrono::sys_days(std::chrono::year(2028) / 2 / 29);
  Attributes attributes;
  apply_lock_defaults({.lock_enabled = true, .default_retention = {LockMode::kCompliance, 0, 1}},
                      attributes, leap_day);
  EXPECT_EQ(attributes.retention.until,
            Time(std::chrono::sys_days(std::chrono::year(2029) / 2 / 28)));
}

}  // namespace
}  // namespace meesh::objects
