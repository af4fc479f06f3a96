#include "ingest/airbyte/connector.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdlib>

#include "base/uuid.h"
#include "mesh/private_files.h"

namespace meesh::ingest {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kLongestLog = 2000;
constexpr uint64_t kMostNoise = 20;  // lines that are told

/// Calls a console script by its name: an environment may be moved, the scripts' own paths not.
constexpr const char* kStart =
    "import sys, importlib.metadata as m\n"
    "name = sys.argv.pop(1)\n"
    "found = [e for e in m.entry_points(group='console_scripts') if e.name == name]\n"
    "if not found: sys.exit('the package has no program ' + name)\n"
    "sys.argv[0] = name\n"
    "sys.exit(found[0].load()())\n";

/// Nothing of ours but where the network is: our environment may hold secrets.
std::vector<std::string> environment_of(const fs::path& folder) {
  std::vector<std::string> kept = {"LANG=C.UTF-8", "TZ=UTC", "PYTHONIOENCODING=utf-8",
                                   "HOME=" + folder.string(), "TMPDIR=" + folder.string()};
  for (const char* name :
       {"PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "AIRBYTE_ENABLE_UNSAFE_CODE"}) {
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

ChildLines::Options options_of(const ConnectorSettings& settings, const std::string& command,
                               const PrivateFolder& folder,
                               const std::vector<std::pair<std::string, json::value>>& files) {
  ChildLines::Options options;
  options.name = settings.name;
  options.silence = settings.silence;
  options.memory = settings.memory;
  auto& run = options.command;
  run.arguments = {settings.environment.python().string(), "-c", kStart, settings.program, command};
  if (command != "spec") {
    run.arguments.insert(run.arguments.end(),
                         {"--config", folder.write("config", settings.config.value).string()});
  }
  for (const auto& [name, value] : files)
    run.arguments.insert(run.arguments.end(), {"--" + name, folder.write(name, value).string()});
  run.environment = environment_of(folder.path());
  run.inherit_environment = false;
  run.directory = folder.path();
  return options;
}

log::Level level_of(const std::string& word) {
  if (word == "FATAL" || word == "ERROR") return log::Level::kError;
  if (word == "WARN") return log::Level::kWarn;
  return word == "INFO" ? log::Level::kInfo : log::Level::kDebug;
}

/// The only message of its type that a command gives.
json::object only_answer(const ConnectorSettings& settings, const std::string& command,
                         Message::Type type, const TaskContext& context) {
  ConnectorRun run(settings, command, {}, context);
  std::optional<json::object> answer;
  while (const auto* message = run.next(context))
    if (message->type == type) answer = message->body;
  if (answer) return *std::move(answer);
  throw Error(Code::kGenericExternal,
              fmt::format("{} gave no answer to '{}'", settings.name, command));
}

}  // namespace

// ---- PrivateFolder

PrivateFolder::PrivateFolder(const fs::path& runs)
    : path_(runs / fmt::format("{}-{}", ::getpid(), base::random_uuid())) {
  fs::create_directories(runs);
  mesh::make_folder(path_, 0700);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path PrivateFolder::write(const std::string& name, const json::value& value) const {
  const fs::path file = path_ / (name + ".json");
  mesh::write_file(file, json::serialize(value));
  return file;
}

void PrivateFolder::clean(const fs::path& runs) {
  const std::string own = fmt::format("{}-", ::getpid());
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(runs, missing)) {
    if (entry.path().filename().string().starts_with(own)) continue;
    for (const pid_t pid : process::processes_in(entry.path())) ::kill(pid, SIGKILL);
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
}

// ---- ConnectorRun

ConnectorRun::ConnectorRun(const ConnectorSettings& settings, const std::string& command,
                           const std::vector<std::pair<std::string, json::value>>& files,
                           const TaskContext& context)
    : settings_(settings),
      folder_(settings.runs),
      child_(options_of(settings, command, folder_, files)) {
  context.check();
}

std::string ConnectorRun::safe(std::string_view text) const {
  std::string shown = settings_.config.secrets.hide(text);
  if (shown.size() > kLongestLog) shown = shown.substr(0, kLongestLog) + "…";
  return shown;
}

const Message* ConnectorRun::next(const TaskContext& context) {
  using Type = Message::Type;
  while (const auto line = child_.next(context.stop)) {
    const Message& message = reader_.read(*line, child_.readable());
    switch (message.type) {
      case Type::kNone:
        take_noise(*line, context);
        break;
      case Type::kLog:
        take_log(message.body, context);
        break;
      case Type::kTrace:
        take_trace(message.body, context);
        break;
      case Type::kControl:
        take_control(message.body, context);
        break;
      default:
        return &message;
    }
  }
  if (!ended_) end(context);
  return nullptr;
}

void ConnectorRun::take_noise(std::string_view line, const TaskContext& context) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  if (++noise_ <= kMostNoise) context.info(safe(line));
  if (noise_ == kMostNoise)
    context.warn(
        fmt::format("{} prints what is no message; no more of it is shown", settings_.name));
}

void ConnectorRun::take_log(const json::object& log, const TaskContext& context) {
  const auto level = level_of(text_of(log, "level"));
  const std::string text = text_of(log, "message");
  // A stack trace stays behind its first line.
  const bool failed = level == log::Level::kError;
  if (level != log::Level::kDebug)
    context.log(level, safe(failed ? text.substr(0, text.find('\n')) : text));
}

void ConnectorRun::take_trace(const json::object& trace, const TaskContext& context) {
  const std::string type = text_of(trace, "type");
  if (type == "ERROR") {
    if (error_.empty()) error_ = object_of(trace, "error");
    const std::string internal = text_of(object_of(trace, "error"), "internal_message");
    if (!internal.empty()) context.warn(safe(internal));
  } else if (type == "ESTIMATE") {
    const double rows = number_of(object_of(trace, "estimate"), "row_estimate", -1);
    if (rows > 0) estimated_rows_ = rows;
  } else if (type == "STREAM_STATUS") {
    if (text_of(object_of(trace, "stream_status"), "status") == "INCOMPLETE") incomplete_ = true;
  }
}

void ConnectorRun::take_control(const json::object& control, const TaskContext& context) {
  if (text_of(control, "type") != "CONNECTOR_CONFIG") return;
  const auto config = object_of(object_of(control, "connectorConfig"), "config");
  if (config.empty() || !settings_.keep_config) return;
  settings_.keep_config(config);
  context.info(fmt::format("{} has changed its configuration; it is kept for its next runs",
                           settings_.name));
}

void ConnectorRun::end(const TaskContext& context) {
  ended_ = true;
  const auto exit = child_.finish();
  if (!error_.empty()) fail_as_told();
  const auto& said = child_.errors();
  if (!exit.good()) {
    for (const auto& line : said) context.warn(safe(line));
    throw Error(Code::kGenericExternal,
                fmt::format("{} ended with {}{}", settings_.name, exit.words(),
                            said.empty() ? "" : ": " + safe(said.back())));
  }
  if (incomplete_)
    throw Error(Code::kGenericExternal,
                fmt::format("{} ended in the middle of a stream", settings_.name));
}

void ConnectorRun::fail_as_told() const {
  std::string text = text_of(error_, "message");
  if (text.empty()) text = text_of(error_, "internal_message");
  const bool config = text_of(error_, "failure_type") == "config_error";
  Error error(config ? Code::kConfigInvalid : Code::kGenericExternal,
              fmt::format("{}: {}", settings_.name, safe(text)));
  if (config) error.with_hint("mend 'config' in the source's file");
  throw error;
}

// ---- commands

json::object connector_spec(const ConnectorSettings& settings, const TaskContext& context) {
  return only_answer(settings, "spec", Message::Type::kSpec, context);
}

std::string check_connector(const ConnectorSettings& settings, const TaskContext& context) {
  const auto status = only_answer(settings, "check", Message::Type::kStatus, context);
  const std::string said = settings.config.secrets.hide(text_of(status, "message"));
  if (text_of(status, "status") == "SUCCEEDED") return said;
  throw Error(Code::kGenericExternal,
              fmt::format("{}: {}", settings.name, said.empty() ? "the connection fails" : said));
}

json::object discover_streams(const ConnectorSettings& settings, const TaskContext& context) {
  return only_answer(settings, "discover", Message::Type::kCatalog, context);
}

}  // namespace meesh::ingest
