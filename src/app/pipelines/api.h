// The running server as the pipelines' commands ask it.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace meesh::app {

struct ApiOptions {
  std::string server = "http://127.0.0.1:8080";
  bool json = false;
};
/// --server (MEESH_SERVER) and --json.
void add_api_options(CLI::App& command, ApiOptions& options);

/// Throws what the server says is wrong, as it would say it here; UNAVAILABLE without a server.
boost::json::object api_get(const ApiOptions& options, const std::string& path);
boost::json::object api_post(const ApiOptions& options, const std::string& path,
                             const boost::json::object& body = {});
/// Gives the answer's body in pieces as they come.
void api_stream(const ApiOptions& options, const std::string& path,
                const std::function<void(std::string_view)>& sink);

std::string text_of(const boost::json::object& object, std::string_view key);  // "" if absent
int64_t number_of(const boost::json::object& object, std::string_view key);    // 0 if absent
/// "2025-01-15 06:00:00" in the terminal's time zone; "" for 0.
std::string local_time(int64_t ms);
/// "0.2 s", "3 m 20 s"
std::string duration_text(int64_t ms);
/// A part of an address: percent-encoded.
std::string part(const std::string& text);

bool colours();
/// The word of a state, coloured on a terminal and padded to `width`.
std::string state_text(const std::string& state, size_t width = 0);
/// Rows under headers, in columns as wide as needed; the last is not padded.
void print_table(const std::vector<std::string>& headers,
                 const std::vector<std::vector<std::string>>& rows);

}  // namespace meesh::app
