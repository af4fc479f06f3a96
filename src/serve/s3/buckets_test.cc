#include <fstream>

#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

class BucketsTest : public S3Test {};

TEST_F(BucketsTest, CreateHeadListDelete) {
  auto made = ask("PUT", "/lake");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.header("Location"), "/lake");
  EXPECT_EQ(ask("PUT", "/lake").code(), "BucketAlreadyOwnedByYou");
  auto other = user("other", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                                "Action":"s3:*","Resource":"*"}]})");
  EXPECT_EQ(ask_as(other, "PUT", "/lake").code(), "BucketAlreadyExists");
  EXPECT_EQ(ask("HEAD", "/lake").status, 200);
  EXPECT_EQ(ask("HEAD", "/lake").header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(ask("HEAD", "/none").status, 404);
  auto location = ask("GET", "/lake", {{"location", ""}});
  EXPECT_EQ(location.status, 200);
  EXPECT_THAT(location.body, HasSubstr("<LocationConstraint xmlns="));
  put("/lake/a", "x");
  EXPECT_EQ(ask("DELETE", "/lake").code(), "BucketNotEmpty");
  ask("DELETE", "/lake/a");
  EXPECT_EQ(ask("DELETE", "/lake").status, 204);
  EXPECT_EQ(ask("DELETE", "/lake").code(), "NoSuchBucket");
  for (const char* bad : {"/ab", "/Upper", "/a_b", "/192.168.0.1", "/a..b"}) {
    EXPECT_EQ(ask("PUT", bad).code(), "InvalidBucketName") << bad;
  }
  EXPECT_EQ(ask("PUT", "/fine", {}, {},
                "<CreateBucketConfiguration><LocationConstraint>mars-1</LocationConstraint>"
                "</CreateBucketConfiguration>")
                .code(),
            "IllegalLocationConstraintException");
}

TEST_F(BucketsTest, ListsWhatTheCallerMaySee) {
  for (const char* name : {"/one", "/two", "/three"}) ask("PUT", name);
  EXPECT_EQ(ask("GET", "/").at("Buckets/Bucket/Name"), "one,three,two");
  auto some = user("some", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                              "Action":"s3:ListBucket","Resource":"arn:aws:s3:::t*"}]})");
  EXPECT_EQ(ask_as(some, "GET", "/").at("Buckets/Bucket/Name"), "three,two");
  auto none = user("none", "");
  EXPECT_EQ(ask_as(none, "GET", "/").status, 403);
  EXPECT_EQ(ask_anonymously("GET", "/").status, 403);
  auto page = ask("GET", "/", {{"max-buckets", "2"}});
  EXPECT_EQ(page.at("Buckets/Bucket/Name"), "one,three");
  page = ask("GET", "/", {{"continuation-token", page.at("ContinuationToken")}});
  EXPECT_EQ(page.at("Buckets/Bucket/Name"), "two");
}

