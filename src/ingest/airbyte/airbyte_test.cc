// Airbyte's protocol without a connector: messages, schemas, configurations, children's lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "base/yaml.h"
#include "ingest/airbyte/child_lines.h"
#include "ingest/airbyte/connector_config.h"
#include "ingest/airbyte/environments.h"
#include "ingest/airbyte/messages.h"
#include "ingest/airbyte/stream_schema.h"

namespace meesh::ingest {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Type = Message::Type;

// ---- messages

Type type_of_line(MessageReader& reader, std::string line, std::string* data = nullptr) {
  const size_t size = line.size();
  line.resize(size + simdjson::SIMDJSON_PADDING);
  const auto& message = reader.read({line.data(), size}, line.size());
  if (data) *data = message.data;
  return message.type;
}

TEST(AirbyteMessages, AreToldApart) {
  MessageReader reader;
  std::string data;
  EXPECT_EQ(
      type_of_line(reader, R"({"type":"RECORD","record":{"stream":"a","data":{"x": [1, {}]}}})",
                   &data),
      Type::kRecord);
  EXPECT_EQ(data, R"({"x": [1, {}]})");
  // Members in another order, and a namespace.
  EXPECT_EQ(
      type_of_line(reader,
                   R"({"record":{"data":{"x":1},"namespace":"n","stream":"a"},"type":"RECORD"})",
                   &data),
      Type::kRecord);
  EXPECT_EQ(data, R"({"x":1})");
  EXPECT_EQ(type_of_line(reader, R"({"type":"STATE","state":{"data":{}}})"), Type::kState);
  EXPECT_EQ(type_of_line(reader, R"({"type":"CONNECTION_STATUS","connectionStatus":{}})"),
            Type::kStatus);
  for (const char* noise : {"Loading…", "", "[1]", "{}", R"({"type":"STATE"})",
                            R"({"type":"STATE","state":1})", R"({"type":7})", "{\"type\":"})
    EXPECT_EQ(type_of_line(reader, noise), Type::kNone) << noise;
  // What was meant to be a row is not taken for something that was only printed.
  for (const char* broken :
       {R"({"type":"RECORD","record":{"stream":"a","data":)", R"({"type":"RECORD","record":1})",
        R"({"type":"RECORD","record":{"stream":"a","data":[1]}})",
        "{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"data\":{\"x\":\"\xFF\"}}}"})
    EXPECT_EQ(type_of_line(reader, broken), Type::kBroken) << broken;
}

// ---- schemas

std::string type_of_schema(const char* schema) {
  std::vector<std::string> notes;
  const auto columns =
      columns_of_schema({{"properties", json::object{{"c", json::parse(schema)}}}}, notes);
  return columns.at(0).type.display();
}

TEST(AirbyteSchema, TypesBecomeColumns) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"type":"integer"})", "bigint"},
      {R"({"type":["null","integer"]})", "bigint"},
      {R"({"type":"number","airbyte_type":"integer"})", "bigint"},
      {R"({"type":"number"})", "double"},
      {R"({"type":["integer","number","null"]})", "double"},
      {R"({"type":"boolean"})", "boolean"},
      {R"({"type":"string"})", "varchar"},
      {R"({"type":"string","format":"date"})", "date"},
      {R"({"type":"string","format":"date-time"})", "timestamp(6) with time zone"},
      {R"({"type":"string","airbyte_type":"timestamp_with_timezone"})",
       "timestamp(6) with time zone"},
      {R"({"type":"string","format":"date-time","airbyte_type":"timestamp_without_timezone"})",
       "timestamp(6)"},
      {R"({"type":"string","format":"time","airbyte_type":"time_without_timezone"})", "time(6)"},
      {R"({"type":"string","format":"time","airbyte_type":"time_with_timezone"})", "varchar"},
      {R"({"type":"string","airbyte_type":"big_integer"})", "decimal(38,0)"},
      {R"({"type":"string","contentEncoding":"base64"})", "varbinary"},
      {R"({"type":"object","properties":{}})", "varchar"},
      {R"({"type":"array"})", "varchar"},
      {R"({"type":["string","integer"]})", "varchar"},
      {R"({"oneOf":[{"type":"integer"},{"type":"null"}]})", "bigint"},
      {R"({})", "varchar"},
      {R"(true)", "varchar"}};
  for (const auto& [schema, type] : cases) EXPECT_EQ(type_of_schema(schema), type) << schema;
}

