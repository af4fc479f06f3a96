// Commits of one or several tables, and what becomes of their files.
#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "lake/transaction.h"
#include "objects/crash_points.h"

namespace meesh::lake {
namespace {

/// A place for tests to die before the pointer moves.
AlsoCommit with_crash_point(const AlsoCommit& also) {
  return [also](soci::session& sql) {
    objects::crash_point("lake.before_swap");
    if (also) also(sql);
  };
}

/// Builds the change on `base`. Files of the base can be missing because others have gone on since
/// and expired it: then the commit is lost anyway, and what is made shall serve the next attempt.
TableMetadata make_on(SnapshotWriter& writer, const Catalog& catalog, const Table& base) {
  try {
    return writer.make(base);
  } catch (const Error& error) {
    if (error.code() != Code::kIcebergMissingData) throw;
    const Table newer = catalog.load(base.name);
    if (newer.metadata_location == base.metadata_location) throw;
    return writer.make(newer);
  }
}

void leave_to_orphan_removal(const std::string& tables) {
  log::warn("it is not known whether a commit took place: its files stay", {{"tables", tables}});
}

}  // namespace

std::vector<Table> commit(Catalog& catalog, ManifestCache& cache,
                          std::vector<std::pair<Identifier, SnapshotChange>> changes,
                          const AlsoCommit& also, const Audit& audit) {
  std::vector<std::unique_ptr<SnapshotWriter>> writers;
  std::vector<TableChange> parts;
  std::string names;
  for (auto& [name, change] : changes) {
    for (const TableChange& earlier : parts) {
      if (earlier.table == name) {
        internal_error(fmt::format("two changes of table {} in one commit", name.display()));
      }
    }
    names += (names.empty() ? "" : ", ") + name.display();
    writers.push_back(std::make_unique<SnapshotWriter>(cache, std::move(change)));
    parts.push_back({name, [&catalog, writer = writers.back().get()](const Table& base) {
                       return make_on(*writer, catalog, base);
                     }});
  }
  for (size_t i = 0; audit && i < parts.size(); ++i) {
    const Table base = catalog.load(parts[i].table);
    audit({base.name, "", std::make_shared<const TableMetadata>(parts[i].make(base))});
  }
  std::vector<Table> tables;
  try {
    tables = catalog.commit(parts, with_crash_point(also));
  } catch (const CommitStateUnknown&) {
    leave_to_orphan_removal(names);
    for (const auto& writer : writers) writer->unknown();
    throw;
  }
  objects::crash_point("lake.after_swap");
  for (const auto& writer : writers) writer->committed();
  return tables;
}

Table create_table_as(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                      const TableMetadata& fresh, SnapshotChange change, const AlsoCommit& also,
                      const Audit& audit, bool instead_of_view) {
  SnapshotWriter writer(cache, std::move(change));
  const TableMetadata made = writer.make({name, "", std::make_shared<const TableMetadata>(fresh)});
  if (audit) audit({name, "", std::make_shared<const TableMetadata>(made)});
  Table table;
  try {
    table = catalog.create(name, made, with_crash_point(also), instead_of_view);
  } catch (const CommitStateUnknown&) {
    leave_to_orphan_removal(name.display());
    writer.unknown();
    throw;
  }
  objects::crash_point("lake.after_swap");
  writer.committed();
  return table;
}

}  // namespace meesh::lake
