// lake_scan(…): DuckDB reads a snapshot of an Iceberg table. It is DuckDB's own Parquet scan with
// the files, the columns (by field id) and the deleted rows told by src/lake:
//
//   lake_scan('s3://…/metadata/00007-….metadata.json', catalog := 'lake', schema_id := 2,
//             snapshot := 8273…)
//
// The metadata file and the snapshot make the answer: a statement that names them twice reads the
// same rows twice.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/duck.h"
#include "engine/engine.h"
#include "lake/catalog.h"
#include "lake/manifest_cache.h"
#include "lake/scan.h"

namespace meesh::engine {

/// A catalog as statements use it. Thread-safe.
class LakeSource {
 public:
  /// `authorize` may be empty: everybody may do everything. The others outlive this.
  LakeSource(lake::Catalog& catalog, lake::ManifestCache& cache, AuthorizeObject authorize)
      : catalog(catalog), cache(cache), authorize_(std::move(authorize)) {}

  lake::Catalog& catalog;
  lake::ManifestCache& cache;

  /// Keeps the metadata at hand for the statement that is about to read it.
  void keep(const lake::Table& table);
  /// Of a metadata file of this catalog.
  std::shared_ptr<const lake::TableMetadata> metadata(const std::string& location);

  /// A table that is not committed yet, to be read under a name that nobody else knows while the
  /// candidate lives.
  class Candidate {
   public:
    Candidate(LakeSource& source, const lake::Table& table);
    ~Candidate();
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;
    const lake::Identifier& name() const { return table_.name; }

   private:
    LakeSource& source_;
    lake::Table table_;
  };
  std::optional<lake::Table> candidate(const std::string& schema, const std::string& name) const;

  /// Throws PERMISSION_DENIED unless the user may do this with the object; "" may do everything.
  void allow(const std::string& user, std::string_view action, const std::string& path) const;

 private:
  const AuthorizeObject authorize_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const lake::TableMetadata>> kept_;  // guarded by mutex_
  std::deque<std::string> order_;                  // of kept_, oldest first; guarded by mutex_
  std::map<std::string, lake::Table> candidates_;  // by name, unique; guarded by mutex_
};
using LakeSourcePtr = std::shared_ptr<LakeSource>;

/// From then on lake_scan knows the catalog; the function is registered with the first one.
void add_lake_source(Duck& duck, const std::string& name, LakeSourcePtr source);
void drop_lake_source(Duck& duck, const std::string& name);
/// Throws CATALOG_NOT_FOUND.
LakeSourcePtr find_lake_source(duckdb::DatabaseInstance& instance, const std::string& name);

/// The call of lake_scan that reads the snapshot (null: no rows) as the columns of `schema`.
std::string scan_call(const std::string& catalog, const std::string& metadata_location,
                      const lake::Schema& schema, const lake::Snapshot* snapshot);

// Columns beside the table's own, by these names in DuckDB's text.
inline constexpr const char* kPathColumn = "$path";
inline constexpr const char* kPartitionColumn = "$partition";
inline constexpr const char* kModifiedColumn = "$file_modified_time";
inline constexpr const char* kPositionColumn = "$pos";  // of the row in its file, from 0

}  // namespace meesh::engine
