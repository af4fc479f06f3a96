// Messages through a decoder into a buffer of a real engine, and back by SQL, for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ask.h"
#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "net/http.h"
#include "streams/decode/decoder.h"
#include "streams/decode/decoder_engine_test.h"
#include "streams/decode/schema_registry.h"

namespace meesh::streams {

/// Closes the engine behind the last test.
class DecoderEnvironment : public testing::Environment {
 public:
  void TearDown() override { DecoderEngine::close(); }
};
inline const auto* const kDecoderEnvironment =
    testing::AddGlobalTestEnvironment(new DecoderEnvironment);

/// What became of each message: its row, cells between '|' (varbinary in hex), or "! " and what was
/// wrong.
inline std::vector<std::string> outcomes(Decoder& decoder, const std::vector<ColumnConfig>& columns,
                                         const std::vector<std::string>& messages) {
  auto& buffers = DecoderEngine::the().buffers();
  std::vector<engine::BufferColumn> shape{{"$n", sql::Type::of(sql::TypeKind::kBigint)}};
  std::string list = "\"$n\"";
  for (const auto& one : columns) {
    shape.push_back({one.name, one.stored_type()});
    const std::string name = engine::quote_name(one.name);
    if (one.type.kind == sql::TypeKind::kVarbinary) {
      list += ", to_hex(" + name + ")";
    } else if (one.type.kind == sql::TypeKind::kJson) {
      list += ", json_format(" + name + ")";
    } else {
      list += ", CAST(" + name + " AS varchar)";
    }
  }
  const auto rows = buffers.buffer(shape);
  std::vector<std::string> out(messages.size());
  for (size_t i = 0; i < messages.size(); ++i) {
    std::string wrong;
    // An exact copy, so that reading behind a message is seen by the address sanitizer.
    const std::vector<char> message(messages[i].begin(), messages[i].end());
    if (!decoder.decode({message.data(), message.size()}, *rows, 1, wrong)) {
      out[i] = "! " + wrong;
      rows->drop_row();
      continue;
    }
    if (!wrong.empty()) out[i] = "said: " + wrong;
    EXPECT_TRUE(rows->integer(0, static_cast<int64_t>(i)));
    rows->end_row();
  }
  rows->finish();
  const auto table = buffers.add("decoded", "messages", {rows, {}, {}});
  engine::Session session;
  session.user = "ada";
  const auto answer =
      engine::ask(DecoderEngine::the().engine(),
                  "SELECT " + list + " FROM " + engine::quote_table(table->name()), session);
  for (const auto& row : answer.rows) {
    std::string& line = out.at(std::stoul(*row.at(0)));
    for (size_t i = 1; i < row.size(); ++i) line += (i > 1 ? "|" : "") + row[i].value_or("NULL");
  }
  return out;
}

inline std::vector<std::string> outcomes(const FormatConfig& format,
                                         const std::vector<ColumnConfig>& columns,
                                         const std::vector<std::string>& messages,
                                         SchemaRegistry* registry = nullptr) {
  const auto decoder = make_decoder(format, columns, registry);
  return outcomes(*decoder, columns, messages);
}

/// A registry of a few schemas by their ids, in this process.
class TestRegistry {
 public:
  explicit TestRegistry(const std::map<int, std::string>& schemas,
                        const std::string& type = "AVRO") {
    for (const auto& [id, text] : schemas) {
      const std::string body =
          boost::json::serialize(boost::json::object{{"schemaType", type}, {"schema", text}});
      server_.route("GET", "/schemas/ids/" + std::to_string(id),
                    [body](net::Request&, net::Response& response) { response.json(body); });
    }
    server_.start();
    registry_ = std::make_unique<SchemaRegistry>(
        RegistrySettings{.url = "http://127.0.0.1:" + std::to_string(server_.port())});
  }
  ~TestRegistry() {
    registry_.reset();
    server_.stop(std::chrono::seconds(1));
  }
  SchemaRegistry* get() { return registry_.get(); }

 private:
  net::Server server_{{.port = 0, .access_log = false}};
  std::unique_ptr<SchemaRegistry> registry_;
};

/// A message in Confluent's framing.
inline std::string framed(uint8_t id, std::string_view rest) {
  return std::string("\0\0\0\0", 4) + static_cast<char>(id) + std::string(rest);
}

/// The whole text of what a call throws.
template <class F>
std::string failure(F&& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + " " + error.what();
  }
  return "it did not fail";
}

}  // namespace meesh::streams