TEST_F(BucketsTest, ListsObjects) {
  ask("PUT", "/lake");
  for (const char* key : {"a", "dir/1", "dir/2", "dir2/3", "e f", "z"}) {
    put(std::string("/lake/") + key, "x");
  }
  auto all = ask("GET", "/lake");
  EXPECT_EQ(all.at("Contents/Key"), "a,dir/1,dir/2,dir2/3,e f,z");
  EXPECT_EQ(all.at("IsTruncated"), "false");
  EXPECT_EQ(all.at("MaxKeys"), "1000");
  EXPECT_EQ(all.at("Name"), "lake");
  auto folders = ask("GET", "/lake", {{"list-type", "2"}, {"delimiter", "/"}});
  EXPECT_EQ(folders.at("Contents/Key"), "a,e f,z");
  EXPECT_EQ(folders.at("CommonPrefixes/Prefix"), "dir/,dir2/");
  EXPECT_EQ(folders.at("KeyCount"), "5");
  EXPECT_EQ(folders.at("Contents/Owner"), "");
  EXPECT_EQ(ask("GET", "/lake", {{"list-type", "2"}, {"prefix", "dir/"}}).at("Contents/Key"),
            "dir/1,dir/2");
  EXPECT_EQ(ask("GET", "/lake", {{"list-type", "2"}, {"start-after", "dir2/3"}}).at("Contents/Key"),
            "e f,z");
  std::string seen;
  Query query = {{"list-type", "2"}, {"max-keys", "2"}, {"delimiter", "/"}};
  for (int pages = 0; pages < 10; ++pages) {
    auto page = ask("GET", "/lake", query);
    seen += page.at("Contents/Key") + "|" + page.at("CommonPrefixes/Prefix") + ";";
    if (page.at("IsTruncated") == "false") break;
    query = {{"list-type", "2"},
             {"max-keys", "2"},
             {"delimiter", "/"},
             {"continuation-token", page.at("NextContinuationToken")}};
  }
  EXPECT_EQ(seen, "a|dir/;e f|dir2/;z|;");
  auto first = ask("GET", "/lake", {{"max-keys", "2"}, {"delimiter", "/"}});
  EXPECT_EQ(first.at("NextMarker"), "dir/");
  auto second = ask("GET", "/lake", {{"marker", "dir/"}, {"delimiter", "/"}});
  EXPECT_EQ(second.at("CommonPrefixes/Prefix"), "dir2/");
  auto nothing = ask("GET", "/lake", {{"list-type", "2"}, {"max-keys", "0"}});
  EXPECT_EQ(nothing.at("KeyCount"), "0");
  EXPECT_EQ(nothing.at("IsTruncated"), "false");
  EXPECT_EQ(ask("GET", "/lake", {{"encoding-type", "url"}, {"prefix", "e"}}).at("Contents/Key"),
            "e%20f");
  EXPECT_EQ(ask("GET", "/lake", {{"max-keys", "-1"}}).code(), "InvalidArgument");
  EXPECT_EQ(ask("GET", "/lake", {{"encoding-type", "hex"}}).code(), "InvalidArgument");
  EXPECT_EQ(ask("GET", "/lake", {{"list-type", "2"}, {"continuation-token", "!"}}).code(),
            "InvalidArgument");
  EXPECT_EQ(ask("GET", "/none").code(), "NoSuchBucket");
}

TEST_F(BucketsTest, KeepsVersions) {
  ask("PUT", "/lake");
  EXPECT_EQ(ask("GET", "/lake", {{"versioning", ""}}).at("Status"), "");
  EXPECT_EQ(ask("PUT", "/lake", {{"versioning", ""}}, {},
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
                .status,
            200);
  EXPECT_EQ(ask("GET", "/lake", {{"versioning", ""}}).at("Status"), "Enabled");
  std::string first = put("/lake/a", "1").header("x-amz-version-id");
  std::string second = put("/lake/a", "2").header("x-amz-version-id");
  EXPECT_NE(first, second);
  EXPECT_EQ(ask("GET", "/lake/a", {{"versionId", first}}).body, "1");
  auto gone = ask("DELETE", "/lake/a");
  EXPECT_EQ(gone.header("x-amz-delete-marker"), "true");
  std::string marker = gone.header("x-amz-version-id");
  auto missing = ask("GET", "/lake/a");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.header("x-amz-delete-marker"), "true");
  auto of_marker = ask("GET", "/lake/a", {{"versionId", marker}});
  EXPECT_EQ(of_marker.status, 405);
  auto listed = ask("GET", "/lake", {{"versions", ""}});
  EXPECT_EQ(listed.at("Version/VersionId"), second + "," + first);
  EXPECT_EQ(listed.at("DeleteMarker/VersionId"), marker);
  EXPECT_EQ(listed.at("DeleteMarker/IsLatest"), "true");
  auto page = ask("GET", "/lake", {{"versions", ""}, {"max-keys", "1"}});
  EXPECT_EQ(page.at("IsTruncated"), "true");
  EXPECT_EQ(page.at("NextVersionIdMarker"), marker);
  EXPECT_EQ(ask("GET", "/lake", {{"versions", ""}, {"version-id-marker", "x"}}).code(),
            "InvalidArgument");
  EXPECT_EQ(ask("DELETE", "/lake/a", {{"versionId", marker}}).header("x-amz-delete-marker"),
            "true");
  EXPECT_EQ(ask("GET", "/lake/a").body, "2");
  std::string body = fmt::format(
      "<Delete><Object><Key>a</Key><VersionId>{}</VersionId></Object><Object><Key>a</Key>"
      "</Object></Delete>",
      first);
  auto both = ask("POST", "/lake", {{"delete", ""}}, {{"Content-MD5", md5_header(body)}}, body);
  EXPECT_EQ(both.at("Deleted/VersionId"), first);
  EXPECT_EQ(both.at("Deleted/DeleteMarker"), "true");
}

