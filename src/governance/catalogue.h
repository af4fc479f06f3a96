// The catalogue: everything the mesh has, found by its words, with what people say of it, what
// flows to it along lineage, and how much it is used.
//
//   Catalogue catalogue(engine, database, mesh, options);   // throws mesh::ConfigError
//   catalogue.start();                                      // fills the index in the background
//   catalogue.search({.text = "rfm"});
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "governance/annotations.h"
#include "governance/catalogue_files.h"
#include "governance/catalogue_propagation.h"
#include "governance/catalogue_tables.h"
#include "governance/search_index.h"
#include "governance/usage.h"
#include "mesh/mesh.h"
#include "meta/database.h"

namespace meesh::governance {

struct CatalogueOptions {
  /// What other rooms have, by kind of origin. Called on the catalogue's own thread.
  std::map<std::string, std::function<std::vector<SearchEntry>()>> origins;
  /// The tables that a statement reads, as catalog.schema.table; may throw.
  std::function<std::vector<std::string>(const std::string& sql, const std::string& catalog,
                                         const std::string& schema)>
      tables_read;
};

/// Owner of an asset: said of it, or its domain's team.
struct Ownership {
  std::string domain, owner;
  bool of_domain = false;  // nobody said it of the asset itself
};

/// Thread-safe.
class Catalogue {
 public:
  /// All outlive it.
  Catalogue(engine::Engine& engine, meta::Database& database, const mesh::Mesh& mesh,
            CatalogueOptions options);
  ~Catalogue();
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  void start();
  void stop();
  /// A table of the lake, or a file of the mesh, changed. Quick.
  void changed();

  SearchAnswer search(const SearchQuery& query);
  std::optional<SearchEntry> entry(const std::string& kind, const std::string& name) const {
    return index_.find(kind, name);
  }
  /// A table as it was last seen; nothing if there is none of this name.
  std::optional<TableFact> table(const std::string& name) const;
  /// The same; where none is known yet, its catalog is asked, at most once a second.
  std::optional<TableFact> find_table(const std::string& name);
  std::vector<TableFact> tables() const;
  Ownership ownership(const std::string& asset) const;

  CatalogueFiles& files() { return files_; }
  Usage& usage() { return usage_; }
  /// What columns have because of others, as of now.
  std::shared_ptr<const Inheritance> inherited();
  const mesh::Mesh& mesh() const { return mesh_; }
  /// Whether everything was looked at once since the start.
  bool ready() const;
  /// Milliseconds since 1970 when the tables' index was last brought up to date.
  int64_t refreshed_ms() const;
  /// Looks at everything now, on the caller's thread.
  void refresh();
  /// What is said of the asset changed, through files(): searches know it when this returns.
  void noted(const std::string& asset);
  /// The same of terms.
  void index_terms();
  /// The same of all that an origin of the options has.
  void origin_changed(const std::string& origin);

 private:
  void work(const std::stop_token& stop);
  /// Lets what belongs to the same change arrive.
  void pause(const std::stop_token& stop);
  void count_statements();
  void refresh_catalogs(bool all, const std::stop_token& stop);
  void index_catalog(const std::string& catalog, const std::vector<TableFact>& tables);
  SearchEntry entry_of(const TableFact& table, const Notes& notes) const;
  bool indexed(const std::string& catalog) const;
  /// How often tables are used, as a power of two, so that it seldom changes.
  std::map<std::string, int> weights();
  void refresh_origins();
  void refresh_origin(const std::string& origin, const Notes& notes);
  void annotate(SearchEntry& entry, const std::string& asset, const Notes& notes) const;

  engine::Engine& engine_;
  meta::Database& database_;
  const mesh::Mesh& mesh_;
  const CatalogueOptions options_;
  CatalogueFiles files_;
  Usage usage_;
  SearchIndex index_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool changed_ = false;  // guarded, as all below
  bool ready_ = false;
  int64_t refreshed_ms_ = 0;
  mutable int64_t asked_ms_ = 0;  // when somebody last did
  std::map<std::string, std::vector<TableFact>> catalogs_;
  std::map<std::string, std::pair<std::string, size_t>> places_;  // table → catalog, position
  std::map<std::string, std::map<std::string, int64_t>> seen_;    // changed_ms of a shape
  std::shared_ptr<const Inheritance> inherited_;
  std::pair<uint64_t, std::shared_ptr<const Notes>> inherited_of_;
  std::map<std::string, int64_t> asked_for_;  // catalog → when it was last asked for a table
  std::set<std::string> counted_;             // statements that ended; of the worker alone

  std::mutex refreshing_;  // one at a time
  std::jthread worker_;
};

}  // namespace meesh::governance
