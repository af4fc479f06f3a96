// What ksqlDB's versions answer: /query-stream is there since 0.10 and wanted HTTP/2 at first (over
// HTTP/1.1 it is refused with 400 and "only available when using HTTP2"); /query is there in all of
// them and speaks both. So a query goes to /query-stream over HTTP/2, and where a server or a proxy
// before it knows HTTP/1.1 alone, or has no such path (404, 405), to /query from then on.
#include "streams/ksqldb/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/algorithm/string/predicate.hpp>

#include "base/text.h"
#include "streams/ksqldb/exact_json.h"
#include "streams/ksqldb/ksqldb_error.h"
#include "streams/ksqldb/ksqldb_http.h"
#include "streams/ksqldb/ksqldb_types.h"
#include "streams/ksqldb/query_answer.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kLongestError = 1u << 20;  // bytes that are kept of an answer that is an error

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_array();
}

bool bool_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// An entry of LIST STREAMS and LIST TABLES. Servers before 0.20 say `format` for both formats.
KsqldbSource listed_source(const json::object& entry, bool is_table) {
  KsqldbSource source;
  source.name = text_at(entry, "name");
  source.topic = text_at(entry, "topic");
  source.key_format = text_at(entry, "keyFormat");
  source.value_format = text_at(entry, "valueFormat");
  if (source.value_format.empty()) source.value_format = text_at(entry, "format");
  source.is_table = is_table;
  source.windowed = bool_at(entry, "isWindowed");
  return source;
}

std::vector<KsqldbColumn> described_columns(const json::object& description) {
  std::vector<KsqldbColumn> columns;
  const json::array* fields = array_at(description, "fields");
  if (fields == nullptr) return columns;
  for (const json::value& field : *fields) {
    if (!field.is_object()) continue;
    const json::object& object = field.get_object();
    const json::object* schema = object_at(object, "schema");
    if (schema == nullptr) continue;
    KsqldbColumn& column = columns.emplace_back();
    column.name = text_at(object, "name");
    column.type = ksqldb_type_text(*schema);
    column.key = text_at(object, "type") == "KEY";
  }
  return columns;
}

/// One query: its answer, and when it is over.
class QueryRun {
 public:
  QueryRun(const StopWhen& stop_when,
           const std::function<void(const std::vector<KsqldbColumn>&)>& on_header,
           const std::function<void(const KsqldbRow&)>& on_row)
      : stop_when_(stop_when), on_header_(on_header), on_row_(on_row) {}

  /// Nothing if the server does not take the request, so that another may be tried.
  std::optional<uint64_t> run(const KsqldbHttp& http, const KsqldbRequest& request,
                              QueryAnswer::Shape shape, std::stop_token stop) {
    const auto on_header = [this](const std::vector<KsqldbColumn>& columns) {
      has_begun_ = true;
      last_ = Clock::now();
      on_header_(columns);
    };
    QueryAnswer answer(shape, on_header, [this](const KsqldbRow& row) {
      last_ = Clock::now();
      ++rows_;
      on_row_(row);
      return stop_when_.rows == 0 || rows_ < stop_when_.rows;
    });
    bool over = false;
    std::string error;
    const auto status = http.exchange(
        request,
        [&](long code, std::string_view bytes) {
          if (code == 200) return !(over = !answer.add(bytes));
          error += bytes.substr(0, kLongestError - error.size());
          return true;
        },
        [&] { return !(over = over || time_is_over()); }, stop);
    if (!status || (request.http2 && refuses_path(*status, error))) return std::nullopt;
    if (*status != 200 && !over) throw ksqldb_error(*status, error, http.where());
    if (!over) answer.end();
    return rows_;
  }

 private:
  static bool refuses_path(long status, const std::string& error) {
    return status == 404 || status == 405 || status == 505 ||
           (status == 400 && error.find("only available when using HTTP2") != std::string::npos);
  }

  /// Never before the header: a server that hangs is not one without rows.
  bool time_is_over() const {
    if (!has_begun_) return false;
    const auto now = Clock::now();
    const auto none = std::chrono::milliseconds::zero();
    const auto idle = rows_ == 0 && stop_when_.first != none ? stop_when_.first : stop_when_.idle;
    return (stop_when_.at_most != none && now - begin_ >= stop_when_.at_most) ||
           (idle != none && now - last_ >= idle);
  }

  const StopWhen stop_when_;
  const std::function<void(const std::vector<KsqldbColumn>&)>& on_header_;
  const std::function<void(const KsqldbRow&)>& on_row_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
  bool has_begun_ = false;
  uint64_t rows_ = 0;
};

std::string with_semicolon(std::string statement) {
  const size_t last = statement.find_last_not_of(" \t\r\n");
  statement.resize(last == std::string::npos ? 0 : last + 1);
  return statement.ends_with(';') ? statement : statement + ";";
}

}  // namespace

struct KsqldbClient::Impl {
  KsqldbHttp http;
  std::atomic<bool> only_query = false;  // /query-stream was refused before

