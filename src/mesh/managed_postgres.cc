#include "mesh/managed_postgres.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "base/text.h"
#include "mesh/postgres_connection.h"
#include "mesh/private_files.h"

namespace meesh::mesh {

namespace fs = std::filesystem;
using process::Millis;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kFirstPort = 15432;
constexpr const char* kSuperuser = "meesh";
constexpr size_t kLogLimit = 16u << 20;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || stop == text.data()) return std::nullopt;
  return value;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has_servers(const fs::path& folder) {
  return ::access((folder / "postgres").c_str(), X_OK) == 0 &&
         ::access((folder / "initdb").c_str(), X_OK) == 0;
}

// "postgres (PostgreSQL) 15.4 (Debian …)" → 15
std::optional<int> major_of(const fs::path& folder) {
  const process::Result result =
      process::run({{(folder / "postgres").string(), "--version"}}, Millis(10'000));
  const size_t digits = result.output.find_first_of("0123456789");
  if (digits == std::string::npos) return std::nullopt;
  return whole_number(std::string_view(result.output).substr(digits));
}

bool port_free(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

bool same_text(const fs::path& path, const std::string& text) {
  return read_file(path).value_or("") == text;
}

// The longest socket path bind() takes, with the name PostgreSQL gives it.
bool fits_socket(const fs::path& folder) {
  return folder.string().size() + std::string_view("/.s.PGSQL.65535").size() <
         sizeof(sockaddr_un::sun_path);
}

std::string log_end(const fs::path& log, size_t from) {
  const std::string text = read_file(log).value_or("");
  std::string end = from < text.size() ? text.substr(from) : "";
  if (end.size() > 1500) end = "…" + end.substr(end.size() - 1500);
  while (!end.empty() && end.back() == '\n') end.pop_back();
  return end;
}

// Settings for a small server beside the engine: the engine does the heavy work. Domains may change
// them in `settings`.
std::map<std::string, std::string> small_settings() {
  return {{"shared_buffers", "32MB"},
          {"max_connections", "50"},
          {"work_mem", "8MB"},
          {"huge_pages", "off"},
          {"jit", "off"},
          {"wal_level", "minimal"},  // a load into an empty table skips the log
          {"max_wal_senders", "0"},
          {"min_wal_size", "32MB"},
          {"max_logical_replication_workers", "0"},
          {"autovacuum", "on"},
          {"autovacuum_max_workers", "2"},
          {"checkpoint_timeout", "15min"},
          {"random_page_cost", "1.1"},
          {"timezone", "UTC"},
          {"log_timezone", "UTC"},
          {"log_line_prefix", "%m [%p] "}};
}

constexpr const char* kAccessRules =
    "# Written by meesh at every start.\n"
    "local all all scram-sha-256\n"
    "host all meesh 127.0.0.1/32 reject\n"
    "host all all 127.0.0.1/32 scram-sha-256\n";

}  // namespace

fs::path find_postgres(std::optional<int> major) {
  if (const char* given = std::getenv("MEESH_POSTGRES_BIN"); given != nullptr && *given != 0) {
    if (has_servers(given)) return fs::canonical(given);
    throw Error(Code::kNotFound,
                fmt::format("MEESH_POSTGRES_BIN is {}, which has no postgres and initdb", given));
  }
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const auto version = whole_number(entry.path().filename().string());
    if (version && *version >= 14 && has_servers(entry.path() / "bin"))
      found.emplace_back(*version, entry.path() / "bin");
  }
  std::ranges::sort(found, std::greater());
  for (const auto& [version, folder] : found) {
    if (!major || *major == version) return folder;
  }
  std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');) {
    if (!folder.starts_with('/') || !has_servers(folder)) continue;
    const auto version = major_of(folder);
    if (version && *version >= 14 && (!major || *major == *version)) return fs::canonical(folder);
  }
  throw Error(Code::kNotFound, major ? fmt::format("PostgreSQL {} is not installed", *major)
                                     : std::string("PostgreSQL 14 or newer is not installed"))
      .with_hint(
          "apt-get install postgresql, or set MEESH_POSTGRES_BIN to the folder of postgres and "
          "initdb");
}

