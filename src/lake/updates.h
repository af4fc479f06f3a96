// Commits of the Iceberg REST protocol: what must hold (requirements) and what changes (updates).
// Source: the REST catalog's OpenAPI, TableRequirement and TableUpdate; the rules of applying are
// those of Java's TableMetadata.Builder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lake/metadata.h"

namespace meesh::lake {

enum class RequirementKind {
  kCreate,               // the table does not exist
  kTableUuid,            // `text`
  kRefSnapshotId,        // `text` is the ref; `id`, or nothing: the ref must not exist
  kLastAssignedFieldId,  // `id`, and so the following
  kCurrentSchemaId,
  kLastAssignedPartitionId,
  kDefaultSpecId,
  kDefaultSortOrderId,
};

struct Requirement {
  RequirementKind kind = RequirementKind::kCreate;
  std::string text;
  std::optional<int64_t> id;

  bool operator==(const Requirement& other) const = default;
};

/// -1 in an id that an update sets: the one added last in the same commit.
inline constexpr int kLastAdded = -1;

struct AssignUuid {
  std::string uuid;
};
struct UpgradeFormatVersion {
  int version = 2;
};
struct AddSchema {
  Schema schema;
};
struct SetCurrentSchema {
  int id = 0;
};
struct AddPartitionSpec {
  PartitionSpec spec;
};  // field ids may be 0: given when applied
struct SetDefaultSpec {
  int id = 0;
};
struct AddSortOrder {
  SortOrder order;
};
struct SetDefaultSortOrder {
  int id = 0;
};
struct AddSnapshot {
  Snapshot snapshot;
};
struct SetSnapshotRef {
  std::string name;
  SnapshotRef ref;
};
struct RemoveSnapshots {
  std::vector<int64_t> ids;
};
struct RemoveSnapshotRef {
  std::string name;
};
struct SetLocation {
  std::string location;
};
struct SetProperties {
  Properties updates;
};
struct RemoveProperties {
  std::vector<std::string> removals;
};
struct SetStatistics {
  StatisticsFile file;
};
struct RemoveStatistics {
  int64_t snapshot_id = 0;
};
struct SetPartitionStatistics {
  PartitionStatisticsFile file;
};
struct RemovePartitionStatistics {
  int64_t snapshot_id = 0;
};
struct RemovePartitionSpecs {
  std::vector<int> ids;
};
struct RemoveSchemas {
  std::vector<int> ids;
};

using Update =
    std::variant<AssignUuid, UpgradeFormatVersion, AddSchema, SetCurrentSchema, AddPartitionSpec,
                 SetDefaultSpec, AddSortOrder, SetDefaultSortOrder, AddSnapshot, SetSnapshotRef,
                 RemoveSnapshots, RemoveSnapshotRef, SetLocation, SetProperties, RemoveProperties,
                 SetStatistics, RemoveStatistics, SetPartitionStatistics, RemovePartitionStatistics,
                 RemovePartitionSpecs, RemoveSchemas>;

/// One table's commit: the body of POST …/tables/{table}, or an item of "table-changes".
struct Commit {
  std::vector<Requirement> requirements;
  std::vector<Update> updates;
};

/// Mistakes and unknown kinds are Error(kBadRequest) that name the place ("updates[0].schema…").
/// Encryption keys belong to format version 3: Error(kNotSupported).
Commit parse_commit(std::string_view json);
/// From the arrays alone.
std::vector<Requirement> parse_requirements(std::string_view json);
std::vector<Update> parse_updates(std::string_view json);

/// `metadata` is null for a table that does not exist. What fails is Error(kIcebergCommitError) in
/// Java's words: "Requirement failed: branch main has changed: expected id 1 != 2".
void check(std::span<const Requirement> requirements, const TableMetadata* metadata);

/// The metadata after the updates, of format version 2. `base` is null for a table being created.
/// `previous_metadata_file`, unless empty, is where `base` lies: it goes to the metadata log. What
/// changes nothing gives `base` back as it is. Refusals are Error(kBadRequest), a snapshot that
/// came too late Error(kIcebergCommitError), version 3 Error(kNotSupported).
TableMetadata apply(std::span<const Update> updates, const TableMetadata* base, int64_t now_ms,
                    std::string_view previous_metadata_file = {});

/// A table of its own: field ids are given anew from 1 in breadth-first order, as Java does; spec
/// and order follow their source fields. Properties of the format itself ("format-version" 1 or 2,
/// …) are not stored. Errors are kBadRequest or kNotSupported.
TableMetadata new_table_metadata(const Schema& schema, const PartitionSpec& spec,
                                 const SortOrder& order, std::string location,
                                 const Properties& properties, int64_t now_ms);

/// The same fields with ids from `last_id` + 1, identifier fields along; `last_id` becomes the
/// last.
Schema with_fresh_ids(const Schema& schema, int* last_id);

/// Error(kBadRequest) unless every field's source is in the schema, outside of lists and maps, and
/// fits its transform.
void check_compatible(const PartitionSpec& spec, const Schema& schema);
void check_compatible(const SortOrder& order, const Schema& schema);

/// Identifier fields are primitive, required, no floats, and outside of lists, maps and optional
/// structs; else Error(kBadRequest).
void check_identifier_fields(const Schema& schema);

}  // namespace meesh::lake
