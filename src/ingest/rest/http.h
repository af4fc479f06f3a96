// A client of HTTP as sources need it: it proves who asks, keeps the pace, follows redirects and
// tries again what failed for now. Secrets go to the base address's host alone, and into no error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.h"
#include "ingest/rest/http_config.h"
#include "net/http.h"

namespace meesh::ingest {

struct HttpRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body, content_type;
  std::set<int> also_fine;  // answers beside 2xx that are no errors
  bool anonymous = false;   // neither credentials nor the configured headers
};

struct HttpAnswer {
  int status = 0;
  net::Headers headers;
  std::string body;  // unpacked
  Url url;           // after redirects
};

/// Takes a body in pieces. `begin` is called before each try: what came before it is void.
struct BodySink {
  std::function<void()> begin;
  std::function<void(std::string_view piece)> write;
};

/// One thread at a time.
class HttpClient {
 public:
  explicit HttpClient(HttpConfig config);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Throws what is wrong in the end: UNAVAILABLE, EXCEEDED_TIME_LIMIT, PERMISSION_DENIED (401,
  /// 403), NOT_FOUND (404, 410), GENERIC_EXTERNAL (other answers, and what is no HTTP).
  HttpAnswer send(const HttpRequest& request, const TaskContext& context);
  /// As send(), for bodies of any size, which come as they are.
  HttpAnswer fetch(const HttpRequest& request, const TaskContext& context, const BodySink& sink);

  const HttpConfig& config() const { return config_; }
  /// The address without what is secret.
  std::string shown(const Url& url) const;

 private:
  HttpAnswer exchange(const HttpRequest& request, const TaskContext& context, const BodySink* sink);
  HttpAnswer follow(const HttpRequest& request, const std::string& token, const BodySink* sink);
  HttpAnswer ask(const HttpRequest& request, const std::string& token, const BodySink* sink);
  void sign(const std::string& token, net::Headers& headers, Url& url) const;
  bool trusts(const Url& url) const;
  std::string token(const TaskContext& context);
  net::Client& client(const std::string& origin);
  Error refusal(const HttpRequest& request, const HttpAnswer& answer,
                const std::string& token) const;

  const HttpConfig config_;
  std::map<std::string, std::unique_ptr<net::Client>> clients_;  // by origin
};

}  // namespace meesh::ingest
