#include "dashboards/alerts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/clock.h"
#include "base/log.h"
#include "pipelines/cron.h"

namespace meesh::dashboards {

namespace json = boost::json;

namespace {

constexpr int64_t kValuesKept = 1'001;    // of an alert
constexpr int64_t kHistoryKept = 10'000;  // of all

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> all = {
      {1,
       "alerts",
       {"CREATE TABLE dashboard_alerts (dashboard TEXT NOT NULL, name TEXT NOT NULL, state TEXT "
        "NOT NULL, message TEXT NOT NULL, value DOUBLE PRECISION, since_ms BIGINT NOT NULL, "
        "last_ms BIGINT NOT NULL, notified_ms BIGINT NOT NULL, PRIMARY KEY (dashboard, name))",
        "CREATE TABLE dashboard_alert_values (dashboard TEXT NOT NULL, name TEXT NOT NULL, at_ms "
        "BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (dashboard, name, at_ms))",
        "CREATE TABLE dashboard_alert_history (dashboard TEXT NOT NULL, name TEXT NOT NULL, at_ms "
        "BIGINT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, value DOUBLE PRECISION, "
        "PRIMARY KEY (dashboard, name, at_ms))"}}};
  return all;
}

/// A number, or text that is one.
std::optional<double> number_of(const json::value& cell) {
  if (cell.is_number()) return cell.to_number<double>();
  if (cell.is_bool()) return cell.get_bool() ? 1.0 : 0.0;
  if (!cell.is_string()) return std::nullopt;
  const auto& text = cell.get_string();
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// When it is due, in ms since 1970.
int64_t due_at(const AlertConfig& alert, int64_t last_ms) {
  if (alert.cron.empty()) return last_ms + alert.every.count();
  const auto cron = pipelines::Cron::parse(alert.cron);
  const auto last =
      std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<Millis>(Millis(last_ms)));
  const auto next = cron.next(last, pipelines::TimeZone::find(alert.timezone));
  return next ? std::chrono::duration_cast<Millis>(next->time_since_epoch()).count() : INT64_MAX;
}

std::optional<double> value_in(const soci::row& row, size_t column) {
  if (row.get_indicator(column) == soci::i_null) return std::nullopt;
  return row.get<double>(column);
}

AlertState state_in(const soci::row& row) {
  AlertState state;
  state.dashboard = row.get<std::string>(0);
  state.name = row.get<std::string>(1);
  state.state = row.get<std::string>(2);
  state.message = row.get<std::string>(3);
  state.value = value_in(row, 4);
  state.since_ms = row.get<long long>(5);
  state.last_ms = row.get<long long>(6);
  state.notified_ms = row.get<long long>(7);
  return state;
}

constexpr const char* kStates =
    "SELECT dashboard, name, state, message, value, since_ms, last_ms, notified_ms FROM "
    "dashboard_alerts ";

}  // namespace

Alerts::Alerts(const Environment& environment, DashboardStore& store, ChartData& data,
               Savers& savers)
    : environment_(environment),
      store_(store),
      data_(data),
      savers_(savers),
      notices_(environment.database, environment.mesh),
      loop_(environment.database, "dashboard-alerts", environment.holder,
            [this](const std::stop_token& stop) { return go_round(stop); }) {
  meta::migrate(environment_.database, "dashboard_alerts", migrations());
}

std::optional<AlertState> Alerts::state_of(const std::string& dashboard, const std::string& name) {
  std::optional<AlertState> found;
  environment_.database.read([&](soci::session& sql) {
    found.reset();
    const soci::rowset<soci::row> rows =
        (sql.prepare << std::string(kStates) + "WHERE dashboard = :dashboard AND name = :name",
         soci::use(dashboard), soci::use(name));
    for (const auto& row : rows) found = state_in(row);
  });
  return found;
}

std::vector<AlertState> Alerts::list() {
  std::vector<AlertState> all;
  for (const auto& entry : store_.list()) {
    if (!entry.dashboard) continue;
    for (const auto& alert : entry.dashboard->alerts) {
      AlertState none;
      none.dashboard = entry.name;
      none.name = alert.name;
      all.push_back(state_of(entry.name, alert.name).value_or(none));
    }
  }
  return all;
}

std::vector<AlertEvent> Alerts::history(const std::string& dashboard, const std::string& name,
                                        size_t limit) {
  std::vector<AlertEvent> all;
  const auto most = static_cast<long long>(limit);
  environment_.database.read([&](soci::session& sql) {
    all.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT dashboard, name, at_ms, state, message, value FROM "
                        "dashboard_alert_history WHERE (:any_dashboard = '' OR dashboard = "
                        ":dashboard) AND (:any_name = '' OR name = :name) ORDER BY at_ms DESC, "
                        "dashboard, name LIMIT :most",
         soci::use(dashboard, "any_dashboard"), soci::use(dashboard, "dashboard"),
         soci::use(name, "any_name"), soci::use(name, "name"), soci::use(most, "most"));
    for (const auto& row : rows) {
      AlertEvent event;
      event.dashboard = row.get<std::string>(0);
      event.name = row.get<std::string>(1);
      event.at_ms = row.get<long long>(2);
      event.state = row.get<std::string>(3);
      event.message = row.get<std::string>(4);
      event.value = value_in(row, 5);
      all.push_back(std::move(event));
    }
  });
  return all;
}

