#include "serve/s3/webhook_target.h"

#include "base/log.h"
#include "net/http.h"

namespace meesh::serve::s3 {
namespace {

constexpr int kAttempts = 6;
constexpr std::chrono::milliseconds kFirstPause{200};  // doubled after each further attempt
constexpr std::chrono::seconds kPatience{5};           // of one request

}  // namespace

WebhookTarget::WebhookTarget(std::string arn, std::string url)
    : url_(std::move(url)), loss_(std::move(arn)) {
  thread_ = std::thread([this] { deliver_loop(); });
}

WebhookTarget::~WebhookTarget() { close(); }

void WebhookTarget::send(const EventMessage& message) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() < kMostWaitingEvents) {
      queue_.push_back(message.body);
      changed_.notify_all();
      return;
    }
  }
  loss_.add("its queue is full");
}

void WebhookTarget::drain(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return queue_.empty(); });
}

void WebhookTarget::close() {
  if (!thread_.joinable()) return;
  stop();
  thread_.join();
  for (size_t i = 0; i < queue_.size(); ++i) loss_.add("the server ends");
  queue_.clear();
}

void WebhookTarget::deliver_loop() {
  for (;;) {
    std::string body;
    {
      std::unique_lock lock(mutex_);
      if (!stop_.wait(changed_, lock, [&] { return !queue_.empty(); }) || stop_.requested()) return;
      body = queue_.front();
    }
    if (!deliver(body)) return;
    std::lock_guard lock(mutex_);
    queue_.pop_front();
    changed_.notify_all();
  }
}

// In order: one that cannot be delivered holds up those behind it until its attempts are over.
bool WebhookTarget::deliver(const std::string& body) {
  for (int attempt = 1; !post(body); ++attempt) {
    if (attempt == kAttempts) {
      loss_.add("the webhook does not take it");
      return true;
    }
    if (stop_.sleep_for(kFirstPause * (1 << (attempt - 1)))) return false;
  }
  return true;
}

bool WebhookTarget::post(const std::string& body) const {
  // "http://host:port" and what follows.
  size_t scheme = url_.find("://");
  size_t path = url_.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  std::string target = path == std::string::npos ? "/" : url_.substr(path);
  try {
    net::Client client(url_.substr(0, path), kPatience);
    net::Headers headers;
    headers.set("Content-Type", "application/json");
    auto answer = client.request("POST", target, headers, body);
    return answer.status >= 200 && answer.status < 300;
  } catch (const Error& e) {
    log::debug("an event was not delivered", {{"error", e.what()}});
    return false;
  }
}

}  // namespace meesh::serve::s3
