#include "engine/catalogs/mysql_connection.h"

#include <fmt/format.h>
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>
#include <sys/socket.h>

#include <mutex>

namespace meesh::engine {
namespace {

constexpr unsigned int kConnectTimeout = 5;    // seconds
constexpr unsigned int kSilenceTimeout = 900;  // seconds that a server may say nothing

void close(st_mysql* handle) { mysql_close(handle); }
void free_result(st_mysql_res* result) { mysql_free_result(result); }

/// Zero dates are let through, backslashes and quotes are what the standard says they are, times
/// are in UTC. Rows may be taken slowly: a server's default is to give up after a minute.
constexpr const char* kSetUp =
    "SET NAMES utf8mb4, SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', "
    "SESSION time_zone = "
    "'+00:00', SESSION net_write_timeout = 3600, SESSION wait_timeout = 28800";

}  // namespace

std::string mysql_address(const MysqlOptions& options) {
  return options.host.starts_with('/') ? options.host
                                       : fmt::format("{}:{}", options.host, options.port);
}

Error mysql_unreachable(const MysqlOptions& options, std::string_view reason) {
  Error error(Code::kJdbcError,
              fmt::format("Catalog '{}': the MySQL server at {} cannot be reached: {}",
                          options.name, mysql_address(options), reason));
  error.with_hint(
      "check that the server runs and can be reached; statements work again as soon as it does");
  return error;
}

bool mysql_lost(unsigned int number) {
  return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR && number != CR_COMMANDS_OUT_OF_SYNC) ||
         number == ER_SERVER_SHUTDOWN || number == ER_CON_COUNT_ERROR ||
         number == ER_NORMAL_SHUTDOWN || number == ER_CONNECTION_KILLED;
}

std::string mysql_name(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string("``") : std::string(1, c);
  return quoted + "`";
}

std::string mysql_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

MysqlConnection::MysqlConnection(const MysqlOptions& options)
    : options_(options), handle_(nullptr, &close), result_(nullptr, &free_result) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  handle_.reset(mysql_init(nullptr));
  if (!handle_) throw Error(Code::kGenericInternalError, "no memory for a connection to MySQL");
  auto* handle = handle_.get();
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &kConnectTimeout);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &kSilenceTimeout);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const my_bool on = 1, off = 0;
  const bool verify = options.tls == "verify";
  if (options.tls == "required" || verify) {
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verify ? &on : &off);
    if (!options.ca.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, options.ca.c_str());
  }
  // A server must not read files of this machine.
  const unsigned int no_files = 0;
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_files);
  const bool socket = options.host.starts_with('/');
  if (!socket) {
    const unsigned int protocol = MYSQL_PROTOCOL_TCP;
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
  }
  if (!mysql_real_connect(
          handle, socket ? nullptr : options.host.c_str(), options.user.c_str(),
          options.password.c_str(), options.database.empty() ? nullptr : options.database.c_str(),
          static_cast<unsigned int>(options.port), socket ? options.host.c_str() : nullptr, 0)) {
    throw mysql_unreachable(options_, mysql_error(handle));
  }
  mariadb_ = version().find("MariaDB") != std::string::npos;
  query(kSetUp);
}

MysqlConnection::~MysqlConnection() {
  // Rows that nobody took would be read to their end first.
  if (result_) interrupt();
}

std::string MysqlConnection::version() const { return mysql_get_server_info(handle_.get()); }
unsigned long MysqlConnection::thread_id() const { return mysql_thread_id(handle_.get()); }

void MysqlConnection::interrupt() {
  const auto socket = mysql_get_socket(handle_.get());
  if (socket >= 0) ::shutdown(socket, SHUT_RDWR);
}

void MysqlConnection::fail() const {
  const unsigned int number = mysql_errno(handle_.get());
  const std::string reason = mysql_error(handle_.get());
  if (mysql_lost(number)) throw mysql_unreachable(options_, reason);
  throw Error(Code::kJdbcError, fmt::format("Catalog '{}': MySQL: {}", options_.name, reason));
}

std::vector<MysqlConnection::Row> MysqlConnection::rows_of_result() {
  std::unique_ptr<st_mysql_res, void (*)(st_mysql_res*)> result(mysql_store_result(handle_.get()),
                                                                &free_result);
  std::vector<Row> rows;
  if (!result) {
    if (mysql_errno(handle_.get()) != 0) fail();
    return rows;
  }
  const unsigned int count = mysql_num_fields(result.get());
  while (char** cells = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    Row& row = rows.emplace_back();
    for (unsigned int i = 0; i < count; ++i) {
      if (cells[i])
        row.emplace_back(std::in_place, cells[i], lengths[i]);
      else
        row.emplace_back();
    }
  }
  return rows;
}

std::vector<MysqlConnection::Row> MysqlConnection::query(const std::string& sql) {
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail();
  return rows_of_result();
}

std::optional<std::vector<MysqlConnection::Row>> MysqlConnection::try_query(
    const std::string& sql) {
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) {
    if (mysql_lost(mysql_errno(handle_.get()))) fail();
    return std::nullopt;
  }
  return rows_of_result();
}

void MysqlConnection::stream(const std::string& sql) {
  result_.reset();
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail();
  result_.reset(mysql_use_result(handle_.get()));
  if (!result_) fail();
}

char** MysqlConnection::next(unsigned long*& lengths) {
  char** cells = mysql_fetch_row(result_.get());
  if (!cells) {
    if (mysql_errno(handle_.get()) != 0) fail();
    result_.reset();
    return nullptr;
  }
  lengths = mysql_fetch_lengths(result_.get());
  return cells;
}

}  // namespace meesh::engine
