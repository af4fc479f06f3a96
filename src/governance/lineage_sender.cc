#include "governance/lineage_sender.h"

#include <boost/json.hpp>

#include "base/log.h"
#include "governance/open_lineage.h"
#include "net/http.h"

namespace meesh::governance {
namespace {

constexpr auto kShortestPause = std::chrono::seconds(1);
constexpr auto kLongestPause = std::chrono::seconds(60);

}  // namespace

LineageSender::LineageSender(meta::Database& database, std::string url, std::string api_key)
    : database_(database), url_(std::move(url)), api_key_(std::move(api_key)) {
  thread_ = std::thread([this] { run(); });
}

LineageSender::~LineageSender() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LineageSender::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void LineageSender::run() {
  auto pause = kShortestPause;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool woken = std::exchange(woken_, false);
    lock.unlock();
    bool all = true;
    try {
      all = send_all();
    } catch (const std::exception& error) {
      log::warn("cannot read the lineage events that are to be sent", {{"error", error.what()}});
      all = false;
    }
    lock.lock();
    if (!all) {
      changed_.wait_for(lock, pause, [&] { return stopping_; });
      pause = std::min<std::chrono::seconds>(pause * 2, kLongestPause);
      woken_ = true;
    } else if (woken) {
      // An event may be told of before its transaction has ended: a look a second later finds it.
      pause = kShortestPause;
      changed_.wait_for(lock, kShortestPause, [&] { return stopping_ || woken_; });
    } else {
      changed_.wait(lock, [&] { return stopping_ || woken_; });
    }
  }
}

std::vector<LineageSender::Waiting> LineageSender::waiting() {
  std::vector<Waiting> out;
  database_.read([&](soci::session& sql) {
    out.clear();
    Waiting one;
    soci::statement select =
        (sql.prepare << "SELECT id, started_ms, event FROM lineage_event WHERE unsent = 1 ORDER BY "
                        "time_ms, id LIMIT 50",
         soci::into(one.id), soci::into(one.started_ms), soci::into(one.text));
    select.execute();
    while (select.fetch()) out.push_back(one);
  });
  return out;
}

bool LineageSender::send_all() {
  for (auto batch = waiting(); !batch.empty(); batch = waiting()) {
    for (const auto& event : batch) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return true;
      }
      if (!send(event)) return false;
      sent(event.id);
    }
  }
  return true;
}

bool LineageSender::send(const Waiting& event) {
  boost::json::error_code failed;
  const auto ended = boost::json::parse(event.text, failed);
  if (failed || !ended.is_object()) return true;  // not ours to mend
  const auto* type = ended.get_object().if_contains("eventType");
  if (type && type->is_string() && type->get_string() != "START" && event.started_ms > 0) {
    auto start = ended.get_object();
    start["eventType"] = "START";
    start["eventTime"] = time_text(from_ms(event.started_ms));
    if (auto* run = start.if_contains("run"); run && run->is_object()) {
      if (auto* facets = run->get_object().if_contains("facets"); facets && facets->is_object()) {
        facets->get_object().erase("errorMessage");
      }
    }
    if (!post(boost::json::serialize(start))) return false;
  }
  return post(event.text);
}

bool LineageSender::post(const std::string& body) {
  const size_t path = url_.find('/', url_.find("://") + 3);
  const std::string base = url_.substr(0, path);
  const std::string target = path == std::string::npos ? "/" : url_.substr(path);
  std::string problem;
  try {
    net::Client client(base, std::chrono::seconds(10));
    net::Headers headers;
    headers.set("Content-Type", "application/json");
    if (!api_key_.empty()) headers.set("Authorization", "Bearer " + api_key_);
    const auto answer = client.request("POST", target, headers, body);
    if (answer.status < 300) {
      if (std::exchange(complained_, false)) log::info("lineage events are taken again");
      return true;
    }
    problem = "status " + std::to_string(answer.status);
    // The event itself is not wanted, and will not be later.
    if (answer.status == 400 || answer.status == 409 || answer.status == 413 ||
        answer.status == 422) {
      log::warn("the collector of lineage refuses an event", {{"url", url_}, {"error", problem}});
      return true;
    }
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!std::exchange(complained_, true)) {
    log::warn("lineage events cannot be sent; they wait",
              {{"url", log::redact(url_)}, {"error", problem}});
  }
  return false;
}

void LineageSender::sent(long long id) {
  database_.write([&](soci::session& sql) {
    sql << "UPDATE lineage_event SET unsent = 0 WHERE id = :id", soci::use(id, "id");
  });
}

}  // namespace meesh::governance
