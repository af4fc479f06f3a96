// Signed requests to another S3, over kept connections, repeated while it is out of order.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/aws_signature.h"
#include "net/http.h"
#include "objects/store.h"

namespace meesh::objects {

struct RemoteRequest {
  std::string method, bucket, key;  // no bucket: the service; no key: the bucket
  std::vector<std::pair<std::string, std::string>> query = {};
  net::Headers headers = {};
  std::string_view body = {};
};

/// Thread-safe.
class RemoteConnection {
 public:
  /// Between two attempts; tests do not wait.
  using Pause = std::function<void(std::chrono::milliseconds)>;
  /// Throws CONFIG_INVALID.
  RemoteConnection(RemoteOptions options, Pause pause);
  ~RemoteConnection();

  /// Throws the ObjectError that an answer of 300 and more stands for. `attempts`: how many it
  /// took.
  net::ClientResponse call(const RemoteRequest& request, int* attempts = nullptr);
  /// Any answer but those that ask to come again (429, 5xx), which are kServiceUnavailable when
  /// they do not stop.
  net::ClientResponse try_call(const RemoteRequest& request, int* attempts = nullptr);
  /// The answer's body into `buffer`; its length. Throws as call(), kInternalError if it is longer.
  size_t read(const RemoteRequest& request, char* buffer, size_t size);

  /// A PUT of a body that is too large to keep, in signed chunks. Not repeated: a lost connection
  /// is kServiceUnavailable. Destroyed before finish(): the other side sees a body cut short.
  class Streamed {
   public:
    ~Streamed();
    void write(std::string_view bytes);
    net::ClientResponse finish();  // throws as call()

   private:
    friend class RemoteConnection;
    Streamed(RemoteConnection& connection, std::unique_ptr<net::Client> client,
             net::Client::Upload upload);
    void send_chunk(std::string_view bytes);

    RemoteConnection& connection_;
    std::string base_;
    std::unique_ptr<net::Client> client_;
    std::optional<net::Client::Upload> upload_;
    std::string pending_, key_, timestamp_, previous_;
    net::SigningScope scope_;
  };
  std::unique_ptr<Streamed> stream(const RemoteRequest& request, uint64_t size);

  const RemoteOptions& options() const { return options_; }

 private:
  struct Place {
    std::string base, host, path;
  };
  Place place(const RemoteRequest& request) const;
  std::unique_ptr<net::Client> borrow(const std::string& base);
  void give_back(const std::string& base, std::unique_ptr<net::Client> client);
  net::ClientResponse attempt(const RemoteRequest& request,
                              const std::function<void(std::string_view)>* sink);
  net::ClientResponse repeat(const RemoteRequest& request, int* attempts,
                             const std::function<std::function<void(std::string_view)>()>& sink);

  const RemoteOptions options_;
  const Pause pause_;
  std::string scheme_, authority_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<net::Client>>> idle_;  // by base
};

}  // namespace meesh::objects
