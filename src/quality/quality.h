// What tables are worth: checks are run, their results kept, scores made of them, and profiles
// taken.
//
//   Quality quality(engine, database, load_suites(files));
//   auto results = quality.run(suite, context);
//   if (blocks(results)) throw failed(results);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/engine.h"
#include "mesh/mesh_files.h"
#include "meta/database.h"
#include "quality/check.h"
#include "quality/history.h"
#include "quality/profile.h"

namespace meesh::quality {

/// Checks of one table that belong together.
struct Suite {
  std::string name;   // where they are written: "checks/orders.yaml"
  std::string table;  // catalog.schema.table
  std::vector<Check> checks;
};

/// The shape of checks/*.yaml.
base::Shape checks_file_shape();
/// The checks of checks/*.yaml and contracts/*.yaml; mistakes go to the files' problems.
std::vector<Suite> load_suites(mesh::MeshFiles& files, const mesh::Mesh& mesh);

/// Whether a check of severity error did not pass.
bool blocks(const std::vector<CheckResult>& results);
/// CONSTRAINT_VIOLATION that names the checks of severity error that did not pass.
Error failure(const std::vector<CheckResult>& results);

class Quality {
 public:
  /// Its statements are those of `user`. All but the suites outlive it. Throws CONFIG_INVALID if
  /// the database is newer than the program.
  Quality(engine::Engine& engine, meta::Database& database, const mesh::Mesh& mesh,
          std::vector<Suite> suites, std::string user = "meesh");

  /// Runs the checks and keeps their results. A check that cannot be run (its column is gone) has
  /// the outcome kError and does not hold up the others. Throws for what concerns all: the table
  /// cannot be read, the task was cancelled.
  /// `candidate`: SQL under which the table is read instead of its name, "" = its name.
  /// `each`: called with every result as it is known.
  std::vector<CheckResult> run(const Suite& suite, const TaskContext& context,
                               const std::string& candidate = "",
                               const std::function<void(const CheckResult&)>& each = {});

  /// Throws as the engine does for a table that is not there.
  Profile profile(const std::string& table, const ProfileOptions& options,
                  const TaskContext& context);

  const std::vector<Suite>& suites() const { return suites_; }
  /// Those of a table (catalog.schema.table), or the one of this name.
  std::vector<const Suite*> find(const std::string& table_or_name) const;

  History& history() { return history_; }
  /// 0 to 100, by table: see docs/quality.md. Tables without results are not there.
  std::vector<Score> table_scores();
  /// The same for the products of the mesh whose tables have results.
  std::vector<Score> product_scores();

 private:
  engine::Engine& engine_;
  const mesh::Mesh& mesh_;
  const std::vector<Suite> suites_;
  const std::string user_;
  History history_;
};

}  // namespace meesh::quality
