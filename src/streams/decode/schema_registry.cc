#include "streams/decode/schema_registry.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "net/http.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;

constexpr int kMaxReferences = 200;
constexpr int kMaxDepth = 20;
constexpr uint64_t kMaxBytes = 16u << 20;
// So that a topic full of other things does not become as many requests.
constexpr auto kRememberAbsent = std::chrono::seconds(5);
constexpr size_t kMostAbsent = 10'000;

/// The URL as it may be shown: without a password that stands in it.
std::string shown(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t at = url.find('@', scheme == std::string::npos ? 0 : scheme);
  if (scheme == std::string::npos || at == std::string::npos) return url;
  return url.substr(0, scheme + 3) + url.substr(at + 1);
}

const json::value* member(const json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

std::string text_of(const json::value& value, std::string_view name, const char* otherwise) {
  const auto* found = member(value, name);
  return found && found->is_string() ? std::string(found->get_string()) : otherwise;
}

}  // namespace

SchemaRegistry::SchemaRegistry(RegistrySettings settings) : settings_(std::move(settings)) {
  const auto& url = settings_.url;
  const size_t scheme = url.find("://");
  if ((!url.starts_with("http://") && !url.starts_with("https://")) || scheme + 3 == url.size() ||
      url.find('@') != std::string::npos) {
    throw Error(Code::kConfigInvalid,
                fmt::format("'{}' is no address of a schema registry", shown(url)))
        .with_hint("http://host:port or https://host:port, user and password beside it");
  }
  const size_t path = url.find('/', scheme + 3);
  base_ = url.substr(0, path);
  if (path != std::string::npos) prefix_ = url.substr(path);
  while (prefix_.ends_with('/')) prefix_.pop_back();
}

SchemaRegistry::~SchemaRegistry() = default;

std::shared_ptr<const RegisteredSchema> SchemaRegistry::by_id(int32_t id) {
  const std::lock_guard lock(mutex_);
  if (const auto known = schemas_.find(id); known != schemas_.end()) return known->second;
  const auto now = std::chrono::steady_clock::now();
  if (const auto absent = absent_.find(id);
      absent != absent_.end() && now - absent->second < kRememberAbsent)
    return nullptr;
  const std::string target = fmt::format("/schemas/ids/{}", id);
  const auto answer = get(target);
  if (!answer) {
    if (absent_.size() >= kMostAbsent) absent_.clear();
    absent_[id] = now;
    return nullptr;
  }
  auto schema = std::make_shared<const RegisteredSchema>(read(*answer, target));
  schemas_.emplace(id, schema);
  absent_.erase(id);
  return schema;
}

RegisteredSchema SchemaRegistry::latest(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const std::string target =
      fmt::format("/subjects/{}/versions/latest", net::percent_encode(subject));
  const auto answer = get(target);
  if (!answer) {
    throw Error(Code::kNotFound,
                fmt::format("the schema registry {} has no subject '{}'", settings_.url, subject))
        .with_hint("name the columns, or the schema's file");
  }
  return read(*answer, target);
}

std::optional<std::string> SchemaRegistry::get(const std::string& target) {
  try {
    if (!client_) {
      client_ = std::make_unique<net::Client>(
          base_, net::ClientOptions{.timeout = std::chrono::seconds(15),
                                    .ca_file = settings_.ca.string(),
                                    .max_body_bytes = kMaxBytes});
    }
    net::Headers headers;
    headers.set("Accept", "application/vnd.schemaregistry.v1+json, application/json");
    if (!settings_.user.empty()) {
      headers.set("Authorization",
                  "Basic " + base::to_base64(settings_.user + ":" + settings_.password));
    }
    auto answer = client_->request("GET", prefix_ + target, headers, "");
    if (answer.status == 404) return std::nullopt;
    if (answer.status == 200) return std::move(answer.body);
    auto error = Error(Code::kUnavailable, fmt::format("it answers {} {}", answer.status,
                                                       net::reason_phrase(answer.status)));
    if (answer.status == 401 || answer.status == 403)
      error.with_hint("look at the registry's user and password");
    throw error;
  } catch (Error& error) {
    client_.reset();
    Error shown(
        error_kind(error.code()) == ErrorKind::kExternal ? error.code() : Code::kUnavailable,
        fmt::format("the schema registry {}{} cannot be asked: {}", settings_.url, target,
                    error.message()));
    throw shown.with_hint(error.hint());
  }
}

RegisteredSchema SchemaRegistry::read(const std::string& answer, const std::string& target) {
  json::error_code malformed;
  const json::value value = json::parse(answer, malformed);
  const auto* text = malformed ? nullptr : member(value, "schema");
  if (!text || !text->is_string()) {
    throw Error(Code::kIoError, fmt::format("the schema registry {}{} answers no schema: {}",
                                            settings_.url, target, answer.substr(0, 100)));
  }
  RegisteredSchema schema;
  schema.text = text->get_string();
  schema.type = text_of(value, "schemaType", "AVRO");
  if (const auto* references = member(value, "references"); references && references->is_array()) {
    for (const auto& one : references->get_array()) {
      const auto* version = member(one, "version");
      resolve(schema, text_of(one, "subject", ""),
              version && version->is_int64() ? version->get_int64() : -1, text_of(one, "name", ""),
              0);
    }
  }
  return schema;
}

void SchemaRegistry::resolve(RegisteredSchema& schema, const std::string& subject, int64_t version,
                             const std::string& name, int depth) {
  const auto known = [&] {
    return std::ranges::any_of(schema.references,
                               [&](const auto& one) { return one.first == name; });
  };
  if (known()) return;
  const std::string target =
      fmt::format("/subjects/{}/versions/{}", net::percent_encode(subject), version);
  if (depth > kMaxDepth || schema.references.size() >= kMaxReferences) {
    throw Error(Code::kIoError, fmt::format("the schema registry {}{}: too many references",
                                            settings_.url, target));
  }
  const auto answer = get(target);
  json::error_code malformed;
  const json::value value = answer ? json::parse(*answer, malformed) : json::value();
  const std::string text = text_of(value, "schema", "");
  if (!answer || malformed || text.empty()) {
    throw Error(Code::kIoError,
                fmt::format("the schema registry {}{}: a schema refers to it, and it is not there",
                            settings_.url, target));
  }
  if (const auto* references = member(value, "references"); references && references->is_array()) {
    for (const auto& one : references->get_array()) {
      const auto* inner = member(one, "version");
      resolve(schema, text_of(one, "subject", ""),
              inner && inner->is_int64() ? inner->get_int64() : -1, text_of(one, "name", ""),
              depth + 1);
    }
  }
  if (!known()) schema.references.emplace_back(name, text);
}

bool take_schema_id(std::string_view& value, int32_t& id) {
  if (value.size() < 5 || value[0] != '\0') return false;
  uint32_t bits = 0;
  for (size_t i = 1; i < 5; ++i) bits = bits << 8 | static_cast<uint8_t>(value[i]);
  id = static_cast<int32_t>(bits);
  value.remove_prefix(5);
  return true;
}

}  // namespace meesh::streams
