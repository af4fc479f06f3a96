// { dbt: datamesh, select: [tag:nightly] }: a dbt project; each of its models is a part with a
// state of its own.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "pipelines/kinds/kinds.h"

namespace meesh::pipelines {
namespace {

using transform::DbtNode;

bool makes_table(const DbtNode& node) {
  return !node.relation.empty() && node.resource_type != "source";
}

/// Commands that look at what others have made.
bool only_reads(const std::string& command) {
  return command == "test" || command == "docs" || command == "freshness";
}

PartState part_state(const transform::DbtNodeRun& node) {
  if (node.status == "started") return PartState::kRunning;
  if (node.status == "skipped") return PartState::kSkipped;
  return node.failed() ? PartState::kFailed : PartState::kSucceeded;
}

class DbtAsset : public Asset {
 public:
  DbtAsset(transform::Dbt& dbt, transform::DbtRequest request, std::vector<DbtNode> nodes,
           Location where)
      : dbt_(dbt), request_(std::move(request)), nodes_(std::move(nodes)) {
    for (const DbtNode& node : nodes_) {
      if (!makes_table(node)) continue;
      if (only_reads(request_.command)) {
        inputs_.push_back({node.relation, where});
      } else {
        outputs_.push_back(node.relation);
      }
    }
    // Sources, and other projects' tables: whatever a node reads and none here makes.
    for (const DbtNode& node : nodes_) {
      if (node.resource_type == "source") continue;
      for (const std::string& table : transform::tables_read(nodes_, node)) {
        if (std::ranges::find(outputs_, table) != outputs_.end()) continue;
        if (std::ranges::find(inputs_, table, &TableUse::table) != inputs_.end()) continue;
        inputs_.push_back({table, where});
      }
    }
  }

  std::vector<std::string> outputs() const override { return outputs_; }
  std::vector<TableUse> inputs() const override { return inputs_; }
  std::vector<std::string> parts() const override { return outputs_; }

  StepResult run(const StepContext& context) override {
    transform::DbtRequest request = request_;
    // dbt's other commands do not know the flag.
    if (request.command == "build" || request.command == "run" || request.command == "seed") {
      request.full_refresh |= context.task.parameter(kFullRefresh) == "true";
    }
    if (!context.wanted_parts.empty()) request.select = ids_of(context.wanted_parts);
    for (std::string& id : done_with(context.finished_parts)) {
      request.exclude.push_back(std::move(id));
    }
    size_t done = 0;
    const auto result = dbt_.run(request, context.task, [&](const transform::DbtNodeRun& node) {
      StepResult part;
      part.rows = node.rows;
      part.message = node.message;
      part.metadata = {{"id", node.id}, {"type", node.resource_type}, {"status", node.status}};
      if (node.failures) part.metadata["failures"] = *node.failures;
      const PartState state = part_state(node);
      if (state != PartState::kRunning) context.task.progress(++done, nodes_.size());
      if (request.command == "docs") return;  // its nodes were not made
      context.part(node.relation.empty() ? node.name : node.relation, state, part);
    });
    std::vector<std::string> failed;
    for (const auto& node : result.nodes) {
      if (node.failed()) failed.push_back(node.name);
    }
    if (!result.good) {
      throw Error(Code::kGenericUserError,
                  fmt::format("{} of {} dbt nodes failed: {}", failed.size(), result.nodes.size(),
                              base::join(failed, ", ")));
    }
    StepResult all;
    all.message = fmt::format("dbt {}: {} nodes in {:.1f} s", request.command, result.nodes.size(),
                              result.seconds);
    all.metadata = {{"nodes", result.nodes.size()},
                    {"seconds", result.seconds},
                    {"node_seconds", result.node_seconds},
                    {"invocation", result.invocation}};
    return all;
  }

 private:
  static bool among(const std::set<std::string>& parts, const DbtNode& node) {
    return parts.contains(makes_table(node) ? node.relation : node.name);
  }