  json::value ask(const KsqldbRequest& request) const {
    const KsqldbHttp::Reply reply = http.ask(request);
    if (reply.status != 200) throw ksqldb_error(reply.status, reply.body, http.where());
    return parse_exact_json(reply.body, "the answer of " + http.where());
  }
  [[noreturn]] void unexpected(std::string_view what) const {
    throw Error(Code::kGenericExternal, fmt::format("{} gave no {}", http.where(), what))
        .with_hint("is there a ksqlDB server behind this URL?");
  }
};

KsqldbClient::KsqldbClient(KsqldbSettings settings)
    : impl_(new Impl{KsqldbHttp(std::move(settings))}) {}

KsqldbClient::~KsqldbClient() = default;

const std::string& KsqldbClient::url() const { return impl_->http.url(); }

KsqldbInfo KsqldbClient::info() {
  const json::value answer = impl_->ask({"/info", ""});
  const json::object* info =
      answer.is_object() ? object_at(answer.get_object(), "KsqlServerInfo") : nullptr;
  if (info == nullptr) impl_->unexpected("information about itself");
  return {text_at(*info, "version"), text_at(*info, "kafkaClusterId"),
          text_at(*info, "ksqlServiceId")};
}

json::array KsqldbClient::execute(const std::string& statement) {
  const json::object body{{"ksql", with_semicolon(statement)},
                          {"streamsProperties", json::object()}};
  json::value answer = impl_->ask({"/ksql", json::serialize(body)});
  if (!answer.is_array()) impl_->unexpected("answers to a statement");
  for (const json::value& entity : answer.get_array()) {
    // A statement that was taken may have failed all the same.
    const json::object* status =
        entity.is_object() ? object_at(entity.get_object(), "commandStatus") : nullptr;
    if (status != nullptr && text_at(*status, "status") == "ERROR") {
      throw Error(Code::kGenericUserError, "ksqlDB: " + text_at(*status, "message"));
    }
  }
  return std::move(answer.get_array());
}

std::vector<KsqldbSource> KsqldbClient::sources() {
  std::vector<KsqldbSource> sources;
  for (const json::value& entity : execute("LIST STREAMS; LIST TABLES;")) {
    if (!entity.is_object()) continue;
    for (const bool is_table : {false, true}) {
      const json::array* entries = array_at(entity.get_object(), is_table ? "tables" : "streams");
      if (entries == nullptr) continue;
      for (const json::value& entry : *entries) {
        if (entry.is_object()) sources.push_back(listed_source(entry.get_object(), is_table));
      }
    }
  }
  std::ranges::sort(sources, {}, &KsqldbSource::name);
  return sources;
}

KsqldbSource KsqldbClient::describe(const std::string& name) {
  // ksqlDB's names are upper case unless they were quoted when they were made.
  const std::vector<KsqldbSource> all = sources();
  auto found = std::ranges::find(all, name, &KsqldbSource::name);
  if (found == all.end()) {
    found = std::ranges::find_if(
        all, [&](const KsqldbSource& one) { return boost::algorithm::iequals(one.name, name); });
  }
  if (found == all.end()) {
    std::vector<std::string> names;
    for (const KsqldbSource& one : all) names.push_back(one.name);
    throw Error(Code::kTableNotFound,
                fmt::format("{} has no stream or table '{}'", impl_->http.where(), name))
        .with_hint(base::did_you_mean(name, names, "there are: "));
  }
  KsqldbSource source = *found;
  for (const json::value& entity : execute("DESCRIBE " + quote_ksqldb(source.name))) {
    const json::object* description =
        entity.is_object() ? object_at(entity.get_object(), "sourceDescription") : nullptr;
    if (description == nullptr) continue;
    source.columns = described_columns(*description);
    source.windowed = source.windowed || !text_at(*description, "windowType").empty();
    return source;
  }
  impl_->unexpected("description of " + source.name);
}

uint64_t KsqldbClient::query(const std::string& sql, const StopWhen& stop_when,
                             const json::object& properties,
                             const std::function<void(const std::vector<KsqldbColumn>&)>& on_header,
                             const std::function<void(const KsqldbRow&)>& on_row,
                             std::stop_token stop) {
  QueryRun run(stop_when, on_header, on_row);
  const std::string statement = with_semicolon(sql);
  if (!impl_->only_query) {
    const json::object body{{"sql", statement}, {"properties", properties}};
    const auto rows = run.run(
        impl_->http,
        {"/query-stream", json::serialize(body), "application/vnd.ksqlapi.delimited.v1", true},
        QueryAnswer::Shape::kDelimited, stop);
    if (rows) return *rows;
  }
  const json::object body{{"ksql", statement}, {"streamsProperties", properties}};
  const auto rows =
      run.run(impl_->http, {"/query", json::serialize(body)}, QueryAnswer::Shape::kArray, stop);
  impl_->only_query = true;
  return rows.value_or(0);
}

}  // namespace meesh::streams
