// What every subject of the API does alike: bodies and parameters are read, errors are told as
// JSON, and long work is told of in lines.
#pragma once

#include <boost/json/object.hpp>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "net/http.h"

namespace meesh::serve::api {

constexpr size_t kMostBody = 1 << 20;  // bytes

/// A problem document (RFC 9457): {"type", "title", "status", "detail", "code", "text": as people
/// read it, "hint", "file", "line", "column", "errors": all of a configuration's mistakes}; what is
/// not known is left out.
boost::json::object problem_json(const Error& error);
/// {"error": the problem}, for lines and events of an answer that has begun.
boost::json::object error_json(const Error& error);
/// Answers with the problem, as application/problem+json with its status.
void answer_problem(net::Response& response, const boost::json::object& problem);

/// Whether a browser says that a page of another site sent it.
bool from_elsewhere(const net::Request& request);
/// A handler whose errors are answered as problems. A page of another site may only GET: 403.
net::Handler guarded(net::Handler handler);

void answer(net::Response& response, const boost::json::value& value);

/// The request's JSON; throws 415 for what does not call itself application/json, and BAD_REQUEST.
boost::json::value json_of(net::Request& request, size_t most = kMostBody);
/// The same for an object; {} without a body.
boost::json::object body_of(net::Request& request);

// Members of a body; they throw BAD_REQUEST when they are of another type.
std::string text(const boost::json::object& body, std::string_view key, std::string otherwise = "");
/// Throws if it is missing as well.
std::string needed_text(const boost::json::object& body, std::string_view key);
std::vector<std::string> texts(const boost::json::object& body, std::string_view key);
std::map<std::string, std::string> text_map(const boost::json::object& body, std::string_view key);
bool flag(const boost::json::object& body, std::string_view key);
/// From 1 to `most`.
int64_t number(const boost::json::object& body, std::string_view key, int64_t otherwise,
               int64_t most);

// Parameters of the query.
std::string query_text(const net::Request& request, std::string_view key,
                       std::string_view otherwise = "");
bool query_flag(const net::Request& request, std::string_view key);
/// From `least` to `most`; throws BAD_REQUEST.
uint64_t query_number(const net::Request& request, std::string_view key, uint64_t otherwise,
                      uint64_t least, uint64_t most);

/// Lines of JSON (application/x-ndjson) that go out while work is done on a thread of its own; the
/// work is asked to stop when nobody listens any more.
class Lines {
 public:
  /// An Error that it throws is the last line.
  using Work = std::function<void(const std::stop_token&, Lines&)>;

  /// Thread-safe, as is progress().
  void send(const boost::json::object& line);
  /// How far the work is: only the newest goes out, a few times a second.
  void progress(boost::json::object line);

  void run(net::Request& request, net::Response& response, const Work& work);

 private:
  bool pass_on(net::Response& response);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string lines_;  // guarded by mutex_, as all below
  std::optional<boost::json::object> progress_;
  bool ended_ = false;
};

}  // namespace meesh::serve::api
