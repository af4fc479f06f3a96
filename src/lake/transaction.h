// One snapshot as a change of a table: what a statement that wrote files commits.
//
//   SnapshotChange change;
//   change.table_uuid = table.metadata->uuid;
//   change.data = {{file, spec_id}};               // written below the table's location already
//   commit(catalog, cache, {{name, std::move(change)}});
//
// The files of a change belong to the commit from the call on: if it fails, they are removed with
// whatever else it wrote, and the table is as it was. Only when the metadata database cannot say
// what happened they stay, for remove_orphan_files.
//
// Commits of others in the meantime do not matter unless they conflict; the change is then built
// again on theirs, without writing its own manifests anew. Source for what is written: the Iceberg
// table spec and the snapshot summaries of the Java library.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lake/catalog.h"
#include "lake/manifest.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "lake/pruning.h"
#include "lake/updates.h"

namespace meesh::lake {

struct NewFile {
  DataFile file;
  int spec_id = 0;  // of the table's specs; file.partition fits it
};

/// Append: only `data`. Row delta: `data` and `deletes`. Overwrite, delete: `removed`, maybe with
/// `data`. Compaction: `removed` and `data` with `same_rows`.
struct SnapshotChange {
  /// Of the table that the files were written for: one dropped and made anew meanwhile is refused.
  std::string table_uuid;
  std::string branch = std::string(kMainBranch);
  std::vector<NewFile> data;
  std::vector<NewFile> deletes;
  /// Paths of data and delete files that leave. All must be live when it is committed. Position
  /// delete files for nothing but removed files leave with them unasked.
  std::vector<std::string> removed;
  /// Compaction: the table's rows stay the same. It is done on top of concurrent appends; rows that
  /// others deleted from `removed` meanwhile make it fail.
  bool same_rows = false;

  // What the change was computed from; needed with `removed`, `referenced` or `conflict`.
  /// The head of the branch that was read; nothing: there was none.
  std::optional<int64_t> read_snapshot_id;
  /// Data files that position deletes in `deletes` are about: they must still be live.
  std::vector<std::string> referenced;
  /// UPDATE and MERGE: rows of `referenced` that others deleted meanwhile make it fail, or a row
  /// changed by two would be there twice. A DELETE may leave it false.
  bool no_new_deletes = false;
  /// Serializable isolation: data files that others added since `read_snapshot_id` and that might
  /// hold rows of this predicate make it fail. Nothing: snapshot isolation.
  std::optional<Predicate> conflict;

  /// Applied before the snapshot is added, in the same commit.
  std::vector<Update> updates;
  /// Checked against the newest base.
  std::vector<Requirement> requirements;
  /// CREATE OR REPLACE TABLE AS: the snapshot starts from nothing, without a parent.
  bool from_nothing = false;
  /// Added to the snapshot's summary ("engine-name", "trino_query_id", …).
  Properties summary;
  /// The added files belong to others (adopted where they lie): a commit that fails leaves them.
  /// ALREADY_EXISTS if somebody else added one of them since `read_snapshot_id`.
  bool adopted = false;
};

/// The manifests and the metadata of one change. One thread at a time.
class SnapshotWriter {
 public:
  /// `cache` and the files behind it outlive it.
  SnapshotWriter(ManifestCache& cache, SnapshotChange change);
  /// Removes all that it and the change wrote, unless it was told how it ended.
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  int64_t snapshot_id() const { return snapshot_id_; }

  /// The table with the snapshot. Called for every attempt; files written before are used again.
  /// ICEBERG_COMMIT_ERROR if a concurrent commit conflicts.
  TableMetadata make(const Table& base);
  /// For Catalog::commit; this outlives it.
  TableChange change(Identifier table);

  /// The metadata made last is the table's now: what other attempts wrote is removed.
  void committed();
  /// Nobody knows whether it is: everything stays.
  void unknown();

 private:
  /// A manifest of the new snapshot and, if it was written here, what is in it.
  struct Part {
    ManifestFile file;
    Manifest entries;
  };
  struct Attempt;

  void check_base(const TableMetadata& base) const;
  const Snapshot* parent_of(const TableMetadata& base) const;
  std::string folder(const TableMetadata& table) const;
  Part write_manifest_file(const TableMetadata& table, int spec_id, ManifestContent content,
                           std::vector<ManifestEntry> entries);
  std::vector<Part> write_added(const TableMetadata& table, const std::vector<NewFile>& files,
                                ManifestContent content);
  /// The manifest again, with `leaving` as deleted by this snapshot.
  Part without(Attempt& attempt, const ManifestFile& file,
               const std::vector<const ManifestEntry*>& leaving, const Manifest& entries);
  void filter_data(Attempt& attempt, const ManifestList& list);
  void filter_deletes(Attempt& attempt, const ManifestList& list);
  std::vector<ManifestFile> merged(Attempt& attempt, const std::vector<Part>& parts);
  Part merge_bin(Attempt& attempt, std::span<const Part> bin);
  Snapshot write_snapshot(Attempt& attempt);

  ManifestCache& cache_;
  const SnapshotChange change_;
  const int64_t snapshot_id_;
  const std::string write_id_;  // in the names of what it writes
  int manifests_ = 0, lists_ = 0;
  bool settled_ = false;

  std::vector<std::string> written_;  // all manifests and lists
  std::set<std::string> used_;        // those of the metadata made last
  std::vector<Part> added_data_, added_deletes_;
  bool added_ = false;
  std::map<std::string, Part> made_of_;  // rewritten manifests by what they were made of
};

/// Sees a table as a commit would leave it, before anybody else does; what it throws ends the
/// commit. Its files are written; it has no metadata file.
using Audit = std::function<void(const Table& candidate)>;

/// One commit of one table or several: all or none of them. `audit` is asked once for each, before
/// the first attempt.
std::vector<Table> commit(Catalog& catalog, ManifestCache& cache,
                          std::vector<std::pair<Identifier, SnapshotChange>> changes,
                          const AlsoCommit& also = nullptr, const Audit& audit = nullptr);

/// CREATE TABLE AS: a table that is there with its first snapshot or not at all. `fresh` comes from
/// new_table_metadata. `instead_of_view`: see Catalog::create.
Table create_table_as(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                      const TableMetadata& fresh, SnapshotChange change,
                      const AlsoCommit& also = nullptr, const Audit& audit = nullptr,
                      bool instead_of_view = false);

}  // namespace meesh::lake
