#include "net/connection.h"

#include <cmath>
#include <random>

#include "base/log.h"
#include "net/body.h"
#include "net/response.h"

namespace meesh::net {
namespace {

constexpr std::chrono::milliseconds kClosingTime{2000};
constexpr size_t kClosingBytes = 4 << 20;
constexpr size_t kDrainBytes = 256 << 10;
constexpr uint64_t kSlowestBody = 1024;  // bytes a second, on average, once the body time is over
constexpr int kClientGone = 499;         // in the access log only

std::string new_request_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}", random());
}

bool usable_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '/' || c == '+' || c == '=';
  });
}

void log_access(const Service& service, std::string_view method, std::string_view path, int status,
                uint64_t bytes, Clock::time_point started, std::string_view id) {
  if (!service.options.access_log) return;
  // A person at a terminal does not want a line for each page of a result.
  auto level = status >= 500  ? log::Level::kWarn
               : log::human() ? log::Level::kDebug
                              : log::Level::kInfo;
  if (!log::enabled(level)) return;
  double ms = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
  log::write(level, "request",
             {{"method", method},
              {"path", path},
              {"status", status},
              {"bytes", bytes},
              {"ms", std::round(ms * 1000) / 1000},
              {"id", id}});
}

/// The path with "…" for what a route calls {token}: whoever reads the log could use it.
std::string logged_path(const Request& request) {
  std::string path = request.path;
  const std::string_view token = request.param("token");
  if (const auto at = token.empty() ? path.npos : path.rfind(token); at != path.npos)
    path.replace(at, token.size(), "…");
  return path;
}

class StreamRequest final : public Request {
 public:
  StreamRequest(Stream& stream, Input& input, const Service& service)
      : stream_(stream), input_(input), service_(service) {}

  void open_body(const RequestHead& head, uint64_t limit) {
    auto framing = head.chunked          ? BodyReader::Framing::kChunked
                   : head.content_length ? BodyReader::Framing::kLength
                                         : BodyReader::Framing::kNone;
    body_.emplace(input_, framing, head.content_length.value_or(0),
                  BodyReader::Limits{limit, service_.options.body_timeout, kSlowestBody});
    owes_continue_ = head.expects_continue;
  }

  size_t read(char* buffer, size_t size) override {
    if (!body_ || failure_ != 0)
      throw HttpError(failure_ != 0 ? failure_ : 400, "the body is unusable");
    if (owes_continue_ && input_.buffered().empty()) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      stream_.write(kContinue, {}, service_.options.body_timeout);
    }
    owes_continue_ = false;
    try {
      return body_->read(buffer, size);
    } catch (const HttpError& e) {
      failure_ = e.status();
      throw;
    }
  }

  bool client_gone() override { return service_.cut || stream_.peer_gone(); }

  /// Reads what is left of the body as far as it is there; true if that is all of it.
  bool drain() {
    if (!body_ || failure_ != 0) return false;
    char waste[4096];
    size_t drained = 0;
    try {
      while (!owes_continue_ && !body_->done() && drained < kDrainBytes) {
        size_t got = body_->read(waste, sizeof waste, false);
        if (got == 0) break;
        drained += got;
      }
    } catch (const HttpError& e) {
      failure_ = e.status();
    }
    return failure_ == 0 && body_->done();
  }

  /// The status a failed read of the body stands for; 0 if none failed.
  int failure() const { return failure_; }

 private:
  Stream& stream_;
  Input& input_;
  const Service& service_;
  std::optional<BodyReader> body_;
  bool owes_continue_ = false;
  int failure_ = 0;
};

// A short answer in words in place of what the handler may have begun.
void answer_problem(StreamResponse& response, int status, std::string text) {
  response.reset();
  response.status = status;
  text += '\n';
  response.text(text);
}

void run_handler(const Handler& handler, StreamRequest& request, StreamResponse& response) {
  auto failed = [&](int status, const std::string& text) {
    if (response.pristine() && !response.broken()) {
      answer_problem(response, status, text);
      if (status == 500) {
        log::error("request failed", {{"id", request.id}, {"path", request.path}, {"error", text}});
      }
    } else if (!response.broken()) {
      log::warn("answer cut short", {{"id", request.id}, {"path", request.path}, {"error", text}});
      throw Error(Code::kIoError, "answer cut short");
    }
  };
  try {
    handler(request, response);
  } catch (const Error& e) {
    bool of_body = request.failure() != 0 && e.code() == Code::kBadRequest;
    failed(of_body ? request.failure() : http_status(e), e.what());
  } catch (const std::exception& e) {
    failed(500, fmt::format("internal error: {}", e.what()));
  }
}

void not_found(Request& request, Response& response, const Router& router,
               const std::set<std::string>& allowed) {
  if (!router.knows_method(request.method)) {
    throw HttpError(501, fmt::format("the method {} is not supported", request.method));
  }
  if (allowed.empty()) throw HttpError(404, fmt::format("there is nothing at {}", request.path));
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  response.status = 405;
  response.headers.set("Allow", list);
  response.text(
      fmt::format("{} is not allowed at {}, {} is\n", request.method, request.path, list));
}

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream, std::string remote_address, bool tls,
                       Service& service)
    : stream_(std::move(stream)),
      input_(*stream_),
      remote_address_(std::move(remote_address)),
      tls_(tls),
      service_(service),
      deadline_(Clock::now() +
                (tls ? service.options.header_timeout : service.options.idle_timeout)) {}

