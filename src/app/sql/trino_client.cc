#include "app/sql/trino_client.h"

#include <thread>

#include "app/server_token.h"

namespace meesh::app {

namespace json = boost::json;

namespace {

std::string string_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

template <class T>
T number_of(const json::object& object, std::string_view key, T absent) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<T>() : absent;
}

/// The path part of a nextUri: we stay on the connection we have.
std::string path_of(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  const size_t slash = uri.find('/', scheme + 3);
  return slash == std::string::npos ? "/" : uri.substr(slash);
}

std::pair<std::string, std::string> key_value(std::string_view header) {
  const size_t equals = header.find('=');
  if (equals == std::string_view::npos) return {std::string(header), ""};
  const auto value = net::percent_decode(header.substr(equals + 1), true);
  const auto key = net::percent_decode(header.substr(0, equals), true);
  return {key.value_or(""), value.value_or("")};
}

RemoteError remote_error(const json::object& error) {
  RemoteError out;
  out.message = string_of(error, "message");
  out.name = string_of(error, "errorName");
  out.type = string_of(error, "errorType");
  if (const auto* where = error.if_contains("errorLocation"); where && where->is_object()) {
    out.line = number_of(where->as_object(), "lineNumber", 0);
    out.column = number_of(where->as_object(), "columnNumber", 0);
  }
  out.hint = string_of(error, "hint");  // meesh's own
  return out;
}

Progress progress_of(const json::object& page) {
  Progress out;
  const auto* stats = page.if_contains("stats");
  if (!stats || !stats->is_object()) return out;
  const auto& object = stats->as_object();
  out.state = string_of(object, "state");
  out.percent = number_of(object, "progressPercentage", -1.0);
  out.rows = number_of<uint64_t>(object, "processedRows", 0);
  out.bytes = number_of<uint64_t>(object, "processedBytes", 0);
  out.elapsed_ms = number_of<int64_t>(object, "elapsedTimeMillis", 0);
  return out;
}

}  // namespace

bool ClientColumn::numeric() const {
  for (const char* prefix :
       {"tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"}) {
    if (type.starts_with(prefix)) return true;
  }
  return false;
}

TrinoClient::TrinoClient(ClientSession session)
    : session_(std::move(session)), http_(session_.server), token_(given_token()) {}

net::Headers TrinoClient::request_headers() const {
  net::Headers headers;
  headers.set("X-Trino-User", session_.user);
  headers.set("X-Trino-Source", session_.source);
  headers.set("X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME,PATH,SESSION_AUTHORIZATION");
  if (!session_.catalog.empty()) headers.set("X-Trino-Catalog", session_.catalog);
  if (!session_.schema.empty()) headers.set("X-Trino-Schema", session_.schema);
  if (!session_.time_zone.empty()) headers.set("X-Trino-Time-Zone", session_.time_zone);
  for (const auto& [name, value] : session_.properties) {
    headers.add("X-Trino-Session", name + "=" + net::percent_encode(value));
  }
  for (const auto& [name, text] : session_.prepared) {
    headers.add("X-Trino-Prepared-Statement",
                net::percent_encode(name) + "=" + net::percent_encode(text));
  }
  headers.set("X-Trino-Transaction-Id",
              session_.transaction_id.empty() ? "NONE" : session_.transaction_id);
  add_token(headers, token_);
  return headers;
}

void TrinoClient::take_session(const net::Headers& headers) {
  if (auto v = headers.get("X-Trino-Set-Catalog")) session_.catalog = std::string(*v);
  if (auto v = headers.get("X-Trino-Set-Schema")) session_.schema = std::string(*v);
  for (auto v : headers.all("X-Trino-Set-Session")) {
    auto [name, value] = key_value(v);
    session_.properties[name] = value;
  }
  for (auto v : headers.all("X-Trino-Clear-Session")) session_.properties.erase(std::string(v));
  for (auto v : headers.all("X-Trino-Added-Prepare")) {
    auto [name, text] = key_value(v);
    session_.prepared[name] = text;
  }
  for (auto v : headers.all("X-Trino-Deallocated-Prepare")) {
    session_.prepared.erase(net::percent_decode(v, true).value_or(""));
  }
  if (auto v = headers.get("X-Trino-Started-Transaction-Id"))
    session_.transaction_id = std::string(*v);
  if (headers.get("X-Trino-Clear-Transaction-Id")) session_.transaction_id.clear();
}

net::ClientResponse TrinoClient::call(std::string_view method, const std::string& target,
                                      std::string_view body) {
  // 502, 503, 504 and 429 are the server's "come again"; so say all Trino clients.
  for (int attempt = 0;; ++attempt) {
    auto response = http_.request(method, target, request_headers(), body);
    if (response.status == 401 && token_.empty() &&
        !(token_ = local_token(session_.server, response)).empty())
      continue;
    const bool again = response.status == 429 || (response.status >= 502 && response.status <= 504);
    if (!again || attempt >= 5) return response;
    std::this_thread::sleep_for(std::chrono::milliseconds(100 << attempt));
  }
}

Outcome TrinoClient::run(std::string_view sql, const Callbacks& callbacks) {
  Outcome outcome;
  bool columns_told = false;
  auto response = call("POST", "/v1/statement", sql);
  while (true) {
    if (response.status != 200) {
      throw Error(Code::kUnavailable, fmt::format("{} answered HTTP {}: {}", session_.server,
                                                  response.status, response.body.substr(0, 300)));
    }
    take_session(response.headers);
    boost::system::error_code failed;
    const auto parsed = json::parse(response.body, failed);
    if (failed || !parsed.is_object()) {
      throw Error(Code::kUnavailable,
                  fmt::format("{} does not speak the Trino protocol", session_.server));
    }
    const auto& page = parsed.as_object();
    outcome.query_id = string_of(page, "id");
    if (const auto* columns = page.if_contains("columns");
        columns && columns->is_array() && !columns_told) {
      std::vector<ClientColumn> known;
      for (const auto& column : columns->as_array()) {
        known.push_back(
            {string_of(column.as_object(), "name"), string_of(column.as_object(), "type")});
      }
      columns_told = true;
      if (callbacks.columns) callbacks.columns(known);
    }
    if (const auto* rows = page.if_contains("data"); rows && rows->is_array()) {
      outcome.rows += rows->as_array().size();
      if (callbacks.rows) callbacks.rows(rows->as_array());
    }
    const Progress progress = progress_of(page);
    outcome.elapsed_ms = progress.elapsed_ms;
    if (callbacks.progress) callbacks.progress(progress);
    if (auto type = string_of(page, "updateType"); !type.empty()) outcome.update_type = type;
    if (page.if_contains("updateCount"))
      outcome.update_count = number_of<uint64_t>(page, "updateCount", 0);
    if (const auto* error = page.if_contains("error"); error && error->is_object()) {
      outcome.error = remote_error(error->as_object());
      return outcome;
    }
    const std::string next = string_of(page, "nextUri");
    if (next.empty()) return outcome;
    if (callbacks.canceled && callbacks.canceled()) {
      call("DELETE", path_of(next), {});
      outcome.canceled = true;
      return outcome;
    }
    response = call("GET", path_of(next), {});
  }
}

}  // namespace meesh::app
