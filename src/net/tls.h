// TLS over OpenSSL, 1.2 and newer.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "net/http.h"
#include "net/stream.h"

namespace meesh::net {

/// A server's certificate and key, read again when their files change. Thread-safe.
class TlsServer {
 public:
  /// Throws CONFIG_INVALID naming the file that is missing or wrong.
  explicit TlsServer(TlsOptions options);
  ~TlsServer();
  /// Takes the descriptor over. The handshake happens in the first reads. Files that changed to
  /// something unusable are logged and the certificate in use stays.
  std::unique_ptr<Stream> accept(int fd);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Trust in servers, shared by a client's connections.
class TlsClient {
 public:
  /// As ClientOptions has them. Throws CONFIG_INVALID if one cannot be read.
  explicit TlsClient(const std::string& ca_file, const std::string& server_certificate = {});
  ~TlsClient();
  /// Takes the descriptor over and shakes hands; the certificate must be valid for `host`, or
  /// be `server_certificate`. Must outlive the stream. Throws UNAVAILABLE, EXCEEDED_TIME_LIMIT.
  std::unique_ptr<Stream> connect(int fd, const std::string& host, Deadline deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::net
