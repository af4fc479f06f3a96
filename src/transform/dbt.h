// The real dbt (dbt-core with dbt-trino, in a Python environment of its own) over the projects of a
// mesh: the folders dbt/<project>/ with a dbt_project.yml. Its statements come to our own server as
// those of any other client.
//
//   Dbt dbt(options);
//   DbtResult result = dbt.run({.project = "datamesh", .command = "build"}, context,
//                              [](const DbtEvent& event) { … });   // each model as it goes
//   for (const DbtNode& node : dbt.nodes("datamesh")) use(node.relation, node.depends_on);
//
// One Python process a project is kept warm between commands (starting one costs seconds of CPU)
// and does one command at a time; several projects run side by side. What dbt writes is kept under
// the data folder (with its partial parse) and put into a bucket: <project>/<run id>/ and
// <project>/latest/, each with manifest.json, run_results.json, catalog.json, sources.json and
// index.html as far as the command made them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "governance/lineage_store.h"
#include "objects/store.h"
#include "transform/dbt_event.h"
#include "transform/dbt_manifest.h"

namespace meesh::transform {

/// Our own server, as programs on this machine reach it.
struct DbtServer {
  std::string host = "127.0.0.1";
  int port = 8080;
  bool tls = false;
  std::filesystem::path certificate;  // PEM to know it by; empty: what the system trusts
  std::string token;                  // that it lets in by; "" = it asks for none
};

struct DbtOptions {
  std::filesystem::path projects;  // the mesh's folder `dbt`; need not exist
  std::filesystem::path data;      // made on first use: targets, logs, profiles
  std::filesystem::path python;    // of dbt's environment; missing: UNAVAILABLE on use, with a hint
  std::function<DbtServer()> server;  // asked for each command: its port may be chosen late
  std::string user = "admin";         // who dbt is to the server
  std::string catalog = "lake";       // of generated profiles
  objects::Store* store = nullptr;    // null: artifacts stay on disk alone
  governance::LineageStore* lineage = nullptr;  // hears of nodes that fail; may be null
  std::string bucket = "dbt-artifacts";
  std::chrono::seconds idle{600};  // a process without work ends after so long
};

struct DbtRequest {
  std::string project;
  std::string command;  // run, build, test, seed, snapshot, docs, compile, parse, freshness
  std::vector<std::string> select, exclude;  // as dbt writes selectors
  /// Beside the task's parameters that dbt_project.yml declares as vars.
  std::map<std::string, std::string> vars;
  bool full_refresh = false;
  std::string target;  // of the profile; "" = its default
  int threads = 0;     // 0 = the profile's
};

struct DbtResult {
  bool good = false;              // dbt says the command succeeded
  std::vector<DbtNodeRun> nodes;  // ended, in the order they did
  double seconds = 0;             // of the whole command
  double node_seconds = 0;        // all nodes' own times together
  std::string invocation;         // dbt's id of it
  size_t count(std::string_view status) const;
};

/// Thread-safe.
class Dbt {
 public:
  explicit Dbt(DbtOptions options);
  ~Dbt();  // ends the processes
  Dbt(const Dbt&) = delete;
  Dbt& operator=(const Dbt&) = delete;

  /// Folder names under `projects` that have a dbt_project.yml, sorted.
  std::vector<std::string> projects() const;

  /// Runs one command to its end. `on_node` is called on a thread of ours, first with "started".
  /// A command that failed for its nodes' sake is a result that is not good; one that dbt could not
  /// do at all (a project with mistakes, a lost server) is thrown as GENERIC_USER_ERROR with dbt's
  /// words. USER_CANCELED when a stop was asked for: dbt is ended and its statements cancelled.
  /// NOT_FOUND for an unknown project, INVALID_ARGUMENTS for another command.
  DbtResult run(const DbtRequest& request, const TaskContext& context,
                const std::function<void(const DbtNodeRun&)>& on_node = {});

  /// What the project is made of, as dbt reads it now (parsed again only if a file changed).
  /// Throws as run().
  std::vector<DbtNode> nodes(const std::string& project, const TaskContext& context = {});

  /// A changed project has another number; cheap (times and sizes of its files).
  uint64_t fingerprint(const std::string& project) const;

  /// The newest artifact of a project ("index.html", "manifest.json", …); nothing if there is none.
  std::optional<std::string> artifact(const std::string& project, const std::string& name) const;

  /// Of one project since the start, for metrics.
  struct Totals {
    std::map<std::string, uint64_t> models, tests;  // by status; seeds and snapshots are models
    uint64_t commands = 0, failed_commands = 0;
    double last_seconds = 0;
  };
  std::map<std::string, Totals> totals() const;  // by project

  const DbtOptions& options() const { return options_; }

 private:
  struct Place;  // a project's folders and process

  Place& place(const std::string& project);
  DbtEvent invoke(Place& place, std::vector<std::string> arguments, const TaskContext& context,
                  const std::function<void(const DbtNodeRun&)>& on_node);
  void keep(const Place& place, const std::string& run_id,
            std::filesystem::file_time_type since) const;
  void count(const DbtRequest& request, const DbtResult& result);
  void tell_lineage(const DbtNodeRun& failed, const TaskContext& context) const;

  const DbtOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Place>> places_;  // guarded; never removed
  std::map<std::string, Totals> totals_;                  // guarded
};

}  // namespace meesh::transform
