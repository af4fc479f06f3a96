#include "app/server.h"

#include <fmt/chrono.h>
#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "app/language.h"
#include "app/server_token.h"
#include "base/text.h"
#include "net/http.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

Error error_of(const std::string& answer, const std::string& server, int status) {
  boost::system::error_code malformed;
  const json::value value = json::parse(answer, malformed);
  const auto* object = malformed ? nullptr : value.if_object();
  if (object == nullptr || text_of(*object, "text").empty()) {
    return NoServer(Code::kUnavailable,
                    fmt::format("'{}' {} {}", server,
                                say("answers with status", "répond avec le statut"), status));
  }
  return {Code::kGenericUserError, text_of(*object, "text")};
}

/// `text` gets the body of an answer that is an error's, or of any without a `sink`.
net::ClientResponse request(net::Client& client, const char* method, const std::string& path,
                            const std::string& body, const std::string& token, std::string& text,
                            const std::function<void(std::string_view)>& sink) {
  net::Headers headers;
  if (!body.empty()) headers.set("Content-Type", "application/json");
  add_token(headers, token);
  std::optional<bool> refused;
  try {
    return client.request(method, path, headers, body, [&](std::string_view piece) {
      // What an error says comes the same way, in one piece that begins like this.
      if (!refused) refused = piece.starts_with(R"({"type":"about:blank",)");
      if (sink && !*refused) return sink(piece);
      text += piece;
    });
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw NoServer(error.code(), error.message());
    throw;
  }
}

/// `sink` is given the body of an answer that is no error; then the result is empty.
std::string ask(const ApiOptions& options, const char* method, const std::string& path,
                const std::string& body, const std::function<void(std::string_view)>& sink = {}) {
  using namespace std::chrono_literals;
  net::Client client(options.server, sink ? 10min : 1min);
  std::string text, token = given_token();
  auto answer = request(client, method, path, body, token, text, sink);
  if (answer.status == 401 && token.empty() &&
      !(token = local_token(options.server, answer)).empty()) {
    text.clear();
    answer = request(client, method, path, body, token, text, sink);
  }
  if (answer.status >= 400) throw error_of(text, options.server, answer.status);
  if (sink && !text.empty()) sink(text);
  return text;
}

json::object object_of(const ApiOptions& options, const std::string& text) {
  boost::system::error_code malformed;
  json::value value = json::parse(text.empty() ? "{}" : text, malformed);
  if (!malformed && value.is_object()) return std::move(value.get_object());
  throw NoServer(Code::kUnavailable,
                 fmt::format("'{}' {}", options.server,
                             say("is no meesh server", "n'est pas un serveur meesh")));
}

std::function<void(std::string_view)> by_lines(const std::function<void(std::string_view)>& line) {
  return [&line, rest = std::string()](std::string_view piece) mutable {
    rest += piece;
    size_t from = 0;
    for (size_t end = 0; (end = rest.find('\n', from)) != std::string::npos; from = end + 1)
      line(std::string_view(rest).substr(from, end - from));
    rest.erase(0, from);
  };
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
  return object_of(options, ask(options, "GET", path, ""));
}

json::object api_post(const ApiOptions& options, const std::string& path,
                      const json::object& body) {
  return object_of(options, ask(options, "POST", path, json::serialize(body)));
}

json::object api_put(const ApiOptions& options, const std::string& path, const json::object& body) {
  return object_of(options, ask(options, "PUT", path, json::serialize(body)));
}

std::string api_text(const ApiOptions& options, const std::string& path) {
  return ask(options, "GET", path, "");
}

void api_stream(const ApiOptions& options, const std::string& path,
                const std::function<void(std::string_view)>& line) {
  ask(options, "GET", path, "", by_lines(line));
}

void api_post_stream(const ApiOptions& options, const std::string& path, const json::object& body,
                     const std::function<void(std::string_view)>& line) {
  ask(options, "POST", path, json::serialize(body), by_lines(line));
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

std::string grouped_digits(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, say(",", " "));
  return digits;
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
