#include <charconv>

#include "net/body.h"
#include "net/head.h"
#include "net/http.h"
#include "net/response_reader.h"
#include "net/socket.h"
#include "net/tls.h"

namespace meesh::net {

struct Client::Impl {
  Impl(std::string base, ClientOptions given) : options(std::move(given)) {
    parse_base(base);
    if (secure) tls = std::make_unique<TlsClient>(options.ca_file, options.server_certificate);
  }

  void parse_base(std::string_view base);
  void connect();
  std::string compose(std::string_view method, std::string_view target, const Headers& headers,
                      uint64_t body_size) const;
  /// False: the kept connection was dead before any byte of an answer.
  bool exchange(std::string_view head, std::string_view body, bool head_only, bool reused,
                ClientResponse& response, const std::function<void(std::string_view)>& sink);
  /// The answer to what was written. False as exchange().
  bool read_answer(Io written, bool head_only, bool reused, ClientResponse& response,
                   const std::function<void(std::string_view)>& sink);
  /// Collects a whole body, up to the limit.
  std::function<void(std::string_view)> collect(std::string& whole) const;
  [[noreturn]] void fail(Io io, const char* doing);

  ClientOptions options;
  std::string host, port, authority, prefix;
  bool secure = false;
  std::unique_ptr<TlsClient> tls;
  std::unique_ptr<Stream> stream;
  std::optional<Input> input;
  Io uploaded = Io::kOk;  // of an upload under way
};

void Client::Impl::parse_base(std::string_view base) {
  auto malformed = [&] {
    throw Error(Code::kConfigInvalid, fmt::format("'{}' is no http:// or https:// address", base));
  };
  std::string_view rest = base;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
    secure = true;
  } else {
    malformed();
  }
  size_t slash = std::min(rest.find('/'), rest.size());
  authority = rest.substr(0, slash);
  prefix = rest.substr(slash);
  while (prefix.ends_with('/')) prefix.pop_back();
  std::string_view name = authority;
  port = secure ? "443" : "80";
  size_t bracket = name.starts_with('[') ? name.find(']') : 0;
  if (bracket == std::string_view::npos) malformed();
  if (size_t colon = name.find(':', bracket); colon != std::string_view::npos) {
    port = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  host = name;
  int number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || authority.find_first_of("@ \r\n?#") != std::string::npos ||
      error != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) {
    malformed();
  }
}

void Client::Impl::connect() {
  Deadline deadline = Clock::now() + options.timeout;
  input.reset();
  stream.reset();
  int fd = connect_to(host, port, deadline);
  stream = secure ? tls->connect(fd, host, deadline) : plain_stream(fd);
  input.emplace(*stream);
}

void Client::Impl::fail(Io io, const char* doing) {
  input.reset();
  stream.reset();
  if (io == Io::kTimeout) {
    throw Error(Code::kExceededTimeLimit,
                fmt::format("{} did not answer in time while {}", authority, doing));
  }
  throw Error(Code::kUnavailable,
              fmt::format("the connection to {} was lost while {}", authority, doing));
}

std::string Client::Impl::compose(std::string_view method, std::string_view target,
                                  const Headers& headers, uint64_t body_size) const {
  auto clean = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  };
  if (!is_token(method) || !clean(target) || target.find(' ') != std::string_view::npos) {
    internal_error("a malformed request line");
  }
  std::string out = fmt::format("{} {}{} HTTP/1.1\r\n", method, prefix, target);
  if (!headers.get("Host")) out.append("Host: ").append(authority).append("\r\n");
  for (const auto& [name, value] : headers.items()) {
    if (!is_token(name) || !clean(value)) internal_error("a malformed header: " + name);
    if (equals_ignoring_case(name, "Content-Length") ||
        equals_ignoring_case(name, "Transfer-Encoding")) {
      continue;
    }
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (body_size > 0 || method == "POST" || method == "PUT" || method == "PATCH") {
    out += fmt::format("Content-Length: {}\r\n", body_size);
  }
  out += "\r\n";
  return out;
}

