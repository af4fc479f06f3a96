#include "serve/api/json_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <thread>

#include "base/text.h"
#include "mesh/mesh.h"

namespace meesh::serve::api {

namespace json = boost::json;
using net::Request;
using net::Response;

namespace {

constexpr auto kBeat = std::chrono::milliseconds(200);  // between two words on the progress

/// JSON holds UTF-8 alone; what is none (a name that was cut, bytes of a file) becomes U+FFFD.
std::string as_utf8(std::string_view text) {
  if (base::valid_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    size_t length = std::min<size_t>(4, text.size());
    while (length > 0 && !(base::valid_utf8(text.substr(0, length)) &&
                           base::code_points(text.substr(0, length)) == 1))
      --length;
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

/// What is known of a mistake; `message` is the name of what happened.
json::object mistake_json(const Error& error, const char* message) {
  json::object object{{message, as_utf8(error.message())},
                      {"code", code_name(error.code())},
                      {"text", as_utf8(error.what())}};
  if (!error.hint().empty()) object["hint"] = as_utf8(error.hint());
  if (error.location().known()) {
    if (!error.location().file.empty()) object["file"] = as_utf8(error.location().file);
    object["line"] = error.location().line;
    object["column"] = error.location().column;
  }
  return object;
}

Error not_a(std::string_view key, std::string_view what) {
  return Error(Code::kBadRequest, fmt::format("'{}' is no {}", key, what));
}

const json::value* member(const json::object& body, std::string_view key) {
  const json::value* value = body.if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

std::string text_in(const json::value& value, std::string_view key) {
  if (!value.is_string()) throw not_a(key, "text");
  return std::string(value.get_string());
}

}  // namespace

json::object problem_json(const Error& error) {
  // What the sender can mend is no 501.
  const bool mistake = error.code() == Code::kConfigInvalid || error.code() == Code::kNotSupported;
  const bool own = dynamic_cast<const net::HttpError*>(&error) != nullptr;
  const int status = mistake && !own ? 422 : net::http_status(error);
  const std::string_view phrase = net::reason_phrase(status);
  json::object object{{"type", "about:blank"},
                      {"title", phrase.empty() ? code_name(error.code()) : phrase},
                      {"status", status}};
  for (auto& [name, value] : mistake_json(error, "detail")) object[name] = std::move(value);
  if (const auto* config = dynamic_cast<const mesh::ConfigError*>(&error)) {
    object["text"] = as_utf8(config->report());
    json::array all;
    for (const Error& each : config->all()) all.push_back(mistake_json(each, "message"));
    object["errors"] = std::move(all);
  }
  return object;
}

json::object error_json(const Error& error) { return {{"error", problem_json(error)}}; }

void answer_problem(Response& response, const json::object& problem) {
  response.status = static_cast<int>(problem.at("status").as_int64());
  response.text(json::serialize(problem), "application/problem+json");
}

bool from_elsewhere(const Request& request) {
  const auto site = request.headers.get("Sec-Fetch-Site");
  if (site && (*site == "cross-site" || *site == "same-site")) return true;
  const auto origin = request.headers.get("Origin");
  if (!origin) return false;
  const size_t host = origin->find("://");
  if (host == std::string_view::npos) return true;
  const auto here = request.headers.get("X-Forwarded-Host");  // no page can make one up unasked
  return origin->substr(host + 3) != (here ? *here : request.headers.get("Host").value_or(""));
}

net::Handler guarded(net::Handler handler) {
  return [handler = std::move(handler)](Request& request, Response& response) {
    try {
      if (request.method != "GET" && request.method != "HEAD" && from_elsewhere(request))
        throw net::HttpError(403, "a page of another site may not change anything here",
                             Code::kPermissionDenied);
      handler(request, response);
    } catch (const Error& error) {
      answer_problem(response, problem_json(error));
    }
  };
}

void answer(Response& response, const json::value& value) { response.json(json::serialize(value)); }

json::value json_of(Request& request, size_t most) {
  // A page of another site cannot send this type without asking first, which nobody grants.
  const auto type = request.headers.get("Content-Type").value_or("");
  if (!type.starts_with("application/json"))
    throw net::HttpError(415, "the body is not of type application/json");
  json::error_code malformed;
  json::stream_parser parser;
  parser.write(request.body(most), malformed);
  if (!malformed) parser.finish(malformed);
  if (malformed) throw Error(Code::kBadRequest, "the body is not JSON: " + malformed.message());
  return parser.release();
}

json::object body_of(Request& request) {
  if (!request.headers.get("Content-Type") && request.body(kMostBody).empty()) return {};
  json::value value = json_of(request);
  if (!value.is_object()) throw Error(Code::kBadRequest, "the body is no JSON object");
  return std::move(value.get_object());
}

std::string text(const json::object& body, std::string_view key, std::string otherwise) {
  const auto* value = member(body, key);
  return value ? text_in(*value, key) : otherwise;
}

std::string needed_text(const json::object& body, std::string_view key) {
  const auto* value = member(body, key);
  if (!value) throw Error(Code::kBadRequest, fmt::format("'{}' is missing", key));
  return text_in(*value, key);
}

std::vector<std::string> texts(const json::object& body, std::string_view key) {
  std::vector<std::string> all;
  const auto* value = member(body, key);
  if (!value) return all;
  if (!value->is_array()) throw not_a(key, "list");
  for (const auto& item : value->get_array()) all.push_back(text_in(item, key));
  return all;
}

std::map<std::string, std::string> text_map(const json::object& body, std::string_view key) {
  std::map<std::string, std::string> all;
  const auto* value = member(body, key);
  if (!value) return all;
  if (!value->is_object()) throw not_a(key, "object");
  for (const auto& [name, item] : value->get_object())
    all.emplace(name, text_in(item, fmt::format("{}.{}", key, std::string(name))));
  return all;
}

bool flag(const json::object& body, std::string_view key) {
  const auto* value = member(body, key);
  if (!value) return false;
  if (!value->is_bool()) throw not_a(key, "boolean");
  return value->get_bool();
}

int64_t number(const json::object& body, std::string_view key, int64_t otherwise, int64_t most) {
  const auto* value = member(body, key);
  if (!value) return otherwise;
  if (!value->is_int64() || value->get_int64() < 1 || value->get_int64() > most)
    throw not_a(key, fmt::format("number from 1 to {}", most));
  return value->get_int64();
}

std::string query_text(const Request& request, std::string_view key, std::string_view otherwise) {
  return std::string(request.query_param(key).value_or(otherwise));
}

bool query_flag(const Request& request, std::string_view key) {
  const auto given = request.query_param(key);
  return given && *given != "0" && *given != "false";
}

uint64_t query_number(const Request& request, std::string_view key, uint64_t otherwise,
                      uint64_t least, uint64_t most) {
  const auto given = request.query_param(key);
  if (!given) return otherwise;
  uint64_t value = 0;
  const char* last = given->data() + given->size();
  const auto [end, failed] = std::from_chars(given->data(), last, value);
  if (failed != std::errc{} || end != last || value < least || value > most)
    throw not_a(key, fmt::format("number from {} to {}", least, most));
  return value;
}

void Lines::send(const json::object& line) {
  const std::lock_guard lock(mutex_);
  lines_ += json::serialize(line) + "\n";
  progress_.reset();
  changed_.notify_all();
}

void Lines::progress(json::object line) {
  const std::lock_guard lock(mutex_);
  progress_ = std::move(line);
}

void Lines::run(Request& request, Response& response, const Work& work) {
  response.headers.set("Content-Type", "application/x-ndjson");
  std::stop_source stop;
  std::jthread worker([&] {
    try {
      work(stop.get_token(), *this);
    } catch (const Error& error) {
      send(error_json(error));
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  });
  try {
    while (pass_on(response))
      if (request.client_gone()) stop.request_stop();
  } catch (...) {
    stop.request_stop();
    throw;
  }
}

/// False when the last line went out.
bool Lines::pass_on(Response& response) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kBeat, [&] { return !lines_.empty() || ended_; });
  std::string lines = std::exchange(lines_, {});
  const bool more = !ended_;
  if (more && progress_) lines += json::serialize(*std::exchange(progress_, std::nullopt)) + "\n";
  lock.unlock();
  if (lines.empty()) return more;
  response.write(lines);
  response.flush();
  return more;
}

}  // namespace meesh::serve::api
