#include "streams/ksqldb/ksqldb_http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>

namespace meesh::streams {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kConnectMillis = 10'000;
constexpr std::chrono::seconds kAnswer{60};  // until the status, and a whole answer of ask()
constexpr int kPollMillis = 100;
constexpr size_t kLongestReply = 64u << 20;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* one) const {
    kFree(one);
  }
};
using Easy = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using List = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;
using Url = std::unique_ptr<CURLU, Free<curl_url_cleanup>>;

/// What a request shares with the callbacks of libcurl, where nothing may be thrown.
struct Exchange {
  const std::function<bool(long, std::string_view)>& on_bytes;
  CURL* easy = nullptr;
  std::exception_ptr thrown;
  bool enough = false;

  long status() const {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
};

size_t take_bytes(char* bytes, size_t size, size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  try {
    exchange.enough = !exchange.on_bytes(exchange.status(), {bytes, size * count});
  } catch (...) {
    exchange.thrown = std::current_exception();
  }
  return exchange.enough || exchange.thrown ? 0 : size * count;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_URLDECODE) != CURLUE_OK) return "";
  std::string out = text;
  curl_free(text);
  return out;
}

/// What a server that knows HTTP/1.1 alone looks like to a client of HTTP/2.
bool speaks_no_http2(CURLcode result) {
  switch (result) {
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return true;
    default:
      return false;
  }
}

void set_request(CURL* easy, const KsqldbSettings& settings, const KsqldbRequest& request,
                 const curl_slist* headers) {
  const bool tls = settings.url.starts_with("https:");
  const long version = !request.http2 ? CURL_HTTP_VERSION_1_1
                       : tls          ? CURL_HTTP_VERSION_2TLS
                                      : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  curl_easy_setopt(easy, CURLOPT_URL, (settings.url + request.path).c_str());
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request.body.c_str());
  }
  if (!settings.ca.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, settings.ca.c_str());
  if (!settings.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, settings.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, settings.password.c_str());
  }
}

void check_size(const std::string& body, size_t more, const std::string& where) {
  if (body.size() + more <= kLongestReply) return;
  throw Error(Code::kGenericExternal, where + " answered with more than 64 MiB");
}

}  // namespace

KsqldbHttp::KsqldbHttp(KsqldbSettings settings) : settings_(std::move(settings)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Url url(curl_url());
  const bool good = curl_url_set(url.get(), CURLUPART_URL, settings_.url.c_str(), 0) == CURLUE_OK;
  const std::string scheme = good ? part_of(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    // Not shown: it may hold a password.
    throw Error(Code::kConfigInvalid, "the URL of ksqlDB is none of http or https")
        .with_hint("such as http://localhost:8088");
  }
  if (settings_.user.empty()) {
    settings_.user = part_of(url.get(), CURLUPART_USER);
    settings_.password = part_of(url.get(), CURLUPART_PASSWORD);
  }
  curl_url_set(url.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(url.get(), CURLUPART_PASSWORD, nullptr, 0);
  settings_.url = part_of(url.get(), CURLUPART_URL);
  while (settings_.url.ends_with('/')) settings_.url.pop_back();
  where_ = "ksqlDB at " + settings_.url;
}

std::optional<long> KsqldbHttp::exchange(
    const KsqldbRequest& request, const std::function<bool(long, std::string_view)>& on_bytes,
    const std::function<bool()>& go_on, std::stop_token stop) const {
  const auto canceled = [&] {
    return Error(Code::kUserCanceled, fmt::format("The request to {} was canceled", where_));
  };
  List headers(curl_slist_append(nullptr, ("Accept: " + request.accept).c_str()));
  curl_slist_append(headers.get(), "Content-Type: application/vnd.ksql.v1+json");
  char words[CURL_ERROR_SIZE] = "";
  // The multi handle outlives what is added to it.
  const Multi multi(curl_multi_init());
  const Easy easy(curl_easy_init());
  Exchange exchange{on_bytes, easy.get(), nullptr};
  set_request(easy.get(), settings_, request, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &exchange);
  curl_multi_add_handle(multi.get(), easy.get());
  const std::unique_ptr<CURL, std::function<void(CURL*)>> added(
      easy.get(), [&](CURL* one) { curl_multi_remove_handle(multi.get(), one); });
  const std::stop_callback wake(stop, [&] { curl_multi_wakeup(multi.get()); });

  const auto begin = Clock::now();
  for (int running = 1; running != 0;) {
    curl_multi_perform(multi.get(), &running);
    if (exchange.thrown) std::rethrow_exception(exchange.thrown);
    if (exchange.enough) return exchange.status();
    if (stop.stop_requested()) throw canceled();
    if (!go_on()) return exchange.status();
    if (exchange.status() == 0 && Clock::now() - begin > kAnswer) {
      throw Error(Code::kUnavailable, fmt::format("{} did not answer within {} s", where_,
                                                  std::chrono::seconds(kAnswer).count()));
    }
    if (running != 0) curl_multi_poll(multi.get(), nullptr, 0, kPollMillis, nullptr);
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
  const CURLcode result = message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  if (result == CURLE_OK) return exchange.status();
  if (request.http2 && exchange.status() == 0 && speaks_no_http2(result)) return std::nullopt;
  throw Error(Code::kUnavailable,
              fmt::format("{} {}: {}", where_,
                          exchange.status() == 0 ? "did not answer" : "broke its answer off",
                          *words != '\0' ? words : curl_easy_strerror(result)));
}

KsqldbHttp::Reply KsqldbHttp::ask(const KsqldbRequest& request) const {
  Reply reply;
  const auto begin = Clock::now();
  const auto status = exchange(
      request,
      [&](long, std::string_view bytes) {
        check_size(reply.body, bytes.size(), where_);
        reply.body += bytes;
        return true;
      },
      [&] {
        if (Clock::now() - begin <= kAnswer) return true;
        throw Error(Code::kUnavailable, where_ + " did not end its answer within 60 s");
      },
      {});
  reply.status = status.value_or(0);
  return reply;
}

}  // namespace meesh::streams
