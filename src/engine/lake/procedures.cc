// ALTER TABLE … EXECUTE: the procedures that keep a table small, with Trino's names and arguments.
#include <charconv>

#include "base/json_schema.h"
#include "engine/lake/adopt.h"
#include "engine/lake/changes.h"
#include "engine/lake/optimize_where.h"
#include "engine/statement_runner.h"
#include "lake/maintenance.h"
#include "lake/table_statistics.h"

namespace meesh::engine {
namespace {

constexpr auto kLeastOrphanAge = std::chrono::days(3);
constexpr uint64_t kSmallFile = 100 << 20;  // Trino's file_size_threshold

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

/// The value of the procedure's only argument, by name or place; nothing if it is not given.
std::optional<std::string> argument(const sql::AlterTable& alter, const std::string& name) {
  if (alter.args.empty()) return std::nullopt;
  const auto& [key, value] = alter.args.front();
  if (alter.args.size() > 1 || (key && lower_case(key->value) != name)) {
    throw Error(Code::kInvalidProcedureArgument,
                fmt::format("Procedure '{}' takes one argument: {}",
                            lower_case(alter.procedure.value), name),
                at(alter.pos));
  }
  return literal_text(value.get(), "Argument");
}

/// "7d", "12h", "30m", "5s".
std::chrono::milliseconds duration(const sql::AlterTable& alter, const std::string& text) {
  double count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string unit(end, text.data() + text.size());
  const int64_t ms = unit == "d"    ? 86'400'000
                     : unit == "h"  ? 3'600'000
                     : unit == "m"  ? 60'000
                     : unit == "s"  ? 1'000
                     : unit == "ms" ? 1
                                    : 0;
  if (problem != std::errc() || ms == 0 || !(count >= 0) || count > 1e6) {
    throw Error(Code::kInvalidProcedureArgument, fmt::format("'{}' is not a duration", text),
                at(alter.pos))
        .with_hint("write '7d', '12h' or '30m'");
  }
  return std::chrono::milliseconds(static_cast<int64_t>(count * static_cast<double>(ms)));
}

}  // namespace

void LakeChange::execute(const sql::AlterTable& alter) {
  const std::string procedure = lower_case(alter.procedure.value);
  if (alter.where && procedure != "optimize") {
    throw Error(Code::kNotSupported, "WHERE not supported for procedure " + procedure,
                at(alter.where->pos));
  }
  const std::string place = pinned()->location;
  allow("s3:PutObject", place);
  if (procedure == "optimize") return optimize(alter);
  if (procedure == "add_files") {
    const ProcedureArguments arguments(alter.args, {"location", "format", "recursive_directory"},
                                       alter.pos);
    return add_files({source_, change_.user, summary(), change_.run}, name(), *pinned(),
                     folder_to_adopt(arguments, true));
  }
  if (procedure == "drop_extended_stats") {
    const ProcedureArguments none(alter.args, {}, alter.pos);
    lake::drop_statistics(source_.catalog, name());
    return;
  }
  allow("s3:DeleteObject", place);
  if (procedure == "expire_snapshots") {
    const auto age = duration(alter, argument(alter, "retention_threshold").value_or("7d"));
    lake::ExpireOptions options;
    options.older_than_ms = commit_time({}) - age.count();
    lake::expire_snapshots(source_.catalog, source_.cache, name(), options);
  } else if (procedure == "remove_orphan_files") {
    const auto age = duration(alter, argument(alter, "retention_threshold").value_or("7d"));
    if (age < kLeastOrphanAge) {
      throw Error(Code::kInvalidProcedureArgument,
                  "Retention specified is shorter than the minimum retention (3.00d)",
                  at(alter.pos))
          .with_hint("younger files may belong to a commit that is under way");
    }
    lake::remove_orphan_files(source_.catalog, source_.cache, name(), {.older_than = age});
  } else if (procedure == "rollback_to_snapshot") {
    const std::string text = argument(alter, "snapshot_id").value_or("");
    int64_t id = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (problem != std::errc() || end != text.data() + text.size()) {
      throw Error(Code::kInvalidProcedureArgument, fmt::format("'{}' is not a snapshot id", text),
                  at(alter.pos));
    }
    lake::rollback_to_snapshot(source_.catalog, name(), id);
  } else {
    throw Error(Code::kProcedureNotFound,
                fmt::format("Table procedure not registered: {}", procedure), at(alter.pos))
        .with_hint(
            "optimize, expire_snapshots, remove_orphan_files, rollback_to_snapshot, add_files, "
            "drop_extended_stats");
  }
}

void LakeChange::optimize(const sql::AlterTable& alter) {
  const auto threshold = argument(alter, "file_size_threshold");
  const auto bytes = threshold ? base::parse_size(*threshold) : kSmallFile;
  if (!bytes || *bytes == 0) {
    throw Error(Code::kInvalidProcedureArgument, fmt::format("'{}' is not a size", *threshold),
                at(alter.pos))
        .with_hint("write '100MB'");
  }
  const auto table = pinned();
  check_writable(*table);
  lake::CompactionOptions options;
  options.file_size_threshold = static_cast<int64_t>(*bytes);
  options.min_input_files = 2;
  options.delete_ratio = 0;
  std::optional<std::set<std::string>> chosen;
  if (alter.where) chosen = files_where(target(), *table, *alter.where, change_.run);
  auto plan = lake::plan_compaction(source_.cache, *table, table->current_snapshot(), options);
  std::string columns;
  for (const auto& field : table->schema().fields) {
    columns += (columns.empty() ? "" : ", ") + quote_ident(lower_case(field.name));
  }
  for (auto& group : plan.groups) {
    if (chosen && !narrow_group(group, *chosen)) continue;
    lake::SnapshotChange snapshot;
    snapshot.table_uuid = table->uuid;
    snapshot.same_rows = true;
    snapshot.read_snapshot_id = plan.snapshot_id;
    snapshot.summary = summary();
    snapshot.removed = group.obsolete_deletes;
    std::string paths;
    for (const auto& file : group.files) {
      snapshot.removed.push_back(file.file->path);
      paths += (paths.empty() ? "" : ", ") + quote_string(file.file->path);
    }
    sql::Printed rows;
    rows.text = fmt::format("SELECT {} FROM {} WHERE \"$path\" IN ({})", columns,
                            target().duckdb_source, paths);
    snapshot.data = write_data(*table, source_.catalog.files(), {.query = rows}, change_.run).files;
    std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
    changes.emplace_back(name(), std::move(snapshot));
    lake::commit(source_.catalog, source_.cache, std::move(changes));
  }
}

}  // namespace meesh::engine
