#include "serve/api/quality.h"

#include <boost/json.hpp>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using quality::Quality;

json::object error_json(const Error& error) {
  json::object object{{"code", code_name(error.code())}, {"message", error.message()}};
  if (!error.hint().empty()) object["hint"] = error.hint();
  return {{"error", std::move(object)}};
}

/// A handler whose errors are answered as JSON.
net::Handler guarded(std::function<void(Request&, Response&)> handler) {
  return [handler = std::move(handler)](Request& request, Response& response) {
    try {
      handler(request, response);
    } catch (const Error& e) {
      response.status = net::http_status(e);
      response.json(json::serialize(error_json(e)));
    }
  };
}

/// Lines of JSON that go out while work is done on a thread of its own; the work is asked to stop
/// when nobody listens any more. A line a second says how far it is.
class Lines {
 public:
  using Work = std::function<void(const TaskContext&, Lines&)>;

  void send(json::object line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(json::serialize(line) + "\n");
    changed_.notify_all();
  }

  void run(Request& request, Response& response, const Work& work) {
    TaskContext context;
    std::stop_source stop;
    context.stop = stop.get_token();
    context.progress = [this](uint64_t done, uint64_t total) {
      const std::lock_guard lock(mutex_);
      done_ = done;
      total_ = total;
    };
    response.headers.set("Content-Type", "application/x-ndjson");
    std::jthread worker([&] {
      try {
        work(context, *this);
        send({{"done", true}});
      } catch (const Error& e) {
        send(error_json(e));
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

 private:
  /// False when the last line went out.
  bool pass_on(Response& response) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(1), [&] { return !lines_.empty() || ended_; });
    auto lines = std::exchange(lines_, {});
    const bool more = !ended_;
    if (lines.empty() && more)
      lines.push_back(json::serialize(json::object{{"progress", {done_, total_}}}) + "\n");
    lock.unlock();
    for (const auto& line : lines) response.write(line);
    response.flush();
    return more;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;  // all guarded by mutex_
  uint64_t done_ = 0, total_ = 0;
  bool ended_ = false;
};

std::string parameter(const Request& request, std::string_view name) {
  return std::string(request.query_param(name).value_or(""));
}

int limit(const Request& request, int otherwise) {
  const auto text = request.query_param("limit");
  if (!text) return otherwise;
  int value = 0;
  const auto end = text->data() + text->size();
  if (std::from_chars(text->data(), end, value).ptr != end || value < 1 || value > 10'000)
    throw Error(Code::kBadRequest, "limit is a number from 1 to 10000");
  return value;
}

json::object body(Request& request) {
  const std::string text = request.body(1 << 20);
  if (text.empty()) return {};
  boost::system::error_code failure;
  const auto value = json::parse(text, failure);
  if (failure || !value.is_object())
    throw Error(Code::kBadRequest, "the body is not a JSON object");
  return value.get_object();
}

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value) return "";
  if (!value->is_string()) throw Error(Code::kBadRequest, "'" + std::string(key) + "' is not text");
  return std::string(value->get_string());
}

void list_checks(const Quality& quality, Response& response) {
  json::array suites;
  for (const auto& suite : quality.suites()) {
    json::array checks;
    for (const auto& check : suite.checks)
      checks.push_back({{"check", check.name},
                        {"kind", quality::kind_name(check.kind)},
                        {"severity", quality::severity_name(check.severity)},
                        {"expected", check.bound.words()},
                        {"line", check.location.line}});
    suites.push_back(
        {{"suite", suite.name}, {"table", suite.table}, {"checks", std::move(checks)}});
  }
  response.json(json::serialize(json::object{{"suites", std::move(suites)}}));
}

void list_results(Quality& quality, Request& request, Response& response) {
  json::array results;
  for (const auto& result : quality.history().results(
           parameter(request, "table"), parameter(request, "suite"), limit(request, 100)))
    results.push_back(quality::to_json(result));
  response.json(json::serialize(json::object{{"results", std::move(results)}}));
}

void list_scores(Quality& quality, Response& response) {
  json::array tables, products;
  for (const auto& score : quality.table_scores()) tables.push_back(quality::to_json(score));
  for (const auto& score : quality.product_scores()) products.push_back(quality::to_json(score));
  response.json(json::serialize(
      json::object{{"products", std::move(products)}, {"tables", std::move(tables)}}));
}

void run_checks(Quality& quality, Request& request, Response& response) {
  const std::string what = text(body(request), "what");
  std::vector<const quality::Suite*> suites;
  if (what.empty())
    for (const auto& suite : quality.suites()) suites.push_back(&suite);
  else
    suites = quality.find(what);
  if (suites.empty())
    throw Error(Code::kNotFound,
                what.empty() ? "this mesh has no checks" : "there are no checks of '" + what + "'")
        .with_hint("checks stand in checks/*.yaml and contracts/*.yaml of the mesh");
  Lines lines;
  lines.run(request, response, [&](const TaskContext& context, Lines& out) {
    for (const auto* suite : suites) {
      try {
        quality.run(*suite, context, "", [&](const quality::CheckResult& result) {
          out.send({{"result", quality::to_json(result)}});
        });
      } catch (const Error& e) {
        if (context.stop.stop_requested()) throw;
        json::object line = error_json(e);
        line["table"] = suite->table;
        line["suite"] = suite->name;
        out.send({{"unreadable", std::move(line)}});
      }
    }
  });
}

void take_profile(Quality& quality, Request& request, Response& response) {
  const auto asked = body(request);
  const std::string table = text(asked, "table");
  quality::ProfileOptions options;
  if (const auto* sample = asked.if_contains("sample")) {
    if (!sample->is_number()) throw Error(Code::kBadRequest, "'sample' is not a number");
    options.sample = sample->to_number<double>();
  }
  if (const auto* only = asked.if_contains("files_only"))
    options.files_only = only->is_bool() && only->get_bool();
  if (table.empty()) throw Error(Code::kBadRequest, "'table' is missing");
  Lines lines;
  lines.run(request, response, [&](const TaskContext& context, Lines& out) {
    out.send({{"profile", quality::to_json(quality.profile(table, options, context))}});
  });
}

}  // namespace

void register_quality(net::Server& server, Quality& quality) {
  const auto route = [&](const char* method, const char* path, auto handler) {
    server.route(method, path, guarded([&quality, handler](Request& request, Response& response) {
                   handler(quality, request, response);
                 }));
  };
  route("GET", "/api/v1/quality/checks",
        [](Quality& q, Request&, Response& response) { list_checks(q, response); });
  route("GET", "/api/v1/quality/results", list_results);
  route("GET", "/api/v1/quality/scores",
        [](Quality& q, Request&, Response& response) { list_scores(q, response); });
  route("POST", "/api/v1/quality/run", run_checks);
  route("POST", "/api/v1/quality/profile", take_profile);
  route("GET", "/api/v1/quality/profiles", [](Quality& q, Request& request, Response& response) {
    json::array profiles;
    for (auto& profile : q.history().profiles(parameter(request, "table"), limit(request, 10)))
      profiles.push_back(std::move(profile));
    response.json(json::serialize(json::object{{"profiles", std::move(profiles)}}));
  });
}

}  // namespace meesh::serve::api
