#include "dashboards/notices.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "net/http.h"
#include "pipelines/alerts.h"

namespace meesh::dashboards {

namespace json = boost::json;

namespace {

constexpr int64_t kFirstWait = 2'000, kLongestWait = 3'600'000;  // ms
constexpr int64_t kGiveUpAfter = int64_t{3} * 24 * 3'600'000;    // ms
constexpr std::string_view kWebhook = "webhook:", kEmail = "email:";

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "notices",
       {"CREATE TABLE dashboard_notices (id TEXT NOT NULL PRIMARY KEY, channel TEXT NOT NULL, body "
        "TEXT NOT NULL, created_ms BIGINT NOT NULL, next_ms BIGINT NOT NULL, attempts BIGINT NOT "
        "NULL, error TEXT NOT NULL)"}}};
  return all;
}

void post(const std::string& url, const std::string& body) {
  const size_t scheme = url.find("://");
  const size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  net::Client client(url.substr(0, slash), std::chrono::seconds(30));
  net::Headers headers;
  headers.set("Content-Type", "application/json");
  headers.set("User-Agent", "meesh");
  const auto answer =
      client.request("POST", slash == std::string::npos ? "/" : url.substr(slash), headers, body);
  if (answer.status / 100 == 2) return;
  throw Error(Code::kUnavailable,
              fmt::format("the webhook answered {} {}", answer.status, answer.body.substr(0, 200)));
}

}  // namespace

std::vector<std::string> channels(const Receivers& to) {
  std::vector<std::string> all;
  if (!to.webhook.empty()) all.push_back(std::string(kWebhook) + to.webhook);
  for (const auto& address : to.email) all.push_back(std::string(kEmail) + address);
  return all;
}

Notices::Notices(meta::Database& database, const mesh::Mesh& mesh)
    : database_(database), mesh_(mesh) {
  meta::migrate(database_, "dashboard_notices", migrations());
}

void Notices::add(soci::session& sql, const Receivers& to, const json::object& body) {
  const std::string text = json::serialize(body);
  const long long now = base::now_ms();
  for (const auto& channel : channels(to)) {
    const std::string id = base::random_uuid();
    sql << "INSERT INTO dashboard_notices (id, channel, body, created_ms, next_ms, attempts, "
           "error) VALUES (:id, :channel, :body, :created, :next, 0, '')",
        soci::use(id), soci::use(channel), soci::use(text), soci::use(now), soci::use(now);
  }
}

void Notices::send(const std::string& channel, const json::object& body) const {
  if (channel.starts_with(kWebhook)) {
    const auto found = mesh_.storage.webhooks.find(channel.substr(kWebhook.size()));
    if (found == mesh_.storage.webhooks.end())
      throw Error(Code::kNotFound,
                  fmt::format("meesh.yaml has no webhook '{}'", channel.substr(kWebhook.size())))
          .with_hint("storage: { webhooks: { NAME: https://… } }");
    return post(found->second, json::serialize(body));
  }
  if (!mesh_.smtp)
    throw Error(Code::kUnavailable, "meesh.yaml has no smtp:, so no mail can be sent");
  pipelines::send_email(*mesh_.smtp, {channel.substr(kEmail.size()),
                                      text_in(body, "subject", "en"),
                                      text_in(body, "text", "en"),
                                      {}});
}

int64_t Notices::send_due(const std::stop_token& stop) {
  std::vector<Notice> waiting;
  database_.read([&](soci::session& sql) {
    waiting.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT id, channel, body, created_ms, next_ms, attempts FROM "
                        "dashboard_notices WHERE next_ms > 0 ORDER BY created_ms, id");
    for (const auto& row : rows)
      waiting.push_back({row.get<std::string>(0), row.get<std::string>(1),
                         json::parse(row.get<std::string>(2)).as_object(), row.get<long long>(3),
                         row.get<long long>(4), static_cast<int>(row.get<long long>(5))});
  });
  int64_t next = INT64_MAX;
  for (auto& notice : waiting) {
    if (stop.stop_requested()) break;
    if (notice.next_ms > base::now_ms()) {
      next = std::min(next, notice.next_ms);
      continue;
    }
    std::string failure;
    try {
      send(notice.channel, notice.body);
    } catch (const Error& error) {
      failure = log::redact(error.what());
      log::warn("a notice of an alert did not arrive",
                {{"channel", notice.channel}, {"error", failure}});
    }
    ++notice.attempts;
    const bool over = failure.empty() || base::now_ms() - notice.created_ms > kGiveUpAfter;
    const long long again =
        over ? 0
             : base::now_ms() +
                   std::min(kLongestWait, kFirstWait << std::min(notice.attempts - 1, 20));
    const long long attempts = notice.attempts;
    if (again > 0) next = std::min<int64_t>(next, again);
    database_.write([&](soci::session& sql) {
      if (failure.empty()) {
        sql << "DELETE FROM dashboard_notices WHERE id = :id", soci::use(notice.id);
      } else {
        sql << "UPDATE dashboard_notices SET next_ms = :next, attempts = :attempts, error = :error "
               "WHERE id = :id",
            soci::use(again), soci::use(attempts), soci::use(failure), soci::use(notice.id);
      }
    });
  }
  return next;
}

}  // namespace meesh::dashboards
