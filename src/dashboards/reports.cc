#include "dashboards/reports.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/clock.h"
#include "base/log.h"
#include "dashboards/browser_print.h"
#include "dashboards/html_report.h"
#include "lake/files.h"
#include "objects/store.h"
#include "pipelines/alerts.h"
#include "pipelines/cron.h"

namespace meesh::dashboards {

namespace {

constexpr int64_t kLinkTime = 300'000;  // ms

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "reports",
       {"CREATE TABLE dashboard_reports (dashboard TEXT NOT NULL, name TEXT NOT NULL, state TEXT "
        "NOT NULL, message TEXT NOT NULL, last_ms BIGINT NOT NULL, since_ms BIGINT NOT NULL, "
        "PRIMARY KEY (dashboard, name))"}}};
  return all;
}

int64_t next_ms(const ReportConfig& report, int64_t after_ms) {
  const auto after =
      std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<Millis>(Millis(after_ms)));
  const auto next =
      pipelines::Cron::parse(report.cron).next(after, pipelines::TimeZone::find(report.timezone));
  return next ? std::chrono::duration_cast<Millis>(next->time_since_epoch()).count() : INT64_MAX;
}

std::string moment_text(int64_t ms) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<time_t>(ms / 1000)));
}

std::string file_name(const Dashboard& dashboard, const ReportConfig& report,
                      std::string_view ending) {
  return fmt::format("{}-{}-{:%Y%m%dT%H%M%SZ}.{}", dashboard.name, report.name,
                     fmt::gmtime(std::time(nullptr)), ending);
}

const ReportConfig& report_of(const Dashboard& dashboard, const std::string& name) {
  const auto found = std::ranges::find(dashboard.reports, name, &ReportConfig::name);
  if (found != dashboard.reports.end()) return *found;
  throw Error(Code::kNotFound,
              fmt::format("the dashboard '{}' has no report '{}'", dashboard.name, name));
}

constexpr int kRowHeight = 72, kHeadHeight = 150;  // pixels of a row of the grid, and above it
constexpr int kMostRows = 200;

/// Pixels of the whole page: charts that the layout does not name stand below, two in a row.
int page_height(const Dashboard& dashboard) {
  int64_t bottom = 0;
  std::set<std::string> placed;
  if (const auto* layout = dashboard.json.if_contains("layout"); layout && layout->is_array()) {
    for (const auto& place : layout->get_array()) {
      const auto number = [&](const char* key) {
        const auto* value = place.as_object().if_contains(key);
        return value && value->is_int64() ? value->get_int64() : 0;
      };
      placed.insert(text_in(place.as_object(), "id", "en"));
      bottom = std::max(bottom, number("y") + number("h"));
    }
  }
  int64_t others = 0;
  for (const auto& chart : dashboard.charts) others += placed.contains(chart.id) ? 0 : 1;
  bottom += (others + 1) / 2 * 5;
  return kHeadHeight + kRowHeight * static_cast<int>(std::min<int64_t>(bottom, kMostRows));
}

}  // namespace

Reports::Reports(const Environment& environment, DashboardStore& store, ChartData& data,
                 Shares& shares, Savers& savers)
    : environment_(environment),
      store_(store),
      data_(data),
      shares_(shares),
      savers_(savers),
      loop_(environment.database, "dashboard-reports", environment.holder,
            [this](const std::stop_token& stop) { return go_round(stop); }) {
  meta::migrate(environment_.database, "dashboard_reports", migrations());
}

std::optional<ReportStatus> Reports::status_of(const std::string& dashboard,
                                               const std::string& name) {
  std::optional<ReportStatus> found;
  environment_.database.read([&](soci::session& sql) {
    found.reset();
    ReportStatus status;
    long long last = 0;
    sql << "SELECT state, message, last_ms FROM dashboard_reports WHERE dashboard = :dashboard AND "
           "name = :name",
        soci::use(dashboard), soci::use(name), soci::into(status.state), soci::into(status.message),
        soci::into(last);
    if (!sql.got_data()) return;
    status.last_ms = last;
    found = std::move(status);
  });
  return found;
}

void Reports::write_down(const ReportStatus& status) {
  const long long last = status.last_ms;
  environment_.database.write([&](soci::session& sql) {
    sql << "INSERT INTO dashboard_reports (dashboard, name, state, message, last_ms, since_ms) "
           "VALUES (:dashboard, :name, :state, :message, :last, :since) ON CONFLICT (dashboard, "
           "name) DO UPDATE SET state = excluded.state, message = excluded.message, last_ms = "
           "excluded.last_ms",
        soci::use(status.dashboard), soci::use(status.name), soci::use(status.state),
        soci::use(status.message), soci::use(last), soci::use(last);
  });
}

std::vector<ReportStatus> Reports::list() {
  std::vector<ReportStatus> all;
  for (const auto& entry : store_.list()) {
    if (!entry.dashboard) continue;
    for (const auto& report : entry.dashboard->reports) {
      ReportStatus status = status_of(entry.name, report.name).value_or(ReportStatus{});
      status.dashboard = entry.name;
      status.name = report.name;
      status.cron = report.cron;
      status.format = report.format;
      const int64_t next = next_ms(report, base::now_ms());
      status.next_ms = next == INT64_MAX ? 0 : next;
      all.push_back(std::move(status));
    }
  }
  return all;
}

