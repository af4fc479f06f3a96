#include "streams/decode/schema_registry.h"

#include <gmock/gmock.h>

#include "net/http.h"
#include "streams/decode/decoder_fixture_test.h"

namespace meesh::streams {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

/// Answers as Confluent's documentation of the API has them; whole registries are asked in
/// tests/streams/test_registry.py.
class SchemaRegistryTest : public testing::Test {
 protected:
  SchemaRegistryTest() {
    answer("/prefix/schemas/ids/1", R"({"schema": "\"string\""})");
    answer("/prefix/schemas/ids/2",
           R"({"schemaType": "PROTOBUF", "schema": "main", "references":
               [{"name": "a.proto", "subject": "a/b", "version": 3}]})");
    answer("/prefix/subjects/{subject}/versions/3",
           R"({"subject": "a/b", "version": 3, "id": 9, "schemaType": "PROTOBUF", "schema": "A",
               "references": [{"name": "c.proto", "subject": "c", "version": 4}]})");
    answer("/prefix/subjects/{subject}/versions/4", R"({"id": 8, "schema": "C"})");
    answer("/prefix/subjects/{subject}/versions/latest", R"({"id": 1, "schema": "S"})");
    answer("/prefix/schemas/ids/4", "<html>");
    answer("/prefix/schemas/ids/5",
           R"({"schema": "main", "references": [{"name": "x", "subject": "x", "version": 77}]})");
    server_.route("GET", "/prefix/schemas/ids/6", [](net::Request&, net::Response& response) {
      response.status = 503;
      response.text("later");
    });
    server_.start();
  }
  ~SchemaRegistryTest() override { server_.stop(std::chrono::seconds(1)); }

  RegistrySettings settings() const {
    return {.url = "http://127.0.0.1:" + std::to_string(server_.port()) + "/prefix/",
            .user = "ada",
            .password = "secret"};
  }

  int asked_ = 0;

 private:
  void answer(const std::string& path, std::string body) {
    server_.route("GET", path, [this, body](net::Request& request, net::Response& response) {
      ++asked_;
      if (request.headers.get("Authorization") != "Basic YWRhOnNlY3JldA==") {
        response.status = 401;
        return response.text("who?");
      }
      response.json(body);
    });
  }

  net::Server server_{{.port = 0, .access_log = false}};
};

TEST_F(SchemaRegistryTest, AsksOnceForASchema) {
  SchemaRegistry registry(settings());
  EXPECT_EQ(registry.by_id(1)->text, "\"string\"");
  EXPECT_EQ(registry.by_id(1)->type, "AVRO");
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(registry.by_id(3), nullptr);
  EXPECT_EQ(registry.latest("orders-value").text, "S");
}

TEST_F(SchemaRegistryTest, FetchesReferencesThatOthersNeedFirst) {
  SchemaRegistry registry(settings());
  const auto schema = registry.by_id(2);
  EXPECT_EQ(schema->type, "PROTOBUF");
  EXPECT_THAT(schema->references, ElementsAre(Pair("c.proto", "C"), Pair("a.proto", "A")));
}

TEST_F(SchemaRegistryTest, ErrorsNameTheUrlAndNotThePassword) {
  SchemaRegistry registry(settings());
  const auto ours = AllOf(HasSubstr(settings().url + "schemas/ids/"), Not(HasSubstr("secret")));
  for (const int id : {4, 5, 6}) {
    try {
      registry.by_id(id);
      FAIL() << id;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kExternal) << error.what();
    }
  }
  EXPECT_THAT(failure([&] { registry.by_id(4); }), HasSubstr("answers no schema: <html>"));
  EXPECT_THAT(failure([&] { registry.by_id(5); }), HasSubstr("/subjects/x/versions/77"));
  EXPECT_THAT(failure([&] { registry.by_id(6); }), HasSubstr("it answers 503"));
  auto wrong = settings();
  wrong.password = "no";
  SchemaRegistry refused(wrong);
  EXPECT_THAT(failure([&] { refused.by_id(1); }),
              AllOf(HasSubstr("it answers 401"), HasSubstr("look at the registry's user")));
  SchemaRegistry nobody({.url = "http://127.0.0.1:1"});
  EXPECT_THAT(failure([&] { nobody.by_id(1); }),
              AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("http://127.0.0.1:1/schemas/ids/1")));
}

TEST_F(SchemaRegistryTest, AddressesAreChecked) {
  for (const char* url : {"", "localhost:8081", "ftp://x", "http://", "http://me:secret@host"}) {
    const auto said = failure([&] { SchemaRegistry registry({.url = url}); });
    EXPECT_THAT(said, AllOf(HasSubstr("CONFIG_INVALID"), Not(HasSubstr("secret")))) << url;
  }
}

TEST(Framing, IsTakenOff) {
  std::string_view value("\0\0\0\1\2rest", 9);
  int32_t id = 0;
  EXPECT_TRUE(take_schema_id(value, id));
  EXPECT_EQ(id, 258);
  EXPECT_EQ(value, "rest");
  std::string_view other("\1\0\0\1\2", 5), shorter("\0\0\0\1", 4);
  EXPECT_FALSE(take_schema_id(other, id));
  EXPECT_FALSE(take_schema_id(shorter, id));
}

TEST_F(SchemaRegistryTest, AMessageOfAnUnknownSchemaIsMalformedAndAnUnreachableRegistryIsNot) {
  SchemaRegistry registry(settings());
  const FormatConfig avro{.encoding = Encoding::kAvro};
  const std::vector columns{column("x", "bigint")};
  EXPECT_THAT(outcomes(avro, columns, {std::string("\0\0\0\0\3x", 6), "x", std::string("\0", 1)},
                       &registry),
              ElementsAre("! the registry has no schema 3",
                          "! not Avro of a registry: it does not begin with a zero byte and a "
                          "schema's id",
                          "! not Avro of a registry: it does not begin with a zero byte and a "
                          "schema's id"));
  EXPECT_THAT(failure([&] { outcomes(avro, columns, {std::string("\0\0\0\0\6x", 6)}, &registry); }),
              HasSubstr("cannot be asked"));
}

}  // namespace
}  // namespace meesh::streams
