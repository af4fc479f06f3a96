#include "objects/lifecycle.h"

#include "objects/local/test_store.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using std::chrono::days;

std::string document(const std::string& rules) {
  return "<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>";
}
std::string rule(const std::string& inside) {
  return "<Rule><Status>Enabled</Status>" + inside + "</Rule>";
}

TEST(Lifecycle, ReadsEveryElement) {
  const auto rules = parse_lifecycle(document(R"(
    <Rule><ID>one</ID><Status>Enabled</Status>
      <Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>
        <Tag><Key>l</Key><Value>w</Value></Tag>
        <ObjectSizeGreaterThan>10</ObjectSizeGreaterThan>
        <ObjectSizeLessThan>20</ObjectSizeLessThan></And></Filter>
      <Expiration><Date>2030-01-31T00:00:00Z</Date></Expiration>
      <NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>
        <NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>
    </Rule>
    <Rule><ID>two</ID><Status>Disabled</Status><Prefix>old/</Prefix>
      <Expiration><Days>7</Days></Expiration>
      <AbortIncompleteMultipartUpload><DaysAfterInitiation>4</DaysAfterInitiation>
      </AbortIncompleteMultipartUpload></Rule>)"));
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].prefix, "logs/");
  EXPECT_EQ(rules[0].tags, (Tags{{"k", "v"}, {"l", "w"}}));
  EXPECT_EQ(rules[0].larger_than, 10u);
  EXPECT_EQ(rules[0].smaller_than, 20u);
  EXPECT_EQ(rules[0].date, Time(std::chrono::sys_days(std::chrono::year(2030) / 1 / 31)));
  EXPECT_EQ(rules[0].noncurrent_days, 3);
  EXPECT_EQ(rules[0].newer_noncurrent, 2);
  EXPECT_TRUE(rules[0].enabled);
  EXPECT_EQ(rules[1].prefix, "old/");
  EXPECT_EQ(rules[1].days, 7);
  EXPECT_EQ(rules[1].abort_days, 4);
  EXPECT_FALSE(rules[1].enabled);
  Object object;
  object.key = "logs/a";
  object.size = 15;
  EXPECT_FALSE(rules[0].matches(object));
  object.attributes.tags = {{"k", "v"}, {"l", "w"}, {"m", "x"}};
  EXPECT_TRUE(rules[0].matches(object));
  object.size = 10;
  EXPECT_FALSE(rules[0].matches(object));
}

TEST(Lifecycle, RefusesWhatItCannotFollow) {
  EXPECT_REASON(kMalformedXML, parse_lifecycle("<"));
  EXPECT_REASON(kMalformedXML, parse_lifecycle("<Other/>"));
  EXPECT_REASON(kMalformedXML, parse_lifecycle(document("")));
  EXPECT_REASON(kMalformedXML, parse_lifecycle(document("<Rule><Expiration><Days>1</Days>"
                                                        "</Expiration></Rule>")));
  EXPECT_REASON(kMalformedXML, parse_lifecycle(document(rule("<Unknown/>"))));
  EXPECT_REASON(kInvalidArgument, parse_lifecycle(document(rule("<Prefix/>"))));
  for (const char* days : {"0", "-1", "x", "", "99999999999999999999999"}) {
    EXPECT_THROW(parse_lifecycle(
                     document(rule(fmt::format("<Expiration><Days>{}</Days></Expiration>", days)))),
                 ObjectError)
        << days;
  }
  EXPECT_REASON(kInvalidArgument,
                parse_lifecycle(
                    document(rule("<Expiration><Date>2030-01-31T10:00:00Z</Date></Expiration>"))));
  EXPECT_REASON(
      kMalformedXML,
      parse_lifecycle(document(rule("<Expiration><Date>2030-02-31</Date></Expiration>"))));
  EXPECT_REASON(kMalformedXML,
                parse_lifecycle(document(
                    rule("<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>"))));
  EXPECT_REASON(kNotImplemented, parse_lifecycle(document(rule("<Transition/>"))));
  const std::string same = rule("<ID>a</ID><Expiration><Days>1</Days></Expiration>");
  EXPECT_REASON(kInvalidArgument, parse_lifecycle(document(same + same)));
}

TEST(Lifecycle, DaysEndAtMidnight) {
  const Time noon = std::chrono::sys_days(std::chrono::year(2026) / 5 / 1) + std::chrono::hours(12);
  EXPECT_EQ(due(noon, 1), Time(std::chrono::sys_days(std::chrono::year(2026) / 5 / 3)));
}

class LifecycleRunTest : public LocalStoreTest {
 protected:
  void make(Versioning versioning, const std::string& rules) {
    make_bucket("lake", versioning);
    store_->edit_bucket("lake",
                        [&](Bucket& bucket) { bucket.documents["lifecycle"] = document(rules); });
  }
  LifecycleReport run(int days_later) {
    return maintenance(*store_).run_lifecycle(now() + days(days_later), {});
  }
  size_t versions() { return store_->list_versions("lake", {}).versions.size(); }
};

