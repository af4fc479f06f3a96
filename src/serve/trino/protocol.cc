#include "serve/trino/protocol.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <thread>

#include "serve/trino/query_json.h"
#include "serve/trino/session_headers.h"

namespace meesh::serve::trino {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kJson = "application/json";
constexpr size_t kListedQueries = 500;
constexpr size_t kListedTextBytes = 20000;

/// What a handler answers. Written after it is complete, so that an error never follows half a
/// body.
struct Answer {
  int status = 200;
  std::string_view content_type = kJson;
  std::string text;
  PagePtr page;               // instead of text
  bool uncompressed = false;  // the client is on this machine: packing costs more than sending
  net::Headers headers;
};

bool is_local(const net::Request& request) {
  const std::string_view address = request.remote_address;
  return address.starts_with("127.") || address.starts_with("::1") || address.starts_with("[::1]");
}

Answer problem(int status, std::string text) {
  Answer answer;
  answer.status = status;
  answer.content_type = "text/plain; charset=utf-8";
  answer.text = std::move(text);
  if (status == 401) answer.headers.set("WWW-Authenticate", "Basic realm=\"Trino\"");
  return answer;
}

template <class Make>
void answer_with(net::Response& response, Make make) {
  Answer answer;
  try {
    answer = make();
  } catch (const Error& error) {
    answer = problem(net::http_status(error), error.what());
  }
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers.items()) response.headers.add(name, value);
  if (answer.page) {
    for (const auto& [name, value] : answer.page->headers.items())
      response.headers.add(name, value);
    response.headers.set("Cache-Control",
                         answer.uncompressed ? "no-store, no-transform" : "no-store");
    response.json(answer.page->body.view());
  } else if (answer.status == 204) {
    response.empty(204);
  } else if (answer.content_type == kJson) {
    response.json(answer.text);
  } else {
    response.text(answer.text, answer.content_type);
  }
}

/// A page in somebody's browser must not run statements here through the reader's own network.
void refuse_foreign_pages(const net::Request& request) {
  const auto origin = request.headers.get("Origin");
  if (!origin) return;
  const auto authority = [](std::string_view uri) { return uri.substr(uri.find("://") + 3); };
  const std::string base = base_uri(request);
  if (origin->find("://") != std::string_view::npos && authority(*origin) == authority(base))
    return;
  throw net::HttpError(403, "Requests from pages of another origin are refused",
                       Code::kPermissionDenied);
}

uint64_t token_of(const net::Request& request) {
  const auto text = request.param("token");
  uint64_t token = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), token);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    throw net::HttpError(404, "Query not found");
  }
  return token;
}

/// An answer for a statement that never became a query: the queue is full.
std::string refusal(const Error& error, const std::string& base) {
  static std::atomic<uint32_t> count{0};
  const std::time_t now = std::time(nullptr);
  const std::string id =
      fmt::format("{:%Y%m%d_%H%M%S}_{:05}_refused", fmt::gmtime(now), count++ % 100000);
  JsonText out;
  out.raw('{');
  out.member("id", id);
  out.member("infoUri", base + "/admin/queries/" + id);
  engine::QueryInfo info;
  info.state = engine::QueryState::kFailed;
  out.key("stats");
  write_statement_stats(info, out);
  out.raw(",\"error\":");
  write_error(error, out);
  out.raw(",\"warnings\":[]}");
  return out.str();
}

class CountUp {
 public:
  explicit CountUp(std::atomic<size_t>& count) : count_(count), before_(count.fetch_add(1)) {}
  ~CountUp() { count_.fetch_sub(1); }
  CountUp(const CountUp&) = delete;
  CountUp& operator=(const CountUp&) = delete;
  size_t before() const { return before_; }

 private:
  std::atomic<size_t>& count_;
  const size_t before_;
};

