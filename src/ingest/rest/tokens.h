// Access tokens of OAuth 2.0: got when they are needed, kept until they end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "ingest/rest/http_config.h"

namespace meesh::ingest {

struct HttpRequest;
struct HttpAnswer;

/// Thread-safe; shared by all readers of a source.
class Tokens {
 public:
  /// Sends a request without credentials; tries again as any other.
  using Send = std::function<HttpAnswer(const HttpRequest& request)>;

  /// The file that refresh tokens are kept in which a server gave in place of the configured one;
  /// only its owner may read it. Without it they are forgotten.
  void keep_in(std::filesystem::path file);
  /// One that is good for some time yet. Throws PERMISSION_DENIED if none is given out.
  std::string get(const HttpAuth& auth, const Send& send);
  /// The server does not take `token` any more.
  void forget(const std::string& token);

 private:
  std::string refresh_token(const HttpAuth& auth) const;
  void keep(const HttpAuth& auth, const std::string& refresh_token);
  void take_in(const HttpAuth& auth, const HttpAnswer& answer);

  std::mutex mutex_;
  std::filesystem::path file_;                  // guarded by mutex_, as all below
  std::string token_, refresh_token_;           // "": none yet; the configured one
  std::chrono::steady_clock::time_point ends_;  // of token_
};

}  // namespace meesh::ingest
