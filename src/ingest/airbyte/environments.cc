#include "ingest/airbyte/environments.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <sstream>

#include "base/text.h"
#include "base/uuid.h"
#include "ingest/airbyte/child_lines.h"
#include "ingest/airbyte/messages.h"

namespace meesh::ingest {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kDone = "meesh-environment";  // in a folder that is whole
constexpr const char* kLock = "requirements.lock";
constexpr const char* kReport = "report.json";
constexpr auto kPipSilence = std::chrono::minutes(15);

/// What pip and Python may know of our environment: it may hold secrets.
std::vector<std::string> plain_environment() {
  std::vector<std::string> kept = {"LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PIP_NO_INPUT=1",
                                   "PIP_DISABLE_PIP_VERSION_CHECK=1"};
  for (const char* name : {"PATH", "HOME", "TMPDIR", "http_proxy", "https_proxy", "no_proxy",
                           "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
                           "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT",
                           "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_TRUSTED_HOST"}) {
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

std::optional<fs::path> on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path found = fs::path(folder) / program;
    if (folder.starts_with('/') && ::access(found.c_str(), X_OK) == 0) return found;
  }
  return std::nullopt;
}

/// Most connectors are published for 3.10 and 3.11.
fs::path python() {
  for (const char* name : {"python3.11", "python3.10", "python3.12", "python3"})
    if (const auto found = on_path(name)) return *found;
  throw Error(Code::kUnavailable, "connectors need Python, and there is no python3")
      .with_hint("install Python 3.10 or newer with its package venv");
}

/// Runs it to its end, `each` being given its lines. Throws UNAVAILABLE with the last words of what
/// fails.
template <class F>
void run(std::vector<std::string> arguments, const std::string& what, const TaskContext& context,
         F&& each) {
  process::Command command;
  command.arguments = std::move(arguments);
  command.environment = plain_environment();
  command.inherit_environment = false;
  command.directory = "/";
  ChildLines child({.command = command, .name = what, .silence = kPipSilence});
  std::string last;
  while (const auto line = child.next(context.stop)) {
    last = *line;
    each(*line);
  }
  if (child.finish().good()) return;
  for (const auto& line : child.errors())
    if (line.starts_with("ERROR")) last = line;
  if (last.empty() && !child.errors().empty()) last = child.errors().back();
  throw Error(Code::kUnavailable, fmt::format("{} failed: {}", what, last))
      .with_hint("is the package index reachable, and is there such a version for this Python?");
}

std::string distribution(const std::string& name) {
  return name == "airbyte-cdk" ? name : "airbyte-" + name;
}

/// Pinned, with hashes: what pip's report says that it has installed.
std::string lock_text(const fs::path& report) {
  std::ifstream file(report, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto told = json::parse(text).as_object();
  std::vector<std::string> lines;
  for (const auto& one : told.at("install").as_array()) {
    const auto metadata = object_of(one.as_object(), "metadata");
    const auto hashes =
        object_of(object_of(object_of(one.as_object(), "download_info"), "archive_info"), "hashes");
    std::string line =
        fmt::format("{}=={}", text_of(metadata, "name"), text_of(metadata, "version"));
    const std::string hash = text_of(hashes, "sha256");
    if (!hash.empty()) line += fmt::format(" --hash=sha256:{}", hash);
    lines.push_back(line + "\n");
  }
  std::ranges::sort(lines);
  return base::join(lines, "");
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", file.string()));
}

/// One at a time makes an environment.
std::shared_ptr<std::mutex> lock_of(const fs::path& folder) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<std::mutex>> locks;
  const std::lock_guard guard(mutex);
  auto& lock = locks[folder.string()];
  if (!lock) lock = std::make_shared<std::mutex>();
  return lock;
}

bool whole(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kDone, ignored) && fs::exists(folder / "bin" / "python", ignored);
}

std::vector<fs::path> places(const fs::path& own) {
  std::vector<fs::path> all = {own};
  if (const char* shared = std::getenv("MEESH_CONNECTORS"); shared && *shared)
    all.emplace_back(shared);
  return all;
}

}  // namespace

ConnectorPackage parse_package(const std::string& text) {
  ConnectorPackage package;
  const size_t pin = text.find("==");
  package.name = text.substr(0, pin);
  if (package.name.starts_with("airbyte-source-")) package.name.erase(0, 8);
  if (pin != std::string::npos) package.version = text.substr(pin + 2);
  const bool named = std::regex_match(package.name, std::regex(kConnectorPattern));
  const bool pinned =
      pin == std::string::npos || std::regex_match(package.version, std::regex(kVersionPattern));
  if (named && pinned) return package;
  throw Error(Code::kInvalidArguments, fmt::format("'{}' is no connector", text))
      .with_hint("a name such as source-faker, or source-faker==6.2.1");
}

ConnectorEnvironments::ConnectorEnvironments(fs::path data, fs::path mesh)
    : data_(std::move(data)), mesh_(std::move(mesh)) {}

std::optional<ConnectorEnvironment> ConnectorEnvironments::find(
    const ConnectorPackage& package) const {
  for (const auto& place : places(folder())) {
    const fs::path folder = place / package.folder();
    if (whole(folder)) return ConnectorEnvironment{package, folder};
  }
  return std::nullopt;
}

