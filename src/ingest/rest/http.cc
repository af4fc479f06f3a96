#include "ingest/rest/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/text.h"
#include "ingest/rest/pace.h"
#include "ingest/rest/tokens.h"
#include "net/coding.h"
#include "objects/remote_answers.h"

namespace meesh::ingest {

using std::chrono::milliseconds;

namespace {

constexpr uint64_t kLargestBody = 256 << 20;
constexpr int kMostRedirects = 10;
constexpr size_t kShownOfBody = 300;
// Above it, X-RateLimit-Reset is a moment since 1970, below it seconds from now.
constexpr int64_t kLeastMoment = 1'000'000'000;

bool fine(const HttpRequest& request, int status) {
  return (status >= 200 && status < 300) || request.also_fine.contains(status);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

/// An IO_ERROR is an answer that breaks off; what takes the body throws Refused.
bool may_pass(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kExceededTimeLimit ||
         error.code() == Code::kIoError;
}

/// What failed is not the network.
struct Refused {
  Error error;
};

/// Into one text, up to the limit.
BodySink collect(std::string& whole) {
  return {[&] { whole.clear(); },
          [&](std::string_view piece) {
            if (piece.size() > kLargestBody - whole.size()) {
              throw Error(Code::kGenericExternal,
                          fmt::format("the answer is larger than {} bytes", kLargestBody));
            }
            whole += piece;
          }};
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

milliseconds seconds_of(int64_t seconds) {
  return std::chrono::seconds(std::min<int64_t>(seconds, 366LL * 86400));
}

/// How long the server asks to wait, if it does.
std::optional<milliseconds> asked_wait(const HttpAnswer& answer) {
  const int64_t now = base::now_ms();
  if (const auto after = answer.headers.get("Retry-After")) {
    if (const auto seconds = number(*after)) return seconds_of(*seconds);
    if (const auto moment = objects::parse_http_date(*after))
      return std::max(milliseconds(0), moment->time_since_epoch() - milliseconds(now));
  }
  const bool limited = answer.status == 403 || answer.status == 429;
  if (!limited || answer.headers.get("X-RateLimit-Remaining") != "0") return std::nullopt;
  const auto reset = number(answer.headers.get("X-RateLimit-Reset").value_or(""));
  if (!reset) return std::nullopt;
  if (*reset < kLeastMoment) return seconds_of(*reset);
  return seconds_of(std::max<int64_t>(0, *reset - now / 1000) + 1);
}

/// One line, of which the rest is left out.
std::string excerpt(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, kShownOfBody))
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  if (!base::valid_utf8(body.substr(0, kShownOfBody))) {
    while (!out.empty() && !base::valid_utf8(out) && out.size() + 4 > kShownOfBody) out.pop_back();
    if (!base::valid_utf8(out)) return "";
  }
  if (body.size() > kShownOfBody) out += "…";
  return out;
}

std::string unpacked(const HttpAnswer& answer, std::string body) {
  const auto name = answer.headers.get("Content-Encoding").value_or("");
  const auto coding = net::coding_by_name(name);
  if (!coding) {
    throw Error(Code::kGenericExternal,
                fmt::format("the answer is packed as '{}', which nobody asked for", name));
  }
  if (*coding == net::Coding::kIdentity || body.empty()) return body;
  try {
    return net::decode(*coding, body, kLargestBody);
  } catch (const Error& error) {
    throw Error(Code::kGenericExternal, "the answer cannot be unpacked: " + error.message());
  }
}

}  // namespace

HttpClient::HttpClient(HttpConfig config) : config_(std::move(config)) {}
HttpClient::~HttpClient() = default;

std::string HttpClient::shown(const Url& url) const {
  std::string target = url.target;
  if (config_.auth.in_query) target = without_parameters(target, {config_.auth.name});
  return redacted(url.origin + target, config_.secrets);
}

/// Whether credentials may go there: to the base address, and to it with TLS.
bool HttpClient::trusts(const Url& url) const {
  const std::string& base = config_.base.origin;
  if (url.origin == base) return true;
  return base.starts_with("http://") && url.origin == "https://" + base.substr(7);
}

net::Client& HttpClient::client(const std::string& origin) {
  auto& kept = clients_[origin];
  if (!kept) {
    net::ClientOptions options;
    options.timeout = config_.timeout;
    options.ca_file = config_.ca_file;
    kept = std::make_unique<net::Client>(origin, options);
  }
  return *kept;
}

std::string HttpClient::token(const TaskContext& context) {
  return config_.tokens->get(config_.auth,
                             [&](const HttpRequest& request) { return send(request, context); });
}

void HttpClient::sign(const std::string& token, net::Headers& headers, Url& url) const {
  for (const auto& [name, value] : config_.headers) headers.set(name, value);
  const auto& auth = config_.auth;
  switch (auth.kind) {
    case HttpAuth::Kind::kNone:
      break;
    case HttpAuth::Kind::kApiKey:
      if (auth.in_query) {
        url.target = with_parameter(url.target, auth.name, auth.secret);
      } else {
        headers.set(auth.name, auth.secret);
      }
      break;
    case HttpAuth::Kind::kBearer:
      headers.set("Authorization", "Bearer " + auth.secret);
      break;
    case HttpAuth::Kind::kBasic:
      headers.set("Authorization", "Basic " + base::to_base64(auth.user + ":" + auth.password));
      break;
    case HttpAuth::Kind::kClientCredentials:
    case HttpAuth::Kind::kRefreshToken:
      headers.set("Authorization", "Bearer " + token);
      break;
  }
}

/// One request and its answer.
HttpAnswer HttpClient::ask(const HttpRequest& request, const std::string& token,
                           const BodySink* sink) {
  net::Headers headers;
  headers.set("User-Agent", "meesh");
  headers.set("Accept", sink ? "*/*" : "application/json, */*;q=0.5");
  headers.set("Accept-Encoding", sink ? "identity" : "gzip, zstd");
  Url url = request.url;
  if (!request.anonymous && trusts(url)) sign(token, headers, url);
  for (const auto& [name, value] : request.headers) headers.set(name, value);
  if (!request.content_type.empty()) headers.set("Content-Type", request.content_type);
  auto& connection = client(url.origin);
  std::string whole;
  const BodySink taker = sink ? *sink : collect(whole);
  const auto guarded = [&](const auto& take) {
    try {
      take();
    } catch (const Error& error) {
      throw Refused{error};
    }
  };
  guarded(taker.begin);
  auto response =
      connection.request(request.method, url.target, headers, request.body,
                         [&](std::string_view piece) { guarded([&] { taker.write(piece); }); });
  HttpAnswer answer;
  answer.status = response.status;
  answer.headers = std::move(response.headers);
  answer.url = request.url;
  if (!sink) answer.body = unpacked(answer, std::move(whole));
  return answer;
}

HttpAnswer HttpClient::follow(const HttpRequest& request, const std::string& token,
                              const BodySink* sink) {
  HttpRequest now = request;
  for (int hops = 0;; ++hops) {
    auto answer = ask(now, token, sink);
    const auto location = answer.headers.get("Location");
    if (!is_redirect(answer.status) || !location) return answer;
    const auto next = resolve(now.url, *location);
    if (!next || hops == kMostRedirects) {
      throw Error(Code::kGenericExternal,
                  next ? "it leads from one address to the next without end"
                       : "it leads to something that is no http:// or https:// address");
    }
    const bool posted = now.method != "GET" && now.method != "HEAD";
    if (posted && (answer.status == 303 || answer.status < 303)) {
      now.method = "GET";
      now.body.clear();
      now.content_type.clear();
    }
    now.url = *next;
  }
}

Error HttpClient::refusal(const HttpRequest& request, const HttpAnswer& answer,
                          const std::string& token) const {
  const Code code = answer.status == 401 || answer.status == 403   ? Code::kPermissionDenied
                    : answer.status == 404 || answer.status == 410 ? Code::kNotFound
                                                                   : Code::kGenericExternal;
  std::string message = fmt::format("{} {}: {} {}", request.method, shown(answer.url),
                                    answer.status, net::reason_phrase(answer.status));
  const auto type = answer.headers.get("Content-Type").value_or("");
  if (type.find("html") == std::string_view::npos) {
    auto secrets = config_.secrets;
    secrets.push_back(token);
    const auto said = redacted(excerpt(answer.body), secrets);
    if (!said.empty()) message += ": " + said;
  }
  Error error(code, std::move(message));
  if (answer.status == 401 || answer.status == 403) {
    error.with_hint(trusts(answer.url) ? "look at 'auth' in the source's file"
                                       : "credentials are sent to the base address alone, and this "
                                         "is another one");
  }
  return error;
}

HttpAnswer HttpClient::exchange(const HttpRequest& request, const TaskContext& context,
                                const BodySink* sink) {
  const auto& retries = config_.retries;
  const std::string what = fmt::format("{} {}", request.method, shown(request.url));
  milliseconds wait = retries.first;
  bool renewed = false;
  for (int tried = 0;; ++tried) {
    const std::string token =
        config_.tokens && !request.anonymous ? this->token(context) : std::string();
    config_.pace->take(context);
    std::string trouble;
    std::optional<Error> failure;
    std::optional<milliseconds> asked;
    try {
      const auto answer = follow(request, token, sink);
      if (fine(request, answer.status)) return answer;
      if (answer.status == 401 && !token.empty() && !std::exchange(renewed, true)) {
        config_.tokens->forget(token);
        --tried;
        continue;
      }
      asked = asked_wait(answer);
      failure = refusal(request, answer, token);
      if (!may_pass(answer.status) && !(answer.status == 403 && asked)) throw *failure;
      trouble = fmt::format("{} {}", answer.status, net::reason_phrase(answer.status));
    } catch (const Refused& refused) {
      throw Error(refused.error).prefixed(what);
    } catch (const Error& error) {
      if (failure) throw;
      if (!may_pass(error)) throw Error(error).prefixed(what);
      failure = Error(error).prefixed(what);
      trouble = error.message();
    }
    if (asked && *asked > retries.patience) {
      throw failure->with_hint(
          fmt::format("it asks to wait for {} s; retries: {{ patience: … }} "
                      "allows that",
                      asked->count() / 1000));
    }
    if (tried >= retries.most) throw *failure;
    const milliseconds pause = asked.value_or(wait);
    if (asked) config_.pace->hold(pause);
    wait = std::min(wait * 2, retries.longest);
    context.info(fmt::format("{}: {}; again in {:.1f} s", what, redacted(trouble, config_.secrets),
                             static_cast<double>(pause.count()) / 1000));
    wait_for(pause, context);
  }
}

HttpAnswer HttpClient::send(const HttpRequest& request, const TaskContext& context) {
  return exchange(request, context, nullptr);
}

HttpAnswer HttpClient::fetch(const HttpRequest& request, const TaskContext& context,
                             const BodySink& sink) {
  return exchange(request, context, &sink);
}

}  // namespace meesh::ingest
