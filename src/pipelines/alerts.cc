#include "pipelines/alerts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "pipelines/run_store.h"

namespace meesh::pipelines {
namespace {

constexpr int64_t kFirstWait = 2'000, kLongestWait = 3'600'000;  // ms
constexpr int64_t kGiveUpAfter = int64_t{3} * 24 * 3'600'000;    // ms
constexpr std::string_view kEmail = "email:";

void post(const std::string& url, const std::string& body) {
  const size_t scheme = url.find("://");
  const size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  const std::string base = url.substr(0, slash);
  const std::string target = slash == std::string::npos ? "/" : url.substr(slash);
  net::Client client(base, std::chrono::seconds(30));
  net::Headers headers;
  headers.set("Content-Type", "application/json");
  headers.set("User-Agent", "meesh");
  const auto answer = client.request("POST", target, headers, body);
  if (answer.status / 100 == 2) return;
  throw Error(Code::kUnavailable,
              fmt::format("the webhook answered {} {}", answer.status, answer.body.substr(0, 200)));
}

std::string text_of(const boost::json::object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

/// "2 s" after the first failure, then twice as long each time.
int64_t wait_after(int attempts) {
  return std::min(kLongestWait, kFirstWait << std::min(attempts - 1, 20));
}

}  // namespace

AlertSender::AlertSender(RunStore& store, std::optional<mesh::Smtp> smtp, AlertAddress address)
    : store_(store), smtp_(std::move(smtp)), address_(std::move(address)) {}

void AlertSender::stop() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void AlertSender::start() {
  thread_ = std::thread([this] { work(); });
}

void AlertSender::wake() {
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
  }
  changed_.notify_all();
}

void AlertSender::work() {
  while (!stop_.requested()) {
    int64_t next = INT64_MAX;
    try {
      for (AlertRecord& alert : store_.unsent_alerts()) {
        if (stop_.requested()) return;
        if (alert.next_ms <= base::now_ms()) {
          send(alert);
          if (alert.next_ms == 0) continue;
        }
        next = std::min(next, alert.next_ms);
      }
    } catch (const std::exception& error) {
      log::warn("alerts cannot be read or kept now", {{"error", error.what()}});
      next = base::now_ms() + kFirstWait;
    }
    std::unique_lock lock(mutex_);
    const auto due = [&] { return due_; };
    if (next == INT64_MAX) {
      stop_.wait(changed_, lock, due);
    } else {
      const int64_t wait = std::max<int64_t>(1, next - base::now_ms());
      stop_.wait_for(changed_, lock, std::chrono::milliseconds(wait), due);
    }
    due_ = false;
  }
}

void AlertSender::send(AlertRecord& alert) {
  ++alert.attempts;
  try {
    const auto address = address_(alert);
    if (!address) {
      throw Error(Code::kNotFound, "the pipeline has no such receiver any more");
    }
    if (!alert.channel.starts_with(kEmail)) {
      post(*address, boost::json::serialize(alert.body));
    } else if (smtp_) {
      send_email(*smtp_,
                 {*address, text_of(alert.body, "subject"), text_of(alert.body, "text"), {}});
    } else {
      throw Error(Code::kUnavailable, "meesh.yaml has no smtp:, so no mail can be sent");
    }
    alert.sent_ms = base::now_ms();
    alert.next_ms = 0;
    alert.error.clear();
  } catch (const Error& error) {
    alert.error = log::redact(error.what());
    const bool last =
        error.code() == Code::kNotFound || base::now_ms() - alert.created_ms > kGiveUpAfter;
    alert.next_ms = last ? 0 : base::now_ms() + wait_after(alert.attempts);
    log::write(last ? log::Level::kError : log::Level::kWarn,
               last ? "an alert could not be sent" : "an alert will be sent again",
               {{"pipeline", alert.pipeline},
                {"event", alert.event},
                {"run", alert.run_id},
                {"attempts", alert.attempts},
                {"error", alert.error}});
  }
  store_.save(alert);
}

}  // namespace meesh::pipelines
