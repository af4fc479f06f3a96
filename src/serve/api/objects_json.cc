#include <boost/json.hpp>

#include "base/text.h"
#include "objects/lifecycle.h"
#include "serve/api/objects_handlers.h"

namespace meesh::serve::api {

namespace json = boost::json;

namespace {

std::string_view versioning_name(objects::Versioning versioning) {
  switch (versioning) {
    case objects::Versioning::kEnabled:
      return "enabled";
    case objects::Versioning::kSuspended:
      return "suspended";
    default:
      return "never";
  }
}

std::string_view lock_name(objects::LockMode mode) {
  return mode == objects::LockMode::kCompliance ? "compliance" : "governance";
}

std::string_view encryption_name(objects::Encryption encryption) {
  switch (encryption) {
    case objects::Encryption::kS3:
      return "s3";
    case objects::Encryption::kCustomer:
      return "customer";
    default:
      return "none";
  }
}

json::object texts_json(const std::map<std::string, std::string>& texts) {
  json::object told;
  for (const auto& [name, value] : texts) told[readable(name)] = readable(value);
  return told;
}

/// Headers that the client gave with it.
void add_headers(json::object& told, const objects::Attributes& attributes) {
  const std::pair<const char*, const std::string&> headers[] = {
      {"cache_control", attributes.cache_control},
      {"content_disposition", attributes.content_disposition},
      {"content_encoding", attributes.content_encoding},
      {"content_language", attributes.content_language},
      {"expires", attributes.expires}};
  for (const auto& [name, value] : headers)
    if (!value.empty()) told[name] = readable(value);
}

template <typename Number>
void add_known(json::object& told, const char* name, const std::optional<Number>& value) {
  if (value) told[name] = *value;
}

}  // namespace

int64_t ms_of(objects::Time time) { return time.time_since_epoch().count(); }

std::string readable(const std::string& text) {
  if (base::valid_utf8(text)) return text;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

json::object object_json(const objects::Object& object, bool all) {
  json::object told{{"key", object.key},
                    {"version", object.version},
                    {"latest", object.latest},
                    {"delete_marker", object.delete_marker},
                    {"size", object.size},
                    {"etag", object.etag},
                    {"modified_ms", ms_of(object.modified)}};
  if (!all) return told;
  const auto& attributes = object.attributes;
  told["content_type"] = readable(attributes.content_type);
  told["storage_class"] = readable(attributes.storage_class);
  told["owner"] = readable(attributes.owner);
  told["encryption"] = encryption_name(object.encryption);
  told["metadata"] = texts_json(attributes.metadata);
  told["tags"] = texts_json(attributes.tags);
  told["parts"] = object.parts.size();
  told["legal_hold"] = attributes.legal_hold;
  json::object checksums;
  for (const auto& [kind, value] : object.checksums)
    checksums[std::string(objects::checksum_name(kind))] = value;
  told["checksums"] = std::move(checksums);
  if (attributes.retention.mode != objects::LockMode::kNone) {
    told["retention"] = {{"mode", lock_name(attributes.retention.mode)},
                         {"until_ms", ms_of(attributes.retention.until)}};
  }
  add_headers(told, attributes);
  return told;
}

json::object bucket_json(const objects::Bucket& bucket) {
  json::object told{{"name", bucket.name},
                    {"owner", readable(bucket.owner)},
                    {"region", bucket.region},
                    {"created_ms", ms_of(bucket.created)},
                    {"versioning", versioning_name(bucket.versioning)},
                    {"lock_enabled", bucket.lock_enabled},
                    {"quota", bucket.quota},
                    {"default_encryption", bucket.documents.contains("encryption")}};
  if (bucket.default_retention.mode != objects::LockMode::kNone) {
    told["default_retention"] = {{"mode", lock_name(bucket.default_retention.mode)},
                                 {"days", bucket.default_retention.days},
                                 {"years", bucket.default_retention.years}};
  }
  return told;
}

json::object lifecycle_json(const std::string& xml) {
  json::array rules;
  if (!xml.empty()) {
    for (const auto& rule : objects::parse_lifecycle(xml)) {
      json::object told{{"id", readable(rule.id)},
                        {"enabled", rule.enabled},
                        {"prefix", readable(rule.prefix)},
                        {"tags", texts_json(rule.tags)},
                        {"expired_markers", rule.expired_markers},
                        {"newer_noncurrent", rule.newer_noncurrent}};
      add_known(told, "larger_than", rule.larger_than);
      add_known(told, "smaller_than", rule.smaller_than);
      add_known(told, "days", rule.days);
      if (rule.date) told["date_ms"] = ms_of(*rule.date);
      add_known(told, "noncurrent_days", rule.noncurrent_days);
      add_known(told, "abort_days", rule.abort_days);
      rules.push_back(std::move(told));
    }
  }
  return {{"xml", readable(xml)}, {"rules", std::move(rules)}};
}

}  // namespace meesh::serve::api