bool state_wanted(std::optional<std::string_view> wanted, std::string_view state) {
  if (!wanted) return true;
  std::string_view rest = *wanted;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const auto one = rest.substr(0, comma);
    if (std::equal(one.begin(), one.end(), state.begin(), state.end(),
                   [](char a, char b) { return a == b || (a & ~32) == b; })) {
      return true;
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

Protocol::Protocol(engine::Engine& engine, Options options)
    : engine_(engine),
      options_(std::move(options)),
      started_(Clock::now()),
      segments_(options_.segments ? std::make_shared<SegmentStore>(*options_.segments) : nullptr),
      swept_(started_) {}

void Protocol::post_statement(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    refuse_foreign_pages(request);
    ClientContext context = read_client_context(request);
    std::string base = base_uri(request);
    std::string sql = request.body(options_.max_statement_bytes);
    if (sql.empty()) throw net::HttpError(400, "SQL statement is empty");
    Answer answer;
    engine::QueryPtr query;
    try {
      query = engine_.submit(std::move(sql), context.session);
    } catch (const Error& error) {
      if (error.code() == Code::kServerShuttingDown) throw;
      answer.text = refusal(error, base);
      return answer;
    }
    auto spooled = spooled_data(request, context, query->id());
    auto statement =
        std::make_shared<Statement>(std::move(query), std::move(context), base, std::move(spooled));
    remember(statement);
    PageRequest first;
    answer.page = statement->page(first);
    return answer;
  });
}

void Protocol::get_page(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    const auto statement = find(request);
    PageRequest wanted;
    wanted.token = token_of(request);
    wanted.base_uri = base_uri(request);
    const CountUp waiting(waiting_);
    wanted.wait =
        waiting.before() < options_.max_waiting ? options_.max_wait : options_.crowded_wait;
    if (const auto text = request.query_param("maxWait")) {
      wanted.wait = std::min(wanted.wait, parse_duration(*text));
    }
    wanted.gather = std::min(options_.gather, wanted.wait);
    wanted.bytes = options_.default_page_bytes;
    if (const auto text = request.query_param("targetResultSize")) {
      wanted.bytes = std::min(options_.max_page_bytes, parse_data_size(*text));
    }
    Answer answer;
    answer.page = statement->page(wanted);
    answer.uncompressed = is_local(request);
    if (answer.page->last) mark_ended(statement->query().id());
    return answer;
  });
}

void Protocol::head_page(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    find(request);
    return Answer{};
  });
}

void Protocol::delete_statement(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    refuse_foreign_pages(request);
    const auto statement = find(request);
    statement->query().cancel();
    mark_ended(statement->query().id());
    if (segments_) segments_->remove_of(statement->query().id());
    return problem(204, "");
  });
}

std::unique_ptr<SpooledData> Protocol::spooled_data(const net::Request& request,
                                                    const ClientContext& context,
                                                    const std::string& query) const {
  if (!segments_ || !context.encoding) return nullptr;
  return std::make_unique<SpooledData>(*context.encoding, segments_, request.user, query);
}

void Protocol::get_segment(net::Request& request, net::Response& response) {
  const auto segment =
      segments_ ? segments_->open(std::string(request.param("token")), request.user) : std::nullopt;
  if (!segment) throw net::HttpError(404, "Segment not found", Code::kNotFound);
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Content-Length", std::to_string(segment->size()));
  response.headers.set("Cache-Control", "no-store");
  response.send_file(segment->fd(), 0, segment->size());
}

void Protocol::acknowledge_segment(net::Request& request, net::Response& response) {
  // Once more is no error: the answer to the first time may have been lost.
  if (segments_) segments_->remove(std::string(request.param("token")), request.user);
  response.text("");
}

void Protocol::list_queries(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    const std::string base = base_uri(request);
    const auto state = request.query_param("state");
    JsonText out;
    out.raw('[');
    size_t listed = 0;
    for (auto& query : engine_.queries()) {
      if (listed == kListedQueries) break;
      if (!state_wanted(state, engine::state_name(query.state))) continue;
      if (query.text.size() > kListedTextBytes) query.text.resize(kListedTextBytes);
      write_query_info(query, base, false, out);
      out.raw(',');
      ++listed;
    }
    out.close(']');
    Answer answer;
    answer.text = out.str();
    return answer;
  });
}