TEST_F(BucketsTest, VirtualHosts) {
  ask("PUT", "/lake");
  put("/lake/a/b", "x");
  for (const char* domain : {"lake.localhost", "lake.localhost:9000", "LAKE.s3.localhost"}) {
    EXPECT_EQ(ask("GET", "/a/b", {}, {{"Host", domain}}).body, "x") << domain;
    EXPECT_EQ(ask("GET", "/", {}, {{"Host", domain}}).at("Contents/Key"), "a/b") << domain;
  }
  for (const char* domain : {"localhost", "s3.localhost:9000", "elsewhere.example"}) {
    EXPECT_EQ(ask("GET", "/lake/a/b", {}, {{"Host", domain}}).body, "x") << domain;
  }
}

TEST_F(BucketsTest, Policies) {
  ask("PUT", "/lake");
  put("/lake/open/a", "x");
  put("/lake/shut/a", "x");
  EXPECT_EQ(ask("GET", "/lake", {{"policy", ""}}).code(), "NoSuchBucketPolicy");
  std::string policy =
      R"({"Version":"2012-10-17","Statement":[
          {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/open/*"},
          {"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::lake",
           "Condition":{"StringLike":{"s3:prefix":"open/*"}}},
          {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/shut/*",
           "Condition":{"StringEquals":{"s3:ExistingObjectTag/public":"yes"}}}]})";
  EXPECT_EQ(ask("PUT", "/lake", {{"policy", ""}}, {}, policy).status, 204);
  EXPECT_EQ(ask("GET", "/lake", {{"policy", ""}}).body, policy);
  EXPECT_EQ(ask("GET", "/lake", {{"policyStatus", ""}}).at("IsPublic"), "true");
  EXPECT_EQ(ask_anonymously("GET", "/lake/open/a").status, 200);
  EXPECT_EQ(ask_anonymously("GET", "/lake/shut/a").status, 403);
  EXPECT_EQ(ask_anonymously("GET", "/lake", {{"prefix", "open/"}}).status, 200);
  EXPECT_EQ(ask_anonymously("GET", "/lake/open/none").status, 404);  // as the listing tells
  EXPECT_EQ(ask_anonymously("GET", "/lake/shut/none").status, 403);
  EXPECT_EQ(ask_anonymously("GET", "/lake", {{"prefix", ""}}).status, 403);
  EXPECT_EQ(ask_anonymously("PUT", "/lake/open/b", {}, {}, "x").status, 403);
  put("/lake/shut/a", "x", {{"x-amz-tagging", "public=yes"}});
  EXPECT_EQ(ask_anonymously("GET", "/lake/shut/a").status, 200);
  for (std::string bad : {"", "{}", "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
                          "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                          "\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":"
                          "\"arn:aws:s3:::other/*\"}]}"}) {
    EXPECT_EQ(ask("PUT", "/lake", {{"policy", ""}}, {}, bad).code(), "MalformedPolicy") << bad;
  }
  EXPECT_EQ(ask("DELETE", "/lake", {{"policy", ""}}).status, 204);
  EXPECT_EQ(ask_anonymously("GET", "/lake/open/a").status, 403);
}

TEST_F(BucketsTest, CannedAcls) {
  ask("PUT", "/lake");
  put("/lake/a", "x");
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 403);
  EXPECT_EQ(ask("PUT", "/lake/a", {{"acl", ""}}, {{"x-amz-acl", "public-read"}}).status, 200);
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 200);
  auto acl = ask("GET", "/lake/a", {{"acl", ""}});
  EXPECT_EQ(acl.at("AccessControlList/Grant/Permission"), "FULL_CONTROL,READ");
  EXPECT_EQ(ask_anonymously("GET", "/lake").status, 403);
  EXPECT_EQ(
      ask("PUT", "/lake", {{"acl", ""}}, {}, ask("GET", "/lake/a", {{"acl", ""}}).body).status,
      200);
  EXPECT_EQ(ask_anonymously("GET", "/lake").at("Contents/Key"), "a");
  EXPECT_EQ(ask_anonymously("PUT", "/lake/b", {}, {}, "x").status, 403);
  ask("PUT", "/lake", {{"acl", ""}}, {{"x-amz-acl", "public-read-write"}});
  EXPECT_EQ(ask_anonymously("PUT", "/lake/b", {}, {}, "x").status, 200);
  std::string block =
      "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>"
      "true</IgnorePublicAcls></PublicAccessBlockConfiguration>";
  EXPECT_EQ(ask("PUT", "/lake", {{"publicAccessBlock", ""}}, {}, block).status, 200);
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 403);
  EXPECT_EQ(ask("PUT", "/lake/a", {{"acl", ""}}, {{"x-amz-acl", "public-read"}}).code(),
            "AccessDenied");
  auto told = ask("GET", "/lake", {{"publicAccessBlock", ""}});
  EXPECT_EQ(told.at("IgnorePublicAcls"), "true");
  EXPECT_EQ(told.at("RestrictPublicBuckets"), "false");
  EXPECT_EQ(ask("DELETE", "/lake", {{"publicAccessBlock", ""}}).status, 204);
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 200);
}

TEST_F(BucketsTest, DocumentsAreKeptAsGiven) {
  ask("PUT", "/lake");
  struct Document {
    const char* name;
    const char* unset;
    std::string good;
    std::vector<std::pair<std::string, std::string>> bad;  // document, code
  };
  std::vector<Document> documents = {
      {"lifecycle",
       "NoSuchLifecycleConfiguration",
       "<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix>logs/</Prefix></Filter>"
       "<Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>"
       "</LifecycleConfiguration>",
       {{"<LifecycleConfiguration/>", "MalformedXML"},
        {"<LifecycleConfiguration><Rule><Status>Enabled</Status></Rule></LifecycleConfiguration>",
         "InvalidRequest"},
        {"<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>0</Days>"
         "</Expiration></Rule></LifecycleConfiguration>",
         "InvalidArgument"},
        {"<LifecycleConfiguration><Rule><Status>Enabled</Status><Transition><Days>1</Days>"
         "<StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>",
         "NotImplemented"}}},
      {"encryption",
       "ServerSideEncryptionConfigurationNotFoundError",
       "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
       "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
       "</ServerSideEncryptionConfiguration>",
       {{"<ServerSideEncryptionConfiguration/>", "MalformedXML"}}},
      {"cors",
       "NoSuchCORSConfiguration",
       "<CORSConfiguration><CORSRule><AllowedOrigin>http://*.example</AllowedOrigin>"
       "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
       {{"<CORSConfiguration/>", "MalformedXML"},
        {"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>TRACE"
         "</AllowedMethod></CORSRule></CORSConfiguration>",
         "InvalidRequest"}}},
      {"tagging",
       "NoSuchTagSet",
       "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
       {{"<Tagging/>", "MalformedXML"},
        {"<Tagging><TagSet><Tag><Key>aws:a</Key><Value>1</Value></Tag></TagSet></Tagging>",
         "InvalidTag"}}},
      {"ownershipControls",
       "OwnershipControlsNotFoundError",
       "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule>"
       "</OwnershipControls>",
       {{"<OwnershipControls/>", "MalformedXML"}}}};
  for (const Document& one : documents) {
    Query query = {{one.name, ""}};
    EXPECT_EQ(ask("GET", "/lake", query).code(), one.unset);
    for (const auto& [text, code] : one.bad) {
      EXPECT_EQ(ask("PUT", "/lake", query, {}, text).code(), code) << text;
    }
    EXPECT_LT(ask("PUT", "/lake", query, {}, one.good).status, 300) << one.name;
    EXPECT_EQ(ask("GET", "/lake", query).status, 200) << one.name;
    EXPECT_EQ(ask("DELETE", "/lake", query).status, 204);
    EXPECT_EQ(ask("GET", "/lake", query).code(), one.unset);
  }
}

TEST_F(BucketsTest, ObjectsTellWhenTheyExpire) {
  ask("PUT", "/lake");
  ask("PUT", "/lake", {{"lifecycle", ""}}, {},
      "<LifecycleConfiguration><Rule><ID>old logs</ID><Filter><Prefix>logs/</Prefix></Filter>"
      "<Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule><Rule><ID>date</ID>"
      "<Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration>"
      "<Date>2100-01-01T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>");
  auto told = put("/lake/logs/a", "x").header("x-amz-expiration");
  EXPECT_THAT(told, HasSubstr("00:00:00 GMT\", rule-id=\"old%20logs\""));
  EXPECT_EQ(ask("HEAD", "/lake/logs/a").header("x-amz-expiration"), told);
  EXPECT_EQ(put("/lake/a", "x").header("x-amz-expiration"), "");
}

TEST_F(BucketsTest, WhatWasNeverSet) {
  ask("PUT", "/lake");
  for (auto [name, code] : {std::pair{"website", "NoSuchWebsiteConfiguration"},
                            {"replication", "ReplicationConfigurationNotFoundError"},
                            {"object-lock", "ObjectLockConfigurationNotFoundError"},
                            {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"}}) {
    EXPECT_EQ(ask("GET", "/lake", {{name, ""}}).code(), code);
  }
  for (const char* name :
       {"accelerate", "logging", "requestPayment", "inventory", "analytics", "notification"}) {
    EXPECT_EQ(ask("GET", "/lake", {{name, ""}}).status, 200) << name;
  }
  for (const char* name : {"website", "replication", "logging", "accelerate", "requestPayment"}) {
    EXPECT_EQ(ask("PUT", "/lake", {{name, ""}}, {}, "<X/>").code(), "NotImplemented") << name;
  }
  EXPECT_EQ(ask("POST", "/lake/a", {{"restore", ""}}).code(), "NotImplemented");
  EXPECT_EQ(ask("POST", "/lake/a", {{"select", ""}, {"select-type", "2"}}).code(),
            "NotImplemented");
  EXPECT_EQ(ask("POST", "/lake/a").code(), "MethodNotAllowed");
}

TEST_F(BucketsTest, CrossOrigin) {
  ask("PUT", "/lake");
  put("/lake/a", "x");
  auto preflight = [&](const char* origin, const char* method, const char* headers) {
    return ask_anonymously("OPTIONS", "/lake/a", {},
                           {{"Origin", origin},
                            {"Access-Control-Request-Method", method},
                            {"Access-Control-Request-Headers", headers}});
  };
  EXPECT_EQ(preflight("http://app.example", "GET", "").status, 403);
  ask("PUT", "/lake", {{"cors", ""}}, {},
      "<CORSConfiguration><CORSRule><AllowedOrigin>http://*.example</AllowedOrigin>"
      "<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>"
      "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>"
      "</CORSConfiguration>");
  auto allowed = preflight("http://app.example", "GET", "x-amz-date, X-Amz-Meta-A");
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.header("Access-Control-Allow-Origin"), "http://app.example");
  EXPECT_EQ(allowed.header("Access-Control-Max-Age"), "60");
  EXPECT_EQ(preflight("http://app.example", "PUT", "").status, 403);
  EXPECT_EQ(preflight("http://evil.org", "GET", "").status, 403);
  EXPECT_EQ(preflight("http://app.example", "GET", "content-type").status, 403);
  auto got = ask("GET", "/lake/a", {}, {{"Origin", "http://app.example"}});
  EXPECT_EQ(got.header("Access-Control-Allow-Origin"), "http://app.example");
  EXPECT_EQ(got.header("Access-Control-Expose-Headers"), "ETag");
  EXPECT_EQ(ask("GET", "/lake/a").header("Access-Control-Allow-Origin"), "");
}

TEST_F(BucketsTest, Locks) {
  EXPECT_EQ(ask("PUT", "/vault", {}, {{"x-amz-bucket-object-lock-enabled", "true"}}).status, 200);
  EXPECT_EQ(ask("GET", "/vault", {{"versioning", ""}}).at("Status"), "Enabled");
  EXPECT_EQ(ask("PUT", "/vault", {{"versioning", ""}}, {},
                "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
                .code(),
            "InvalidBucketState");
  Fields lock = {{"x-amz-object-lock-mode", "GOVERNANCE"},
                 {"x-amz-object-lock-retain-until-date", "2100-01-01T00:00:00Z"}};
  EXPECT_EQ(put("/vault/a", "x", lock).code(), "InvalidRequest") << "a digest is needed";
  lock.emplace_back("Content-MD5", md5_header("x"));
  auto made = put("/vault/a", "x", lock);
  ASSERT_EQ(made.status, 200) << made.body;
  std::string version = made.header("x-amz-version-id");
  auto head = ask("HEAD", "/vault/a");
  EXPECT_EQ(head.header("x-amz-object-lock-mode"), "GOVERNANCE");
  EXPECT_EQ(head.header("x-amz-object-lock-retain-until-date"), "2100-01-01T00:00:00.000Z");
  EXPECT_EQ(ask("DELETE", "/vault/a", {{"versionId", version}}).code(), "AccessDenied");
  EXPECT_EQ(ask("GET", "/vault/a", {{"retention", ""}}).at("Mode"), "GOVERNANCE");
  EXPECT_EQ(
      ask("PUT", "/vault/a", {{"legal-hold", ""}}, {}, "<LegalHold><Status>ON</Status></LegalHold>")
          .status,
      200);
  EXPECT_EQ(ask("GET", "/vault/a", {{"legal-hold", ""}}).at("Status"), "ON");
  Fields bypass = {{"x-amz-bypass-governance-retention", "true"}};
  EXPECT_EQ(ask("DELETE", "/vault/a", {{"versionId", version}}, bypass).code(), "AccessDenied");
  ask("PUT", "/vault/a", {{"legal-hold", ""}}, {}, "<LegalHold><Status>OFF</Status></LegalHold>");
  EXPECT_EQ(ask("DELETE", "/vault/a", {{"versionId", version}}, bypass).status, 204);
  EXPECT_EQ(ask("PUT", "/vault", {{"object-lock", ""}}, {},
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
                "</ObjectLockConfiguration>")
                .status,
            200);
  EXPECT_EQ(ask("GET", "/vault", {{"object-lock", ""}}).at("Rule/DefaultRetention/Days"), "1");
  ask("PUT", "/plain");
  put("/plain/a", "x");
  EXPECT_EQ(ask("GET", "/plain/a", {{"retention", ""}}).code(), "InvalidRequest");
}

TEST_F(BucketsTest, Health) {
  for (const char* path : {"/minio/health/live", "/minio/health/ready", "/minio/health/cluster"}) {
    EXPECT_EQ(ask_anonymously("GET", path).status, 200) << path;
    EXPECT_EQ(ask_anonymously("HEAD", path).status, 200) << path;
  }
}

TEST_F(BucketsTest, EveryDenialAndChangeIsWrittenDown) {
  ask("PUT", "/lake");
  put("/lake/a", "x");
  ask("GET", "/lake/a");
  ask_anonymously("GET", "/lake/secret");
  access_.reset();  // writes what waits
  std::string trail;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "audit")) {
    std::ifstream in(file.path());
    trail.append(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_THAT(trail, HasSubstr("s3:CreateBucket"));
  EXPECT_THAT(trail, HasSubstr("s3:PutObject"));
  EXPECT_THAT(trail, HasSubstr("arn:aws:s3:::lake/a"));
  EXPECT_THAT(trail, HasSubstr("denied"));
  EXPECT_THAT(trail, HasSubstr("arn:aws:s3:::lake/secret"));
  EXPECT_THAT(trail, Not(HasSubstr(root_.secret_key)));
}

}  // namespace
}  // namespace meesh::serve::s3
