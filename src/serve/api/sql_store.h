// What the SQL lab keeps in the metadata database: queries that people saved, and the statements
// that ran.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "meta/database.h"

namespace meesh::serve::api {

/// A query somebody saved. Others see it when it is for everyone; only its owner (or an
/// administrator, if it is for everyone) changes it.
struct SavedQuery {
  std::string id, owner, name, description, statement, catalog, schema;
  bool everyone = false;
  int64_t created_ms = 0, updated_ms = 0;
};

/// A statement that ended.
struct PastStatement {
  std::string id;  // the query's
  std::string user, source, catalog, schema, statement;
  std::string state;  // FINISHED, FAILED, CANCELED
  int64_t started_ms = 0, elapsed_ms = 0;
  uint64_t rows = 0;  // returned, or changed by a statement that returns none
  std::string error, error_code;
};

/// Where a page of a list begins: behind the entry with this time and id.
struct Behind {
  int64_t time_ms = 0;
  std::string id;
};

/// Thread-safe.
class SqlStore {
 public:
  /// Of statements that ran, these many are kept.
  static constexpr int kMostHistory = 10'000;

  /// Makes its tables.
  explicit SqlStore(meta::Database& database);

  /// Newest first: of the user and for everyone, whose name or text holds `search`.
  std::vector<SavedQuery> saved(const std::string& user, const std::string& search,
                                const std::optional<Behind>& behind, int limit) const;
  /// Those for everyone, newest first.
  std::vector<SavedQuery> for_everyone(int limit) const;
  std::optional<SavedQuery> find(const std::string& id) const;
  void add(const SavedQuery& query);
  /// Replaces all but id, owner and created_ms; false if it is gone.
  bool replace(const SavedQuery& query);
  bool remove(const std::string& id);
  /// Called after each change of saved queries, on the thread that made it; set before use.
  void on_change(std::function<void()> told) { changed_ = std::move(told); }

  /// Newest first; `user` "" = of everybody.
  std::vector<PastStatement> history(const std::string& user, const std::string& search,
                                     const std::optional<Behind>& behind, int limit) const;
  /// In one transaction; the oldest leave.
  void add(const std::vector<PastStatement>& statements);

 private:
  void changed() const {
    if (changed_) changed_();
  }

  meta::Database& database_;
  std::function<void()> changed_;
};

}  // namespace meesh::serve::api
