// A client of a schema registry with Confluent's REST API (Confluent's own, Karapace, Apicurio's
// ccompat, Redpanda).
//
//   SchemaRegistry registry({.url = "http://localhost:8081"});
//   const auto schema = registry.by_id(7);     // asked for once
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/stream_config.h"

namespace meesh::net {
class Client;
}

namespace meesh::streams {

struct RegisteredSchema {
  std::string type = "AVRO";  // "PROTOBUF", "JSON"
  std::string text;
  /// What it imports, theirs included: name (Protobuf: of the file; Avro: of the type) and text.
  /// Those that others need come first.
  std::vector<std::pair<std::string, std::string>> references;
};

/// Thread-safe; schemas never change once they have an id, so each is fetched once.
class SchemaRegistry {
 public:
  explicit SchemaRegistry(RegistrySettings settings);
  ~SchemaRegistry();
  SchemaRegistry(const SchemaRegistry&) = delete;
  SchemaRegistry& operator=(const SchemaRegistry&) = delete;

  /// Null if the registry has none of that id (it is asked again after some seconds). Throws errors
  /// of kind kExternal that name the URL when the registry cannot be asked, or answers nonsense.
  std::shared_ptr<const RegisteredSchema> by_id(int32_t id);
  /// The newest version of a subject; NOT_FOUND if there is no such subject.
  RegisteredSchema latest(const std::string& subject);

 private:
  std::optional<std::string> get(const std::string& target);  // nothing: 404
  RegisteredSchema read(const std::string& answer, const std::string& target);
  void resolve(RegisteredSchema& schema, const std::string& subject, int64_t version,
               const std::string& name, int depth);

  const RegistrySettings settings_;
  std::string base_, prefix_;  // "http://host:port", "/apis/ccompat/v7"
  std::mutex mutex_;
  std::unique_ptr<net::Client> client_;                                 // guarded by mutex_
  std::map<int32_t, std::shared_ptr<const RegisteredSchema>> schemas_;  // guarded by mutex_
  std::map<int32_t, std::chrono::steady_clock::time_point> absent_;     // guarded by mutex_
};

/// Confluent's framing: a zero byte, the schema's id in four bytes, big-endian. False if the
/// message has none; else it is taken off.
bool take_schema_id(std::string_view& value, int32_t& id);

}  // namespace meesh::streams