std::optional<process::Identity> service_user() {
  if (::geteuid() != 0) return std::nullopt;
  const char* given = std::getenv("MEESH_SERVICE_USER");
  const std::string name = given != nullptr && *given != 0 ? given : "postgres";
  auto user = process::find_user(name);
  if (!user) {
    throw Error(Code::kNotFound,
                fmt::format("there is no system user '{}' to run databases as", name))
        .with_hint("databases never run as root: set MEESH_SERVICE_USER to an existing user");
  }
  if (user->uid == 0) {
    throw Error(Code::kConfigInvalid,
                fmt::format("MEESH_SERVICE_USER is '{}', which is root", name))
        .with_hint("databases never run as root");
  }
  return user;
}

ManagedPostgres::ManagedPostgres(const Domain& domain, fs::path data,
                                 std::function<void(const std::string&)> report)
    : domain_(domain),
      data_(std::move(data)),
      home_(data_ / "postgres" / domain.name),
      cluster_(home_ / "cluster"),
      log_(data_ / "logs" / fmt::format("postgres-{}.log", domain.name)),
      report_(std::move(report)),
      user_(service_user()) {
  struct stat status{};
  if (user_ && ::stat(cluster_.c_str(), &status) == 0) {
    // Made by somebody else earlier: it goes on as theirs.
    if (auto owner = process::find_user(status.st_uid); owner && owner->uid != 0)
      user_ = std::move(owner);
  }
}

ManagedPostgres::~ManagedPostgres() { stop(); }

void ManagedPostgres::choose_port(std::vector<int>& taken) {
  const int wished = domain_.database.port;
  const auto usable = [&](int port) {
    return port > 0 && port < 65536 && std::ranges::find(taken, port) == taken.end() &&
           port_free(port);
  };
  std::istringstream kept(read_file(home_ / "port").value_or(""));
  int kept_wish = 0, kept_port = 0;
  kept >> kept_wish >> kept_port;
  port_ = wished != 0 ? wished : kFirstPort;
  if (kept && kept_wish == wished) port_ = kept_port;
  const int first = port_;
  while (!usable(port_) && port_ < first + 1000) ++port_;
  if (!usable(port_)) throw Error(Code::kPortInUse, fmt::format("no free port from {} on", first));
  if (port_ != first)
    report_(
        fmt::format("port {} is in use: the database of {} takes {}", first, domain_.name, port_));
  taken.push_back(port_);
}

