#include "ingest/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

#include "base/clock.h"
#include "base/json_schema.h"
#include "base/text.h"
#include "base/uuid.h"
#include "ingest/followers.h"
#include "ingest/kinds.h"
#include "ingest/ledger.h"
#include "ingest/proposal.h"
#include "ingest/sync.h"

namespace meesh::ingest {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFolder = "sources";
constexpr const char* kFilesCatalog = "$files";
constexpr const char* kBuffersCatalog = "$ingest";

std::vector<SourceConfig> load(const mesh::Mesh& mesh) {
  mesh::MeshFiles files(mesh);
  auto sources = read_sources(files);
  files.finish();
  return sources;
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

struct Ingest::Impl {
  explicit Impl(const Environment& given)
      : environment(given),
        ledger(given.database, host_name() + ":" + given.mesh.data.string()),
        files(std::make_shared<engine::FileTables>(kFilesCatalog, given.mesh.folder,
                                                   given.mesh.data / "ingest", given.store,
                                                   engine::AuthorizeObject())),
        buffers(std::make_shared<engine::BufferTables>(kBuffersCatalog)),
        resources{given.engine, given.mesh, given.store, environment.catalogs, files, buffers} {
    auto configs = load(given.mesh);
    std::error_code ignored;
    fs::remove_all(given.mesh.data / "ingest", ignored);  // what a killed run staged
    environment.engine.add_catalog(engine::make_files_catalog(files));
    environment.engine.add_catalog(engine::make_buffers_catalog(buffers));
    for (auto& config : configs) take_in(std::move(config));
  }
  ~Impl() {
    followers.stop();
    for (const auto& [name, config] : sources) detach(config);
    environment.engine.drop_catalog(kBuffersCatalog);
    environment.engine.drop_catalog(kFilesCatalog);
  }

  void attach(const SourceConfig& config) const {
    if (const auto& kind = kind_of(config); kind.attach) kind.attach(config, resources);
  }
  void detach(const SourceConfig& config) const {
    if (const auto& kind = kind_of(config); kind.detach) kind.detach(config, resources);
  }

  /// Caller holds the lock, or is alone.
  void take_in(SourceConfig config) {
    attach(config);
    const std::string name = config.name;
    sources.emplace(name, std::move(config));
  }

  SourceConfig config(const std::string& name) const {
    std::lock_guard lock(mutex);
    const auto found = sources.find(name);
    if (found != sources.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, config] : sources) names.push_back(known);
    throw Error(Code::kNotFound, fmt::format("there is no source '{}'", name))
        .with_hint(names.empty() ? "meesh ingest add makes one"
                                 : base::did_you_mean(name, names, "sources: "));
  }

  std::unique_ptr<Source> open(const SourceConfig& config) const {
    return kind_of(config).open(config, resources);
  }

  /// What follows the changes of the source's tables of mode cdc.
  std::unique_ptr<Capture> open_capture(const SourceConfig& config) {
    std::vector<TableConfig> tables;
    std::map<std::string, std::shared_ptr<const SaltTable>> salts;
    for (const auto& [name, table] : config.tables) {
      if (table.mode != Mode::kCdc) continue;
      tables.push_back(table);
      salts[name] = std::make_shared<const SaltTable>(*buffers, config, table);
    }
    auto changes = open(config)->changes();
    if (!changes) internal_error("a kind has mode cdc and gives no changes: " + config.kind);
    CaptureEnvironment around{
        environment.engine, ledger, buffers, landing_place(environment.mesh, config), {}};
    around.salt = [salts](const TableConfig& table) { return salts.at(table.name)->name(); };
    return std::make_unique<Capture>(std::move(around), config, std::move(changes),
                                     std::move(tables));
  }

  /// What a source tells of itself, and whether its changes can be followed if they are to be.
  std::string check(const SourceConfig& config, Source& source) {
    std::string told = source.check();
    const auto captured = [](const auto& table) { return table.second.mode == Mode::kCdc; };
    if (std::ranges::none_of(config.tables, captured)) return told;
    for (const auto& note : open_capture(config)->check()) told += "\n" + note;
    return told;
  }

  Environment environment;
  Ledger ledger;
  const std::shared_ptr<engine::FileTables> files;
  const std::shared_ptr<engine::BufferTables> buffers;
  const Resources resources;
  std::mutex adding;  // one source at a time is tried out; taken before `mutex`
  mutable std::mutex mutex;
  std::map<std::string, SourceConfig> sources;            // guarded by mutex
  std::set<std::pair<std::string, std::string>> running;  // guarded by mutex
  std::atomic<bool> follows = false;                      // between start() and stop()
  Followers followers{ledger, [this](const SourceConfig& config) { return open_capture(config); }};
};

Ingest::Ingest(const Environment& environment) : impl_(std::make_unique<Impl>(environment)) {}
Ingest::~Ingest() = default;

void Ingest::start() {
  impl_->follows = true;
  for (const auto& config : sources())
    if (config.continuous) impl_->followers.follow(config);
}

void Ingest::stop() {
  impl_->follows = false;
  impl_->followers.stop();
}

std::optional<CaptureStatus> Ingest::changes(const std::string& source) const {
  return impl_->followers.status(source);
}

std::vector<SourceConfig> Ingest::sources() const {
  std::lock_guard lock(impl_->mutex);
  std::vector<SourceConfig> all;
  for (const auto& [name, config] : impl_->sources) all.push_back(config);
  return all;
}

SourceConfig Ingest::source(const std::string& name) const { return impl_->config(name); }

std::vector<TableConfig> Ingest::streams(const std::string& source) {
  const auto config = impl_->config(source);
  std::vector<TableConfig> tables;
  for (const auto& [name, table] : config.tables) tables.push_back(table);
  if (!config.all_tables) return tables;
  for (const auto& stream : impl_->open(config)->discover())
    if (!stream.is_view) tables.push_back(*config.table(stream.name));
  return tables;
}

std::string Ingest::check(const std::string& source) {
  const auto config = impl_->config(source);
  return impl_->check(config, *impl_->open(config));
}

std::vector<Stream> Ingest::discover(const std::string& source) {
  return impl_->open(impl_->config(source))->discover();
}

std::string Ingest::file(const std::string& source) const {
  impl_->config(source);
  const fs::path path = impl_->environment.mesh.folder / kFolder / (source + ".yaml");
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw Error(Code::kIoError, fmt::format("cannot read {}", path.string()));
  return text;
}

std::string Ingest::propose(const std::string& source) {
  const auto config = impl_->config(source);
  return propose_source(config, file(source), impl_->open(config)->discover());
}

namespace {

/// A stream that nobody else syncs as long as this lives; with the stream "", all of the source.
class Claim {
 public:
  Claim(std::mutex& mutex, std::set<std::pair<std::string, std::string>>& running,
        std::pair<std::string, std::string> stream)
      : mutex_(mutex), running_(running), stream_(std::move(stream)) {
    std::lock_guard lock(mutex_);
    for (const auto& [source, taken] : running_) {
      if (source != stream_.first) continue;
      if (!stream_.second.empty() && !taken.empty() && taken != stream_.second) continue;
      throw Error(Code::kAlreadyExists,
                  taken.empty() ? fmt::format("the source {} is being changed now", source)
                                : fmt::format("{}.{} is being synced now", source, taken))
          .with_hint("meesh ingest status tells how far it is");
    }
    running_.insert(stream_);
  }
  ~Claim() {
    std::lock_guard lock(mutex_);
    running_.erase(stream_);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  std::mutex& mutex_;
  std::set<std::pair<std::string, std::string>>& running_;
  const std::pair<std::string, std::string> stream_;
};

SyncRecord record_of(const SyncResult& result, const TaskContext& context) {
  SyncRecord record;
  record.id = base::random_uuid();
  record.source = result.source;
  record.stream = result.stream;
  record.table = result.table;
  record.run_id = context.run_id;
  record.run_date = result.run_date;
  record.mode = mode_name(result.mode);
  record.state = "running";
  record.started_ms = base::now_ms();
  return record;
}

void finish(Ledger& ledger, SyncRecord& record, SyncResult& result) {
  record.ended_ms = base::now_ms();
  record.rows = result.rows;
  record.bytes = result.bytes;
  record.rejected = result.rejected;
  result.seconds = static_cast<double>(record.ended_ms - record.started_ms) / 1000;
  ledger.end(record);
}

}  // namespace

SyncResult Ingest::sync(const std::string& source, const std::string& stream,
                        const SyncOptions& options, const TaskContext& context) {
  const auto config = impl_->config(source);
  const auto table = config.table(stream);
  if (!table) {
    std::vector<std::string> names;
    for (const auto& [name, known] : config.tables) names.push_back(name);
    throw Error(Code::kNotFound, fmt::format("the source '{}' takes no '{}'", source, stream))
        .with_hint(base::did_you_mean(stream, names, "its tables: "));
  }
  const std::string date =
      checked_run_date(options.run_date.empty() ? context.parameter("run_date") : options.run_date);
  const Claim claim(impl_->mutex, impl_->running, {source, stream});
  SyncResult result;
  result.source = source;
  result.stream = stream;
  result.table = config.full_name(*table);
  result.run_date = date;
  result.mode = options.full_refresh ? Mode::kFullRefresh : table->mode;
  auto record = record_of(result, context);
  impl_->ledger.begin(record);
  try {
    if (table->mode == Mode::kCdc) {
      const auto landed = impl_->followers.catch_up(config, stream, options.full_refresh, context);
      result.rows = landed.rows;
      result.rejected = landed.rejected;
    } else {
      const auto opened = impl_->open(config);
      const SaltTable salt(*impl_->buffers, config, *table);
      Sync(impl_->environment, impl_->ledger, *opened, config, *table, date, salt.name(), context)
          .run(options.full_refresh, result);
    }
  } catch (const std::exception& error) {
    record.state = context.stop.stop_requested() ? "canceled" : "failed";
    record.error = error.what();
    finish(impl_->ledger, record, result);
    if (auto* lineage = impl_->environment.lineage) {
      const governance::Time started{std::chrono::milliseconds(record.started_ms)};
      lineage->record(
          governance::failure_of(work_of(config, *table), context, started, error.what()));
    }
    throw;
  }
  record.state = "succeeded";
  finish(impl_->ledger, record, result);
  return result;
}

namespace {

/// A source as somebody proposes it, not in the folder yet. Throws ConfigError with every mistake.
SourceConfig proposed(const mesh::Mesh& mesh, const std::string& name, const std::string& yaml) {
  std::vector<Error> problems;
  auto document = yaml::parse(yaml, (mesh.shown / kFolder / (name + ".yaml")).string());
  document.substitute(mesh.secret, problems);
  base::check(source_shape(), document, problems);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  auto config = read_source(document, problems);
  if (flag(document.root, "allow_outside")) {
    problems.push_back(Error(Code::kConfigInvalid,
                             "'allow_outside' is written into the file by whoever owns the mesh"));
  }
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  return config;
}

}  // namespace

namespace {

/// sources/<name>.yaml, whole or not at all.
void write_file(const mesh::Mesh& mesh, const std::string& name, const std::string& yaml) {
  const fs::path folder = mesh.folder / kFolder;
  fs::create_directories(folder);
  const fs::path unfinished = folder / ("." + name + ".yaml.new");
  std::ofstream(unfinished, std::ios::binary) << yaml;
  fs::rename(unfinished, folder / (name + ".yaml"));
}

}  // namespace

void Ingest::need_new(const std::string& name) const {
  if (!valid_source_name(name)) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is no name of a source", name))
        .with_hint("lower-case letters, digits and _, beginning with a letter");
  }
  const fs::path file = impl_->environment.mesh.folder / kFolder / (name + ".yaml");
  std::lock_guard lock(impl_->mutex);
  std::error_code ignored;
  if (!impl_->sources.contains(name) && !fs::exists(file, ignored)) return;
  throw Error(Code::kAlreadyExists, fmt::format("there is a source '{}' already", name))
      .with_hint(fmt::format("it is {}", file.string()));
}

std::string Ingest::change(const std::string& name, const std::string& yaml) {
  const std::lock_guard adding(impl_->adding);
  const auto before = impl_->config(name);
  const auto config = proposed(impl_->environment.mesh, name, yaml);
  const Claim claim(impl_->mutex, impl_->running, {name, ""});  // of the whole source
  impl_->followers.drop(name);
  impl_->detach(before);
  const auto take_in = [&](const SourceConfig& taken) {
    std::lock_guard lock(impl_->mutex);
    impl_->sources.erase(name);
    impl_->take_in(taken);
    if (taken.continuous && impl_->follows) impl_->followers.follow(taken);
  };
  std::string told;
  try {
    told = try_out(config, false).message;
    write_file(impl_->environment.mesh, name, yaml);
  } catch (...) {
    take_in(before);
    throw;
  }
  take_in(config);
  return told;
}

std::string Ingest::add(const std::string& name, const std::string& yaml) {
  const std::lock_guard adding(impl_->adding);
  need_new(name);
  auto config = proposed(impl_->environment.mesh, name, yaml);
  std::string told = try_out(config, false).message;
  write_file(impl_->environment.mesh, name, yaml);
  std::lock_guard lock(impl_->mutex);
  impl_->take_in(config);
  if (config.continuous && impl_->follows) impl_->followers.follow(config);
  return told;
}

Trial Ingest::try_out(const std::string& name, const std::string& yaml) {
  const std::lock_guard adding(impl_->adding);
  need_new(name);
  auto config = proposed(impl_->environment.mesh, name, yaml);
  return try_out(config, true);
}

Trial Ingest::try_out(const SourceConfig& config, bool discover) {
  impl_->attach(config);
  const std::shared_ptr<void> drop(nullptr, [&](void*) { impl_->detach(config); });
  const auto source = impl_->open(config);
  Trial trial{impl_->check(config, *source), {}};
  if (discover) trial.streams = source->discover();
  return trial;
}

std::vector<StreamState> Ingest::state(const std::string& source) const {
  const auto config = impl_->config(source);
  const auto positions = impl_->ledger.positions(source);
  std::map<std::string, StreamState> states;
  const auto add = [&](const std::string& stream) -> StreamState& {
    StreamState& state = states[stream];
    state.stream = stream;
    const auto table = config.table(stream);
    state.configured = table.has_value();
    if (table) {
      state.table = config.full_name(*table);
      state.mode = mode_name(table->mode);
    }
    return state;
  };
  for (const auto& [name, table] : config.tables) add(name);
  for (const auto& [name, position] : positions) {
    if (const size_t mark = name.find('#'); mark != std::string::npos) {
      const std::string stream = name.substr(0, mark);
      if (name == current_of(stream)) add(stream).merged = boost::json::serialize(position.value);
      continue;
    }
    auto& state = add(name);
    state.moved_ms = position.moved_ms;
    if (!position.value.is_null()) state.position = boost::json::serialize(position.value);
  }
  std::vector<StreamState> all;
  for (auto& [name, state] : states) all.push_back(std::move(state));
  return all;
}

void Ingest::set_state(const std::string& source, const std::string& stream,
                       const std::string& json) {
  const auto config = impl_->config(source);
  const auto known = state(source);
  if (std::ranges::find(known, stream, &StreamState::stream) == known.end() && !config.all_tables) {
    std::vector<std::string> names;
    for (const auto& one : known) names.push_back(one.stream);
    throw Error(Code::kNotFound, fmt::format("the source '{}' takes no '{}'", source, stream))
        .with_hint(base::did_you_mean(stream, names, "its tables: "));
  }
  boost::json::value position;
  if (!json.empty()) {
    boost::system::error_code wrong;
    position = boost::json::parse(json, wrong);
    if (wrong || !position.is_object())
      throw Error(Code::kInvalidArguments, "a position is a JSON object")
          .with_hint(fmt::format("meesh ingest state show {} shows such", source));
  }
  const Claim claim(impl_->mutex, impl_->running, {source, stream});
  impl_->ledger.set(source, stream, position);
}

std::vector<StreamStatus> Ingest::status() const {
  auto all = impl_->ledger.status();
  for (auto& one : all) {
    const auto position = impl_->ledger.position(one.source, one.stream);
    if (position.version > 0) one.position = boost::json::serialize(position.value);
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->sources.find(one.source);
    if (found == impl_->sources.end()) continue;
    if (const auto table = found->second.table(one.stream)) {
      one.table = found->second.full_name(*table);
      one.mode = mode_name(table->mode);
    }
  }
  return all;
}

std::vector<SyncRecord> Ingest::history(const std::string& source, const std::string& stream,
                                        size_t limit) const {
  return impl_->ledger.history(source, stream, limit);
}

}  // namespace meesh::ingest
