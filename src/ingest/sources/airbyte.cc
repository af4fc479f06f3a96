#include "ingest/sources/airbyte.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/airbyte/connector.h"
#include "ingest/airbyte/connector_config.h"
#include "ingest/airbyte/reader.h"
#include "mesh/private_files.h"

namespace meesh::ingest {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kCdk = "airbyte-cdk";
constexpr const char* kManifestProgram = "source-declarative-manifest";
constexpr const char* kManifestKey = "__injected_declarative_manifest";
constexpr int64_t kCatalogMs = 15 * 60 * 1000;  // how long one is believed
constexpr int64_t kCommitRows = 200'000;
constexpr auto kCheckPatience = std::chrono::minutes(10);

/// Where things of connectors lie, beside their environments.
struct Places {
  explicit Places(const mesh::Mesh& mesh) : folder(mesh.data / "connectors") {}
  fs::path spec(const ConnectorPackage& package) const {
    return folder / ".specs" / (package.folder() + ".json");
  }
  fs::path catalog(const std::string& source) const {
    return folder / ".catalogs" / (source + ".json");
  }
  fs::path config(const std::string& source) const {
    return folder / ".configs" / (source + ".json");
  }
  fs::path runs() const { return folder / ".runs"; }
  const fs::path folder;
};

/// What was kept; empty if there is nothing, or nothing that can be read.
json::object read_kept(const fs::path& file) {
  const auto text = mesh::read_file(file);
  if (!text) return {};
  boost::system::error_code malformed;
  auto value = json::parse(*text, malformed);
  return !malformed && value.is_object() ? std::move(value.as_object()) : json::object();
}

void keep(const fs::path& file, const json::object& value) {
  fs::create_directories(file.parent_path());
  fs::permissions(file.parent_path(), fs::perms::owner_all);
  mesh::write_file(file, json::serialize(value));
}

/// The log of the server, for what nobody listens to.
TaskContext server_log(const std::string& source) {
  TaskContext context;
  context.log = [source](log::Level level, const std::string& line) {
    log::write(level, line, {{"source", source}});
  };
  return context;
}

class AirbyteSource : public Source {
 public:
  AirbyteSource(SourceConfig config, const Resources& resources)
      : config_(std::move(config)),
        options_(airbyte_options(config_)),
        mesh_(resources.mesh),
        buffers_(resources.buffers),
        places_(resources.mesh),
        environments_(resources.mesh.data, resources.mesh.folder) {}