std::vector<ConnectorEnvironment> ConnectorEnvironments::list() const {
  std::map<std::string, ConnectorEnvironment> all;
  static const std::regex name_of("(source-[a-z0-9-]*?|airbyte-cdk)-([0-9][0-9A-Za-z.+!-]*)");
  for (const auto& place : places(folder())) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(place, missing)) {
      std::smatch parts;
      const std::string name = entry.path().filename();
      if (!std::regex_match(name, parts, name_of) || !whole(entry.path())) continue;
      all.try_emplace(name, ConnectorEnvironment{{parts[1], parts[2]}, entry.path()});
    }
  }
  std::vector<ConnectorEnvironment> out;
  for (auto& [name, environment] : all) out.push_back(std::move(environment));
  return out;
}

/// Asks pip for the versions of that one name.
std::string ConnectorEnvironments::newest(const std::string& name,
                                          const TaskContext& context) const {
  const fs::path scratch = folder() / (".pip-" + base::random_uuid());
  const std::shared_ptr<void> cleanup(nullptr, [&](void*) {
    std::error_code ignored;
    fs::remove_all(scratch, ignored);
  });
  fs::path with_pip;
  for (const auto& environment : list())
    if (fs::exists(environment.folder / "bin" / "pip")) with_pip = environment.python();
  if (with_pip.empty()) {
    run({python().string(), "-m", "venv", scratch.string()}, "making an environment", context,
        [](std::string_view) {});
    with_pip = scratch / "bin" / "python";
  }
  std::string found;
  const std::string prefix = distribution(name) + " (";
  run({with_pip.string(), "-m", "pip", "index", "versions", distribution(name)},
      "asking for the versions of " + name, context, [&](std::string_view line) {
        if (!line.starts_with(prefix)) return;
        found = line.substr(prefix.size());
        found.resize(found.find(')') == std::string::npos ? 0 : found.find(')'));
      });
  if (!found.empty()) return found;
  throw Error(Code::kNotFound, fmt::format("the package index has no connector '{}'", name));
}

void ConnectorEnvironments::build(const ConnectorPackage& package, const fs::path& unfinished,
                                  const TaskContext& context) const {
  const fs::path pinned = mesh_ / "connectors" / (package.folder() + ".lock");
  context.info(fmt::format("installing {} {}{}", package.name, package.version,
                           fs::exists(pinned) ? ", as its lock file pins it" : ""));
  run({python().string(), "-m", "venv", unfinished.string()}, "making an environment", context,
      [](std::string_view) {});
  std::vector<std::string> pip = {(unfinished / "bin" / "python").string(),
                                  "-m",
                                  "pip",
                                  "install",
                                  "--no-color",
                                  "--progress-bar=off",
                                  "--report",
                                  (unfinished / kReport).string()};
  if (fs::exists(pinned)) {
    pip.insert(pip.end(), {"--require-hashes", "-r", pinned.string()});
  } else {
    pip.push_back(fmt::format("{}=={}", distribution(package.name), package.version));
  }
  run(std::move(pip), fmt::format("installing {} {}", package.name, package.version), context,
      [&](std::string_view line) {
        for (const char* told : {"Collecting ", "Building ", "Installing ", "Successfully "})
          if (line.starts_with(told)) context.info(std::string(line.substr(0, 300)));
      });
  write(unfinished / kLock, lock_text(unfinished / kReport));
  write(unfinished / kDone, package.folder() + "\n");
}

ConnectorEnvironment ConnectorEnvironments::install(ConnectorPackage package,
                                                    const TaskContext& context) const {
  std::error_code exists;
  fs::create_directories(folder(), exists);
  if (package.version.empty()) package.version = newest(package.name, context);
  if (auto found = find(package)) return *found;
  const auto lock = lock_of(folder() / package.folder());
  const std::lock_guard guard(*lock);
  if (auto found = find(package)) return *found;
  // Made aside: what has its name is whole.
  const fs::path unfinished = folder() / (".unfinished-" + package.folder());
  std::error_code ignored;
  fs::remove_all(unfinished, ignored);
  try {
    build(package, unfinished, context);
    fs::remove_all(folder() / package.folder());
    fs::rename(unfinished, folder() / package.folder());
  } catch (...) {
    fs::remove_all(unfinished, ignored);
    throw;
  }
  return {package, folder() / package.folder()};
}

// ---- what is known without asking

extern const unsigned char kKnownConnectors[];
extern const unsigned long
    kKnownConnectorsSize;  // NOLINT(google-runtime-int): as meesh_embed has it

namespace {

const std::vector<KnownConnector>& known_connectors() {
  static const auto all = [] {
    std::vector<KnownConnector> known;
    const std::string_view text(reinterpret_cast<const char*>(kKnownConnectors),
                                static_cast<size_t>(kKnownConnectorsSize));
    const auto list = json::parse(text);
    for (const auto& one : list.as_array()) {
      const auto& object = one.as_object();
      known.push_back(
          {text_of(object, "name"), text_of(object, "version"), text_of(object, "description")});
    }
    return known;
  }();
  return all;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace

std::vector<KnownConnector> search_connectors(const std::string& words) {
  std::vector<KnownConnector> found;
  for (const auto& one : known_connectors()) {
    const std::string text = lower(one.name + " " + one.description);
    std::istringstream wanted(lower(words));
    bool all = true;
    for (std::string word; wanted >> word;) all = all && text.find(word) != std::string::npos;
    if (all) found.push_back(one);
  }
  return found;
}

std::string known_version(const std::string& name) {
  const auto found = std::ranges::find(known_connectors(), name, &KnownConnector::name);
  return found == known_connectors().end() ? "" : found->version;
}

}  // namespace meesh::ingest
