#include "transform/dbt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "governance/work.h"
#include "transform/dbt_process.h"
#include "transform/dbt_project.h"

namespace meesh::transform {
namespace {

namespace fs = std::filesystem;

/// What a command may leave in the target folder, and its type.
constexpr std::array<std::pair<const char*, const char*>, 5> kArtifacts = {{
    {"manifest.json", "application/json"},
    {"run_results.json", "application/json"},
    {"catalog.json", "application/json"},
    {"sources.json", "application/json"},
    {"index.html", "text/html"},
}};

std::optional<std::string> content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return std::nullopt;
  return text.str();
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", file.string()));
}

const std::map<std::string, std::vector<std::string>>& commands() {
  static const std::map<std::string, std::vector<std::string>> kCommands = {
      {"run", {"run"}},     {"build", {"build"}},           {"test", {"test"}},
      {"seed", {"seed"}},   {"snapshot", {"snapshot"}},     {"compile", {"compile"}},
      {"parse", {"parse"}}, {"docs", {"docs", "generate"}}, {"freshness", {"source", "freshness"}},
  };
  return kCommands;
}

const std::vector<std::string>& command_words(const std::string& command) {
  const auto found = commands().find(command);
  if (found != commands().end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, words] : commands()) names.push_back(name);
  throw Error(Code::kInvalidArguments, fmt::format("dbt has no command '{}' here", command))
      .with_hint(base::did_you_mean(command, names, "there are"));
}

/// Seeds and snapshots count as models.
bool is_test(const DbtNodeRun& node) {
  return node.resource_type == "test" || node.resource_type == "unit_test" ||
         node.resource_type == "source";
}

}  // namespace

struct Dbt::Place {
  std::string project;
  fs::path folder, data;
  std::timed_mutex busy;
  std::unique_ptr<DbtProcess> process;  // made and used under `busy`
  std::mutex mutex;
  std::optional<uint64_t> parsed;  // guarded by mutex: what `nodes` were read from
  std::vector<DbtNode> nodes;      // guarded by mutex

  fs::path target() const { return data / "target"; }
  /// Holds the number of the files that target/manifest.json was made from.
  fs::path mark() const { return data / "manifest.of"; }

  /// Waits for its turn.
  std::unique_lock<std::timed_mutex> enter(const TaskContext& context) {
    std::unique_lock lock(busy, std::defer_lock);
    bool told = false;
    while (!lock.try_lock_for(std::chrono::milliseconds(100))) {
      context.check();
      if (!std::exchange(told, true)) context.info("waiting for another command of this project");
    }
    return lock;
  }
};

size_t DbtResult::count(std::string_view status) const {
  return static_cast<size_t>(
      std::ranges::count_if(nodes, [&](const auto& node) { return node.status == status; }));
}

Dbt::Dbt(DbtOptions options) : options_(std::move(options)) {}
Dbt::~Dbt() = default;

