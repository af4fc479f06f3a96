#include "streams/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/shutdown.h"
#include "base/text.h"
#include "mesh/mesh_files.h"
#include "meta/leases.h"
#include "streams/runner.h"

namespace meesh::streams {

namespace {

constexpr std::chrono::seconds kLease{15};

std::vector<StreamConfig> read(const mesh::Mesh& mesh) {
  mesh::MeshFiles files(mesh);
  auto configs = load_streams(files);
  for (auto& config : configs) {
    try {
      analyse(config);
    } catch (const Error& error) {
      files.problems().push_back(error);
    }
  }
  files.finish();
  return configs;
}

}  // namespace

std::string_view state_name(StreamState state) {
  switch (state) {
    case StreamState::kRunning:
      return "RUNNING";
    case StreamState::kPaused:
      return "PAUSED";
    case StreamState::kFinished:
      return "FINISHED";
    case StreamState::kFailed:
      return "FAILED";
    case StreamState::kElsewhere:
      return "ELSEWHERE";
  }
  return "";
}

struct Streams::Impl {
  explicit Impl(const Environment& given)
      : environment(given), progress(given.database), leases(given.database) {
    work = std::make_unique<WorkEnvironment>(WorkEnvironment{given.engine, given.buffers, progress,
                                                             given.mesh.data / "streams",
                                                             given.live, given.mesh.name});
    for (auto& config : read(given.mesh)) {
      const std::string name = config.name;
      runners[name] =
          std::make_unique<StreamRunner>(std::move(config), *work, work->group_of(name));
    }
  }

  StreamRunner& runner(const std::string& name) {
    const auto found = runners.find(name);
    if (found != runners.end()) return *found->second;
    std::vector<std::string> names;
    for (const auto& [known, runner] : runners) names.push_back(known);
    throw Error(Code::kNotFound, fmt::format("There is no stream '{}'", name))
        .with_hint(names.empty() ? "streams are files of the folder streams/"
                                 : "there are: " + base::join(names, ", "));
  }

  /// One server of a mesh runs its streams: takes that right, or keeps it.
  void look_at_lease() {
    try {
      if (lease && !leases.renew(*lease, kLease)) lease.reset();
      if (!lease) lease = leases.acquire("streams", environment.holder, kLease);
    } catch (const Error& error) {
      log::warn("whether this server runs the streams is not known", {{"error", error.what()}});
      lease.reset();
    }
    for (auto& [name, runner] : runners) runner->allow(lease.has_value());
  }

  void give_lease_back() {
    try {
      if (lease) leases.release(*lease);
    } catch (const Error& error) {
      log::warn("a lease ends by itself", {{"name", lease->name}, {"error", error.what()}});
    }
    lease.reset();
  }

  const Environment environment;
  ProgressStore progress;
  meta::Leases leases;
  std::unique_ptr<WorkEnvironment> work;
  std::map<std::string, std::unique_ptr<StreamRunner>> runners;
  std::optional<meta::Lease> lease;  // the keeper's, once there is one
  Stop stop;
  std::thread keeper;
};

Streams::Streams(const Environment& environment) : impl_(std::make_unique<Impl>(environment)) {
  // Known before anybody can ask.
  if (!impl_->runners.empty()) impl_->look_at_lease();
}
Streams::~Streams() { stop(); }

void Streams::start() {
  if (impl_->runners.empty()) return;
  for (auto& [name, runner] : impl_->runners) runner->start();
  impl_->keeper = std::thread([this] {
    do impl_->look_at_lease();
    while (!impl_->stop.sleep_for(kLease / 3));
  });
}

void Streams::stop() {
  impl_->stop.request();
  for (auto& [name, runner] : impl_->runners) runner->ask_to_stop();
  for (auto& [name, runner] : impl_->runners) runner->stop();
  if (impl_->keeper.joinable()) impl_->keeper.join();
  impl_->give_lease_back();
}

std::vector<StreamConfig> Streams::configs() const {
  std::vector<StreamConfig> all;
  for (const auto& [name, runner] : impl_->runners) all.push_back(runner->config());
  return all;
}

std::vector<StreamStatus> Streams::status() const {
  std::vector<StreamStatus> all;
  for (const auto& [name, runner] : impl_->runners) all.push_back(runner->status());
  return all;
}

StreamStatus Streams::status(const std::string& name) const { return impl_->runner(name).status(); }

void Streams::pause(const std::string& name, bool paused) { impl_->runner(name).pause(paused); }

void Streams::reset(const std::string& name, const ResetTo& to, bool truncate) {
  impl_->runner(name).reset(to, truncate);
}

boost::json::object Streams::run(const std::string& name, const TaskContext& context) {
  return impl_->runner(name).run(context);
}

uint64_t Streams::wait_for_commit(const std::string& name, uint64_t seen,
                                  std::chrono::milliseconds at_most) const {
  return impl_->runner(name).wait_for_commit(seen, at_most);
}

boost::json::object Streams::replay(const ReplayRequest& request, const TaskContext& context) {
  StreamConfig config = impl_->runner(request.stream).config();
  auto session = engine::Session();
  session.user = session.original_user = "meesh streams";
  std::vector<std::string> parts;
  for (size_t from = 0; from <= request.into.size();) {
    const size_t dot = std::min(request.into.find('.', from), request.into.size());
    parts.push_back(request.into.substr(from, dot - from));
    from = dot + 1;
  }
  if (parts.size() != 3)
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is no table", request.into))
        .with_hint("catalog.schema.table of the lake");
  const auto there = engine::ask(
      impl_->environment.engine,
      fmt::format("SELECT 1 FROM {}.information_schema.tables WHERE table_schema = {} AND "
                  "table_name = {}",
                  engine::quote_name(parts[0]), engine::quote_text(parts[1]),
                  engine::quote_text(parts[2])),
      session);
  if (!there.rows.empty())
    throw Error(Code::kAlreadyExists, fmt::format("The table '{}' exists already", request.into))
        .with_hint("a replay goes into a new table");
  config.name += "__replay";
  config.trigger.kind = Trigger::Kind::kAvailableNow;
  SinkConfig sink;
  sink.target = request.into;
  sink.key = config.sinks.front().key;
  config.sinks = {sink};
  config.dead_letter = request.into + "__rejected";
  for (auto& source : config.sources)
    source.start = request.from_ms ? std::to_string(*request.from_ms) : "earliest";
  if (config.output == OutputMode::kUpdate) config.output = OutputMode::kComplete;
  impl_->progress.reset(config.name, {});
  BatchWork::forget(impl_->environment.engine, impl_->work->folder, config.name);
  Progress last;
  SessionEvents events;
  events.committed = [&](const Progress&, const Progress& after, const MicroBatch&, int64_t) {
    last = after;
    context.progress(after.messages, 0);
  };
  SessionOptions options;
  options.once = true;
  options.to_ms = request.to_ms;
  {
    StreamSession work(config, *impl_->work, options, events);
    work.run(context.stop, [] { return false; });
  }
  BatchWork::forget(impl_->environment.engine, impl_->work->folder, config.name);
  context.check();
  return {{"stream", request.stream},
          {"into", request.into},
          {"messages", last.messages},
          {"rows", last.rows},
          {"malformed", last.malformed}};
}

}  // namespace meesh::streams
