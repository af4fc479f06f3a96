// One request to a ksqlDB server and its answer as it comes, over libcurl: HTTP/2 is what ksqlDB's
// streaming answers want, and ours of src/net is HTTP/1.1.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "streams/ksqldb/client.h"

namespace meesh::streams {

struct KsqldbRequest {
  std::string path;  // "/query-stream"
  std::string body;  // "": a GET
  std::string accept = "application/vnd.ksql.v1+json";
  /// Without TLS that is h2c with prior knowledge: ksqlDB upgrades no connection.
  bool http2 = false;
};

/// Thread-safe. Each request has a connection of its own; a proxy of the environment is not used.
class KsqldbHttp {
 public:
  /// Throws CONFIG_INVALID for a URL that is none. User and password may stand in the URL.
  explicit KsqldbHttp(KsqldbSettings settings);

  const std::string& url() const { return settings_.url; }  // without user and password
  /// "ksqlDB at http://localhost:8088"
  const std::string& where() const { return where_; }

  /// Gives the answer's bytes with its status to `on_bytes` until that is false, and asks `go_on`
  /// several times a second whether to wait longer; both may throw, which ends it. The status; 0 if
  /// `go_on` ended it before there was one; nothing if the server does not speak HTTP/2, which was
  /// asked for. Throws UNAVAILABLE (no connection, none within 10 s, no answer within 60 s, cut),
  /// USER_CANCELED within 200 ms of a stop.
  std::optional<long> exchange(const KsqldbRequest& request,
                               const std::function<bool(long, std::string_view)>& on_bytes,
                               const std::function<bool()>& go_on, std::stop_token stop) const;

  struct Reply {
    long status = 0;
    std::string body;
  };
  /// The whole answer, at most 64 MiB, within 60 s.
  Reply ask(const KsqldbRequest& request) const;

 private:
  KsqldbSettings settings_;
  std::string where_;
};

}  // namespace meesh::streams