TEST_F(LifecycleRunTest, ObjectsExpire) {
  make(Versioning::kNever, rule("<Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>2</Days>"
                                "</Expiration>"));
  put(*store_, "lake", "logs/a", content_of(50'000));
  put(*store_, "lake", "data/a", "x");
  std::vector<std::string> told;
  store_->on_event([&](const Event& event) { told.push_back(event.name); });
  EXPECT_EQ(run(1).expired, 0u);
  EXPECT_EQ(run(3).expired, 1u);
  EXPECT_THAT(keys_of(store_->list("lake", {})), testing::ElementsAre("data/a"));
  EXPECT_THAT(told, testing::ElementsAre("s3:LifecycleExpiration:Delete"));
  EXPECT_EQ(payloads(), 0u);
  EXPECT_EQ(run(3).expired, 0u);
}

TEST_F(LifecycleRunTest, VersionedBucketsGetMarkersAndLoseThem) {
  make(Versioning::kEnabled,
       rule("<Filter/><Expiration><Days>1</Days></Expiration><NoncurrentVersionExpiration>"
            "<NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"));
  put(*store_, "lake", "k", "1");
  put(*store_, "lake", "k", "2");
  LifecycleReport report = run(3);
  EXPECT_EQ(report.expired, 1u);
  EXPECT_EQ(report.noncurrent_removed, 1u);
  EXPECT_EQ(versions(), 2u) << "the marker, made as of that day, and what it hides";
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "k", {}));
  report = run(6);
  EXPECT_EQ(report.noncurrent_removed, 1u);
  EXPECT_EQ(versions(), 1u);
  report = run(9);
  EXPECT_EQ(report.markers_removed, 1u);
  EXPECT_EQ(versions(), 0u);
}

TEST_F(LifecycleRunTest, SomeOlderVersionsStay) {
  make(Versioning::kEnabled,
       rule("<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
            "<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"));
  for (int i = 0; i < 6; ++i) put(*store_, "lake", "k", std::to_string(i));
  EXPECT_EQ(run(0).noncurrent_removed, 0u);
  EXPECT_EQ(run(3).noncurrent_removed, 3u);
  EXPECT_EQ(versions(), 3u);
  EXPECT_EQ(get(*store_, "lake", "k"), "5");
}

TEST_F(LifecycleRunTest, MarkersThatHideNothing) {
  make(Versioning::kEnabled,
       rule("<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
            "</Expiration>"));
  put(*store_, "lake", "kept", "1");
  store_->remove("lake", "kept", {});
  store_->remove("lake", "gone", {});
  EXPECT_EQ(run(0).markers_removed, 1u);
  EXPECT_EQ(versions(), 2u);
}

TEST_F(LifecycleRunTest, ForgottenUploadsAreAborted) {
  make(Versioning::kNever,
       rule("<Filter><Prefix>a</Prefix></Filter><AbortIncompleteMultipartUpload>"
            "<DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"));
  for (const char* key : {"a", "b"}) {
    const Upload upload = store_->start_upload("lake", key, {}, {}, true, {});
    const auto writer = store_->put_part("lake", key, upload.id, 1, {});
    writer->write("x");
    writer->commit({});
  }
  EXPECT_EQ(run(0).uploads_aborted, 0u);
  EXPECT_EQ(run(3).uploads_aborted, 1u);
  EXPECT_EQ(store_->list_uploads("lake", {}).uploads.size(), 1u);
  EXPECT_EQ(payloads(), 1u);
}

TEST_F(LifecycleRunTest, EndsWhenItIsAskedTo) {
  make(Versioning::kNever, rule("<Filter/><Expiration><Days>1</Days></Expiration>"));
  constexpr uint64_t kKeys = 501;  // more than a page
  for (uint64_t i = 0; i < kKeys; ++i) put(*store_, "lake", fmt::format("k{:04}", i), "x");
  std::vector<uint64_t> done;
  const auto run_until = [&](size_t steps) {
    done.clear();
    return maintenance(*store_).run_lifecycle(now() + days(3), [&](uint64_t keys, uint64_t total) {
      EXPECT_GE(total, keys);
      done.push_back(keys);
      return done.size() < steps;
    });
  };
  LifecycleReport report = run_until(1);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.expired, 500u);
  EXPECT_THAT(done, testing::ElementsAre(500));
  report = run_until(SIZE_MAX);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.expired, kKeys - 500);
  EXPECT_EQ(store_->usage("lake").objects, 0u);
}

TEST_F(LifecycleRunTest, LocksAreRespectedAndMistakesTold) {
  store_->create_bucket({.name = "vault", .owner = "me", .lock_enabled = true});
  store_->edit_bucket("vault", [&](Bucket& bucket) {
    bucket.documents["lifecycle"] =
        document(rule("<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
                      "</NoncurrentVersionExpiration>"));
  });
  make(Versioning::kNever, "<Nonsense/>");
  put(*store_, "vault", "k", "1", {}, {}, {.legal_hold = true});
  put(*store_, "vault", "k", "2");
  const LifecycleReport report = run(9);
  EXPECT_EQ(report.noncurrent_removed, 0u);
  EXPECT_EQ(store_->list_versions("vault", {}).versions.size(), 2u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_TRUE(report.problems[0].starts_with("lake: "));
}

}  // namespace
}  // namespace meesh::objects
