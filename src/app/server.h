// The running server as commands ask it, and what they show of its answers.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace meesh::app {

/// There is no server to ask, or the way to it is cut: exit code 3.
class NoServer : public Error {
 public:
  using Error::Error;
};

struct ApiOptions {
  std::string server = "http://127.0.0.1:8080";
  bool json = false;
};
/// --server (MEESH_SERVER) and --json.
void add_api_options(CLI::App& command, ApiOptions& options);

// All throw what the server says is wrong, as it would say it here; NoServer without one.
boost::json::object api_get(const ApiOptions& options, const std::string& path);
boost::json::object api_post(const ApiOptions& options, const std::string& path,
                             const boost::json::object& body = {});
boost::json::object api_put(const ApiOptions& options, const std::string& path,
                            const boost::json::object& body);
/// The answer as it is.
std::string api_text(const ApiOptions& options, const std::string& path);
/// Gives the answer's body line by line as it comes.
void api_stream(const ApiOptions& options, const std::string& path,
                const std::function<void(std::string_view)>& line);
void api_post_stream(const ApiOptions& options, const std::string& path,
                     const boost::json::object& body,
                     const std::function<void(std::string_view)>& line);

std::string text_of(const boost::json::object& object, std::string_view key);  // "" if absent
int64_t number_of(const boost::json::object& object, std::string_view key);    // 0 if absent
/// "2025-01-15 06:00:00" in the terminal's time zone; "" for 0.
std::string local_time(int64_t ms);
/// "0.2 s", "3 m 20 s"
std::string duration_text(int64_t ms);
/// "1,234,567", in French "1 234 567"
std::string grouped_digits(uint64_t value);
/// A part of an address: percent-encoded.
std::string part(const std::string& text);

bool colours();
/// The word of a state, coloured on a terminal and padded to `width`.
std::string state_text(const std::string& state, size_t width = 0);
/// Rows under headers, in columns as wide as needed; the last is not padded.
void print_table(const std::vector<std::string>& headers,
                 const std::vector<std::vector<std::string>>& rows);

}  // namespace meesh::app