Millis Alerts::go_round(const std::stop_token& stop) {
  int64_t next = INT64_MAX;
  for (const auto& entry : store_.list()) {
    if (!entry.dashboard) continue;
    for (const auto& alert : entry.dashboard->alerts) {
      if (stop.stop_requested()) return Millis(0);
      AlertState fresh;
      fresh.dashboard = entry.name;
      fresh.name = alert.name;
      const AlertState before = state_of(entry.name, alert.name).value_or(fresh);
      int64_t due = before.last_ms == 0 && alert.cron.empty()
                        ? 0
                        : due_at(alert, before.last_ms == 0 ? base::now_ms() : before.last_ms);
      if (due <= base::now_ms()) {
        write_down(*entry.dashboard, alert, before,
                   evaluate(*entry.dashboard, alert, savers_.user_of(*entry.dashboard), stop));
        due = due_at(alert, base::now_ms());
      }
      next = std::min(next, due);
    }
  }
  next = std::min(next, notices_.send_due(stop));
  // Files may change meanwhile.
  return Millis(std::clamp<int64_t>(next - base::now_ms(), 0, 1'000));
}

std::optional<double> Alerts::ask(const Dashboard& dashboard, const AlertConfig& alert,
                                  const std::string& user, const std::stop_token& stop) {
  DataRequest request;
  request.user = user;
  ChartConfig own;
  own.id = alert.name;
  own.sql = alert.sql;
  own.sql_place = alert.sql_place;
  const ChartConfig& chart = alert.chart.empty() ? own : dashboard.chart(alert.chart);
  const ChartAnswer told = data_.one(dashboard, chart, request, stop);
  if (told.failure) std::rethrow_exception(told.failure);
  const json::value rows = json::parse(told.answer->rows_text);
  if (rows.as_array().empty()) return std::nullopt;
  const auto& cells = rows.as_array().front().as_array();
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool wanted = alert.column.empty() || told.answer->columns[i].name == alert.column;
    if (!wanted) continue;
    if (const auto value = number_of(cells[i])) return value;
    if (!alert.column.empty()) return std::nullopt;
  }
  if (!alert.column.empty() && std::ranges::none_of(told.answer->columns, [&](const auto& column) {
        return column.name == alert.column;
      }))
    throw Error(Code::kColumnNotFound, fmt::format("the answer has no column '{}'", alert.column));
  return std::nullopt;
}

std::optional<double> Alerts::value_before(const std::string& dashboard, const std::string& name,
                                           int64_t periods) {
  std::vector<double> values;
  const long long most = periods;
  environment_.database.read([&](soci::session& sql) {
    values.clear();
    const soci::rowset<double> rows =
        (sql.prepare << "SELECT value FROM dashboard_alert_values WHERE dashboard = :dashboard AND "
                        "name = :name ORDER BY at_ms DESC LIMIT :most",
         soci::use(dashboard), soci::use(name), soci::use(most));
    for (const double value : rows) values.push_back(value);
  });
  if (values.size() < static_cast<size_t>(periods)) return std::nullopt;
  return values.back();
}

void Alerts::judge(const AlertConfig& alert, AlertState& state) {
  if (!state.value) {
    state.state = alert.no_data ? "no_data" : "ok";
    state.message = "no data";
    return;
  }
  const double value = *state.value;
  state.state = "firing";
  if (alert.above && value > *alert.above) {
    state.message = fmt::format("{} is above {}", value, *alert.above);
    return;
  }
  if (alert.below && value < *alert.below) {
    state.message = fmt::format("{} is below {}", value, *alert.below);
    return;
  }
  if (alert.change_percent) {
    const auto before = value_before(state.dashboard, state.name, alert.change_periods);
    if (before && *before != 0) {
      const double percent = (value - *before) / std::abs(*before) * 100;
      const bool fires = *alert.change_percent < 0 ? percent <= *alert.change_percent
                                                   : percent >= *alert.change_percent;
      if (fires) {
        state.message = fmt::format("{} is {:+.1f} % against {}", value, percent, *before);
        return;
      }
    }
  }
  state.state = "ok";
  state.message = fmt::format("{}", value);
}

AlertState Alerts::evaluate(const Dashboard& dashboard, const AlertConfig& alert,
                            const std::string& user, const std::stop_token& stop) {
  AlertState state;
  state.dashboard = dashboard.name;
  state.name = alert.name;
  try {
    state.value = ask(dashboard, alert, user, stop);
    judge(alert, state);
  } catch (const Error& error) {
    if (stop.stop_requested()) throw;
    state.state = "error";
    state.message = log::redact(error.what());
  }
  state.last_ms = base::now_ms();
  return state;
}

json::object Alerts::notice(const Dashboard& dashboard, const AlertConfig& alert,
                            const AlertState& state, const std::string& event) const {
  const std::string address = environment_.address ? environment_.address() : "";
  const std::string title = text_in(dashboard.json, "title", environment_.mesh.language);
  json::object body{{"event", event},
                    {"mesh", environment_.mesh.name},
                    {"dashboard", dashboard.name},
                    {"title", title},
                    {"alert", alert.name},
                    {"state", state.state},
                    {"message", state.message},
                    {"at_ms", state.last_ms}};
  if (state.value) body["value"] = *state.value;
  const std::string link =
      address.empty() ? "" : fmt::format("{}/dashboards/{}", address, dashboard.name);
  if (!link.empty()) body["url"] = link;
  body["subject"] =
      fmt::format("[{}] {}: {} / {}", environment_.mesh.name, event, title, alert.name);
  body["text"] =
      fmt::format("{} / {}: {}\n{}\n{}\n", title, alert.name, event, state.message, link);
  return body;
}

void Alerts::write_down(const Dashboard& dashboard, const AlertConfig& alert,
                        const AlertState& before, AlertState now) {
  const bool changed = before.state != now.state;
  now.since_ms = changed ? now.last_ms : before.since_ms;
  now.notified_ms = before.notified_ms;
  std::string event;  // of a notice; "" = none
  if (changed && !(before.state == "unknown" && now.state == "ok"))
    event = now.state == "ok" ? "resolved" : now.state;
  if (!changed && now.rings() && alert.repeat &&
      now.last_ms - before.notified_ms >= alert.repeat->count())
    event = now.state;
  if (!event.empty()) now.notified_ms = now.last_ms;
  const json::object body = notice(dashboard, alert, now, event);
  const long long since = now.since_ms, last = now.last_ms, notified = now.notified_ms;
  double value = now.value.value_or(0);
  soci::indicator known = now.value ? soci::i_ok : soci::i_null;
  environment_.database.write([&](soci::session& sql) {
    sql << "INSERT INTO dashboard_alerts (dashboard, name, state, message, value, since_ms, "
           "last_ms, notified_ms) VALUES (:dashboard, :name, :state, :message, :value, :since, "
           ":last, :notified) ON CONFLICT (dashboard, name) DO UPDATE SET state = excluded.state, "
           "message = excluded.message, value = excluded.value, since_ms = excluded.since_ms, "
           "last_ms = excluded.last_ms, notified_ms = excluded.notified_ms",
        soci::use(now.dashboard), soci::use(now.name), soci::use(now.state), soci::use(now.message),
        soci::use(value, known), soci::use(since), soci::use(last), soci::use(notified);
    if (now.value) {
      sql << "INSERT INTO dashboard_alert_values (dashboard, name, at_ms, value) VALUES "
             "(:dashboard, :name, :at, :value) ON CONFLICT (dashboard, name, at_ms) DO NOTHING",
          soci::use(now.dashboard), soci::use(now.name), soci::use(last), soci::use(value);
      sql << "DELETE FROM dashboard_alert_values WHERE dashboard = :dashboard AND name = :name AND "
             "at_ms <= (SELECT at_ms FROM dashboard_alert_values WHERE dashboard = :of AND name = "
             ":named ORDER BY at_ms DESC LIMIT 1 OFFSET :kept)",
          soci::use(now.dashboard, "dashboard"), soci::use(now.name, "name"),
          soci::use(now.dashboard, "of"), soci::use(now.name, "named"),
          soci::use(static_cast<long long>(kValuesKept), "kept");
    }
    if (changed) {
      sql << "INSERT INTO dashboard_alert_history (dashboard, name, at_ms, state, message, value) "
             "VALUES (:dashboard, :name, :at, :state, :message, :value) ON CONFLICT (dashboard, "
             "name, at_ms) DO NOTHING",
          soci::use(now.dashboard), soci::use(now.name), soci::use(last), soci::use(now.state),
          soci::use(now.message), soci::use(value, known);
      sql << "DELETE FROM dashboard_alert_history WHERE at_ms <= (SELECT at_ms FROM "
             "dashboard_alert_history ORDER BY at_ms DESC LIMIT 1 OFFSET :kept)",
          soci::use(static_cast<long long>(kHistoryKept), "kept");
    }
    if (!event.empty()) notices_.add(sql, alert.to, body);
  });
  if (!event.empty())
    log::info("an alert of a dashboard", {{"dashboard", now.dashboard},
                                          {"alert", now.name},
                                          {"event", event},
                                          {"message", now.message}});
}

AlertState Alerts::test(const std::string& dashboard, const std::string& name,
                        const std::string& user, bool notify) {
  const auto found = store_.get(dashboard);
  const auto alert = std::ranges::find(found->alerts, name, &AlertConfig::name);
  if (alert == found->alerts.end())
    throw Error(Code::kNotFound,
                fmt::format("the dashboard '{}' has no alert '{}'", dashboard, name));
  AlertState state = evaluate(*found, *alert, user, {});
  if (notify) {
    const json::object body = notice(*found, *alert, state, "test");
    for (const auto& channel : channels(alert->to)) notices_.send(channel, body);
  }
  return state;
}

}  // namespace meesh::dashboards
