// Real servers: made, stopped, killed and started again. Skipped where PostgreSQL is not installed.
#include "mesh/managed_postgres.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "mesh/demo_data.h"
#include "mesh/postgres_connection.h"
#include "mesh/private_files.h"
#include "mesh/running_mesh.h"

namespace meesh::mesh {
namespace {

namespace fs = std::filesystem;
using process::Millis;

class ManagedPostgresTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("MEESH_TEST_FOLDER") != nullptr) return;  // the process that is to be killed
    // In memory if there is room: servers' folders are many small files.
    std::error_code ignored;
    const bool memory = fs::space("/dev/shm", ignored).available > (1u << 30) && !ignored;
    std::string pattern = memory ? "/dev/shm/meesh-pg-XXXXXX" : "/tmp/meesh-pg-XXXXXX";
    root_ = new fs::path(::mkdtemp(pattern.data()));
    ::chmod(root_->c_str(), 0755);
    try {
      find_postgres();
      service_user();
    } catch (const Error&) {
      return;
    }
    describe(*root_ / "made");
    RunningMesh(Mesh::load(*root_ / "made")).start();
  }
  static void describe(const fs::path& folder) {
    fs::create_directories(folder / "domains/sales");
    std::ofstream(folder / "meesh.yaml") << "name: test\n";
    std::ofstream(folder / "domains/sales/domain.yaml")
        << "owner: {team: T}\ndatabase: {kind: managed, name: d, port: 25432}\n";
  }
  // A server made earlier, which is quicker than initdb.
  void take_made_server() {
    process::run(
        {{"/bin/cp", "-a", (*root_ / "made" / "data").string(), (folder_ / "data").string()}},
        Millis(60'000));
  }
  static void TearDownTestSuite() {
    if (root_ == nullptr) return;
    fs::remove_all(*root_);
    delete root_;
  }

  void SetUp() override {
    if (root_ == nullptr) return;
    try {
      find_postgres();
      service_user();
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
    folder_ = *root_ / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(folder_);
    describe(folder_);
  }

  void TearDown() override {
    if (root_ != nullptr) fs::remove_all(folder_);
  }

  void write(const fs::path& relative, const std::string& text) {
    fs::create_directories((folder_ / relative).parent_path());
    std::ofstream(folder_ / relative) << text;
  }
  // The managed database d with more keys.
  void describe_database(const std::string& more) {
    write("domains/sales/domain.yaml",
          "owner: {team: T}\ndatabase:\n  kind: managed\n  name: d\n  port: 25432\n" + more);
  }

  std::unique_ptr<RunningMesh> started() {
    auto running =
        std::make_unique<RunningMesh>(Mesh::load(folder_), [this](const std::string& line) {
          const std::lock_guard lock(mutex_);
          told_.push_back(line);
        });
    running->start();
    return running;
  }

  static std::string ask(const RunningMesh& running, const std::string& sql,
                         const std::string& domain = "sales") {
    const auto rows = PostgresConnection(running.database_of(domain)).execute(sql);
    return rows.empty() ? "" : rows[0][0];
  }
  fs::path cluster(const std::string& domain = "sales") const {
    return folder_ / "data/postgres" / domain / "cluster";
  }
  pid_t postmaster(const std::string& domain = "sales") const {
    return static_cast<pid_t>(std::strtol(
        read_file(cluster(domain) / "postmaster.pid").value_or("0").c_str(), nullptr, 10));
  }

  static fs::path* root_;
  fs::path folder_;
  std::mutex mutex_;
  std::vector<std::string> told_;
};
fs::path* ManagedPostgresTest::root_ = nullptr;

TEST_F(ManagedPostgresTest, LivesThroughStopsAndChanges) {
  describe_database("  init: [a.sql]\n");
  write("domains/sales/a.sql",
        "CREATE TABLE IF NOT EXISTS t (x int);\nINSERT INTO t VALUES (1);\n");
  int port = 0;
  {
    const auto running = started();
    EXPECT_EQ(ask(*running, "SELECT count(*) FROM t"), "1");
    EXPECT_EQ(ask(*running, "SHOW server_encoding"), "UTF8");
    EXPECT_EQ(ask(*running, "SHOW data_checksums"), "on");
    EXPECT_EQ(ask(*running, "SHOW fsync"), "on");
    EXPECT_EQ(ask(*running, "SHOW listen_addresses"), "127.0.0.1");
    EXPECT_EQ(ask(*running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "f");
    EXPECT_EQ(ask(*running, "SELECT 'B' < 'a' AND 'z' < 'é'"),
              "t");  // by code point, as Trino sorts
    port = running->databases()[0].port;
    // Over TCP a password is needed, and the server's own superuser stays out altogether.
    engine::PostgresOptions tcp = running->database_of("sales");
    tcp.host = "127.0.0.1";
    EXPECT_NO_THROW(PostgresConnection{tcp});
    tcp.password = "wrong";
    EXPECT_THROW(PostgresConnection{tcp}, PostgresError);
    tcp.user = "meesh";
    tcp.password = *read_file(folder_ / "data/secrets/postgres-sales-superuser");
    EXPECT_THROW(PostgresConnection{tcp}, PostgresError);
    ask(*running, "INSERT INTO t VALUES (2)");
  }
  EXPECT_TRUE(process::processes_in(cluster()).empty());
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "data/secrets/postgres-sales-admin").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  ASSERT_EQ(::stat(cluster().c_str(), &status), 0);
  EXPECT_NE(status.st_uid, 0u);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  {
    const auto running = started();  // nothing changed: the schema file does not run again
    EXPECT_EQ(ask(*running, "SELECT count(*) FROM t"), "2");
    EXPECT_EQ(running->databases()[0].port, port);
  }
  // Another password and user, a changed schema file, another setting.
  describe_database(
      "  init: [a.sql]\n  user: boss\n  password: it's new\n  settings: {work_mem: 17MB}\n");
  write("domains/sales/a.sql",
        "CREATE TABLE IF NOT EXISTS t (x int);\nINSERT INTO t VALUES (3);\n");
  {
    const auto running = started();
    EXPECT_EQ(ask(*running, "SELECT string_agg(x::text, ',' ORDER BY x) FROM t"), "1,2,3");
    EXPECT_EQ(ask(*running, "SELECT tableowner FROM pg_tables WHERE tablename = 't'"), "boss");
    EXPECT_EQ(ask(*running, "SHOW work_mem"), "17MB");
  }
  // A mistake in a schema file has its place, takes effect not at all and stops the start.
  write("domains/sales/a.sql", "INSERT INTO t VALUES (4);\nSELECT é,\n  nope FROM t;\n");
  try {
    started();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConfigInvalid);
    EXPECT_THAT(e.what(),
                testing::HasSubstr("domains/sales/a.sql:2:8: column \"é\" does not exist"));
  }
  EXPECT_TRUE(process::processes_in(cluster()).empty());
  // No secret has come into the log.
  const std::string log = *read_file(folder_ / "data/logs/postgres-sales.log");
  EXPECT_EQ(log.find("it's new"), std::string::npos);
  EXPECT_EQ(log.find(*read_file(folder_ / "data/secrets/postgres-sales-superuser")),
            std::string::npos);
}

// What KilledParent starts in a process of its own: a mesh that runs until it is killed.
TEST_F(ManagedPostgresTest, DISABLED_RunUntilKilled) {
  const char* folder = std::getenv("MEESH_TEST_FOLDER");
  ASSERT_NE(folder, nullptr);
  RunningMesh running(Mesh::load(folder));
  running.start();
  PostgresConnection connection(running.database_of("sales"));
  connection.execute("CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)");
  std::ofstream(fs::path(folder) / "up") << "up";
  for (;;) ::pause();
}

TEST_F(ManagedPostgresTest, KilledParentTakesItsServersAlong) {
  take_made_server();
  process::Command command{{fs::canonical("/proc/self/exe").string(),
                            "--gtest_filter=ManagedPostgresTest.DISABLED_RunUntilKilled",
                            "--gtest_also_run_disabled_tests"}};
  command.environment = {"MEESH_TEST_FOLDER=" + folder_.string()};
  command.log = folder_ / "child.log";
  for (int round = 1; round <= 2; ++round) {
    const auto child = process::start(command);
    while (!fs::exists(folder_ / "up") && !child->wait(Millis(5))) {
    }
    ASSERT_TRUE(fs::exists(folder_ / "up")) << *read_file(command.log);
    fs::remove(folder_ / "up");
    EXPECT_THROW(started(), Error);  // one mesh, one process
    {
      RunningMesh joined(Mesh::load(folder_));
      joined.start_or_join();
      EXPECT_EQ(ask(joined, "SELECT max(x) FROM t"), "1");  // with the made password
    }
    const pid_t server = postmaster();
    ASSERT_GT(server, 0);
    child->signal(SIGKILL);
    child->wait(Millis(10'000));
    if (round == 1) EXPECT_TRUE(process::wait_gone(server, Millis(30'000)));
    // In the second round the new mesh meets a server that is still dying.
  }
  const auto running = started();
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM t"), "2");
  const auto in_folder = process::processes_in(cluster());
  EXPECT_THAT(in_folder, testing::Contains(postmaster()));
}

TEST_F(ManagedPostgresTest, AKilledServerComesBack) {
  take_made_server();
  const auto running = started();
  ask(*running, "CREATE TABLE t AS SELECT 1 AS x");
  const pid_t first = postmaster();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(process::wait_gone(first, Millis(10'000)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < deadline) {
    try {
      answer = ask(*running, "SELECT count(*) FROM t");
    } catch (const PostgresError&) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(answer, "1");
  EXPECT_NE(postmaster(), first);
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(told_, testing::Contains(testing::HasSubstr("ended unexpectedly with signal 9")));
}

TEST_F(ManagedPostgresTest, ATakenPortIsAvoidedAndThenKept) {
  take_made_server();
  const int blocker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(blocker, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(blocker, 1), 0);
  socklen_t length = sizeof address;
  ::getsockname(blocker, reinterpret_cast<sockaddr*>(&address), &length);
  const int taken = ntohs(address.sin_port);
  write("domains/sales/domain.yaml", "owner: {team: T}\ndatabase: {kind: managed, name: d, port: " +
                                         std::to_string(taken) + "}\n");
  int port = 0;
  {
    const auto running = started();
    port = running->databases()[0].port;
    EXPECT_GT(port, taken);
    EXPECT_EQ(ask(*running, "SELECT 1"), "1");
  }
  ::close(blocker);
  EXPECT_EQ(started()->databases()[0].port, port);
}

TEST_F(ManagedPostgresTest, APidFileOfAnotherProcessIsNoObstacle) {
  take_made_server();
  started()->stop();
  // As after a power cut in a container: the old server's number is somebody else's now.
  const auto other = process::start({{"/bin/sleep", "1000"}});
  std::ofstream(cluster() / "postmaster.pid")
      << other->pid() << "\n"
      << cluster().string() << "\n1700000000\n25432\n\n127.0.0.1\n  0 0\nready\n";
  EXPECT_EQ(ask(*started(), "SELECT 1"), "1");
  EXPECT_FALSE(other->wait(Millis(0)));  // and it was left in peace
}

TEST_F(ManagedPostgresTest, ALongPathGetsAShortSocket) {
  folder_ /= std::string(60, 'a');
  fs::create_directories(folder_);
  describe(folder_);
  take_made_server();
  const auto running = started();
  EXPECT_EQ(ask(*running, "SELECT 1"), "1");
  const fs::path sockets = running->database_of("sales").host;
  EXPECT_LT(sockets.string().size(), 60u);
  EXPECT_NE(sockets.parent_path(), folder_ / "data/postgres/sales");
  running->stop();
  fs::remove_all(sockets);
}

TEST_F(ManagedPostgresTest, AFolderOutOfReachIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root runs servers as another user";
  fs::create_directories(folder_ / "closed");
  ::chmod((folder_ / "closed").c_str(), 0700);
  write("meesh.yaml", "name: test\ndata: closed/data\n");
  try {
    started();
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::HasSubstr("cannot enter " + (folder_ / "closed").string() + " ("));
    EXPECT_THAT(e.hint(), testing::HasSubstr("--data"));
  }
}

TEST_F(ManagedPostgresTest, ASettingTheServerRefusesIsTold) {
  take_made_server();
  describe_database("  settings: {work_mem: lots}\n");
  try {
    started();
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("the database of sales did not start"));
    EXPECT_THAT(e.what(), testing::HasSubstr("work_mem"));
  }
}

TEST_F(ManagedPostgresTest, DemoDataIsReplacedAndAlwaysTheSame) {
  fs::copy("demo/domains", folder_ / "domains",
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const auto running = started();
  const auto sales = running->database_of("sales"), marketing = running->database_of("marketing");
  const auto digest = [&] {
    std::string all;
    for (const std::string table : {"customers", "orders"}) {
      all += ask(*running, "SELECT md5(string_agg(t::text, ',' ORDER BY 1)) || count(*) FROM " +
                               table + " t WHERE " + table.substr(0, table.size() - 1) + "_id > 4");
    }
    return all +
           ask(*running,
               "SELECT md5(string_agg(l::text, ',' ORDER BY lead_id)) || count(*) FROM leads l",
               "marketing");
  };
  {
    RunningMesh second(Mesh::load(folder_));
    second.start_or_join();  // the first one's servers, with the file's password
    EXPECT_EQ(ask(second, "SELECT count(*) FROM customers"), "3");
  }
  const DemoLoad load{{2000, 9000, 3000, 20}, 7};
  uint64_t last = 0, total = 0;
  load_demo_data(sales, marketing, load, [&](uint64_t done, uint64_t of) {
    EXPECT_GE(done, last);
    last = done;
    total = of;
    return true;
  });
  EXPECT_EQ(last, 14020u);
  EXPECT_EQ(total, 14020u);
  const std::string first = digest();
  EXPECT_EQ(ask(*running,
                "SELECT min(customer_id) || ' ' || max(customer_id) || ' ' || count(DISTINCT "
                "email) FROM customers"),
            "1 2003 2003");
  EXPECT_EQ(ask(*running,
                "SELECT count(*) FROM orders WHERE customer_id NOT IN (SELECT customer_id FROM "
                "customers)"),
            "0");
  EXPECT_EQ(
      ask(*running,
          "SELECT count(*) FROM leads WHERE campaign_id NOT IN (SELECT campaign_id FROM campaigns)",
          "marketing"),
      "0");
  EXPECT_EQ(ask(*running, "SELECT max(n) > 1 FROM (SELECT count(*) n FROM leads GROUP BY email) q",
                "marketing"),
            "t");
  EXPECT_EQ(ask(*running, "SELECT nextval('orders_order_id_seq')"), "9005");
  load_demo_data(sales, marketing, load);
  EXPECT_EQ(digest(), first);
  // A row of one's own stays, another size replaces the generated ones, and a cancelled load
  // changes nothing.
  ask(*running, "INSERT INTO customers (customer_name, email) VALUES ('Me', 'me@example.com')");
  load_demo_data(sales, marketing, {{10, 20, 30, 2}, 7});
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM customers"), "14");
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM customers WHERE email = 'me@example.com'"), "1");
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM customers WHERE email = 'alice@example.com'"), "1");
  try {
    load_demo_data(sales, marketing, load, [](uint64_t, uint64_t) { return false; });
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kUserCanceled);
  }
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM customers"), "14");
  EXPECT_EQ(ask(*running, "SELECT count(*) FROM leads", "marketing"), "34");
  ask(*running, "DROP TABLE orders");
  EXPECT_THROW(load_demo_data(sales, marketing, load), Error);
}

}  // namespace
}  // namespace meesh::mesh
