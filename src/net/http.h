// HTTP/1.1 as the rest of the program sees it: a request whose body is read as a stream and a
// response whose body is written as one. Handlers are plain synchronous functions on worker
// threads; idle connections wait in epoll and cost no thread.
//
//   Server server(options);
//   server.route("GET", "/v1/info", [](Request& q, Response& r) { r.json("{}"); });
//   server.route("GET", "/v1/query/{id}", …);   // q.param("id")
//   server.start();  …  server.stop(5s);        // drains
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace meesh::net {

/// Header fields in order of arrival; names compare case-insensitively.
class Headers {
 public:
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  std::optional<std::string_view> get(std::string_view name) const;  // first
  std::vector<std::string_view> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

/// An Error that knows its HTTP status, for those no code stands for (408, 413, 415, …).
class HttpError : public Error {
 public:
  HttpError(int status, std::string message, Code code = Code::kBadRequest)
      : Error(code, std::move(message)), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};
/// The status an answer to `error` should carry: an HttpError's own, else by its code.
int http_status(const Error& error);
std::string_view reason_phrase(int status);  // "" if unknown

class Request {
 public:
  virtual ~Request() = default;
  std::string method;
  std::string target;  // as sent: path and query
  /// Percent-decoded, no query; may hold ".." and control characters, but no NUL.
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  Headers headers;
  std::string remote_address;
  std::string id;  // X-Request-Id given or made
  std::vector<std::pair<std::string, std::string>> path_params;
  bool tls = false;
  /// Who asks and as what; "" = nobody has found out. Set by ServerOptions::before.
  std::string user, role;

  std::string_view param(std::string_view name) const;  // "" if absent
  std::optional<std::string_view> query_param(std::string_view name) const;
  std::optional<uint64_t> content_length;  // absent: chunked or none

  /// Reads up to `size` bytes; 0 = end of body. Sends 100-continue on first read if asked. Throws
  /// BAD_REQUEST (malformed chunk, body over the limit, time over) as HttpError; the connection is
  /// closed after the answer then.
  virtual size_t read(char* buffer, size_t size) = 0;
  /// The whole body, at most `limit` bytes (else HttpError 413), decoded if Content-Encoding is
  /// gzip or zstd (another one: 415).
  std::string body(size_t limit);
  /// The client has closed its side (checked without reading), or the server stops at once: there
  /// is nobody to answer to.
  virtual bool client_gone() = 0;
};

class Response {
 public:
  virtual ~Response() = default;
  int status = 200;
  Headers headers;
  /// Streams; headers go out with the first write (chunked unless Content-Length was set, or the
  /// body fits one buffer). Throws when the client is gone.
  virtual void write(std::string_view data) = 0;
  virtual void flush() = 0;
  /// As write() with `size` bytes of a file from `offset` on; in the kernel where the connection is
  /// plain. `fd` must be readable with pread. Throws also when the file is shorter.
  virtual void send_file(int fd, uint64_t offset, uint64_t size);
  /// Whole answers.
  void text(std::string_view body, std::string_view content_type = "text/plain; charset=utf-8");
  void json(std::string_view body);
  void empty(int status_code);
};

using Handler = std::function<void(Request&, Response&)>;
/// Looks at a request before its handler does; false: it has answered, the handler is not called.
using Guard = std::function<bool(Request&, Response&)>;

struct TlsOptions {
  std::string certificate_file, key_file;  // PEM; reloaded when they change
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8080;  // 0 = any free one, see Server::port()
  std::optional<TlsOptions> tls;
  int workers = 0;  // 0 = 64; threads are started as needed and kept
  /// How long a worker waits for the next request on the connection it just served before the
  /// connection is parked; ended early when other requests need the worker.
  std::chrono::milliseconds linger{20};
  size_t max_header_bytes = 64 << 10;
  uint64_t max_body_bytes = 64ull << 20;            // handlers may be given more by route
  std::chrono::milliseconds header_timeout{15000};  // whole header
  std::chrono::milliseconds body_timeout{60000};    // between two reads
  std::chrono::milliseconds idle_timeout{75000};
  int max_connections = 10000;
  bool access_log = true;
  bool compress = true;  // gzip/zstd by Accept-Encoding for text and JSON over 1 kB
  Guard before;          // empty = none; for all requests whose path and method are known
};

struct RouteOptions {
  std::optional<uint64_t> max_body_bytes;
  bool compress = true;  // false: never, for answers that are cheap to send and dear to pack
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stops at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A handler that throws before its first byte went out is answered for: http_status() and the
  /// message as text; after it, the connection is cut. All routes are added before start().
  /// Pattern segments: literal, {name}, or a last {name...} that takes the rest. Literals win.
  /// What is called {token} stays out of the log.
  /// Unknown path → 404, known path with other method → 405 with Allow. HEAD falls back to GET.
  void route(std::string method, std::string pattern, Handler handler, RouteOptions options = {});
  /// Binds and starts. Throws PORT_IN_USE with who to look for.
  void start();
  int port() const;
  /// Stops accepting, lets running requests end (answers carry Connection: close), then closes.
  /// Requests that outlive `grace` lose their connection (client_gone() is true from then on) and
  /// are waited for. Idempotent.
  void stop(std::chrono::milliseconds grace);
  /// A reading of the load, for metrics.
  struct Load {
    size_t connections = 0, parked = 0, threads = 0, running = 0;
    uint64_t requests = 0;
  };
  Load load() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A blocking client for our own tools: keep-alive, TLS, timeouts, streamed body. One request at a
/// time. A kept connection that turns out dead is replaced, and an idempotent request repeated
/// once.
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};
struct ClientOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(60);  // connecting; each wait for bytes
  std::string ca_file;                                           // PEM; "" = the system's
  /// PEM; unless "", the server must present the first certificate of this file itself: whoever
  /// signed it, whatever its name and age, and nothing else is trusted.
  std::string server_certificate{};
  uint64_t max_body_bytes = 256 << 20;  // of a body held whole
};
class Client {
 public:
  /// base: "http://host:port" or https.
  explicit Client(std::string base, std::chrono::milliseconds timeout = std::chrono::seconds(60));
  Client(std::string base, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Throws UNAVAILABLE (cannot connect, TLS refused, connection lost), EXCEEDED_TIME_LIMIT,
  /// IO_ERROR (the answer is not HTTP or too large). The body comes as sent: no Content-Encoding is
  /// undone.
  ClientResponse request(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body);
  /// Gives the body to `sink` in pieces as they come; `body` of the result stays empty.
  ClientResponse request(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body, const std::function<void(std::string_view)>& sink);

  /// A request under way whose body is written as it comes. Destroyed before finish(), it cuts the
  /// connection, so that the server sees a body cut short. Its client serves no other meanwhile.
  class Upload {
   public:
    Upload(Upload&& other) noexcept : client_(std::exchange(other.client_, nullptr)) {}
    Upload& operator=(Upload&&) = delete;
    ~Upload();
    /// Errors as request(). A server may answer before it took everything: then the rest is
    /// dropped, and finish() tells.
    void write(std::string_view bytes);
    ClientResponse finish();

   private:
    friend class Client;
    explicit Upload(Client* client) : client_(client) {}
    Client* client_;
  };
  /// Sends the head of a request with a body of `size` bytes. Never repeated.
  Upload upload(std::string_view method, std::string_view target, const Headers& headers,
                uint64_t size);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One byte range of a resource of `size` bytes from a Range header: kAll = no header, or one to
/// ignore (other unit, malformed, several ranges); kUnsatisfiable = answer 416; kPartial fills
/// `out`.
struct ByteRange {
  uint64_t first = 0, last = 0;  // inclusive
};
enum class RangeResult { kAll, kPartial, kUnsatisfiable };
RangeResult parse_range(std::optional<std::string_view> header, uint64_t size, ByteRange& out);

/// Everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);
/// Nothing for a % without two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// "a=1&b" → {a,1},{b,""}, decoded with + as space; nothing if a part does not decode.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text);

}  // namespace meesh::net
