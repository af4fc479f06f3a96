// SQL models: a table or view that is made by a query. Where checks of severity error stand with
// it, it is written, audited and then published: if one of them fails nothing has changed, and
// readers keep what was there.
//
//   auto model = parse_model("lake.gold.rfm", node, document, "pipelines", files);
//   ModelResult result = Models(engine, quality).run(*model, context);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"
#include "engine/engine.h"
#include "governance/lineage_store.h"
#include "mesh/mesh_files.h"
#include "quality/quality.h"

namespace meesh::transform {

struct Model {
  enum class Kind { kView, kTable, kIncremental, kMaterializedView };
  /// How the rows of a run join those that an incremental model has.
  enum class Strategy { kAppend, kMerge, kDeleteInsert, kReplacePartition };
  /// Of an incremental model: the query's columns are not the table's.
  enum class SchemaChange { kFail, kIgnore, kAppendNewColumns };

  std::string name;  // catalog.schema.table, lower case
  std::string sql;   // a query; {{ run_date }} is a parameter, {{ this }} the model's table
  Kind kind = Kind::kTable;
  Strategy strategy = Strategy::kAppend;
  SchemaChange on_schema_change = SchemaChange::kFail;
  std::vector<std::string> unique_key;  // kMerge, kDeleteInsert
  /// Condition over the query's columns that new rows meet; once the table is there. May read
  /// {{ this }}.
  std::string new_rows;
  /// Column and value, both as text; {{ run_date }} may stand in the value. The model adds these
  /// columns, the table is partitioned by them, and a run replaces its partition.
  std::vector<std::pair<std::string, std::string>> partition;
  std::vector<std::pair<std::string, std::string>> properties;  // WITH (name = SQL text)
  std::vector<quality::Check> checks;
  std::string suite;  // whose checks they are, in results: the file they stand in
  Location location;  // of the SQL text
};

/// The keys of a model in a pipeline's file; the first is `sql`.
std::vector<base::Shape> model_shape();
/// `folder`: which the file of `sql: NAME.sql` is relative to, in the mesh. Nothing if there are
/// mistakes; they are in files.problems() then.
std::optional<Model> parse_model(const std::string& name, const yaml::Node& node,
                                 const yaml::Document& document,
                                 const std::filesystem::path& folder, mesh::MeshFiles& files);

struct ModelResult {
  std::string action;  // "created", "replaced", "inserted", "merged", "refreshed", "view"
  std::optional<uint64_t> rows;
  std::vector<quality::CheckResult> checks;
};

/// Models of one mesh. Thread-safe; two runs of one model at a time are the caller's to prevent.
class Models {
 public:
  /// Its statements are those of `user`. `lineage` hears of models that fail; it may be null.
  Models(engine::Engine& engine, quality::Quality& quality, std::string user = "meesh",
         governance::LineageStore* lineage = nullptr)
      : engine_(engine), quality_(quality), user_(std::move(user)), lineage_(lineage) {}

  /// `full_refresh`: an incremental model is made anew.
  /// `also`: for the transaction that publishes, where the model lies in a lake; else it is not
  /// called. Throws CONSTRAINT_VIOLATION if a check of severity error fails; nothing is published
  /// then.
  ModelResult run(const Model& model, const TaskContext& context, bool full_refresh = false,
                  const std::function<void(soci::session&)>& also = {});

 private:
  engine::Engine& engine_;
  quality::Quality& quality_;
  const std::string user_;
  governance::LineageStore* const lineage_;
};

}  // namespace meesh::transform
