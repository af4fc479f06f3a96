// A warehouse in a folder of its own, for tests: a local object store, a SQLite database, and small
// files that stand for Parquet.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "lake/catalog.h"
#include "lake/maintenance.h"
#include "lake/manifest_cache.h"
#include "lake/scan.h"
#include "lake/transaction.h"
#include "lake/updates.h"
#include "objects/local/test_store.h"

namespace meesh::lake {

inline constexpr const char* kTestPlace = "s3://lake/warehouse";

/// Several of them on one folder are not possible, but several catalogs in one are: they behave
/// like processes that share the database.
class TestLake {
 public:
  explicit TestLake(const std::filesystem::path& folder)
      : store_(objects::open_local(
            {.folder = folder / "objects", .master_keys = {}, .current_master_key = {}})),
        database_(meta::Database::open(
            {.kind = meta::Backend::kSqlite, .location = (folder / "meta.db").string()})),
        files_(*store_, {kTestPlace}),
        cache_(files_) {
    const auto buckets = store_->buckets();
    if (buckets.empty()) store_->create_bucket({.name = "lake"});
    catalog_ = new_catalog();
    if (!catalog_->has_namespace({"s"})) catalog_->create_namespace({"s"}, {});
  }

  Catalog& catalog() { return *catalog_; }
  ManifestCache& cache() { return cache_; }
  const Files& files() const { return files_; }
  objects::Store& store() { return *store_; }
  std::unique_ptr<Catalog> new_catalog() {
    return std::make_unique<Catalog>(*database_, files_, Warehouse{"main", kTestPlace});
  }

  /// Columns id (1, long) and part (2, string), partitioned by part if wanted.
  TableMetadata fresh(const Identifier& name, bool partitioned, const Properties& properties = {}) {
    Schema schema;
    schema.fields = {{1, "id", primitive_type(TypeKind::kLong), false, ""},
                     {2, "part", primitive_type(TypeKind::kString), false, ""}};
    PartitionSpec spec;
    if (partitioned) spec.fields = {{2, 0, "part", parse_transform("identity")}};
    return new_table_metadata(schema, spec, {}, catalog_->default_location(name), properties,
                              1'700'000'000'000);
  }
  Identifier create(const std::string& name, bool partitioned = false,
                    const Properties& properties = {}) {
    const Identifier id{{"s"}, name};
    catalog_->create(id, fresh(id, partitioned, properties));
    return id;
  }
  Table load(const Identifier& name) { return catalog_->load(name); }

  /// Writes a file below the table's data folder; `low` and `high` bound its ids.
  DataFile write(const Table& table, int64_t records, const std::string& part = "", int64_t low = 0,
                 int64_t high = 1000) {
    static std::atomic<uint64_t> number{0};
    DataFile file;
    file.path = fmt::format("{}/data/{}-{}-{}.parquet", table.metadata->location, getpid(),
                            base::random_id(), number++);
    file.records = records;
    file.bytes = content(file.path).size();
    if (!table.metadata->spec().fields.empty()) file.partition = {Value(part)};
    const Type type = primitive_type(TypeKind::kLong);
    const std::string lower = to_bytes(type, Value(low)), upper = to_bytes(type, Value(high));
    file.metrics.set({1, 10, records, 0, -1, lower, upper});
    files_.write(file.path, content(file.path), "application/octet-stream");
    return file;
  }
  /// Position deletes from one data file, or from any of its partition.
  DataFile write_deletes(const Table& table, const DataFile& of, int64_t records,
                         bool only_this = true) {
    DataFile file = write(table, records);
    file.content = FileContent::kPositionDeletes;
    file.partition = of.partition;
    file.metrics = {};
    if (only_this) file.referenced_data_file = of.path;
    return file;
  }
  DataFile write_equality_deletes(const Table& table, int64_t records,
                                  const std::string& part = "") {
    DataFile file = write(table, records, part);
    file.content = FileContent::kEqualityDeletes;
    file.equality_ids = {1};
    file.metrics = {};
    return file;
  }
  static std::string content(const std::string& path) { return "rows of " + path; }

