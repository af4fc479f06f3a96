#include "app/pipelines/api.h"

#include <fmt/chrono.h>
#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "app/language.h"
#include "base/error.h"
#include "base/text.h"
#include "net/http.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

/// All mistakes, one a line, as the server would have told them at its start.
Error error_of(const json::object& answer, const std::string& server, int status) {
  const auto* error = answer.if_contains("error");
  if (error == nullptr || !error->is_object()) {
    return {Code::kUnavailable, fmt::format("'{}' answers with status {}", server, status)};
  }
  const json::object& object = error->get_object();
  if (const auto* all = object.if_contains("errors"); all != nullptr && all->is_array()) {
    std::string text;
    for (const auto& one : all->get_array()) {
      text += (text.empty() ? "" : "\n") + text_of(one.as_object(), "text");
    }
    return {Code::kConfigInvalid, text};
  }
  const Location where{static_cast<int>(number_of(object, "line")),
                       static_cast<int>(number_of(object, "column")), text_of(object, "file")};
  Error found(Code::kGenericUserError, text_of(object, "message"), where);
  if (const std::string hint = text_of(object, "hint"); !hint.empty()) found.with_hint(hint);
  return found;
}

json::object ask(const ApiOptions& options, const char* method, const std::string& path,
                 const std::string& body) {
  net::Client client(options.server);
  net::Headers headers;
  if (!body.empty()) headers.set("Content-Type", "application/json");
  const auto answer = client.request(method, path, headers, body);
  boost::system::error_code malformed;
  const json::value value = json::parse(answer.body, malformed);
  const json::object object = malformed || !value.is_object() ? json::object{} : value.get_object();
  if (answer.status >= 400) throw error_of(object, options.server, answer.status);
  return object;
}

}  // namespace

void add_api_options(CLI::App& command, ApiOptions& options) {
  if (const char* server = std::getenv("MEESH_SERVER")) options.server = server;
  command
      .add_option("--server", options.server,
                  std::string(say("Address of the server (MEESH_SERVER)",
                                  "Adresse du serveur (MEESH_SERVER)")))
      ->capture_default_str();
  command.add_flag("--json", options.json, "JSON");
}

json::object api_get(const ApiOptions& options, const std::string& path) {
  return ask(options, "GET", path, "");
}

json::object api_post(const ApiOptions& options, const std::string& path,
                      const json::object& body) {
  return ask(options, "POST", path, json::serialize(body));
}

void api_stream(const ApiOptions& options, const std::string& path,
                const std::function<void(std::string_view)>& sink) {
  net::Client client(options.server, std::chrono::minutes(10));
  std::string refused;
  int status = 0;
  const auto answer = client.request("GET", path, {}, "", [&](std::string_view piece) {
    // What an error says comes the same way, in one piece that begins like this.
    if (status == 0) status = piece.starts_with("{\"error\":") ? 400 : 200;
    if (status == 200) {
      sink(piece);
    } else {
      refused += piece;
    }
  });
  if (answer.status < 400) return;
  boost::system::error_code malformed;
  const json::value value = json::parse(refused, malformed);
  throw error_of(malformed || !value.is_object() ? json::object{} : value.get_object(),
                 options.server, answer.status);
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

int64_t number_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<int64_t>() : 0;
}

std::string local_time(int64_t ms) {
  if (ms == 0) return "";
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", parts);
}

std::string duration_text(int64_t ms) {
  if (ms < 0) return "";
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const int64_t seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{} m {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} m", seconds / 3600, seconds / 60 % 60);
}

std::string part(const std::string& text) { return net::percent_encode(text); }

bool colours() { return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

std::string state_text(const std::string& state, size_t width) {
  const std::string padded = fmt::format("{:<{}}", state, width);
  if (!colours()) return padded;
  std::optional<fmt::color> colour;
  if (state == "succeeded" || state == "fresh") colour = fmt::color::green;
  if (state == "failed" || state == "upstream_failed") colour = fmt::color::red;
  if (state == "running" || state == "queued") colour = fmt::color::dodger_blue;
  if (state == "retrying" || state == "stale" || state == "canceled") colour = fmt::color::orange;
  return colour ? fmt::format(fmt::fg(*colour), "{}", padded) : padded;
}

void print_table(const std::vector<std::string>& headers,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& header : headers) widths.push_back(base::code_points(header));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], base::code_points(row[i]));
    }
  }
  const auto print = [&](const std::vector<std::string>& row, bool values) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      const size_t gap = last ? 0 : widths[i] - base::code_points(row[i]) + 2;
      line += (values ? state_text(row[i]) : row[i]) + std::string(gap, ' ');
    }
    fmt::print("{}\n", line);
  };
  print(headers, false);
  for (const auto& row : rows) print(row, true);
}

}  // namespace meesh::app