void ManagedPostgres::prepare_folders() {
  // Others may pass through (not list) so that the service user reaches its own folder.
  const mode_t mode = user_ ? 0711 : 0700;
  make_folder(data_ / "postgres", mode);
  make_folder(data_ / "logs", 0700);
  make_folder(data_ / "secrets", 0700);
  make_folder(home_, 0700, user_);
  if (user_) {
    if (const auto blocked = blocked_folder(home_, *user_)) {
      try {
        process::Command probe{{"/bin/true"}};
        probe.directory = home_;
        probe.user = user_;
        process::run(probe, Millis(10'000));
      } catch (const Error&) {
        throw Error(Code::kConfigInvalid,
                    fmt::format("the user '{}', whom databases run as, cannot enter {}",
                                user_->name, blocked->string()))
            .with_hint(fmt::format("put the data elsewhere with --data or `data:` in meesh.yaml, "
                                   "such as /var/lib/meesh, or chmod o+x {}",
                                   blocked->string()));
      }
    }
  }
  choose_sockets();
  make_folder(sockets_, 0700, user_);
  struct stat status{};
  const uid_t owner = user_ ? user_->uid : ::geteuid();
  if (::lstat(sockets_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != owner) {
    throw Error(Code::kIoError,
                fmt::format("the socket folder {} belongs to somebody else", sockets_.string()));
  }
  std::error_code ignored;
  if (fs::file_size(log_, ignored) > kLogLimit && !ignored)
    fs::rename(log_, log_.string() + ".1", ignored);
}

void ManagedPostgres::choose_sockets() {
  sockets_ = home_ / "run";
  if (!fits_socket(sockets_)) {
    sockets_ = fmt::format("/tmp/meesh-{}-{:016x}", ::geteuid(), base::checksum(home_.string()));
  }
}

void ManagedPostgres::join() {
  std::istringstream kept(read_file(home_ / "port").value_or(""));
  int wish = 0;
  if (!(kept >> wish >> port_)) {
    throw Error(Code::kUnavailable,
                fmt::format("the database of {} has not started yet", domain_.name))
        .with_hint("try again when the mesh is up");
  }
  choose_sockets();
  password_ = domain_.database.password;
  if (password_.empty()) password_ = made_password(domain_.database.user);
}

std::string ManagedPostgres::made_password(const std::string& user) {
  const fs::path path = data_ / "secrets" / fmt::format("postgres-{}-{}", domain_.name, user);
  if (const auto kept = read_file(path)) return *kept;
  std::string password = random_password();
  write_file(path, password);
  return password;
}

process::Command ManagedPostgres::command(std::vector<std::string> arguments) const {
  process::Command command;
  command.arguments = std::move(arguments);
  command.inherit_environment = false;
  command.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC",
                         "HOME=" + home_.string()};
  command.directory = home_;
  command.user = user_;
  return command;
}

void ManagedPostgres::make_cluster() {
  const fs::path fresh = home_ / "cluster.new";
  fs::remove_all(fresh);
  const fs::path password_file = home_ / "initdb-password";
  write_file(password_file, superuser_password_, user_);
  const auto initdb = [&](std::vector<std::string> locale) {
    std::vector<std::string> arguments{(binaries_ / "initdb").string(),
                                       "--pgdata=" + fresh.string(),
                                       "--encoding=UTF8",
                                       "--data-checksums",
                                       "--auth=scram-sha-256",
                                       std::string("--username=") + kSuperuser,
                                       "--pwfile=" + password_file.string(),
                                       "--no-instructions",
                                       "--no-sync"};
    arguments.insert(arguments.end(), locale.begin(), locale.end());
    return process::run(command(std::move(arguments)), Millis(300'000));
  };
  process::Result result = initdb({"--locale=C.UTF-8"});
  if (!result.exit.good() && result.output.find("locale") != std::string::npos)
    result = initdb({"--locale=C"});
  fs::remove(password_file);
  if (!result.exit.good()) {
    fs::remove_all(fresh);
    throw Error(Code::kIoError,
                fmt::format("initdb ended with {}: {}", result.exit.words(), result.output));
  }
  // Whole or not at all: a cluster under its final name is complete and on disk.
  sync_tree(fresh);
  fs::rename(fresh, cluster_);
  sync_tree(home_);
}

void ManagedPostgres::end_old_server() {
  std::vector<pid_t> left = process::processes_in(cluster_);
  const std::vector<std::string> lines =
      lines_of(read_file(cluster_ / "postmaster.pid").value_or(""));
  const pid_t old = lines.empty() ? 0 : whole_number(lines[0]).value_or(0);
  if (left.empty()) {
    // The number of a dead server may have gone to another process by now, which would keep
    // PostgreSQL from starting; nothing works in the folder, so the file means nothing.
    if (old > 0 && ::kill(old, 0) == 0) fs::remove(cluster_ / "postmaster.pid");
    return;
  }
  report_(fmt::format("waiting for the earlier server of {} to end", domain_.name));
  const bool led = std::ranges::find(left, old) != left.end();
  for (const int signal : {SIGINT, SIGQUIT, SIGKILL}) {
    if (signal == SIGKILL) {
      for (const pid_t pid : left) ::kill(pid, signal);
    } else if (led) {
      ::kill(old, signal);
    }
    const auto deadline = Clock::now() + std::chrono::seconds(signal == SIGINT ? 15 : 5);
    for (const pid_t pid : left) {
      process::wait_gone(
          pid, std::max(Millis(0), std::chrono::duration_cast<Millis>(deadline - Clock::now())));
    }
    left = process::processes_in(cluster_);
    if (left.empty()) return;
  }
  throw Error(Code::kIoError, fmt::format("process {} still works in {} and cannot be ended",
                                          left.front(), cluster_.string()))
      .with_hint("stop it, then start meesh again");
}

std::unique_ptr<process::Process> ManagedPostgres::launch() {
  end_old_server();
  std::map<std::string, std::string> settings = small_settings();
  const auto& given = domain_.database.settings;
  const auto level = given.find("wal_level");
  if (level != given.end() && level->second != "minimal") settings["max_wal_senders"] = "10";
  for (const auto& [name, value] : given) settings[name] = value;
  settings["listen_addresses"] = "127.0.0.1";
  settings["port"] = std::to_string(port_);
  settings["unix_socket_directories"] = sockets_.string();
  settings["unix_socket_permissions"] = "0700";
  settings["logging_collector"] = "off";
  settings["log_destination"] = "stderr";
  std::vector<std::string> arguments{(binaries_ / "postgres").string(), "-D", cluster_.string()};
  for (const auto& [name, value] : settings) {
    arguments.emplace_back("-c");
    arguments.push_back(fmt::format("{}={}", name, value));
  }
  process::Command server = command(std::move(arguments));
  server.directory = cluster_;
  server.log = log_;
  server.death_signal = SIGINT;  // fast shutdown: everything committed is kept, no recovery needed
  return process::start(server);
}

void ManagedPostgres::wait_ready() {
  const auto began = Clock::now();
  for (int round = 0;; ++round) {
    const std::vector<std::string> lines =
        lines_of(read_file(cluster_ / "postmaster.pid").value_or(""));
    const pid_t running = server_->pid();
    if (lines.size() >= 8 && lines[7].starts_with("ready") && whole_number(lines[0]) == running)
      return;
    if (running == 0) throw Error(Code::kIoError, "it ended at once");
    if (Clock::now() - began > std::chrono::minutes(10))
      throw Error(Code::kExceededTimeLimit, "not ready after 10 minutes");
    if (round % 2000 == 1999)
      report_(fmt::format("the database of {} is recovering", domain_.name));
    std::this_thread::sleep_for(Millis(5));  // the server tells of its readiness in this file only
  }
}

void ManagedPostgres::start() {
  password_ = domain_.database.password;
  prepare_folders();
  if (password_.empty()) password_ = made_password(domain_.database.user);
  superuser_password_ = made_password("superuser");
  std::optional<int> major;
  if (const auto version = read_file(cluster_ / "PG_VERSION")) major = whole_number(*version);
  binaries_ = find_postgres(major);
  if (!major) make_cluster();
  if (!same_text(cluster_ / "pg_hba.conf", kAccessRules))
    write_file(cluster_ / "pg_hba.conf", kAccessRules, user_);
  for (int attempt = 1;; ++attempt) {
    std::error_code ignored;
    const auto log_before = fs::file_size(log_, ignored);
    server_ = std::make_unique<process::Supervised>(
        fmt::format("the database of {}", domain_.name), [this] { return launch(); },
        process::StopSteps{SIGINT, Millis(15'000), SIGQUIT, Millis(5'000)}, report_);
    try {
      server_->start();
      wait_ready();
      break;
    } catch (const Error& e) {
      server_->stop();
      const std::string said = log_end(log_, ignored ? 0 : log_before);
      if (attempt < 20 && said.find("could not bind") != std::string::npos) {
        std::vector<int> taken{port_};
        choose_port(taken);
        continue;
      }
      throw Error(e.code(), fmt::format("the database of {} did not start: {}{}{}", domain_.name,
                                        e.message(), said.empty() ? "" : "; its log says: ", said))
          .with_hint(e.hint().empty() ? "its log is " + log_.string() : e.hint());
    }
  }
  const std::string ports = fmt::format("{} {}\n", domain_.database.port, port_);
  if (!same_text(home_ / "port", ports)) write_file(home_ / "port", ports, user_);
  provision();
  run_schema_files();
}

void ManagedPostgres::provision() {
  try {
    const PostgresConnection works(options());
    return;
  } catch (const PostgresError&) {  // no such user or database yet, or another password
  }
  engine::PostgresOptions own = options();
  own.user = kSuperuser;
  own.password = superuser_password_;
  own.database = "postgres";
  PostgresConnection admin(own);
  const Database& wanted = domain_.database;
  const std::string user = admin.quoted_identifier(wanted.user),
                    database = admin.quoted_identifier(wanted.name);
  const bool has_user =
      !admin.execute(fmt::format("SELECT 1 FROM pg_roles WHERE rolname = '{}'", wanted.user))
           .empty();
  admin.execute(fmt::format("{} ROLE {} LOGIN CREATEDB REPLICATION PASSWORD {}",
                            has_user ? "ALTER" : "CREATE", user,
                            admin.quoted_scram(wanted.user, password_)));
  const auto owner = admin.execute(fmt::format(
      "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{}'", wanted.name));
  if (owner.empty()) {
    admin.execute(fmt::format("CREATE DATABASE {} OWNER {}", database, user));
    std::error_code ignored;
    fs::remove(home_ / "init", ignored);
  } else if (owner[0][0] != wanted.user && owner[0][0] != kSuperuser) {
    own.database = wanted.name;
    PostgresConnection(own).execute(
        fmt::format("REASSIGN OWNED BY {} TO {}", admin.quoted_identifier(owner[0][0]), user));
  }
  try {
    const PostgresConnection works(options());
  } catch (const Error& e) {
    throw Error(Code::kIoError, fmt::format("the database of {} refuses its own user: {}",
                                            domain_.name, e.message()));
  }
}

void ManagedPostgres::run_schema_files() {
  std::vector<std::pair<fs::path, std::string>> files;
  std::string all = domain_.database.name;
  for (const fs::path& file : domain_.database.init) {
    const auto text = read_file(file);
    if (!text) throw Error(Code::kConfigInvalid, "there is no such file", {0, 0, file.string()});
    files.emplace_back(file, *text);
    all += '\0' + *text;
  }
  const std::string mark = fmt::format("{:016x}\n", base::checksum(all));
  if (files.empty() || same_text(home_ / "init", mark)) return;
  PostgresConnection connection(options());
  for (const auto& [file, text] : files) {
    try {
      // Statements sent together are one transaction: a file takes effect whole or not at all.
      connection.execute(text);
    } catch (const PostgresError& e) {
      const base::Position at =
          e.offset() ? base::position_of(text, *e.offset()) : base::Position{};
      throw Error(Code::kConfigInvalid, e.message(), {at.line, at.column, file.string()})
          .with_hint(fmt::format("a schema file of the domain {}, run by its user on {}",
                                 domain_.name, domain_.database.name));
    }
  }
  write_file(home_ / "init", mark, user_);
}

void ManagedPostgres::stop() {
  if (server_) server_->stop();
}

engine::PostgresOptions ManagedPostgres::options() const {
  engine::PostgresOptions options;
  options.name = domain_.catalog;
  options.host = sockets_.string();
  options.port = port_;
  options.database = domain_.database.name;
  options.user = domain_.database.user;
  options.password = password_;
  return options;
}

pid_t ManagedPostgres::pid() const { return server_ ? server_->pid() : 0; }
int ManagedPostgres::restarts() const { return server_ ? server_->restarts() : 0; }

}  // namespace meesh::mesh