TEST(AirbyteSchema, NamesAreLowerCaseAndUnique) {
  std::vector<std::string> notes;
  const auto columns = columns_of_schema(
      json::parse(R"({"properties":{"Id":{},"id":{},"ID":{},"_source":{}}})").as_object(), notes);
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  EXPECT_THAT(names, ElementsAre("id", "id_2", "id_3", "_source_2"));
  EXPECT_THAT(columns[1].path, ElementsAre("id"));
}

json::object catalog_of(const char* stream) {
  return {{"streams", json::array{json::parse(stream)}}};
}

TEST(AirbyteSchema, StreamsHaveNamesThatTablesCanHave) {
  const auto streams =
      read_catalog(json::parse(R"json({"streams": [{"name": "My Sheet (2)"}, {"name": "2025"},
                          {"name": "a", "namespace": "x"}, {"name": "A", "namespace": "y"},
                          {"name": "é"}, {"name": "É"}, {"name": "order-items"}]})json")
                       .as_object());
  std::vector<std::string> tables;
  for (const auto& stream : streams) tables.push_back(stream.table);
  EXPECT_THAT(tables, ElementsAre("my_sheet_2", "stream_2025", "x_a", "y_a", "stream", "stream_2",
                                  "order_items"));
}

TEST(AirbyteSchema, ACatalogIsConfiguredAsTheTableSays) {
  const auto streams = read_catalog(catalog_of(
      R"({"name":"Users","json_schema":{"properties":{"userId":{"type":"integer"},"at":{}}},
          "supported_sync_modes":["full_refresh","incremental"],
          "source_defined_primary_key":[["userId"]]})"));
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].table, "users");
  EXPECT_THAT(stream_of(streams[0], "s", "c").key, ElementsAre("userid"));
  TableConfig table;
  table.mode = Mode::kIncremental;
  EXPECT_THROW(configured_catalog(streams[0], table), Error);  // whose cursor is it?
  table.cursor = "userid";
  table.key = {"at"};
  const auto configured = configured_catalog(streams[0], table).at("streams").at(0).as_object();
  EXPECT_EQ(configured.at("sync_mode"), "incremental");
  EXPECT_EQ(json::serialize(configured.at("cursor_field")), R"(["userId"])");
  EXPECT_EQ(json::serialize(configured.at("primary_key")), R"([["at"]])");
  table.cursor = "nothing";
  EXPECT_THROW(configured_catalog(streams[0], table), Error);
  EXPECT_THROW(read_catalog({}), Error);
  EXPECT_THROW(read_catalog(catalog_of("{}")), Error);
  EXPECT_THROW(read_catalog(catalog_of("1")), Error);
}

// ---- configurations

const char* const kSpec = R"({"type":"object","required":["host","port","mode"],"properties":{
  "host":{"type":"string","pattern":"^[a-z.]+$"},
  "port":{"type":"integer","minimum":1,"maximum":65535,"default":80},
  "mode":{"type":"string","enum":["fast","slow"],"default":"fast"},
  "year":{"type":"string"},
  "tags":{"type":"array","items":{"type":"string"},"minItems":1},
  "login":{"type":"object","oneOf":[
    {"properties":{"how":{"const":"key"},"key":{"type":"string","airbyte_secret":true}},
     "required":["how","key"]},
    {"properties":{"how":{"const":"none"}},"required":["how"]}]}}})";

std::vector<std::string> problems_of(const std::string& yaml, ConnectorConfig* config = nullptr) {
  const auto document = yaml::parse(yaml, "sources/s.yaml");
  std::vector<Error> problems;
  auto made = check_config(json::parse(kSpec).as_object(), document.root, document.file, problems);
  if (config) *config = std::move(made);
  std::vector<std::string> texts;
  for (const auto& problem : problems) texts.emplace_back(problem.what());
  return texts;
}

TEST(AirbyteConfig, ARightOneIsTakenAndCompleted) {
  ConnectorConfig config;
  EXPECT_THAT(
      problems_of("host: a.b\nyear: 2025\ntags: [x, 1]\n"
                  "login: { how: key, key: very-secret }\nanything: { a: [1, true, null] }\n",
                  &config),
      IsEmpty());
  EXPECT_EQ(json::serialize(config.value),
            R"({"host":"a.b","year":"2025","tags":["x","1"],"login":{"how":"key","key":)"
            R"("very-secret"},"anything":{"a":[1,true,null]},"port":80,"mode":"fast"})");
  EXPECT_EQ(config.secrets.hide("401 for very-secret!"), "401 for ******!");
}