  SnapshotChange change(const Table& table, std::vector<DataFile> data = {},
                        std::vector<std::string> removed = {}) {
    SnapshotChange change;
    change.table_uuid = table.metadata->uuid;
    change.read_snapshot_id = table.metadata->current_snapshot_id;
    for (DataFile& file : data) {
      change.data.push_back({std::move(file), table.metadata->default_spec_id});
    }
    change.removed = std::move(removed);
    return change;
  }
  Table commit(const Identifier& name, SnapshotChange change, const AlsoCommit& also = nullptr) {
    return commit(*catalog_, name, std::move(change), also);
  }
  Table commit(Catalog& catalog, const Identifier& name, SnapshotChange change,
               const AlsoCommit& also = nullptr) {
    std::vector<std::pair<Identifier, SnapshotChange>> changes;
    changes.emplace_back(name, std::move(change));
    return lake::commit(catalog, cache_, std::move(changes), also).front();
  }
  /// One new file, committed.
  DataFile append(const Identifier& name, int64_t records = 10, const std::string& part = "") {
    const Table table = load(name);
    DataFile file = write(table, records, part);
    commit(name, change(table, {file}));
    return file;
  }

  ScanPlan scan(const Identifier& name, const Predicate& predicate = {}) {
    const Table table = load(name);
    return plan_scan(cache_, *table.metadata, table.metadata->current_snapshot(), predicate);
  }
  /// Paths of the data files that a read of the newest snapshot gets; doubled ones twice.
  std::multiset<std::string> live(const Identifier& name) { return paths(scan(name)); }
  static std::multiset<std::string> paths(const ScanPlan& plan) {
    std::multiset<std::string> paths;
    for (const ScanFile& file : plan.files) paths.insert(file.file->path);
    return paths;
  }

  /// All there is below a table's folder.
  std::set<std::string> stored(const Table& table) {
    const FilePath folder = parse_path(table.metadata->location);
    std::set<std::string> found;
    objects::ListOptions options;
    options.prefix = folder.key + "/";
    for (bool more = true; more;) {
      const objects::Listing page = store_->list(folder.bucket, options);
      for (const auto& object : page.objects) {
        found.insert(fmt::format("s3://{}/{}", folder.bucket, object.key));
      }
      options.after = page.next;
      more = page.truncated;
    }
    return found;
  }
  /// All that the table's metadata names, found without the cache.
  std::set<std::string> needed(const Table& table) {
    ManifestCache cache(files_);
    const TableMetadata& metadata = *table.metadata;
    std::set<std::string> paths{table.metadata_location};
    for (const auto& entry : metadata.metadata_log) paths.insert(entry.metadata_file);
    for (const auto& file : metadata.statistics) paths.insert(file.path);
    for (const Snapshot& snapshot : metadata.snapshots) {
      paths.insert(snapshot.manifest_list);
      const ManifestList list = cache.list(metadata, snapshot);
      for (const ManifestFile& file : *list) {
        paths.insert(file.path);
        const Manifest entries = cache.manifest(metadata, file);
        for (const ManifestEntry& entry : *entries) {
          if (entry.live()) paths.insert(entry.file.path);
        }
      }
    }
    return paths;
  }

 private:
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<meta::Database> database_;
  Files files_;
  ManifestCache cache_;
  std::unique_ptr<Catalog> catalog_;
};

class LakeTest : public testing::Test {
 protected:
  objects::TestFolder folder_;
  TestLake lake_{folder_.path()};
};

/// The error that `action` throws; none is a failure of the test.
template <typename Action>
Error lake_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kGenericInternalError, "");
}

#define EXPECT_LAKE_ERROR(code_, text_, ...)                                     \
  {                                                                              \
    const Error error = ::meesh::lake::lake_error([&] { (void)(__VA_ARGS__); }); \
    EXPECT_EQ(error.code(), code_) << error.what();                              \
    EXPECT_THAT(error.message(), ::testing::HasSubstr(text_));                   \
  }

}  // namespace meesh::lake
