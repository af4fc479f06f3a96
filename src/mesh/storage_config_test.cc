// The parts of meesh.yaml that tell where events go and whose tokens are trusted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mesh/mesh.h"

namespace meesh::mesh {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class StorageConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "meesh-storage-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ / "a.pem") << "PEM a";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Storage load(const std::string& storage) {
    std::ofstream(folder_ / "meesh.yaml") << "name: test\nstorage:\n" + storage;
    LoadOptions options;
    options.environment = [](const std::string& name) -> std::optional<std::string> {
      return name == "PW" ? std::optional<std::string>("s3cret") : std::nullopt;
    };
    return Mesh::load(folder_, options).storage;
  }
  std::string complaint(const std::string& storage) {
    try {
      load(storage);
      return "";
    } catch (const ConfigError& e) {
      EXPECT_EQ(e.all().size(), 1u) << e.report();
      return e.report();
    }
  }

  fs::path folder_;
};

TEST_F(StorageConfigTest, KafkaTopics) {
  const Storage storage = load(
      "  kafka:\n"
      "    plain: {brokers: \"localhost:9092\", topic: events}\n"
      "    all:\n"
      "      brokers: \"k1.example:9093,[::1]:9093\"\n"
      "      topic: a.b-c_d\n"
      "      tls: true\n"
      "      ca: a.pem\n"
      "      certificate: a.pem\n"
      "      key: a.pem\n"
      "      sasl: {user: meesh, password: \"${PW}\"}\n");
  ASSERT_EQ(storage.kafka.size(), 2u);
  const KafkaTopic& plain = storage.kafka.at("plain");
  EXPECT_EQ(plain.brokers, "localhost:9092");
  EXPECT_EQ(plain.topic, "events");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.mechanism, "");
  EXPECT_TRUE(plain.ca.empty());
  const KafkaTopic& all = storage.kafka.at("all");
  EXPECT_TRUE(all.tls);
  EXPECT_EQ(all.ca, folder_ / "a.pem");
  EXPECT_EQ(all.key, folder_ / "a.pem");
  EXPECT_EQ(all.mechanism, "SCRAM-SHA-512");
  EXPECT_EQ(all.password, "s3cret");
}

TEST_F(StorageConfigTest, KafkaTopicsThatAreNone) {
  EXPECT_THAT(complaint("  kafka: {a: {brokers: localhost, topic: events}}\n"),
              HasSubstr("host:port"));
  EXPECT_THAT(complaint("  kafka: {a: {brokers: \"h:1\"}}\n"), HasSubstr("topic"));
  EXPECT_THAT(complaint("  kafka: {\"a b\": {brokers: \"h:1\", topic: t}}\n"), HasSubstr("a b"));
  EXPECT_THAT(complaint("  kafka: {a: {brokers: \"h:1\", topic: t, ca: a.pem}}\n"),
              HasSubstr("tls: true"));
  EXPECT_THAT(complaint("  kafka: {a: {brokers: \"h:1\", topic: t, tls: true, key: a.pem}}\n"),
              HasSubstr("go together"));
  EXPECT_THAT(complaint("  kafka: {a: {brokers: \"h:1\", topic: t, tls: true, ca: no.pem}}\n"),
              HasSubstr("no file 'no.pem'"));
  EXPECT_THAT(complaint("  kafka: {a: {brokers: \"h:1\", topic: t, sasl: {user: u}}}\n"),
              HasSubstr("password"));
}

TEST_F(StorageConfigTest, TrustedIssuers) {
  const Storage storage = load(
      "  trust_issuers:\n"
      "    https://login.example/realm: {public_key: a.pem, audiences: [meesh, lake]}\n"
      "    shared: {secret: \"${PW}\"}\n");
  ASSERT_EQ(storage.trust_issuers.size(), 2u);
  const TrustedIssuer& login = storage.trust_issuers.at("https://login.example/realm");
  EXPECT_EQ(login.key, "PEM a");
  EXPECT_THAT(login.audiences, ElementsAre("meesh", "lake"));
  EXPECT_EQ(storage.trust_issuers.at("shared").key, "secret:s3cret");
  EXPECT_THAT(storage.trust_issuers.at("shared").audiences, ElementsAre());
}

TEST_F(StorageConfigTest, TrustedIssuersThatAreNone) {
  EXPECT_THAT(complaint("  trust_issuers: {a: {}}\n"), HasSubstr("needs one key"));
  EXPECT_THAT(complaint("  trust_issuers: {a: {public_key: a.pem, secret: x}}\n"),
              HasSubstr("needs one key"));
  EXPECT_THAT(complaint("  trust_issuers: {a: {public_key: b.pem}}\n"),
              HasSubstr("no file 'b.pem'"));
}

}  // namespace
}  // namespace meesh::mesh
