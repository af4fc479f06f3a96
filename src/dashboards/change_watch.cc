#include "dashboards/change_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"

namespace meesh::dashboards {
namespace {

constexpr Millis kLook{1000};
constexpr Millis kBreath{100};  // commits in a moment are one event

sql::TableName table_name(const std::string& text) {
  const size_t first = text.find('.');
  const size_t second = text.find('.', first + 1);
  return {text.substr(0, first), text.substr(first + 1, second - first - 1),
          text.substr(second + 1)};
}

}  // namespace

ChangeWatch::ChangeWatch(DashboardStore& store, ChartData& data, const FindTable& find,
                         Changes changes)
    : store_(store), data_(data), find_(find), changes_(std::move(changes)) {}

void ChangeWatch::start() {
  thread_ = std::thread([this] { work(); });
}

void ChangeWatch::stop() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void ChangeWatch::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

std::unique_ptr<ChangeWatch::Viewer> ChangeWatch::watch(const std::string& dashboard) {
  std::unique_ptr<Viewer> viewer(new Viewer(*this, dashboard));
  {
    const std::lock_guard lock(mutex_);
    viewers_.push_back(viewer.get());
    woken_ = true;
  }
  changed_.notify_all();
  return viewer;
}

ChangeWatch::Viewer::~Viewer() {
  const std::lock_guard lock(watch_.mutex_);
  std::erase(watch_.viewers_, this);
}

std::optional<WatchEvent> ChangeWatch::Viewer::next(Millis at_most) {
  std::unique_lock lock(watch_.mutex_);
  watch_.told_.wait_for(lock, at_most, [&] { return edited_ || !charts_.empty(); });
  if (std::exchange(edited_, false)) return WatchEvent{WatchEvent::Kind::kEdited, {}};
  if (charts_.empty()) return std::nullopt;
  WatchEvent event{WatchEvent::Kind::kChanged, {charts_.begin(), charts_.end()}};
  charts_.clear();
  return event;
}

size_t ChangeWatch::viewers() const {
  const std::lock_guard lock(mutex_);
  return viewers_.size();
}

void ChangeWatch::work() {
  while (!stop_.requested()) {
    bool anybody = false;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return woken_; };
      if (viewers_.empty()) {
        stop_.wait(changed_, lock, woken);
      } else {
        stop_.wait_for(changed_, lock, kLook, woken);
      }
      woken_ = false;
      anybody = !viewers_.empty();
    }
    if (stop_.requested()) return;
    if (!anybody) {
      watched_.clear();
      continue;
    }
    try {
      go_round();
    } catch (const std::exception& error) {
      log::warn("dashboards cannot be watched now", {{"error", error.what()}});
    }
    stop_.sleep_for(kBreath);
  }
}

void ChangeWatch::go_round() {
  std::set<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    for (const auto* viewer : viewers_) names.insert(viewer->dashboard_);
  }
  std::erase_if(watched_, [&](const auto& one) { return !names.contains(one.first); });
  TableStates states(find_);
  for (const auto& name : names) look_at(name, watched_[name], states);
}

void ChangeWatch::look_at(const std::string& name, Watched& watched, TableStates& states) {
  DashboardPtr dashboard;
  try {
    dashboard = store_.get(name);
  } catch (const Error&) {
    if (!std::exchange(watched.etag, "").empty()) tell(name, {}, true);
    return;
  }
  const bool known = !watched.etag.empty();
  const bool edited = known && watched.etag != dashboard->etag;
  if (!known || edited) {
    watched = {};
    watched.etag = dashboard->etag;
    watched.refreshed_ms = base::now_ms();
  }
  std::set<std::string> charts;
  const bool due =
      dashboard->refresh && base::now_ms() - watched.refreshed_ms >= dashboard->refresh->count();
  if (due) watched.refreshed_ms = base::now_ms();
  for (const auto& chart : dashboard->charts) {
    if (!chart.asks()) continue;
    // Views may have changed, so the tables below them are looked up each time: from memory.
    const std::string state = state_of(data_.tables(*dashboard, chart, states), states);
    auto [place, fresh] = watched.states.try_emplace(chart.id, state);
    if (!fresh && place->second != state) {
      place->second = state;
      charts.insert(chart.id);
    } else if (due && state.find('?') != std::string::npos) {
      charts.insert(chart.id);  // nobody can tell
    }
  }
  if (edited || !charts.empty()) tell(name, charts, edited);
}

std::string ChangeWatch::state_of(const std::set<std::string>& tables, TableStates& states) {
  std::string all;
  for (const auto& table : tables) {
    const auto name = table_name(table);
    const auto& state = states.of(name);
    std::string version = state ? state->version : "";
    if (version.empty() && changes_) version = changes_(name);
    all += fmt::format("{}={};", table, version.empty() ? "?" : version);
  }
  return all.empty() ? "?" : all;
}

void ChangeWatch::tell(const std::string& name, const std::set<std::string>& charts, bool edited) {
  {
    const std::lock_guard lock(mutex_);
    for (auto* viewer : viewers_) {
      if (viewer->dashboard_ != name) continue;
      viewer->charts_.insert(charts.begin(), charts.end());
      viewer->edited_ |= edited;
    }
  }
  told_.notify_all();
}

}  // namespace meesh::dashboards