void Protocol::get_query(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    const auto query = engine_.find(std::string(request.param("id")));
    if (!query) throw net::HttpError(410, "Query not found");
    JsonText out;
    write_query_info(query->info(), base_uri(request), true, out);
    Answer answer;
    answer.text = out.str();
    return answer;
  });
}

void Protocol::delete_query(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    refuse_foreign_pages(request);
    if (const auto query = engine_.find(std::string(request.param("id")))) query->cancel();
    return problem(204, "");
  });
}

void Protocol::kill_query(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    refuse_foreign_pages(request);
    const auto query = engine_.find(std::string(request.param("id")));
    if (!query) throw net::HttpError(410, "Query not found");
    const auto state = query->info().state;
    if (state == engine::QueryState::kFinished || state == engine::QueryState::kFailed) {
      throw net::HttpError(409, "Query is not running: " + query->id());
    }
    const std::string message = request.body(64 << 10);
    query->cancel(Code::kAdministrativelyKilled,
                  message.empty() ? "Query killed." : "Query killed. Message: " + message);
    return problem(202, "");
  });
}

void Protocol::info(net::Request&, net::Response& response) {
  answer_with(response, [&] {
    const auto uptime = std::chrono::duration_cast<milliseconds>(Clock::now() - started_).count();
    JsonText out;
    out.raw("{\"nodeVersion\":{");
    out.member("version", engine_.options().node_version);
    out.close('}');
    out.raw(',');
    out.member("environment", engine_.options().environment);
    out.raw("\"coordinator\":true,\"starting\":false,");
    out.member("uptime", succinct_duration(uptime));
    out.close('}');
    Answer answer;
    answer.text = out.str();
    return answer;
  });
}

void Protocol::status(net::Request& request, net::Response& response) {
  answer_with(response, [&] {
    const auto uptime = std::chrono::duration_cast<milliseconds>(Clock::now() - started_).count();
    JsonText out;
    out.raw('{');
    out.member("nodeId", options_.node_id);
    out.raw("\"nodeVersion\":{");
    out.member("version", engine_.options().node_version);
    out.close('}');
    out.raw(',');
    out.member("environment", engine_.options().environment);
    out.raw("\"coordinator\":true,");
    out.member("uptime", succinct_duration(uptime));
    out.member("externalAddress", base_uri(request));
    out.member("processors", static_cast<int64_t>(std::thread::hardware_concurrency()));
    out.close('}');
    Answer answer;
    answer.text = out.str();
    return answer;
  });
}

size_t Protocol::statements() const {
  const std::lock_guard lock(mutex_);
  return statements_.size();
}

std::shared_ptr<Statement> Protocol::find(const net::Request& request) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  sweep(now);
  const auto it = statements_.find(std::string(request.param("id")));
  if (it == statements_.end() || it->second.statement->slug() != request.param("slug")) {
    throw net::HttpError(404, "Query not found");
  }
  it->second.used = now;
  return it->second.statement;
}

void Protocol::remember(std::shared_ptr<Statement> statement) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  sweep(now);
  const std::string id = statement->query().id();
  statements_.insert_or_assign(id, Entry{std::move(statement), now});
}

void Protocol::mark_ended(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = statements_.find(id);
  if (it == statements_.end() || it->second.ended) return;
  it->second.ended = true;
  ended_.push_back(id);
  if (ended_.size() <= options_.max_ended) return;
  statements_.erase(ended_.front());
  ended_.pop_front();
}

void Protocol::sweep(Clock::time_point now) {
  if (now - swept_ < std::chrono::seconds(10)) return;
  swept_ = now;
  const auto limit = engine_.options().client_timeout;
  std::erase_if(statements_, [&](const auto& item) { return now - item.second.used > limit; });
  std::erase_if(ended_, [&](const std::string& id) { return !statements_.contains(id); });
}

}  // namespace meesh::serve::trino
