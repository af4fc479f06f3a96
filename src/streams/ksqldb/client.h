// A client of ksqlDB's REST API: statements (/ksql), what there is (/info, LIST, DESCRIBE), and
// pull and push queries (/query-stream over HTTP/2, /query where a server has only that).
//
//   KsqldbClient client({.url = "http://localhost:8088"});
//   const auto source = client.describe("transaction_stream");
//   client.query("SELECT * FROM transaction_stream EMIT CHANGES;", {.rows = 5000},
//                on_header, on_row, stop);
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "sql/type.h"

namespace meesh::streams {

struct KsqldbSettings {
  std::string url;             // "http://localhost:8088"
  std::string user, password;  // basic authentication; "" = none
  std::filesystem::path ca;    // PEM; "" = the system's authorities
};

struct KsqldbColumn {
  std::string name;  // as the server writes it
  std::string type;  // ksqlDB's: "DECIMAL(10, 2)", "ARRAY<STRUCT<ID STRING>>"
  bool key = false;
};

struct KsqldbSource {
  std::string name, topic, key_format, value_format;
  bool is_table = false, windowed = false;
  std::vector<KsqldbColumn> columns;
};

struct KsqldbInfo {
  std::string version, cluster_id, service_id;
};

/// When a push query is ended; a pull query ends by itself.
struct StopWhen {
  uint64_t rows = 0;                     // as many; 0: however many
  std::chrono::milliseconds idle{0};     // none came for so long; 0: however long
  std::chrono::milliseconds first{0};    // the first did not come for so long; 0: as idle
  std::chrono::milliseconds at_most{0};  // since its begin; 0: however long
};

/// One value of a row, as JSON has it; decimals keep their digits (numbers that are no double are
/// text).
using KsqldbRow = boost::json::array;

/// Thread-safe. An answer that is an error becomes one of ours with ksqlDB's words and code; a
/// server that does not answer is EXTERNAL and names the URL, never the password.
class KsqldbClient {
 public:
  explicit KsqldbClient(KsqldbSettings settings);
  ~KsqldbClient();

  const std::string& url() const;  // without user and password
  KsqldbInfo info();
  std::vector<KsqldbSource> sources();  // streams and tables by name, without columns
  /// Throws TABLE_NOT_FOUND that names those there are.
  KsqldbSource describe(const std::string& name);
  /// A statement that is no query; the server's answers.
  boost::json::array execute(const std::string& statement);
  /// The rows of a query as they come. How many there were. `properties`: such as
  /// {"auto.offset.reset": "earliest"}.
  uint64_t query(const std::string& sql, const StopWhen& stop_when,
                 const boost::json::object& properties,
                 const std::function<void(const std::vector<KsqldbColumn>&)>& on_header,
                 const std::function<void(const KsqldbRow&)>& on_row, std::stop_token stop = {});

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

/// "DECIMAL(10, 2)" → decimal(10,2), "STRING" → varchar, "TIMESTAMP" → timestamp(3), ARRAY, MAP and
/// STRUCT to array, map and row. Throws TYPE_NOT_FOUND.
sql::Type type_of_ksqldb(const std::string& type);

}  // namespace meesh::streams