bool Client::Impl::exchange(std::string_view head, std::string_view body, bool head_only,
                            bool reused, ClientResponse& response,
                            const std::function<void(std::string_view)>& sink) {
  // A server may answer (413, 401) and close before it took the whole body: read on regardless.
  Io written = stream->write(head, body, options.timeout);
  return read_answer(written, head_only, reused, response, sink);
}

bool Client::Impl::read_answer(Io written, bool head_only, bool reused, ClientResponse& response,
                               const std::function<void(std::string_view)>& sink) {
  if (written == Io::kTimeout) fail(written, "it took the request");
  ResponseReader reader(*input, options.timeout);
  Io io = reader.read_head(response);
  if (io == Io::kEof || io == Io::kError) {
    if (reused && reader.untouched()) return false;
    fail(io, "it was to answer");
  }
  if (io != Io::kOk) fail(io, "it was to answer");
  reader.read_body(response, head_only, sink);
  if (!reader.reusable() || written != Io::kOk) {
    input.reset();
    stream.reset();
  }
  return true;
}

std::function<void(std::string_view)> Client::Impl::collect(std::string& whole) const {
  return [this, &whole](std::string_view piece) {
    if (piece.size() > options.max_body_bytes - whole.size()) {
      throw Error(Code::kIoError, fmt::format("the answer of {} is larger than {} bytes", authority,
                                              options.max_body_bytes));
    }
    whole += piece;
  };
}

Client::Client(std::string base, std::chrono::milliseconds timeout)
    : Client(std::move(base), ClientOptions{.timeout = timeout, .ca_file = ""}) {}

Client::Client(std::string base, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(base), std::move(options))) {}

Client::~Client() = default;

ClientResponse Client::request(std::string_view method, std::string_view target,
                               const Headers& headers, std::string_view body) {
  std::string whole;
  auto response = request(method, target, headers, body, impl_->collect(whole));
  response.body = std::move(whole);
  return response;
}

ClientResponse Client::request(std::string_view method, std::string_view target,
                               const Headers& headers, std::string_view body,
                               const std::function<void(std::string_view)>& sink) {
  Impl& c = *impl_;
  std::string head = c.compose(method, target, headers, body.size());
  bool idempotent = method != "POST" && method != "PATCH";
  bool reused = c.stream != nullptr && !c.stream->peer_gone() && c.input->buffered().empty();
  if (!reused) c.connect();
  try {
    ClientResponse response;
    if (c.exchange(head, body, method == "HEAD", reused, response, sink)) return response;
    if (!idempotent) c.fail(Io::kEof, "it was to answer");
    c.connect();
    response = {};
    c.exchange(head, body, method == "HEAD", false, response, sink);
    return response;
  } catch (...) {
    c.input.reset();
    c.stream.reset();
    throw;
  }
}

Client::Upload Client::upload(std::string_view method, std::string_view target,
                              const Headers& headers, uint64_t size) {
  Impl& c = *impl_;
  std::string head = c.compose(method, target, headers, size);
  bool reused = c.stream != nullptr && !c.stream->peer_gone() && c.input->buffered().empty();
  if (!reused) c.connect();
  c.uploaded = Io::kOk;
  Upload upload(this);
  upload.write(head);
  return upload;
}

Client::Upload::~Upload() {
  if (client_ == nullptr) return;
  client_->impl_->input.reset();
  client_->impl_->stream.reset();
}

void Client::Upload::write(std::string_view bytes) {
  Impl& c = *client_->impl_;
  if (c.uploaded != Io::kOk) return;
  c.uploaded = c.stream->write(bytes, {}, c.options.timeout);
  if (c.uploaded == Io::kTimeout) c.fail(c.uploaded, "it took the request");
}

ClientResponse Client::Upload::finish() {
  Impl& c = *client_->impl_;
  std::string whole;
  ClientResponse response;
  c.read_answer(c.uploaded, false, false, response, c.collect(whole));
  response.body = std::move(whole);
  client_ = nullptr;
  return response;
}

}  // namespace meesh::net