  std::vector<std::string> ids_of(const std::set<std::string>& parts) const {
    std::vector<std::string> ids;
    for (const DbtNode& node : nodes_) {
      if (among(parts, node)) ids.push_back(node.name);
    }
    return ids;
  }

  /// What need not run again. dbt leaves out a node's tests together with it: as long as one of
  /// them has not passed, the node runs again for its sake.
  std::vector<std::string> done_with(const std::set<std::string>& finished) const {
    if (request_.command != "build") return ids_of(finished);
    std::set<std::string> passed;
    for (const DbtNode& node : nodes_) {
      if (among(finished, node)) passed.insert(node.id);
    }
    std::vector<std::string> ids;
    for (const DbtNode& node : nodes_) {
      const auto good = [&](const std::string& check) { return passed.contains(check); };
      if (passed.contains(node.id) && std::ranges::all_of(node.checks, good)) {
        ids.push_back(node.name);
      }
    }
    return ids;
  }

  transform::Dbt& dbt_;
  const transform::DbtRequest request_;
  const std::vector<DbtNode> nodes_;
  std::vector<std::string> outputs_;
  std::vector<TableUse> inputs_;
};

/// What the projects are made of. dbt takes seconds to tell, so it is asked in the background.
class Projects {
 public:
  explicit Projects(transform::Dbt& dbt) : dbt_(dbt) {}
  ~Projects() {
    stop_.request_stop();
    settle();
    for (std::thread& thread : threads_) thread.join();
  }

  /// What is known, perhaps nothing yet.
  std::optional<std::vector<DbtNode>> nodes(const std::string& project) {
    const uint64_t print = fingerprint_of(project);
    const std::lock_guard lock(mutex_);
    Known& known = known_[project];
    if (known.fingerprint != print && !known.asking) {
      known.asking = true;
      known.fingerprint = print;
      known.error.reset();
      threads_.emplace_back([this, project] { ask(project); });
    }
    if (known.asking) return std::nullopt;
    if (known.error && known.error->code() != Code::kUnavailable) throw *known.error;
    return known.nodes;
  }

  bool settled() {
    const std::lock_guard lock(mutex_);
    return std::ranges::none_of(known_, [](const auto& one) { return one.second.asking; });
  }
  void settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return std::ranges::none_of(known_, [](const auto& one) { return one.second.asking; });
    });
  }

  uint64_t fingerprint() {
    std::string all;
    std::vector<std::string> names;
    {
      const std::lock_guard lock(mutex_);
      all = std::to_string(answers_);
      for (const auto& [project, known] : known_) names.push_back(project);
    }
    for (const std::string& name : names) all += fmt::format(" {}", fingerprint_of(name));
    return base::checksum(all);
  }

 private:
  struct Known {
    std::vector<DbtNode> nodes;
    uint64_t fingerprint = 0;
    bool asking = false;
    std::optional<Error> error;
  };

  uint64_t fingerprint_of(const std::string& project) const {
    return dbt_.fingerprint(project) | 1;  // 0 = never asked
  }

  void ask(const std::string& project) {
    std::vector<DbtNode> nodes;
    std::optional<Error> failed;
    try {
      TaskContext task;
      task.stop = stop_.get_token();
      nodes = dbt_.nodes(project, task);
    } catch (const Error& error) {
      failed = error;
      log::warn("dbt does not tell what a project is made of",
                {{"project", project}, {"error", error.what()}});
    }
    {
      const std::lock_guard lock(mutex_);
      Known& known = known_[project];
      known.asking = false;
      known.nodes = std::move(nodes);
      known.error = std::move(failed);
      ++answers_;
    }
    changed_.notify_all();
  }

  transform::Dbt& dbt_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Known> known_;  // guarded, as all here
  uint64_t answers_ = 0;
  std::vector<std::thread> threads_;
};

class DbtKind : public AssetKind {
 public:
  explicit DbtKind(transform::Dbt& dbt) : dbt_(dbt), projects_(dbt) {}
  std::string_view word() const override { return "dbt"; }
  bool settled() override { return projects_.settled(); }
  void settle() override { projects_.settle(); }
  uint64_t fingerprint() override { return projects_.fingerprint(); }