  std::string_view kind() const override { return "airbyte"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override;

  json::object spec(const TaskContext& context);

 private:
  ConnectorSettings bare_settings(const TaskContext& context) const;
  ConnectorSettings settings(const TaskContext& context);
  json::object manifest() const;
  std::vector<ConnectorStream> streams(bool fresh);
  ConnectorStream stream(const std::string& table);
  /// What the configuration of the file is, to notice that it has changed.
  static std::string mark_of(const json::object& config) {
    return fmt::format("{:016x}", base::checksum(json::serialize(config)));
  }
  std::string shown_name() const {
    if (!options_.manifest.empty()) return fs::path(options_.manifest).filename().string();
    return options_.package.name + " " + options_.package.version;
  }

  const SourceConfig config_;
  const AirbyteOptions& options_;  // of config_
  const mesh::Mesh& mesh_;
  const std::shared_ptr<engine::BufferTables> buffers_;
  const Places places_;
  const ConnectorEnvironments environments_;
};

json::object AirbyteSource::manifest() const {
  const fs::path root = fs::weakly_canonical(mesh_.folder);
  const fs::path file = fs::weakly_canonical(root / options_.manifest);
  const auto [inside, rest] = std::ranges::mismatch(root, file);
  const auto& at = options_.place;
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (inside != root.end() || !in) {
    throw Error(Code::kConfigInvalid,
                inside != root.end()
                    ? fmt::format("'{}' is not in the mesh's folder", options_.manifest)
                    : fmt::format("cannot read {}", file.string()),
                {at.line, at.column, options_.file})
        .with_hint("manifest: a file in the mesh's folder, such as connectors/orders.yaml");
  }
  const auto value = json_of(yaml::parse(text, (mesh_.shown / options_.manifest).string()).root);
  if (value.is_object() && value.as_object().contains("streams")) return value.as_object();
  throw Error(Code::kConfigInvalid, "the manifest has no list of streams",
              {1, 1, (mesh_.shown / options_.manifest).string()});
}

/// Without a configuration; the environment is made if it is not there.
ConnectorSettings AirbyteSource::bare_settings(const TaskContext& context) const {
  ConnectorSettings settings;
  settings.environment = environments_.install(options_.package, context);
  settings.program = options_.manifest.empty() ? options_.package.name : kManifestProgram;
  settings.name = shown_name();
  settings.runs = places_.runs();
  settings.silence = options_.timeout;
  settings.memory = options_.memory;
  return settings;
}

json::object AirbyteSource::spec(const TaskContext& context) {
  if (!options_.manifest.empty()) {
    const auto own = object_of(manifest(), "spec");
    return {{"connectionSpecification", object_of(own, "connection_specification")},
            {"documentationUrl", text_of(own, "documentation_url")}};
  }
  const fs::path file = places_.spec(options_.package);
  if (auto kept = read_kept(file); !kept.empty()) return kept;
  auto found = connector_spec(bare_settings(context), context);
  keep(file, found);
  return found;
}

/// Throws ConfigError with every mistake of `config`.
ConnectorSettings AirbyteSource::settings(const TaskContext& context) {
  const auto schema = object_of(spec(context), "connectionSpecification");
  std::vector<Error> problems;
  auto settings = bare_settings(context);
  settings.config = check_config(schema, options_.config, options_.file, problems);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  const std::string mark = mark_of(settings.config.value);
  const fs::path kept_file = places_.config(config_.name);
  const auto kept = read_kept(kept_file);
  if (text_of(kept, "of") == mark) {
    // Renewed tokens are as secret as those they replace.
    for (const auto& [key, value] : object_of(kept, "config"))
      if (value.is_string() && settings.config.value[key] != value)
        settings.config.secrets.add(std::string(value.as_string()));
    settings.config.value = object_of(kept, "config");
  }
  settings.keep_config = [kept_file, mark](json::object changed) {
    changed.erase(kManifestKey);
    keep(kept_file, {{"of", mark}, {"config", std::move(changed)}});
  };
  if (!options_.manifest.empty()) settings.config.value[kManifestKey] = manifest();
  return settings;
}

std::vector<ConnectorStream> AirbyteSource::streams(bool fresh) {
  const auto context = server_log(config_.name);
  auto settings = this->settings(context);
  const fs::path file = places_.catalog(config_.name);
  const std::string mark =
      settings.environment.package.folder() + " " + mark_of(settings.config.value);
  const auto kept = read_kept(file);
  if (!fresh && text_of(kept, "of") == mark &&
      base::now_ms() - static_cast<int64_t>(number_of(kept, "at", 0)) < kCatalogMs)
    return read_catalog(object_of(kept, "catalog"));
  if (settings.silence.count() == 0 || settings.silence > kCheckPatience)
    settings.silence = kCheckPatience;
  auto catalog = discover_streams(settings, context);
  auto streams = read_catalog(catalog);
  keep(file, {{"of", mark}, {"at", base::now_ms()}, {"catalog", std::move(catalog)}});
  return streams;
}

std::string AirbyteSource::check() {
  const auto context = server_log(config_.name);
  auto settings = this->settings(context);
  if (settings.silence.count() == 0 || settings.silence > kCheckPatience)
    settings.silence = kCheckPatience;
  const std::string said = check_connector(settings, context);
  const size_t count = streams(true).size();
  for (const auto& [name, table] : config_.tables) stream(name);
  return fmt::format("{}, {} streams{}{}", settings.name, count, said.empty() ? "" : "; ", said);
}

std::vector<Stream> AirbyteSource::discover() {
  std::vector<Stream> all;
  for (const auto& one : streams(true)) all.push_back(stream_of(one, config_.name, shown_name()));
  std::ranges::sort(all, {}, &Stream::name);
  return all;
}

ConnectorStream AirbyteSource::stream(const std::string& table) {
  std::vector<std::string> names;
  for (const bool fresh : {false, true}) {
    names.clear();
    for (auto& one : streams(fresh)) {
      if (one.table == table) return std::move(one);
      names.push_back(one.table);
    }
  }
  throw Error(Code::kTableNotFound,
              fmt::format("the connector {} has no stream '{}'", shown_name(), table))
      .with_hint(base::did_you_mean(table, names, "its streams: "));
}

Stream AirbyteSource::describe(const TableConfig& table) {
  try {
    return stream_of(stream(table.name), config_.name, shown_name());
  } catch (Error& error) {
    if (error.code() == Code::kTableNotFound && table.line > 0)
      error.at(config_.file.string(), table.line, table.column);
    throw;
  }
}

std::unique_ptr<Reader> AirbyteSource::read(ReadRequest request) {
  auto found = stream(request.table.name);
  auto forget = [file = places_.catalog(config_.name)] {
    std::error_code ignored;
    fs::remove(file, ignored);
  };
  PortionSize size;
  size.rows = options_.commit_rows;
  return make_airbyte_reader(settings(server_log(config_.name)), config_, std::move(request),
                             std::move(found), buffers_, std::move(forget), size);
}

// ---- sources/*.yaml

std::optional<std::chrono::seconds> seconds_of(const std::string& text) {
  const auto count = std::strtoll(text.c_str(), nullptr, 10);
  switch (text.empty() ? '\0' : text.back()) {
    case 's':
      return std::chrono::seconds(count);
    case 'm':
      return std::chrono::minutes(count);
    case 'h':
      return std::chrono::hours(count);
    default:
      return std::nullopt;
  }
}

void read_airbyte(const ConfigReader& reader, SourceConfig& config) {
  auto options = std::make_shared<AirbyteOptions>();
  const yaml::Node& root = reader.root();
  const auto* connector = root.find("connector");
  const auto* manifest = root.find("manifest");
  options->file = config.file.string();
  if ((connector == nullptr) == (manifest == nullptr)) {
    reader.complain(root, "a source of kind airbyte needs one of 'connector' and 'manifest'",
                    "connector: source-faker, or manifest: connectors/orders.yaml");
  }
  if (manifest) {
    options->manifest = manifest->text;
    options->place = *manifest;
    options->package = {kCdk, text_or(root, "version", known_version(kCdk))};
  } else if (connector) {
    options->place = *connector;
    options->package = {connector->text, text_or(root, "version")};
    if (options->package.version.empty()) {
      const std::string known = known_version(connector->text);
      reader.complain(*connector, "the connector's version is missing",
                      known.empty() ? fmt::format("meesh ingest connectors install {} tells the "
                                                  "newest",
                                                  connector->text)
                                    : "version: " + known);
    }
  }
  if (const auto* given = root.find("config")) {
    options->config = *given;
    if (given->kind != yaml::Node::Kind::kMap && given->kind != yaml::Node::Kind::kNull)
      reader.complain(*given, "'config' is a mapping");
  }
  options->memory = base::parse_size(text_or(root, "memory", "2GB")).value_or(0);
  options->timeout = seconds_of(text_or(root, "timeout", "30m")).value_or(std::chrono::hours(1));
  const auto* rows = root.find("commit_rows");
  options->commit_rows =
      static_cast<uint64_t>(rows ? rows->integer().value_or(kCommitRows) : kCommitRows);
  config.options = std::move(options);
}

std::vector<base::Shape> airbyte_keys() {
  return {
      base::optional(
          "connector",
          base::matching("A Python connector of the package index, without 'airbyte-'.",
                         "^source-[a-z0-9][a-z0-9-]*$", "a connector such as source-faker", 100)),
      base::optional("version", base::matching("The connector's version, exactly; of a manifest, "
                                               "airbyte-cdk's.",
                                               kVersionPattern, "a version such as 6.2.1", 40)),
      base::optional(
          "manifest",
          base::matching("A manifest-only connector: its YAML file in the mesh's folder.",
                         "^[^\\r\\n]+\\.ya?ml$", "a YAML file", 500)),
      base::optional("config", base::any("What the connector's spec asks for; write ${NAME} to "
                                         "keep secrets out of git.")),
      base::optional("memory", base::size("The connector is stopped if it uses more."), "2GB"),
      base::optional("timeout",
                     base::matching("The connector is stopped if it says nothing for so long.",
                                    "^[1-9][0-9]{0,4}[smh]$", "a time such as 30m"),
                     "30m"),
      base::optional("commit_rows",
                     base::integer("incremental: rows are committed with the first state after so "
                                   "many records (or 128 MB, or a minute).",
                                   1, 100'000'000),
                     "200000")};
}

}  // namespace

const AirbyteOptions& airbyte_options(const SourceConfig& config) {
  return dynamic_cast<const AirbyteOptions&>(*config.options);
}

json::object airbyte_spec(const SourceConfig& config, const Resources& resources) {
  return AirbyteSource(config, resources).spec(server_log(config.name));
}

json::object airbyte_spec(const ConnectorPackage& package, const mesh::Mesh& mesh,
                          const TaskContext& context) {
  const Places places(mesh);
  ConnectorSettings settings;
  settings.environment = ConnectorEnvironments(mesh.data, mesh.folder).install(package, context);
  const auto& installed = settings.environment.package;
  if (auto kept = read_kept(places.spec(installed)); !kept.empty()) return kept;
  settings.program = installed.name;
  settings.name = installed.name + " " + installed.version;
  settings.runs = places.runs();
  settings.silence = kCheckPatience;
  auto found = connector_spec(settings, context);
  keep(places.spec(installed), found);
  return found;
}

json::object airbyte_last_catalog(const std::string& source, const mesh::Mesh& mesh) {
  return object_of(read_kept(Places(mesh).catalog(source)), "catalog");
}

Kind airbyte_kind() {
  Kind kind;
  kind.word = "airbyte";
  kind.doc = "Airbyte's connectors: Python packages and manifests.";
  kind.keys = airbyte_keys();
  kind.modes = {"full_refresh", "incremental"};
  kind.table_name_pattern = "^[^\\s\"/]{1,128}$";
  kind.table_name_means = "a stream's name";
  kind.read = read_airbyte;
  kind.open = [](const SourceConfig& config, const Resources& resources) {
    return std::unique_ptr<Source>(new AirbyteSource(config, resources));
  };
  kind.attach = [](const SourceConfig&, const Resources& resources) {
    PrivateFolder::clean(Places(resources.mesh).runs());
  };
  return kind;
}

}  // namespace meesh::ingest
