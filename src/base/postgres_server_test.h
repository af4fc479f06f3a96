// A throw-away PostgreSQL server for tests: data under a temporary folder, a free loopback port,
// run as `postgres` when the tests run as root. It dies with the test process.
//
//   PostgresServer server;                 // starts
//   server.run("CREATE TABLE t (a int)");
//   server.kill(); server.start();         // the same data and port again
#pragma once

#include <arpa/inet.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace meesh {

inline constexpr const char* kTestPassword = "it's \\ a \"secret\"";

class PostgresServer {
 public:
  explicit PostgresServer(const std::string& database = "shop") : database_(database) {
    std::string pattern = (std::filesystem::temp_directory_path() / "meesh-pg-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    folder_ = pattern;
    std::ofstream(folder_ + "/pw") << kTestPassword << "\n";
    chmod((folder_ + "/pw").c_str(), 0644);
    if (geteuid() == 0) {
      const passwd* owner = getpwnam("postgres");
      if (!owner) throw std::runtime_error("no user 'postgres'");
      if (chown(folder_.c_str(), owner->pw_uid, owner->pw_gid) != 0)
        throw std::runtime_error("chown failed");
    }
    chmod(folder_.c_str(), 0755);
    port_ = free_port();
    const int code =
        wait_for(spawn({bin("initdb"), "-D", data(), "-U", "boss", "-A", "scram-sha-256", "-E",
                        "UTF8", "--locale=C.UTF-8", "-N", "--pwfile=" + folder_ + "/pw"}));
    if (code != 0) throw std::runtime_error("initdb failed: see " + folder_ + "/log");
    start();
    run("CREATE DATABASE " + database_, "postgres");
  }
  ~PostgresServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start() {
    std::error_code ignored;
    std::filesystem::remove(data() + "/postmaster.pid", ignored);
    process_ =
        spawn({bin("postgres"), "-D", data(), "-p", std::to_string(port_), "-k", folder_, "-c",
               "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=40"});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (PQping(dsn("postgres").c_str()) != PQPING_OK) {
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("PostgreSQL does not start: " + folder_);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  /// SIGKILL for the postmaster and what hangs on it; returns when the port is closed.
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGQUIT);  // immediate shutdown: clients are cut off, nothing is written
    wait_for(process_);
    process_ = -1;
  }

  /// Runs SQL from outside meesh; the first cell of the result, "" if none.
  std::string run(const std::string& sql, const std::string& database = "") {
    PGconn* connection = PQconnectdb(dsn(database.empty() ? database_ : database).c_str());
    PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
    PGresult* result = PQexec(connection, sql.c_str());
    const auto status = PQresultStatus(result);
    const std::string error = PQresultErrorMessage(result);
    std::string cell =
        status == PGRES_TUPLES_OK && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    PQfinish(connection);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw std::runtime_error(sql + ": " + error);
    return cell;
  }

  const std::string& database() const { return database_; }
  /// A libpq connection string for the test's own database, or another.
  std::string dsn(const std::string& database = "") const {
    return "host=127.0.0.1 port=" + std::to_string(port_) +
           " user=boss connect_timeout=5 dbname=" + (database.empty() ? database_ : database) +
           " password='it\\'s \\\\ a \"secret\"'";
  }
  /// The same as a URL.
  std::string url(const std::string& database) const {
    return "postgresql://boss:it%27s%20%5C%20a%20%22secret%22@127.0.0.1:" + std::to_string(port_) +
           "/" + database;
  }
  int port() const { return port_; }
  const std::string& folder() const { return folder_; }

 private:
  static std::string bin(const std::string& program) {
    for (const auto& version : {"15", "16", "17", "14", "18"}) {
      const std::string path = std::string("/usr/lib/postgresql/") + version + "/bin/" + program;
      if (std::filesystem::exists(path)) return path;
    }
    throw std::runtime_error("PostgreSQL's server programs are not installed");
  }
  static int free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0)
      throw std::runtime_error("bind failed");
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }
  std::string data() const { return folder_ + "/data"; }
  pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
    arguments.push_back(nullptr);
    const passwd* owner = geteuid() == 0 ? getpwnam("postgres") : nullptr;
    const pid_t child = fork();
    if (child != 0) return child;
    if (owner &&
        (setgroups(0, nullptr) != 0 || setgid(owner->pw_gid) != 0 || setuid(owner->pw_uid) != 0))
      _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir(folder_.c_str()) != 0) _exit(126);
    if (!freopen((folder_ + "/log").c_str(), "a", stdout) || dup2(1, 2) < 0) _exit(126);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  static int wait_for(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }

  const std::string database_;
  std::string folder_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace meesh
