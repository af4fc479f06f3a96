#include "serve/api/stream_live.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <thread>
#include <vector>

#include "engine/ask.h"
#include "serve/api/json_api.h"
#include "serve/api/stream_json.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using sql::Type;
using sql::TypeKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook{1000};     // for a client that left, for a server that stops
constexpr milliseconds kSilence{5000};  // after it a comment goes out
constexpr milliseconds kBreath{100};    // commits in a moment are one event
constexpr milliseconds kMostRest{2000};

engine::Session own_session() {
  engine::Session session;
  session.user = session.original_user = "meesh";
  session.source = "streams";
  return session;
}

struct NamedColumn {
  std::string name;
  Type type;
};

std::vector<NamedColumn> columns_of(engine::Engine& engine, const sql::TableName& table,
                                    std::stop_token stop) {
  const auto told =
      engine::ask(engine, "DESCRIBE " + engine::quote_table(table), own_session(), std::move(stop));
  std::vector<NamedColumn> columns;
  for (const auto& row : told.rows)
    columns.push_back({row.at(0).value_or(""), Type::parse(row.at(1).value_or(""))});
  return columns;
}

/// What asks for the column so that it arrives as text.
std::string readable(const NamedColumn& column) {
  const std::string name = engine::quote_name(column.name);
  switch (column.type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kJson:
      return name;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return fmt::format("json_text({})", name);
    case TypeKind::kVarbinary:
      return fmt::format("to_base64({})", name);
    default:
      return fmt::format("CAST({} AS varchar)", name);
  }
}

json::value number_value(const std::string& text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc{} && std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : text.starts_with('-') ? "-Infinity" : "Infinity";
}

json::value cell_value(const Type& type, const std::optional<std::string>& text) {
  if (!text) return nullptr;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return *text == "true";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return static_cast<int64_t>(std::stoll(*text));
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return number_value(*text);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow: {
      json::error_code malformed;
      json::value value = json::parse(*text, malformed);
      return malformed ? json::value(*text) : value;
    }
    default:
      return json::value(*text);
  }
}

/// How many rows it has; of tables in memory, which know.
uint64_t row_count(engine::Engine& engine, const std::string& table, std::stop_token stop) {
  const auto told =
      engine::ask(engine, "SELECT count(*) FROM " + table, own_session(), std::move(stop));
  return std::stoull(told.rows.at(0).at(0).value());
}

std::string event_data(const streams::StreamStatus& status, const LiveTable& table,
                       json::object rows) {
  json::object data{{"stream", status.name},
                    {"state", streams::state_name(status.state)},
                    {"batch", status.batch},
                    {"watermark", nullptr},
                    {"table", table.name.display()}};
  if (status.watermark_ms) data["watermark"] = instant_text(*status.watermark_ms);
  for (auto& [key, value] : rows) data[key] = std::move(value);
  return json::serialize(data);
}

/// One listener's feed.
class Feed {
 public:
  Feed(streams::Streams& streams, engine::Engine& engine, const LiveRequest& wanted,
       net::Request& request, net::Response& response, const std::stop_token& stopping)
      : streams_(streams),
        engine_(engine),
        wanted_(wanted),
        request_(request),
        response_(response),
        stopping_(stopping) {}

  void run() {
    response_.headers.set("Content-Type", "text/event-stream; charset=utf-8");
    response_.headers.set("Cache-Control", "no-cache");
    response_.headers.set("X-Accel-Buffering", "no");  // for proxies that gather first
    send(": " + wanted_.stream + "\n\n");
    const uint64_t newest = streams_.wait_for_commit(wanted_.stream, 0, milliseconds(0));
    seen_ = last_event();
    if (seen_ > newest) seen_ = 0;  // of another mesh
    while (!stopping_.stop_requested() && !request_.client_gone()) {
      const uint64_t now = streams_.wait_for_commit(wanted_.stream, seen_, kLook);
      if (now > seen_) {
        rest(tell(now));
      } else if (steady_clock::now() - sent_ >= kSilence) {
        send(": still here\n\n");
      }
    }
  }

 private:
  uint64_t last_event() const {
    const auto given = request_.headers.get("Last-Event-ID");
    uint64_t id = 0;
    if (given) std::from_chars(given->data(), given->data() + given->size(), id);
    return id;
  }

  void send(const std::string& text) {
    response_.write(text);
    response_.flush();
    sent_ = steady_clock::now();
  }

  /// How long it took. An error is told once and tried again: after a restart, tables in memory
  /// come back only with the stream's first batch.
  milliseconds tell(uint64_t id) {
    const auto start = steady_clock::now();
    try {
      auto rows = newest_rows(engine_, wanted_.table, wanted_.most, stopping_);
      const auto status = streams_.status(wanted_.stream);
      send(fmt::format("id: {}\nevent: commit\ndata: {}\n\n", id,
                       event_data(status, wanted_.table, std::move(rows))));
      seen_ = id;
      failure_.clear();
    } catch (const Error& error) {
      if (request_.client_gone()) throw;
      if (std::exchange(failure_, error.what()) != failure_)
        send(fmt::format("event: failure\ndata: {}\n\n", json::serialize(error_json(error))));
      return kLook;
    }
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
  }

  /// Asking takes at most half of the time.
  static void rest(milliseconds took) {
    std::this_thread::sleep_for(std::clamp(took, kBreath, kMostRest));
  }

  streams::Streams& streams_;
  engine::Engine& engine_;
  const LiveRequest& wanted_;
  net::Request& request_;
  net::Response& response_;
  const std::stop_token& stopping_;
  uint64_t seen_ = 0;
  steady_clock::time_point sent_{};
  std::string failure_;  // that was told last
};

}  // namespace

json::object newest_rows(engine::Engine& engine, const LiveTable& table, size_t most,
                         std::stop_token stop) {
  const auto columns = columns_of(engine, table.name, stop);
  const std::string name = engine::quote_table(table.name);
  std::vector<std::string> items;
  for (const auto& column : columns) items.push_back(readable(column));
  std::string query = fmt::format("SELECT {} FROM {}", fmt::join(items, ", "), name);
  const bool ordered = std::any_of(columns.begin(), columns.end(), [&](const NamedColumn& column) {
    return !table.in_memory && column.name == table.event_time;
  });
  if (table.in_memory) {
    const uint64_t all = row_count(engine, name, stop);
    if (all > most + 1) query += fmt::format(" OFFSET {}", all - most - 1);
  } else if (ordered) {
    query += fmt::format(" ORDER BY {} DESC", engine::quote_name(table.event_time));
  }
  auto answer =
      engine::ask(engine, fmt::format("{} LIMIT {}", query, most + 1), own_session(), stop);
  const bool more = answer.rows.size() > most;
  if (ordered) std::reverse(answer.rows.begin(), answer.rows.end());
  if (more) answer.rows.erase(answer.rows.begin());
  json::array told_columns, rows;
  for (const auto& column : columns)
    told_columns.push_back({{"name", column.name}, {"type", column.type.display()}});
  for (const auto& cells : answer.rows) {
    json::array row;
    for (size_t i = 0; i < cells.size(); ++i)
      row.push_back(cell_value(columns.at(i).type, cells.at(i)));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(told_columns)}, {"rows", std::move(rows)}, {"more", more}};
}

void send_live(streams::Streams& streams, engine::Engine& engine, const LiveRequest& wanted,
               net::Request& request, net::Response& response, const std::stop_token& stopping) {
  Feed(streams, engine, wanted, request, response, stopping).run();
}

}  // namespace meesh::serve::api