  std::vector<base::Shape> shape() const override { return dbt_keys(); }

  std::vector<NamedAsset> parse(const AssetSource& from) override {
    const yaml::Node& project = *from.node.find("dbt");
    const auto projects = dbt_.projects();
    if (std::ranges::find(projects, project.text) == projects.end()) {
      throw from.document
          .error(Code::kConfigInvalid, fmt::format("there is no dbt project '{}'", project.text),
                 project.line, project.column)
          .with_hint(base::did_you_mean(project.text, projects, "there are "));
    }
    transform::DbtRequest request;
    request.project = project.text;
    request.command = from.node.find("command")->text;
    request.full_refresh = from.node.find("full_refresh")->boolean();
    for (const auto& [key, to] :
         {std::pair{"select", &request.select}, std::pair{"exclude", &request.exclude}}) {
      if (const yaml::Node* list = from.node.find(key)) {
        for (const yaml::Node& item : list->items) to->push_back(item.text);
      }
    }
    if (const yaml::Node* vars = from.node.find("vars")) {
      for (size_t i = 0; i < vars->keys.size(); ++i) {
        request.vars[vars->keys[i].name] = vars->items[i].text;
      }
    }
    if (const yaml::Node* target = from.node.find("target")) request.target = target->text;
    auto nodes = projects_.nodes(project.text).value_or(std::vector<DbtNode>{});
    narrow(nodes, request);
    const Location where{project.line, project.column, from.document.file};
    std::vector<NamedAsset> assets;
    assets.push_back(
        {from.name, std::make_unique<DbtAsset>(dbt_, std::move(request), std::move(nodes), where)});
    return assets;
  }

 private:
  /// Two assets may run two halves of a project. Whether a table is the one's or the other's is
  /// decided by the plain selectors, names and tags; a selector of another kind leaves all to it.
  static void narrow(std::vector<DbtNode>& nodes, const transform::DbtRequest& request) {
    if (request.select.empty()) return;
    const auto plain = [](const std::string& selector) {
      return selector.find_first_of("+*:,@/") == std::string::npos || selector.starts_with("tag:");
    };
    if (!std::ranges::all_of(request.select, plain)) return;
    const auto wanted = [&](const DbtNode& node) {
      return std::ranges::any_of(request.select, [&](const std::string& selector) {
        if (selector.starts_with("tag:")) {
          return std::ranges::find(node.tags, selector.substr(4)) != node.tags.end();
        }
        // A folder's name selects what is in it.
        return node.name == selector ||
               ("/" + node.file).find("/" + selector + "/") != std::string::npos;
      });
    };
    for (DbtNode& node : nodes) {
      if (makes_table(node) && !wanted(node)) node.resource_type = "source";
    }
  }

  transform::Dbt& dbt_;
  Projects projects_;
};

}  // namespace

std::vector<base::Shape> dbt_keys() {
  const auto selectors = [](const char* doc) { return base::list(doc, base::text("Selector.")); };
  return {base::required("dbt", base::text("A project: the folder dbt/NAME.")),
          base::optional("command",
                         base::choice("What dbt does.", {"build", "run", "test", "seed", "snapshot",
                                                         "docs", "freshness"}),
                         "build"),
          base::optional("select", selectors("Only these nodes, as dbt selects.")),
          base::optional("exclude", selectors("Not these nodes.")),
          base::optional("vars", base::map("dbt's variables, over the pipeline's parameters.",
                                           "^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name",
                                           base::text("Value."))),
          base::optional("full_refresh", base::boolean("Makes incremental models anew."), "false"),
          base::optional("target", base::text("Of the profile."))};
}

std::unique_ptr<AssetKind> dbt_kind(transform::Dbt& dbt) { return std::make_unique<DbtKind>(dbt); }

}  // namespace meesh::pipelines
