// The catalog of a warehouse: namespaces, tables and views by name, each a pointer to its newest
// metadata file. The pointers stand in the metadata database; changing one is a compare-and-swap,
// so that of two commits on the same base one is done again on the other's result.
//
//   lake::Catalog catalog(database, files, {"main", "s3://datalake/warehouse"});
//   catalog.commit({{name, [&](const Table& base) { return apply(updates, base …); }}});
//
// Thread-safe, also across processes that share the database. A commit returns when the change is
// durable, or throws and it has not happened. One exception has a type of its own: a PostgreSQL
// that is lost in the middle of a commit does not tell (CommitStateUnknown).
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/lru_cache.h"
#include "lake/files.h"
#include "lake/metadata.h"
#include "lake/view_metadata.h"
#include "meta/database.h"

namespace meesh::lake {

using Namespace = std::vector<std::string>;  // levels; none empty
std::string display(const Namespace& name);  // "a.b"

struct Identifier {
  Namespace space;
  std::string name;
  auto operator<=>(const Identifier&) const = default;
  std::string display() const;  // "a.b.name"
};

struct Warehouse {
  std::string name;
  std::string location;  // "s3://bucket/prefix": where new tables go, <location>/<namespace>/<name>
};

struct Table {
  Identifier name;
  std::string metadata_location;  // "" if not created yet (staged)
  std::shared_ptr<const TableMetadata> metadata;
};
struct View {
  Identifier name;
  std::string metadata_location;
  std::shared_ptr<const ViewMetadata> metadata;
};

/// One table's part of a commit. `make` builds the new metadata from the newest there is; it is
/// called again, with a newer one, when somebody else was faster. What it throws ends the commit.
struct TableChange {
  Identifier table;
  std::function<TableMetadata(const Table& base)> make;
};

/// Runs in the transaction that moves the pointers: offsets, lineage, whatever must be true exactly
/// when the commit is.
using AlsoCommit = std::function<void(soci::session&)>;

/// The database was lost while the pointers moved: they may have moved or not. Files of the commit
/// stay; if it was in vain, orphan removal finds them.
class CommitStateUnknown : public Error {
 public:
  using Error::Error;
};

class Catalog {
 public:
  /// Creates its tables in the database. `files` and `database` outlive it.
  Catalog(meta::Database& database, const Files& files, Warehouse warehouse);

  const Warehouse& warehouse() const { return warehouse_; }
  const Files& files() const { return files_; }

  /// Called after every change of what a name of a table or view stands for, once it is durable,
  /// whoever asked for it; by the thread that made it. Quick, and does not throw. To be set before
  /// there are changes.
  void observe(std::function<void(const Identifier&)> observer) { observer_ = std::move(observer); }

  // Namespaces. SCHEMA_NOT_FOUND, SCHEMA_ALREADY_EXISTS, SCHEMA_NOT_EMPTY.
  /// Those directly below `parent` (none = the first level), sorted.
  std::vector<Namespace> namespaces(const Namespace& parent) const;
  bool has_namespace(const Namespace& name) const;
  Properties properties(const Namespace& name) const;
  /// Where tables of the namespace go, which need not be there yet.
  std::string location(const Namespace& name) const;
  /// With a "location" for its tables if none is given.
  /// Its ancestors are made along if they are missing.
  void create_namespace(const Namespace& name, const Properties& properties,
                        const AlsoCommit& also = nullptr);
  void drop_namespace(const Namespace& name, const AlsoCommit& also = nullptr);
  void set_properties(const Namespace& name, const std::function<void(Properties&)>& edit,
                      const AlsoCommit& also = nullptr);

