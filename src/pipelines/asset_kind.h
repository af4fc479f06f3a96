// Kinds of assets as pipelines see them: an adapter over the room that does the work. A kind reads
// its part of a pipeline file and gives assets; an asset says what it reads and makes, and runs.
//
//   class SqlKind : public AssetKind { word() = "sql"; … parse() gives one asset, a model };
//
// Whatever an asset does must be safe to do again: a server that was killed runs the steps anew
// that had not ended.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json_schema.h"
#include "base/task.h"
#include "base/yaml.h"
#include "mesh/mesh_files.h"

namespace soci {
class session;
}

namespace meesh::pipelines {

/// A table that is read, and where that is written (file:line:column).
struct TableUse {
  std::string table;  // catalog.schema.table, lower case, unquoted
  Location where;
};

/// A parameter of every run: "true" where incremental things are made anew.
inline constexpr const char* kFullRefresh = "full_refresh";

/// What a step came to, for people and for its history.
struct StepResult {
  std::optional<uint64_t> rows;  // written
  std::string message;           // one line
  boost::json::object metadata;
};

enum class PartState { kRunning, kSucceeded, kFailed, kSkipped };

/// A step is one run of an asset in a pipeline's run.
struct StepContext {
  TaskContext task;
  std::string pipeline, step;
  int attempt = 1;
  /// Some assets are many in one (a dbt project's models): parts that are wanted (empty: all),
  /// those that earlier attempts in this run have brought to their end, and whom to tell of one's
  /// state.
  std::set<std::string> wanted_parts, finished_parts;
  std::function<void(const std::string& part, PartState, const StepResult&)> part =
      [](const std::string&, PartState, const StepResult&) {};
  /// For the transaction that publishes all a step makes: says there that it has succeeded, so that
  /// it is not made again whatever happens next. Throws if another server has done so. Where there
  /// is no such transaction it need not be called; what ran is known once run() has returned.
  std::function<void(soci::session&)> succeeded = [](soci::session&) {};
};

class Asset {
 public:
  virtual ~Asset() = default;
  /// Tables it makes, full names in lower case. "lake.bronze.*": whatever of that schema no other
  /// asset makes.
  virtual std::vector<std::string> outputs() const = 0;
  virtual std::vector<TableUse> inputs() const = 0;
  /// Names of what it is made of, if it reports on parts; outputs of the same name are those
  /// parts'.
  virtual std::vector<std::string> parts() const { return {}; }
  virtual std::vector<std::string> tags() const { return {}; }
  /// Throws an Error when it failed, promptly once `context.task.stop` is requested.
  virtual StepResult run(const StepContext& context) = 0;
};

/// What a kind reads an asset from. `node` has been checked against the kind's shape.
struct AssetSource {
  std::string name;        // its key in the pipeline file
  const yaml::Node& node;  // the asset's mapping
  const yaml::Document& document;
  std::string pipeline;
  std::map<std::string, std::string> parameters;  // the pipeline's own, as defaults
  mesh::MeshFiles& files;
};

struct NamedAsset {
  std::string name;
  std::unique_ptr<Asset> asset;
};

class AssetKind {
 public:
  virtual ~AssetKind() = default;
  /// The key that makes an asset one of this kind: "sql" in `{ sql: file.sql }`.
  virtual std::string_view word() const = 0;
  /// Keys it knows beside the common ones (depends_on, retries, timeout, pool, tags, description);
  /// the first is `word()` itself, required.
  virtual std::vector<base::Shape> shape() const = 0;
  /// One or several. Mistakes go into source.files.problems(), or are thrown.
  virtual std::vector<NamedAsset> parse(const AssetSource& source) = 0;
  /// Pipelines that other files of the mesh ask for, as files of pipelines/ would describe them,
  /// not checked yet.
  virtual std::vector<yaml::Document> implied() { return {}; }
  /// Whether what the kind's assets depend on (beside the pipelines' files) has changed on disk.
  virtual uint64_t fingerprint() { return 0; }
  /// A kind may learn in the background what its assets are made of. Until it has settled, what
  /// parse() gave knows less than it will; references to it are not judged yet.
  virtual bool settled() { return true; }
  virtual void settle() {}
};
using AssetKinds = std::vector<std::unique_ptr<AssetKind>>;

}  // namespace meesh::pipelines