std::vector<std::string> Dbt::projects() const {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(options_.projects, missing)) {
    if (fs::exists(entry.path() / "dbt_project.yml")) names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

Dbt::Place& Dbt::place(const std::string& project) {
  const auto all = projects();
  if (std::ranges::find(all, project) == all.end()) {
    throw Error(Code::kNotFound, fmt::format("there is no dbt project '{}'", project))
        .with_hint(all.empty() ? fmt::format("projects are folders of {} with a dbt_project.yml",
                                             options_.projects.string())
                               : base::did_you_mean(project, all, "there are"));
  }
  const std::lock_guard lock(mutex_);
  auto& found = places_[project];
  if (!found) {
    found = std::make_unique<Place>();
    found->project = project;
    found->folder = fs::absolute(options_.projects / project);
    found->data = fs::absolute(options_.data / project);
  }
  return *found;
}

DbtEvent Dbt::invoke(Place& place, std::vector<std::string> arguments, const TaskContext& context,
                     const std::function<void(const DbtNodeRun&)>& on_node) {
  const DbtProject project = DbtProject::read(place.folder);
  fs::create_directories(place.data);
  const DbtServer server = options_.server();
  fs::path profiles = place.folder;
  if (!project.own_profiles) {
    profiles = place.data;
    write(profiles / "profiles.yml",
          profiles_yml(project.profile, {server.host, server.port, server.tls, server.certificate,
                                         options_.user, options_.catalog, place.project}));
  }
  arguments.insert(arguments.begin(),
                   {"--log-level", "none", "--log-path", (place.data / "logs").string(),
                    "--log-level-file", "info", "--no-use-colors", "--no-use-colors-file"});
  for (const auto& [flag, value] :
       {std::pair("--project-dir", place.folder), std::pair("--profiles-dir", profiles),
        std::pair("--target-path", place.target())}) {
    arguments.insert(arguments.end(), {flag, value.string()});
  }
  if (!project.own_profiles) arguments.insert(arguments.end(), {"--profile", project.profile});
  if (!place.process) {
    place.process = std::make_unique<DbtProcess>(DbtProcess::Options{
        options_.python, place.folder, place.data / "python.log", options_.idle});
  }
  // Whose job a statement is, dbt says itself.
  const std::string tags = base::join(governance::tags_of({}, context), ",");
  const DbtProcess::Environment environment = {{"MEESH_HOST", server.host},
                                               {"MEESH_PORT", std::to_string(server.port)},
                                               {"MEESH_SCHEME", server.tls ? "https" : "http"},
                                               {"MEESH_USER", options_.user},
                                               {"MEESH_TOKEN", server.token},
                                               {"MEESH_CLIENT_TAGS", tags}};
  uint64_t done = 0, total = 0;
  auto end = place.process->run(arguments, environment, context.stop, [&](const DbtEvent& event) {
    if (event.kind == DbtEvent::Kind::kLine) context.log(event.level, event.text);
    if (event.kind == DbtEvent::Kind::kPlan) context.progress(done, total = event.total);
    if (event.kind != DbtEvent::Kind::kNode) return;
    if (!event.node.started()) context.progress(++done, std::max(done, total));
    if (on_node) on_node(event.node);
  });
  if (!end.good && !end.text.empty()) throw Error(Code::kGenericUserError, end.text);
  return end;
}

DbtResult Dbt::run(const DbtRequest& request, const TaskContext& context,
                   const std::function<void(const DbtNodeRun&)>& on_node) {
  std::vector<std::string> arguments = command_words(request.command);
  Place& where = place(request.project);
  const auto turn = where.enter(context);
  const auto add = [&](const char* flag, const std::vector<std::string>& values) {
    if (values.empty()) return;
    arguments.emplace_back(flag);
    arguments.insert(arguments.end(), values.begin(), values.end());
  };
  add("--select", request.select);
  add("--exclude", request.exclude);
  if (request.full_refresh) arguments.emplace_back("--full-refresh");
  if (!request.target.empty()) add("--target", {request.target});
  if (request.threads > 0) add("--threads", {std::to_string(request.threads)});
  boost::json::object vars;
  const auto declared = DbtProject::read(where.folder).vars;
  for (const auto& [name, value] : context.parameters) {
    if (declared.contains(name)) vars[name] = value;
  }
  for (const auto& [name, value] : request.vars) vars[name] = value;
  if (!vars.empty()) add("--vars", {boost::json::serialize(vars)});

  const uint64_t files = fingerprint(request.project);
  const auto since = fs::file_time_type::clock::now();
  DbtResult result;
  const DbtEvent end = invoke(where, std::move(arguments), context, [&](const DbtNodeRun& node) {
    if (!node.started()) {
      result.nodes.push_back(node);
      result.node_seconds += node.seconds;
      if (node.failed()) tell_lineage(node, context);
    }
    if (on_node) on_node(node);
  });
  result.good = end.good;
  result.seconds = end.seconds;
  result.invocation = end.invocation;
  count(request, result);
  write(where.mark(), std::to_string(files));
  try {
    keep(where, context.run_id.empty() ? result.invocation : context.run_id, since);
  } catch (const std::exception& error) {
    context.warn(fmt::format("dbt's artifacts are not in the bucket '{}': {}", options_.bucket,
                             error.what()));
  }
  return result;
}

void Dbt::tell_lineage(const DbtNodeRun& failed, const TaskContext& context) const {
  if (options_.lineage == nullptr) return;
  auto work = governance::work_of_dbt(failed.id);
  work.output = failed.relation;
  const auto took = std::chrono::milliseconds(static_cast<int64_t>(failed.seconds * 1000));
  options_.lineage->record(governance::failure_of(
      work, context, std::chrono::system_clock::now() - took, failed.message));
}

void Dbt::keep(const Place& place, const std::string& run_id, fs::file_time_type since) const {
  if (options_.store == nullptr) return;
  for (const auto& [name, type] : kArtifacts) {
    const fs::path file = place.target() / name;
    std::error_code missing;
    const auto written = fs::last_write_time(file, missing);
    if (missing || written < since) continue;
    const auto bytes = content(file);
    if (!bytes) continue;
    for (const std::string& folder : {run_id, std::string("latest")}) {
      objects::Attributes attributes;
      attributes.content_type = type;
      const auto writer = options_.store->put(
          options_.bucket, fmt::format("{}/{}/{}", place.project, folder, name), attributes, {});
      writer->write(*bytes);
      writer->commit({});
    }
  }
}

void Dbt::count(const DbtRequest& request, const DbtResult& result) {
  const std::lock_guard lock(mutex_);
  Totals& totals = totals_[request.project];
  ++totals.commands;
  if (!result.good) ++totals.failed_commands;
  totals.last_seconds = result.seconds;
  if (request.command == "docs" || request.command == "compile") return;  // nothing was made
  for (const auto& node : result.nodes)
    ++(is_test(node) ? totals.tests : totals.models)[node.status];
}

std::map<std::string, Dbt::Totals> Dbt::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

uint64_t Dbt::fingerprint(const std::string& project) const {
  return dbt_fingerprint(fs::absolute(options_.projects / project));
}

std::vector<DbtNode> Dbt::nodes(const std::string& project, const TaskContext& context) {
  Place& where = place(project);
  const uint64_t files = fingerprint(project);
  {
    const std::lock_guard lock(where.mutex);
    if (where.parsed == files) return where.nodes;
  }
  const auto turn = where.enter(context);
  const fs::path manifest = where.target() / "manifest.json";
  const auto read = [&] {
    const auto text = content(manifest);
    if (!text) throw Error(Code::kIoError, fmt::format("cannot read {}", manifest.string()));
    return read_manifest(*text);
  };
  std::optional<std::vector<DbtNode>> known;
  if (content(where.mark()) == std::to_string(files)) {
    try {
      known = read();
    } catch (const Error&) {
      // Removed, or dbt was killed while it wrote it.
    }
  }
  if (!known) {
    invoke(where, {"parse"}, context, {});
    write(where.mark(), std::to_string(files));
    known = read();
  }
  auto nodes = std::move(*known);
  const std::lock_guard lock(where.mutex);
  where.parsed = files;
  where.nodes = nodes;
  return nodes;
}

std::optional<std::string> Dbt::artifact(const std::string& project,
                                         const std::string& name) const {
  const auto known =
      std::ranges::find_if(kArtifacts, [&](const auto& a) { return name == a.first; });
  const auto all = projects();
  if (known == kArtifacts.end() || std::ranges::find(all, project) == all.end())
    return std::nullopt;
  return content(fs::absolute(options_.data) / project / "target" / name);
}

}  // namespace meesh::transform