Millis Reports::go_round(const std::stop_token& stop) {
  for (const auto& entry : store_.list()) {
    if (!entry.dashboard) continue;
    for (const auto& report : entry.dashboard->reports) {
      if (stop.stop_requested()) return Millis(0);
      auto status = status_of(entry.name, report.name);
      if (!status) {
        // The first time is counted from when it was seen first.
        status.emplace();
        status->dashboard = entry.name;
        status->name = report.name;
        status->last_ms = base::now_ms();
        write_down(*status);
      }
      if (next_ms(report, status->last_ms) <= base::now_ms()) run(*entry.dashboard, report, stop);
    }
  }
  return Millis(5'000);
}

void Reports::run(const Dashboard& dashboard, const ReportConfig& report,
                  const std::stop_token& stop) {
  ReportStatus status;
  status.dashboard = dashboard.name;
  status.name = report.name;
  try {
    const std::string user = savers_.user_of(dashboard);
    const ReportFile file = make(dashboard.name, report.name, user, stop);
    const auto went = deliver(dashboard.name, report.name, file, user);
    status.state = "ok";
    for (const auto& place : went) status.message += (status.message.empty() ? "" : ", ") + place;
    if (!file.note.empty()) status.message += " (" + file.note + ")";
  } catch (const Error& error) {
    if (stop.stop_requested()) return;
    status.state = "error";
    status.message = log::redact(error.what());
    log::warn("a report was not made",
              {{"dashboard", dashboard.name}, {"report", report.name}, {"error", status.message}});
  }
  status.last_ms = base::now_ms();
  write_down(status);
}

ReportFile Reports::html(const Dashboard& dashboard, const ReportConfig& report,
                         const std::string& user, const std::stop_token& stop) {
  DataRequest request;
  request.user = user;
  request.language = report.language;
  std::vector<ChartAnswer> answers;
  data_.run(dashboard, request, stop, [&](const ChartAnswer& told) { answers.push_back(told); });
  return {file_name(dashboard, report, "html"), "text/html; charset=utf-8",
          html_report(dashboard, answers, report.language, moment_text(base::now_ms())), ""};
}

/// What the browser prints; throws UNAVAILABLE.
std::string Reports::printed(const Dashboard& dashboard, const ReportConfig& report,
                             const std::string& user) {
  const std::string address = environment_.address ? environment_.address() : "";
  if (address.empty()) throw Error(Code::kUnavailable, "the server does not listen yet");
  const auto link = shares_.make(dashboard.name, user, {}, base::now_ms() + kLinkTime);
  const std::string page =
      fmt::format("{}/shared/{}?print=1&lang={}", address, link.token, report.language);
  try {
    std::string content = print_page(page, report.format, page_height(dashboard));
    shares_.revoke(dashboard.name, link.share.id);
    return content;
  } catch (...) {
    shares_.revoke(dashboard.name, link.share.id);
    throw;
  }
}

ReportFile Reports::make(const std::string& dashboard, const std::string& name,
                         const std::string& user, const std::stop_token& stop) {
  const auto found = store_.get(dashboard);
  const ReportConfig& report = report_of(*found, name);
  if (report.format == "html") return html(*found, report, user, stop);
  try {
    return {file_name(*found, report, report.format),
            report.format == "pdf" ? "application/pdf" : "image/png", printed(*found, report, user),
            ""};
  } catch (const Error& error) {
    ReportFile file = html(*found, report, user, stop);
    file.note = fmt::format("HTML instead of {}: {}", report.format, error.message());
    return file;
  }
}

void Reports::put(const std::string& folder, const ReportFile& file, const std::string& user,
                  std::vector<std::string>& went) {
  if (!environment_.store) throw Error(Code::kUnavailable, "this mesh has no object store");
  const auto at = lake::parse_path(folder + (folder.ends_with('/') ? "" : "/") + file.name);
  if (environment_.authorize) environment_.authorize(user, "s3:PutObject", at.bucket, at.key);
  objects::Attributes attributes;
  attributes.content_type = file.content_type;
  const auto writer = environment_.store->put(at.bucket, at.key, std::move(attributes), {});
  writer->write(file.content);
  writer->commit({});
  went.push_back(fmt::format("s3://{}/{}", at.bucket, at.key));
}

std::vector<std::string> Reports::deliver(const std::string& dashboard, const std::string& name,
                                          const ReportFile& file, const std::string& user) {
  const auto found = store_.get(dashboard);
  const ReportConfig& report = report_of(*found, name);
  std::vector<std::string> went;
  if (!report.to.bucket.empty()) put(report.to.bucket, file, user, went);
  const std::string title = text_in(found->json, "title", report.language);
  for (const auto& address : report.to.email) {
    if (!environment_.mesh.smtp)
      throw Error(Code::kUnavailable, "meesh.yaml has no smtp:, so no mail can be sent");
    pipelines::send_email(*environment_.mesh.smtp,
                          {address,
                           title,
                           fmt::format("{}\n{}\n", title, moment_text(base::now_ms())),
                           {{file.name, file.content_type, file.content}}});
    went.push_back("email:" + address);
  }
  return went;
}

}  // namespace meesh::dashboards