Connection::Next Connection::advance() {
  if (phase_ == Phase::kClosing) return discard();
  for (;;) {
    if (!input_.buffered().empty()) {
      switch (scanner_.scan(input_.buffered(), service_.options.max_header_bytes)) {
        case HeadScanner::State::kDone:
          return serve();
        case HeadScanner::State::kBad:
          return refuse(scanner_.problem());
        case HeadScanner::State::kMore:
          break;
      }
    }
    if (begun_ && Clock::now() >= deadline_) {
      time_out();
      return Next::kClose;
    }
    Io io = input_.fill(kNow);
    if (io == Io::kTimeout) return Next::kWait;
    if (io != Io::kOk) return Next::kClose;
    if (!begun_) {
      begun_ = true;
      deadline_ = Clock::now() + service_.options.header_timeout;
    }
  }
}

void Connection::time_out() {
  if (phase_ != Phase::kHead || !begun_ || !stream_->established()) return;
  constexpr std::string_view kText = "the request's head did not arrive in time\n";
  log_access(service_, "-", "-", 408, kText.size(), Clock::now(), "");
  stream_->write(fmt::format("HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\n"
                             "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                             kText.size(), kText),
                 {}, std::chrono::milliseconds(0));
}

void Connection::next_head() {
  scanner_ = HeadScanner();
  begun_ = !input_.buffered().empty();
  deadline_ =
      Clock::now() + (begun_ ? service_.options.header_timeout : service_.options.idle_timeout);
}

Connection::Next Connection::serve() {
  auto started = Clock::now();
  RequestHead head;
  auto problem = parse_request_head(
      input_.buffered().substr(scanner_.start(), scanner_.end() - scanner_.start()), head);
  if (problem) return refuse(*problem);
  input_.consume(scanner_.end());

  StreamRequest request(*stream_, input_, service_);
  auto given_id = head.headers.get("X-Request-Id").value_or("");
  request.id = usable_request_id(given_id) ? std::string(given_id) : new_request_id();
  auto match = service_.router.match(head.method, head.raw_path);
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.path = std::move(head.path);
  request.query = std::move(head.query);
  request.headers = std::move(head.headers);
  request.remote_address = remote_address_;
  request.path_params = std::move(match.params);
  request.tls = tls_;
  request.content_length = head.content_length;

  bool pack =
      service_.options.compress && (match.route == nullptr || match.route->options.compress);
  StreamResponse response(
      *stream_, {.head_only = request.method == "HEAD",
                 .version = head.version,
                 .keep_alive = head.keep_alive && !service_.draining,
                 .coding = pack ? choose_coding(request.headers.get("Accept-Encoding").value_or(""))
                                : Coding::kIdentity,
                 .stall = service_.options.body_timeout,
                 .request_id = request.id});
  uint64_t limit = service_.options.max_body_bytes;
  if (match.route != nullptr) limit = match.route->options.max_body_bytes.value_or(limit);

  ++service_.requests;
  ++service_.running;
  bool drained = false;
  try {
    run_handler(
        [&](Request& q, Response& r) {
          request.open_body(head, limit);
          if (match.route == nullptr) {
            not_found(q, r, service_.router, match.allowed);
          } else if (!service_.options.before || service_.options.before(q, r)) {
            match.route->handler(q, r);
          }
        },
        request, response);
    drained = request.drain();
    if (!drained || service_.draining) response.close_after();
    if (response.pristine()) {
      // A header that cannot be sent shows only now.
      run_handler([&](Request&, Response&) { response.finish(); }, request, response);
    }
    response.finish();
  } catch (const std::exception& e) {  // the answer cannot be completed
    log::debug("answer not delivered", {{"id", request.id}, {"error", e.what()}});
  }
  --service_.running;
  bool cut = !response.reusable() && (response.broken() || response.unfinished());
  log_access(service_, request.method, logged_path(request), cut ? kClientGone : response.status,
             response.body_bytes(), started, request.id);
  if (cut) return Next::kClose;
  if (response.reusable()) {
    next_head();
    return Next::kServed;
  }
  return drained && input_.buffered().empty() ? Next::kClose : begin_closing();
}

Connection::Next Connection::refuse(const Problem& problem) {
  std::string id = new_request_id();
  StreamResponse response(
      *stream_, {.keep_alive = false, .stall = service_.options.body_timeout, .request_id = id});
  ++service_.requests;
  log_access(service_, "-", "-", problem.status, 0, Clock::now(), id);
  try {
    answer_problem(response, problem.status, problem.text);
    response.finish();
  } catch (const Error&) {
    return Next::kClose;
  }
  return begin_closing();
}

// The answer must reach a client that still sends: closing with unread bytes would reset it.
Connection::Next Connection::begin_closing() {
  stream_->end_writing();
  input_.consume(input_.buffered().size());
  phase_ = Phase::kClosing;
  deadline_ = Clock::now() + kClosingTime;
  return discard();
}

Connection::Next Connection::discard() {
  while (discarded_ < kClosingBytes && Clock::now() < deadline_) {
    Io io = input_.fill(kNow);
    if (io == Io::kTimeout) return Next::kWait;
    if (io != Io::kOk) return Next::kClose;
    discarded_ += input_.buffered().size();
    input_.consume(input_.buffered().size());
  }
  return Next::kClose;
}

}  // namespace meesh::net