  // Tables. TABLE_NOT_FOUND, TABLE_ALREADY_EXISTS (also if a view has the name).
  std::vector<std::string> tables(const Namespace& space) const;
  std::optional<Table> find(const Identifier& name) const;
  Table load(const Identifier& name) const;
  /// Where a table or view of this name goes unless it is told.
  std::string default_location(const Identifier& name) const;
  /// Throws what create() throws before it writes anything.
  void check_new(const Identifier& name) const;
  /// `instead_of_view`: takes the place of a view of this name, if there is one.
  Table create(const Identifier& name, const TableMetadata& metadata,
               const AlsoCommit& also = nullptr, bool instead_of_view = false);
  /// All or none of them. Throws ICEBERG_COMMIT_ERROR when others have been faster too often.
  std::vector<Table> commit(const std::vector<TableChange>& changes,
                            const AlsoCommit& also = nullptr);
  /// The table as it was; its files stay where they are.
  Table drop(const Identifier& name, const AlsoCommit& also = nullptr);
  void rename(const Identifier& from, const Identifier& to, const AlsoCommit& also = nullptr);
  /// Adopts a metadata file that lies in the warehouse already.
  Table register_table(const Identifier& name, const std::string& metadata_location, bool overwrite,
                       const AlsoCommit& also = nullptr);

  // Views.
  std::vector<std::string> views(const Namespace& space) const;
  std::optional<View> find_view(const Identifier& name) const;
  View load_view(const Identifier& name) const;
  View create_view(const Identifier& name, const ViewMetadata& metadata,
                   const AlsoCommit& also = nullptr);
  /// Adopts a metadata file that lies in the warehouse already.
  View register_view(const Identifier& name, const std::string& metadata_location,
                     const AlsoCommit& also = nullptr);
  View commit_view(const Identifier& name,
                   const std::function<ViewMetadata(const ViewMetadata& base)>& make,
                   const AlsoCommit& also = nullptr);
  void drop_view(const Identifier& name, const AlsoCommit& also = nullptr);
  void rename_view(const Identifier& from, const Identifier& to, const AlsoCommit& also = nullptr);

 private:
  enum class Kind { kTable, kView };
  struct Pointer {
    Kind kind;
    std::string location;
  };
  /// One pointer to be moved: `from` empty = it must not be there yet.
  struct Move {
    Identifier name;
    Kind kind;
    std::string from, to;
  };

  std::optional<Pointer> pointer(const Identifier& name) const;
  std::vector<std::string> names(const Namespace& space, Kind kind) const;
  std::shared_ptr<const TableMetadata> read(const std::string& location) const;
  View read_view(const Identifier& name, const std::string& location) const;
  View write_view(const Identifier& name, const ViewMetadata& metadata,
                  const std::string& previous) const;
  Table write(const Identifier& name, TableMetadata metadata, const Table* base) const;
  bool move_one(soci::session& sql, const Move& move) const;
  /// False if a pointer was not what it should be; then nothing has changed.
  bool swap(const std::vector<Move>& moves, const AlsoCommit& also);
  bool moved(const std::vector<Move>& moves) const;
  bool attempt(const std::vector<TableChange>& changes, const AlsoCommit& also,
               std::vector<Table>& done);
  void tell(const Identifier& name) const;
  void move_name(const Identifier& from, const Identifier& to, Kind kind, const AlsoCommit& also);
  void remove_row(const Identifier& name, Kind kind, const AlsoCommit& also);
  void insert_namespace(soci::session& sql, const Namespace& name, Properties properties) const;
  Properties with_location(const Namespace& name, Properties properties) const;
  void discard(const std::vector<std::string>& files) const;
  void drop_old_metadata(const TableMetadata& before, const TableMetadata& after) const;
  void check_new(const Identifier& name, Kind kind) const;
  std::vector<std::unique_lock<std::mutex>> take_turns(const std::vector<TableChange>& changes);

  meta::Database& database_;
  const Files& files_;
  const Warehouse warehouse_;
  std::function<void(const Identifier&)> observer_;

  mutable base::LruCache<TableMetadata> cache_{size_t{64} << 20};  // by location; weight: JSON

  std::array<std::mutex, 64> turns_;  // commits of this process on one table, by its name's hash
};

}  // namespace meesh::lake