TEST(AirbyteConfig, MistakesHaveTheirPlace) {
  EXPECT_THAT(
      problems_of("port: 99999\nmode: quick\nhots: a\ntags: []\n"),
      ElementsAre(HasSubstr("s.yaml:1:7: config.port: 99999 is more than 65535"),
                  HasSubstr("s.yaml:2:7: config.mode: expected one of 'fast', 'slow'"),
                  HasSubstr("s.yaml:3:1: config: the connector knows no key 'hots' (did you "
                            "mean 'host'?)"),
                  HasSubstr("s.yaml:4:7: config.tags: it has too few items"),
                  HasSubstr("config: 'host' is missing")));
  EXPECT_THAT(problems_of("host: A\nport: eighty\n"),
              ElementsAre(HasSubstr("does not match ^[a-z.]+$"),
                          HasSubstr("config.port: expected integer, found text 'eighty'")));
  EXPECT_THAT(problems_of("host: a\nlogin: { how: basic }\n"),
              ElementsAre(HasSubstr("none of the forms")));
  EXPECT_THAT(problems_of("[1]"), ElementsAre(HasSubstr("expected object")));
}

TEST(AirbyteConfig, PackagesHaveNames) {
  EXPECT_EQ(parse_package("airbyte-source-faker==6.2.1").folder(), "source-faker-6.2.1");
  EXPECT_EQ(parse_package("source-x").version, "");
  for (const char* wrong : {"faker", "source-", "source-x==", "source-x==-r /etc/passwd",
                            "source-x; rm", "--index-url=http://x", "source-X", ""})
    EXPECT_THROW(parse_package(wrong), Error) << wrong;
  EXPECT_EQ(search_connectors("GOOGLE sheets").at(0).name, "source-google-sheets");
  EXPECT_FALSE(known_version("airbyte-cdk").empty());
}

// ---- children

std::unique_ptr<ChildLines> shell(const std::string& script, std::chrono::seconds silence = {},
                                  uint64_t memory = 0) {
  ChildLines::Options options;
  options.command.arguments = {"/bin/sh", "-c", script};
  options.name = "the child";
  options.silence = silence;
  options.memory = memory;
  return std::make_unique<ChildLines>(std::move(options));
}

TEST(ChildLines, GivesEveryLineAndTheLastWithoutAnEnd) {
  const auto child = shell(
      "echo a; echo; printf 'x%.0s' $(seq 1 5000); echo; echo oops >&2; "
      "printf end; exit 3");
  std::vector<size_t> sizes;
  std::string last;
  while (const auto line = child->next({})) {
    sizes.push_back(line->size());
    last = *line;
    EXPECT_GE(child->readable(), line->size() + simdjson::SIMDJSON_PADDING);
  }
  EXPECT_THAT(sizes, ElementsAre(1, 0, 5000, 3));
  EXPECT_EQ(last, "end");
  EXPECT_EQ(child->finish().code, 3);
  EXPECT_THAT(child->errors(), ElementsAre("oops"));
}

TEST(ChildLines, ManyLinesComeInOrder) {
  const auto child = shell("seq 1 300000");
  uint64_t sum = 0, lines = 0;
  while (const auto line = child->next({})) sum += std::stoull(std::string(*line)), ++lines;
  EXPECT_EQ(lines, 300000U);
  EXPECT_EQ(sum, 300000ULL * 300001 / 2);
  EXPECT_TRUE(child->finish().good());
}

Code failure_of(ChildLines& child) {
  try {
    while (child.next({})) {
    }
    child.finish();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kGenericInternalError;
}

TEST(ChildLines, SilenceAndHungerEndIt) {
  EXPECT_EQ(failure_of(*shell("echo a; sleep 100", std::chrono::seconds(1))),
            Code::kExceededTimeLimit);
  EXPECT_EQ(failure_of(*shell("x=$(yes | head -c 300000000); echo $x | wc -c", {}, 50'000'000)),
            Code::kExceededLocalMemoryLimit);
}

TEST(ChildLines, WhatAChildLeavesBehindIsEndedWithIt) {
  const auto file = std::filesystem::temp_directory_path() / "meesh_left_behind";
  std::filesystem::remove(file);
  {
    const auto child = shell("sleep 1000 & echo $! > " + file.string() + "; echo done");
    while (child->next({})) {
    }
    EXPECT_TRUE(child->finish().good());
  }
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(process::wait_gone(pid, std::chrono::seconds(5)));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace meesh::ingest
