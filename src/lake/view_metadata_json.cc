#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>
#include <utility>

#include "lake/metadata_json.h"
#include "lake/updates_json.h"
#include "lake/view_metadata.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

ViewRepresentation read_representation(const JsonNode& node) {
  ViewRepresentation out;
  out.type = node.text("type");
  if (out.type == "sql") {
    out.sql = node.text("sql");
    out.dialect = node.text("dialect");
  } else {
    out.other = json::serialize(node.value());
  }
  return out;
}

ViewVersion read_version(const JsonNode& node) {
  ViewVersion out;
  out.id = node.integer("version-id");
  out.timestamp_ms = node.long_integer("timestamp-ms");
  out.schema_id = node.integer("schema-id");
  out.summary = node.find_properties("summary");
  out.default_catalog = node.find_text("default-catalog");
  for (const JsonNode& item : node.items("default-namespace")) {
    out.default_namespace.push_back(item.as_text());
  }
  for (const JsonNode& item : node.items("representations")) {
    out.representations.push_back(read_representation(item));
  }
  if (const auto storage = node.find("storage-table")) {
    out.storage_table.emplace();
    out.storage_table->name = storage->text("name");
    for (const JsonNode& item : storage->items("namespace"))
      out.storage_table->space.push_back(item.as_text());
  }
  return out;
}

ViewMetadata read_view(const JsonNode& node) {
  node.expect_object();
  ViewMetadata out;
  out.format_version = node.integer("format-version");
  if (out.format_version != 1) {
    throw Error(Code::kNotSupported,
                fmt::format("format-version: Iceberg view format version {} is not supported "
                            "(supported: 1)",
                            out.format_version));
  }
  out.uuid = node.text("view-uuid");
  out.location = node.text("location");
  while (out.location.ends_with('/') && !out.location.ends_with("://")) out.location.pop_back();
  out.properties = node.find_properties("properties");
  for (const JsonNode& item : node.items("schemas")) {
    Schema schema = read_schema(item);
    if (out.find_schema(schema.id) != nullptr) {
      item.fail_at("schema-id", fmt::format("two schemas have the id {}", schema.id));
    }
    out.schemas.push_back(std::move(schema));
  }
  for (const JsonNode& item : node.items("versions")) {
    ViewVersion version = read_version(item);
    if (out.find_version(version.id) != nullptr) {
      item.fail_at("version-id", fmt::format("two versions have the id {}", version.id));
    }
    if (out.find_schema(version.schema_id) == nullptr) {
      item.fail_at("schema-id",
                   fmt::format("there is no schema with the id {}", version.schema_id));
    }
    out.versions.push_back(std::move(version));
  }
  out.current_version_id = node.integer("current-version-id");
  if (out.find_version(out.current_version_id) == nullptr) {
    node.fail_at("current-version-id",
                 fmt::format("there is no version with the id {}", out.current_version_id));
  }
  for (const JsonNode& item : node.items("version-log")) {
    out.version_log.push_back({item.long_integer("timestamp-ms"), item.integer("version-id")});
  }
  return out;
}

json::object version_json(const ViewVersion& version) {
  json::object out;
  out["version-id"] = version.id;
  out["timestamp-ms"] = version.timestamp_ms;
  out["schema-id"] = version.schema_id;
  out["summary"] = to_json(version.summary);
  if (version.default_catalog) out["default-catalog"] = *version.default_catalog;
  json::array names;
  for (const std::string& name : version.default_namespace) names.emplace_back(name);
  out["default-namespace"] = std::move(names);
  json::array representations;
  for (const ViewRepresentation& item : version.representations) {
    if (!item.other.empty()) {
      json::parse_options options;
      options.max_depth = 256;
      representations.push_back(json::parse(item.other, {}, options));
      continue;
    }
    representations.push_back({{"type", item.type}, {"sql", item.sql}, {"dialect", item.dialect}});
  }
  out["representations"] = std::move(representations);
  if (version.storage_table) {
    json::array space;
    for (const std::string& level : version.storage_table->space) space.emplace_back(level);
    out["storage-table"] = {{"namespace", std::move(space)}, {"name", version.storage_table->name}};
  }
  return out;
}

ViewUpdate read_view_update(const JsonNode& node) {
  const std::string action = node.text("action");
  if (action == "add-view-version")
    return AddViewVersion{read_version(node.member("view-version"))};
  if (action == "set-current-view-version") {
    return SetCurrentViewVersion{node.integer("view-version-id")};
  }
  if (action == "assign-uuid") return AssignUuid{node.text("uuid")};
  if (action == "upgrade-format-version") {
    return UpgradeFormatVersion{node.integer("format-version")};
  }
  if (action == "add-schema") return AddSchema{read_schema(node.member("schema"))};
  if (action == "set-location") return SetLocation{node.text("location")};
  if (action == "set-properties") {
    return SetProperties{node.properties(node.has("updates") ? "updates" : "updated")};
  }
  if (action == "remove-properties") {
    RemoveProperties out;
    for (const JsonNode& item : node.items(node.has("removals") ? "removals" : "removed")) {
      out.removals.push_back(item.as_text());
    }
    return out;
  }
  const std::vector<std::string> known{
      "assign-uuid",    "upgrade-format-version", "add-schema",       "set-location",
      "set-properties", "remove-properties",      "add-view-version", "set-current-view-version"};
  unknown_kind(node, "action", "view update", action, known);
}

ViewRequirement read_view_requirement(const JsonNode& node) {
  const std::string type = node.text("type");
  if (type == "assert-create") return {};
  if (type == "assert-view-uuid") return {node.text("uuid")};
  const std::vector<std::string> known{"assert-create", "assert-view-uuid"};
  unknown_kind(node, "type", "view requirement", type, known);
}

}  // namespace

ViewMetadata parse_view_metadata(std::string_view text) {
  ViewMetadata metadata;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { metadata = read_view(root); });
  return metadata;
}

std::string view_metadata_json(const ViewMetadata& metadata) {
  json::object out;
  out["view-uuid"] = metadata.uuid;
  out["format-version"] = metadata.format_version;
  out["location"] = metadata.location;
  out["properties"] = to_json(metadata.properties);
  json::array schemas;
  for (const Schema& schema : metadata.schemas) schemas.push_back(to_json(schema));
  out["schemas"] = std::move(schemas);
  out["current-version-id"] = metadata.current_version_id;
  json::array versions;
  for (const ViewVersion& version : metadata.versions) versions.push_back(version_json(version));
  out["versions"] = std::move(versions);
  json::array log;
  for (const ViewLogEntry& entry : metadata.version_log) {
    log.push_back({{"timestamp-ms", entry.timestamp_ms}, {"version-id", entry.version_id}});
  }
  out["version-log"] = std::move(log);
  return json::serialize(out);
}

ViewCommit parse_view_commit(std::string_view text) {
  ViewCommit commit;
  read_json(text, Code::kBadRequest, [&](const JsonNode& root) {
    for (const JsonNode& item : root.find_items("requirements")) {
      commit.requirements.push_back(read_view_requirement(item));
    }
    for (const JsonNode& item : root.items("updates")) {
      commit.updates.push_back(read_view_update(item));
    }
  });
  return commit;
}

ViewVersion parse_view_version(std::string_view text) {
  ViewVersion version;
  read_json(text, Code::kBadRequest, [&](const JsonNode& root) { version = read_version(root); });
  return version;
}

}  // namespace meesh::lake
