#include "lake/updates_json.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <functional>
#include <utility>

#include "base/text.h"
#include "lake/metadata_json.h"
#include "lake/updates.h"

namespace meesh::lake {
namespace {

constexpr size_t kMostUpdates = 10'000;

std::string strip_slash(std::string location) {
  while (location.ends_with('/') && !location.ends_with("://")) location.pop_back();
  return location;
}

std::vector<int> integers(const JsonNode& node, std::string_view member) {
  std::vector<int> out;
  for (const JsonNode& item : node.items(member)) out.push_back(item.as_integer());
  return out;
}

std::vector<int64_t> long_integers(const JsonNode& node, std::string_view member) {
  std::vector<int64_t> out;
  for (const JsonNode& item : node.items(member)) out.push_back(item.as_long());
  return out;
}

std::vector<std::string> texts(const JsonNode& node, std::string_view member) {
  std::vector<std::string> out;
  for (const JsonNode& item : node.items(member)) out.push_back(item.as_text());
  return out;
}

Update no_encryption(const JsonNode& node) {
  throw Error(Code::kNotSupported,
              fmt::format("{}: encryption keys belong to Iceberg format version 3, which is not "
                          "supported (supported: 1 and 2)",
                          node.path()));
}

using Reader = Update (*)(const JsonNode&);

// clang-format off
const std::array<std::pair<std::string_view, Reader>, 23> kReaders{{
    {"assign-uuid", [](const JsonNode& n) -> Update { return AssignUuid{n.text("uuid")}; }},
    {"upgrade-format-version", [](const JsonNode& n) -> Update { return UpgradeFormatVersion{n.integer("format-version")}; }},
    {"add-schema", [](const JsonNode& n) -> Update { return AddSchema{read_schema(n.member("schema"))}; }},
    {"set-current-schema", [](const JsonNode& n) -> Update { return SetCurrentSchema{n.integer("schema-id")}; }},
    {"add-spec", [](const JsonNode& n) -> Update { return AddPartitionSpec{read_partition_spec(n.member("spec"), false)}; }},
    {"set-default-spec", [](const JsonNode& n) -> Update { return SetDefaultSpec{n.integer("spec-id")}; }},
    {"add-sort-order", [](const JsonNode& n) -> Update { return AddSortOrder{read_sort_order(n.member("sort-order"))}; }},
    {"set-default-sort-order", [](const JsonNode& n) -> Update { return SetDefaultSortOrder{n.integer("sort-order-id")}; }},
    {"add-snapshot", [](const JsonNode& n) -> Update { return AddSnapshot{read_snapshot(n.member("snapshot"))}; }},
    {"set-snapshot-ref", [](const JsonNode& n) -> Update { return SetSnapshotRef{n.text("ref-name"), read_snapshot_ref(n)}; }},
    {"remove-snapshots", [](const JsonNode& n) -> Update { return RemoveSnapshots{long_integers(n, "snapshot-ids")}; }},
    {"remove-snapshot-ref", [](const JsonNode& n) -> Update { return RemoveSnapshotRef{n.text("ref-name")}; }},
    {"set-location", [](const JsonNode& n) -> Update { return SetLocation{strip_slash(n.text("location"))}; }},
    {"set-properties", [](const JsonNode& n) -> Update { return SetProperties{n.properties(n.has("updates") ? "updates" : "updated")}; }},
    {"remove-properties", [](const JsonNode& n) -> Update { return RemoveProperties{texts(n, n.has("removals") ? "removals" : "removed")}; }},
    {"set-statistics", [](const JsonNode& n) -> Update { return SetStatistics{read_statistics(n.member("statistics"))}; }},
    {"remove-statistics", [](const JsonNode& n) -> Update { return RemoveStatistics{n.long_integer("snapshot-id")}; }},
    {"set-partition-statistics", [](const JsonNode& n) -> Update { return SetPartitionStatistics{read_partition_statistics(n.member("partition-statistics"))}; }},
    {"remove-partition-statistics", [](const JsonNode& n) -> Update { return RemovePartitionStatistics{n.long_integer("snapshot-id")}; }},
    {"remove-partition-specs", [](const JsonNode& n) -> Update { return RemovePartitionSpecs{integers(n, "spec-ids")}; }},
    {"remove-schemas", [](const JsonNode& n) -> Update { return RemoveSchemas{integers(n, "schema-ids")}; }},
    {"add-encryption-key", no_encryption},
    {"remove-encryption-key", no_encryption},
}};
// clang-format on

struct RequirementForm {
  std::string_view type;
  RequirementKind kind;
  std::string_view id_member;  // "" where none is needed
};

constexpr std::array<RequirementForm, 8> kRequirements{{
    {"assert-create", RequirementKind::kCreate, ""},
    {"assert-table-uuid", RequirementKind::kTableUuid, ""},
    {"assert-ref-snapshot-id", RequirementKind::kRefSnapshotId, ""},
    {"assert-last-assigned-field-id", RequirementKind::kLastAssignedFieldId,
     "last-assigned-field-id"},
    {"assert-current-schema-id", RequirementKind::kCurrentSchemaId, "current-schema-id"},
    {"assert-last-assigned-partition-id", RequirementKind::kLastAssignedPartitionId,
     "last-assigned-partition-id"},
    {"assert-default-spec-id", RequirementKind::kDefaultSpecId, "default-spec-id"},
    {"assert-default-sort-order-id", RequirementKind::kDefaultSortOrderId, "default-sort-order-id"},
}};

Requirement read_requirement(const JsonNode& node) {
  const std::string type = node.text("type");
  std::vector<std::string> known;
  for (const RequirementForm& form : kRequirements) {
    known.emplace_back(form.type);
    if (form.type != type) continue;
    Requirement requirement;
    requirement.kind = form.kind;
    if (!form.id_member.empty()) requirement.id = node.integer(form.id_member);
    if (form.kind == RequirementKind::kTableUuid) requirement.text = node.text("uuid");
    if (form.kind == RequirementKind::kRefSnapshotId) {
      requirement.text = node.text("ref");
      requirement.id = node.find_long("snapshot-id");
    }
    return requirement;
  }
  unknown_kind(node, "type", "requirement", type, known);
}

Update read_update(const JsonNode& node) {
  const std::string action = node.text("action");
  std::vector<std::string> known;
  for (const auto& [name, read] : kReaders) {
    if (name == action) return read(node);
    known.emplace_back(name);
  }
  unknown_kind(node, "action", "update", action, known);
}

std::vector<Requirement> read_requirements(const std::vector<JsonNode>& items) {
  std::vector<Requirement> out;
  for (const JsonNode& item : items) out.push_back(read_requirement(item));
  return out;
}

std::vector<Update> read_updates(const std::vector<JsonNode>& items) {
  std::vector<Update> out;
  for (const JsonNode& item : items) out.push_back(read_update(item));
  return out;
}

}  // namespace

void unknown_kind(const JsonNode& node, std::string_view member, std::string_view what,
                  const std::string& name, std::span<const std::string> known) {
  const std::string shown = name.substr(0, 80);
  throw Error(node.code(), fmt::format("{}.{}: unknown {} '{}'", node.path(), member, what, shown))
      .with_hint(base::did_you_mean(shown, known, fmt::format("{}s are ", what)));
}

Commit read_commit(const JsonNode& node) {
  const auto updates = node.items("updates");
  if (updates.size() > kMostUpdates) {
    node.fail_at("updates", fmt::format("more than {} updates in one commit", kMostUpdates));
  }
  return {read_requirements(node.find_items("requirements")), read_updates(updates)};
}

Commit parse_commit(std::string_view json) {
  Commit commit;
  read_json(json, Code::kBadRequest, [&](const JsonNode& root) { commit = read_commit(root); });
  return commit;
}

std::vector<Requirement> parse_requirements(std::string_view json) {
  std::vector<Requirement> out;
  read_json(json, Code::kBadRequest, [&](const JsonNode& root) {
    out = read_requirements(JsonNode(root.value(), root.code(), "requirements").as_items());
  });
  return out;
}

std::vector<Update> parse_updates(std::string_view json) {
  std::vector<Update> out;
  read_json(json, Code::kBadRequest, [&](const JsonNode& root) {
    out = read_updates(JsonNode(root.value(), root.code(), "updates").as_items());
  });
  return out;
}

}  // namespace meesh::lake
