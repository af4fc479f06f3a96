// The metadata of an Iceberg view (format version 1) and commits to it. Source: the Iceberg view
// spec and the REST catalog's OpenAPI, ViewUpdate and ViewRequirement; for materialized views the
// spec that is proposed for them (apache/iceberg pull request 11041).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lake/metadata.h"
#include "lake/updates.h"

namespace meesh::lake {

/// SQL in one dialect; of other kinds only the JSON as it came.
struct ViewRepresentation {
  std::string type = "sql";
  std::string sql;
  std::string dialect;
  std::string other;  // JSON; "" for SQL

  bool operator==(const ViewRepresentation& other_one) const = default;
};

/// The table that holds the rows of a materialized view, in the same catalog.
struct StorageTable {
  std::vector<std::string> space;
  std::string name;

  bool operator==(const StorageTable& other) const = default;
};

struct ViewVersion {
  int id = 0;
  int64_t timestamp_ms = 0;
  int schema_id = 0;
  Properties summary;
  std::optional<std::string> default_catalog;
  std::vector<std::string> default_namespace;
  std::vector<ViewRepresentation> representations;
  std::optional<StorageTable> storage_table;  // a materialized view; else a plain one

  bool operator==(const ViewVersion& other) const = default;
};

struct ViewLogEntry {
  int64_t timestamp_ms = 0;
  int version_id = 0;

  bool operator==(const ViewLogEntry& other) const = default;
};

struct ViewMetadata {
  std::string uuid;
  int format_version = 1;
  std::string location;
  int current_version_id = 0;
  std::vector<ViewVersion> versions;
  std::vector<ViewLogEntry> version_log;
  std::vector<Schema> schemas;
  Properties properties;

  const ViewVersion* find_version(int id) const;
  const Schema* find_schema(int id) const;
  /// Always exist: reading checks it.
  const ViewVersion& version() const;
  const Schema& schema() const;
  /// The current version's SQL in a dialect, letters' case aside; null if it has none.
  const ViewRepresentation* sql(std::string_view dialect) const;

  bool operator==(const ViewMetadata& other) const = default;
};

/// As parse_metadata and metadata_json.
ViewMetadata parse_view_metadata(std::string_view json);
std::string view_metadata_json(const ViewMetadata& metadata);

/// "assert-view-uuid", or "assert-create" where the view must not exist.
struct ViewRequirement {
  std::optional<std::string> uuid;  // nothing: assert-create
};

struct AddViewVersion {
  ViewVersion version;
};  // schema_id -1: the schema added last
struct SetCurrentViewVersion {
  int id = 0;
};  // -1: the version added last

using ViewUpdate =
    std::variant<AssignUuid, UpgradeFormatVersion, AddSchema, SetLocation, SetProperties,
                 RemoveProperties, AddViewVersion, SetCurrentViewVersion>;

struct ViewCommit {
  std::vector<ViewRequirement> requirements;
  std::vector<ViewUpdate> updates;
};

/// The body of POST …/views/{view}. Mistakes are Error(kBadRequest) that name the place.
ViewCommit parse_view_commit(std::string_view json);
/// A version alone, as in a request to create a view.
ViewVersion parse_view_version(std::string_view json);

/// Null: the view does not exist. Failures are Error(kIcebergCommitError) in Java's words.
void check(std::span<const ViewRequirement> requirements, const ViewMetadata* metadata);

/// The metadata after the updates; `base` is null for a view being created. Versions beyond the
/// property "version.history.num-entries" (10 if absent) are forgotten, the oldest first. A version
/// that loses a dialect of the current one is refused unless "replace.drop-dialect.allowed" is
/// true. Refusals are Error(kBadRequest), of two queries in one dialect Error(kInvalidArguments).
ViewMetadata apply(std::span<const ViewUpdate> updates, const ViewMetadata* base, int64_t now_ms);

}  // namespace meesh::lake
